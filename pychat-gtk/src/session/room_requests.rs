//! The requests that make and change rooms, and the outcomes.

use std::{cell::RefCell, collections::HashMap};

use gtk::glib::{self, prelude::*, subclass::prelude::*};
use pychat_wire::{
    Client,
    client::{self, Event},
    message::{self, ErrorCode, Names, RoomRequest},
};

use super::{Room, Session, error_text, room::RoomKind};

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
    /// The requests that are not answered, by their ids.
    pending: RefCell<HashMap<String, RoomRequest<'static>>>,
    /// The open rooms as the server last listed them.
    open_rooms: RefCell<Vec<OpenRoom>>,
    /// The id of the room that is to be shown once it is there.
    wanted: RefCell<Option<String>>,
}

impl Session {
    /// Makes an open or closed room; it is shown once it is there. Returns the id of the request, of
    /// which `room-changed` or `room-failed` tells, with the next connection if there is none; `None`
    /// if nothing can be asked of this server, or too much was asked already.
    pub fn create_room(&self, kind: RoomKind, name: &str, topic: &str) -> Option<String> {
        let kind = match kind {
            RoomKind::Open => message::RoomKind::Open,
            _ => message::RoomKind::Closed,
        };
        let (name, topic) = (name.to_owned().into(), topic.to_owned().into());
        self.change_room(RoomRequest::CreateRoom { kind, name, topic })
    }

    /// Opens the direct room with the people of these names, which need not have the reader's, and
    /// makes it if there is none; it is shown once it is there. Returns as
    /// [`create_room`](Self::create_room) does.
    pub fn open_direct(&self, names: &[&str]) -> Option<String> {
        let with = Names(names.iter().map(|name| (*name).to_owned().into()).collect());
        self.change_room(RoomRequest::Direct { with })
    }

    /// Joins an open room; it is shown once it is there. Returns as
    /// [`create_room`](Self::create_room) does.
    pub fn join_room(&self, id: &str) -> Option<String> {
        self.change_room(RoomRequest::JoinRoom { room: id.to_owned().into() })
    }

    /// Leaves an open or closed room. Returns as [`create_room`](Self::create_room) does.
    pub fn leave_room(&self, id: &str) -> Option<String> {
        self.change_room(RoomRequest::LeaveRoom { room: id.to_owned().into() })
    }

    /// Adds somebody to a closed room. Returns as [`create_room`](Self::create_room) does.
    pub fn add_member(&self, id: &str, name: &str) -> Option<String> {
        let (room, username) = (id.to_owned().into(), name.to_owned().into());
        self.change_room(RoomRequest::AddMember { room, username })
    }

    /// Removes somebody from a room. Returns as [`create_room`](Self::create_room) does.
    pub fn remove_member(&self, id: &str, name: &str) -> Option<String> {
        let (room, username) = (id.to_owned().into(), name.to_owned().into());
        self.change_room(RoomRequest::RemoveMember { room, username })
    }

    /// Gives a room another name. Returns as [`create_room`](Self::create_room) does.
    pub fn rename_room(&self, id: &str, name: &str) -> Option<String> {
        let (room, name) = (id.to_owned().into(), Some(name.to_owned().into()));
        self.change_room(RoomRequest::UpdateRoom { room, name, topic: None })
    }

    /// Gives a room another topic; none if it is empty. Returns as
    /// [`create_room`](Self::create_room) does.
    pub fn set_room_topic(&self, id: &str, topic: &str) -> Option<String> {
        let (room, topic) = (id.to_owned().into(), Some(topic.to_owned().into()));
        self.change_room(RoomRequest::UpdateRoom { room, name: None, topic })
    }

    /// Asks the server for the open rooms; `open-rooms-changed` follows. Returns false without a
    /// connection.
    pub fn request_open_rooms(&self) -> bool {
        self.ask_server(Client::request_rooms)
    }

