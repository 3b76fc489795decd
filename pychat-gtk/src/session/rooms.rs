//! The rooms of a session: the requests that make and change them, and the outcomes.

use std::cell::RefCell;

use gtk::glib::{self, prelude::*, subclass::prelude::*};

use super::{Room, Session, room::RoomKind};

/// An open room, as the server lists it for those who look for one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenRoom {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its topic; empty if it has none.
    pub topic: String,
}

/// The requests that are not answered, and the answers that are kept.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// The open rooms as the server last listed them.
    open_rooms: RefCell<Vec<OpenRoom>>,
    /// The id of the room that is to be shown once it is there.
    wanted: RefCell<Option<String>>,
}

impl Session {
    /// Makes an open or closed room; it is shown once it is there. Returns the id of the request, of
    /// which `room-changed` or `room-failed` tells; `None` without a connection.
    pub fn create_room(&self, kind: RoomKind, name: &str, topic: &str) -> Option<String> {
        let _ = (kind, name, topic);
        None
    }

    /// Opens the direct room with the people of these names, which need not have the reader's, and
    /// makes it if there is none; it is shown once it is there. Returns as
    /// [`create_room`](Self::create_room) does.
    pub fn open_direct(&self, names: &[&str]) -> Option<String> {
        let _ = names;
        None
    }

    /// Joins an open room; it is shown once it is there. Returns as
    /// [`create_room`](Self::create_room) does.
    pub fn join_room(&self, id: &str) -> Option<String> {
        let _ = id;
        None
    }

    /// Leaves an open or closed room. Returns as [`create_room`](Self::create_room) does.
    pub fn leave_room(&self, id: &str) -> Option<String> {
        let _ = id;
        None
    }

    /// Adds somebody to a closed room. Returns as [`create_room`](Self::create_room) does.
    pub fn add_member(&self, id: &str, name: &str) -> Option<String> {
        let _ = (id, name);
        None
    }

    /// Removes somebody from a room. Returns as [`create_room`](Self::create_room) does.
    pub fn remove_member(&self, id: &str, name: &str) -> Option<String> {
        let _ = (id, name);
        None
    }

    /// Gives a room another name. Returns as [`create_room`](Self::create_room) does.
    pub fn rename_room(&self, id: &str, name: &str) -> Option<String> {
        let _ = (id, name);
        None
    }

    /// Gives a room another topic; none if it is empty. Returns as
    /// [`create_room`](Self::create_room) does.
    pub fn set_room_topic(&self, id: &str, topic: &str) -> Option<String> {
        let _ = (id, topic);
        None
    }

    /// Asks the server for the open rooms; `open-rooms-changed` follows. Returns false without a
    /// connection.
    pub fn request_open_rooms(&self) -> bool {
        false
    }

    /// Returns the open rooms as the server last listed them, those among them that the reader is in.
    pub fn open_rooms(&self) -> Vec<OpenRoom> {
        self.imp().requests.open_rooms.borrow().clone()
    }

    /// Has the room whose id is `id` shown, now or when it is there: `room-wanted` tells of it.
    pub fn show_room(&self, id: &str) {
        match self.rooms().room(id) {
            Some(room) => self.emit_by_name::<()>("room-wanted", &[&room]),
            None => drop(self.imp().requests.wanted.replace(Some(id.to_owned()))),
        }
    }

    /// Calls `f` with each room that is to be shown.
    pub fn connect_room_wanted(&self, f: impl Fn(&Self, &Room) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "room-wanted",
            false,
            glib::closure_local!(move |session: &Self, room: &Room| f(session, room)),
        )
    }

    /// Calls `f` with the id of each request for a change of a room that was granted.
    pub fn connect_room_changed(&self, f: impl Fn(&Self, &str) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "room-changed",
            false,
            glib::closure_local!(move |session: &Self, id: &str| f(session, id)),
        )
    }

    /// Calls `f` with the id of each request for a change of a room that was not granted, and the
    /// reason, in words.
    pub fn connect_room_failed(
        &self,
        f: impl Fn(&Self, &str, &str) + 'static,
    ) -> glib::SignalHandlerId {
        self.connect_closure(
            "room-failed",
            false,
            glib::closure_local!(move |session: &Self, id: &str, reason: &str| f(
                session, id, reason
            )),
        )
    }

    /// Calls `f` when the open rooms are listed.
    pub fn connect_open_rooms_changed(&self, f: impl Fn(&Self) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "open-rooms-changed",
            false,
            glib::closure_local!(move |session: &Self| f(session)),
        )
    }
}