    /// Returns the open rooms as the server last listed them, those among them that the reader is in.
    pub fn open_rooms(&self) -> Vec<OpenRoom> {
        self.imp().requests.open_rooms.borrow().clone()
    }

    /// Has the room whose id is `id` shown, now or when it is there: `room-wanted` tells of it.
    pub fn show_room(&self, id: &str) {
        self.imp().requests.wanted.replace(Some(id.to_owned()));
        self.show_wanted(id);
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

    /// Takes in the answer to a request about rooms; returns what is something else.
    pub(super) fn on_room_answer(&self, event: Event) -> Option<Event> {
        match event {
            Event::Rooms(rooms) => self.on_open_rooms(rooms),
            Event::RoomRequestDone { room, id } => self.on_request_done(&id, room.as_str()),
            Event::Denied { code, ref text, id: Some(ref id) } => {
                let request = self.imp().requests.pending.borrow_mut().remove(id);
                let Some(request) = request else { return Some(event) };
                let reason = error_text::room_denial(&request, code, text);
                self.emit_by_name::<()>("room-failed", &[&id, &reason]);
            }
            // A room was left while something was asked there.
            Event::Denied { code: ErrorCode::NoRoom, id: None, .. } => (),
            event => return Some(event),
        }
        None
    }

    /// Has the room shown whose id is `id`, if it is wanted and there.
    pub(super) fn show_wanted(&self, id: &str) {
        let wanted = &self.imp().requests.wanted;
        if wanted.borrow().as_deref() != Some(id) {
            return;
        }
        if let Some(room) = self.rooms().room(id) {
            wanted.take();
            self.emit_by_name::<()>("room-wanted", &[&room]);
        }
    }

    /// Has a room shown that was wanted before it was known, at a welcome. One that is not there then
    /// is not wanted any more.
    pub(super) fn show_wanted_room(&self) {
        let wanted = self.imp().requests.wanted.borrow().clone();
        if let Some(id) = wanted {
            self.show_wanted(&id);
            self.imp().requests.wanted.take();
        }
    }

    /// Forgets the requests and the open rooms of one server, which mean nothing on the next.
    pub(super) fn forget_room_requests(&self) {
        let requests = &self.imp().requests;
        requests.open_rooms.take();
        let pending = requests.pending.take();
        for id in pending.keys() {
            self.emit_by_name::<()>("room-failed", &[id, &error_text::unanswered()]);
        }
    }

    /// Returns true if the reader has asked to leave the room whose id is `id`.
    pub(super) fn is_leaving(&self, id: &str) -> bool {
        let pending = self.imp().requests.pending.borrow();
        pending.values().any(|it| matches!(it, RoomRequest::LeaveRoom { room } if room == id))
    }

    fn change_room(&self, request: RoomRequest<'static>) -> Option<String> {
        let asked = request.clone();
        let id = self.with_client(|client| client.change_room(asked)).flatten();
        self.imp().requests.pending.borrow_mut().extend(id.clone().map(|id| (id, request)));
        self.process_events();
        id
    }

    fn on_request_done(&self, id: &str, room: &str) {
        use RoomRequest::{CreateRoom, Direct, JoinRoom, LeaveRoom};
        let request = self.imp().requests.pending.borrow_mut().remove(id);
        self.emit_by_name::<()>("room-changed", &[&id]);
        match request {
            Some(CreateRoom { .. } | Direct { .. } | JoinRoom { .. }) => self.show_room(room),
            // What was being written there is not wanted any more.
            Some(LeaveRoom { .. }) => {
                self.rooms().room(room).inspect(Room::drop_draft);
            }
            _ => (),
        }
    }

    fn on_open_rooms(&self, rooms: Vec<client::Room>) {
        let open = rooms.into_iter().map(|room| OpenRoom {
            id: room.id.as_str().to_owned(),
            name: room.name,
            topic: room.topic,
        });
        self.imp().requests.open_rooms.replace(open.collect());
        self.emit_by_name::<()>("open-rooms-changed", &[]);
    }
}
