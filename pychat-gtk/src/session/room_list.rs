//! The rooms that the reader is in, in the order in which they are listed.
//!
//! People one talks to come first, then all other rooms, of which the hall is the first. In each
//! section those with something new come first, then those in which something happened last.

use std::{cell::RefCell, cmp::Reverse, collections::BTreeMap, sync::OnceLock};

use gtk::{
    gio,
    gio::{prelude::*, subclass::prelude::*},
    glib,
    glib::subclass::Signal,
};

use super::room::{Room, RoomKind, RoomSection};
use crate::model::{Change, Message, list_diff};

mod imp {
    use std::cell::Cell;

    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::RoomList)]
    pub struct RoomList {
        /// The number of messages that are new to the reader, in all rooms that are not muted.
        #[property(get)]
        pub(super) unread: Cell<u32>,
        /// The number of these that mention the reader.
        #[property(get)]
        pub(super) mentions: Cell<u32>,
        /// The rooms as views know them.
        pub(super) rooms: RefCell<Vec<Room>>,
        /// The rooms by their ids.
        pub(super) by_id: RefCell<BTreeMap<String, Room>>,
        /// True while views are told of changes.
        pub(super) is_updating: Cell<bool>,
        /// True once something has changed of which they were not told.
        pub(super) is_update_due: Cell<bool>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RoomList {
        const NAME: &'static str = "PychatRoomList";
        type Type = super::RoomList;
        type Interfaces = (gio::ListModel,);
    }

    #[glib::derived_properties]
    impl ObjectImpl for RoomList {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                let room = Room::static_type();
                vec![
                    Signal::builder("heard").param_types([room, Message::static_type()]).build(),
                    Signal::builder("amendment-refused")
                        .param_types([
                            room,
                            String::static_type(),
                            Message::static_type(),
                            String::static_type(),
                        ])
                        .build(),
                    Signal::builder("read").param_types([room]).build(),
                    Signal::builder("withdrawn").param_types([room, u64::static_type()]).build(),
                ]
            })
        }
    }

    impl ListModelImpl for RoomList {
        fn item_type(&self) -> glib::Type {
            Room::static_type()
        }

        fn n_items(&self) -> u32 {
            position(self.rooms.borrow().len())
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            let index = usize::try_from(position).ok()?;
            self.rooms.borrow().get(index).cloned().map(Cast::upcast)
        }
    }
}

glib::wrapper! {
    /// The rooms that the reader is in, as they are listed.
    pub struct RoomList(ObjectSubclass<imp::RoomList>) @implements gio::ListModel;
}

impl Default for RoomList {
    fn default() -> Self {
        glib::Object::new()
    }
}

/// The order of rooms: the section, the hall before others, then something new and the last activity.
type Rank = (RoomSection, bool, bool, Reverse<i64>);

impl RoomList {
    /// Returns the room whose id is `id`, if the reader is in it, or something in it is not lost yet.
    pub fn room(&self, id: &str) -> Option<Room> {
        self.imp().by_id.borrow().get(id).cloned()
    }

    /// Returns the room at `position`.
    pub fn room_at(&self, position: u32) -> Option<Room> {
        self.item(position).and_downcast()
    }

    /// Returns true if the room at `position` is the first of its section.
    pub fn begins_section(&self, position: u32) -> bool {
        let section = |position| self.room_at(position).map(|room| room.kind().section());
        let before = position.checked_sub(1).and_then(section);
        section(position).is_some_and(|section| before != Some(section))
    }

    /// Calls `f` with each message of somebody else's that is new, and its room: not with pages of
    /// the past.
    pub fn connect_heard(
        &self,
        f: impl Fn(&Self, &Room, &Message) + 'static,
    ) -> glib::SignalHandlerId {
        self.connect_closure(
            "heard",
            false,
            glib::closure_local!(move |rooms: &Self, room: &Room, message: &Message| f(
                rooms, room, message
            )),
        )
    }

    /// Calls `f` with each room in which nothing is new to the reader any more, on whatever device
    /// they have read it.
    pub fn connect_read(&self, f: impl Fn(&Self, &Room) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "read",
            false,
            glib::closure_local!(move |rooms: &Self, room: &Room| f(rooms, room)),
        )
    }

    /// Calls `f` with the room and the number of each message that is deleted.
    pub fn connect_withdrawn(
        &self,
        f: impl Fn(&Self, &Room, u64) + 'static,
    ) -> glib::SignalHandlerId {
        self.connect_closure(
            "withdrawn",
            false,
            glib::closure_local!(move |rooms: &Self, room: &Room, seq: u64| f(rooms, room, seq)),
        )
    }

    /// Calls `f` with the room in which a change was refused, the reason in words, the message that was to
    /// be changed, if that can be tried again, and the words that it was to have.
    pub fn connect_amendment_refused(
        &self,
        f: impl Fn(&Self, &Room, &str, Option<&Message>, &str) + 'static,
    ) -> glib::SignalHandlerId {
        self.connect_closure(
            "amendment-refused",
            false,
            glib::closure_local!(move |rooms: &Self,
                                       room: &Room,
                                       reason: &str,
                                       message: Option<&Message>,
                                       words: &str| {
                f(rooms, room, reason, message, words);
            }),
        )
    }

    /// Returns all of them, in the order of their ids.
    pub(super) fn all(&self) -> Vec<Room> {
        self.imp().by_id.borrow().values().cloned().collect()
    }

    /// Lists these rooms and no others.
    pub(super) fn replace(&self, rooms: Vec<Room>) {
        let by_id = rooms.into_iter().map(|room| (room.id(), room)).collect();
        self.imp().by_id.replace(by_id);
        self.update();
    }

    /// Puts the rooms into their order again, and counts what is new in them. Who hears of that may
    /// have changed the rooms once more; then this, being at it already, does that too.
    pub(super) fn update(&self) {
        let imp = self.imp();
        imp.is_update_due.set(true);
        if imp.is_updating.replace(true) {
            return;
        }
        while imp.is_update_due.take() {
            self.sort();
            self.count();
        }
        imp.is_updating.set(false);
    }

    fn sort(&self) {
        let mut rooms: Vec<_> = self.all().into_iter().map(|room| (rank(&room), room)).collect();
        rooms.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.cmp_title(&other.1)));
        let new: Vec<_> = rooms.into_iter().map(|(_, room)| room).collect();
        let n_before = self.imp().rooms.borrow().len();
        let mut changes = list_diff(&self.imp().rooms.borrow(), &new);
        if new.len() < 2 * changes.iter().map(|change| change.new.len()).sum::<usize>() {
            changes = vec![Change { old: 0..n_before, new: 0..new.len() }]; // Views pay for each.
        }
        // From the end, what is before a change is still where it was.
        for Change { old, new: range } in changes.into_iter().rev() {
            let (at, n_removed, n_added) = (old.start, old.len(), range.len());
            self.imp().rooms.borrow_mut().splice(old, new[range].iter().cloned());
            self.items_changed(position(at), position(n_removed), position(n_added));
        }
    }

    pub(super) fn tell_heard(&self, room: &Room, message: &Message) {
        self.emit_by_name::<()>("heard", &[room, message]);
    }

    pub(super) fn tell_withdrawn(&self, room: &Room, seq: u64) {
        self.emit_by_name::<()>("withdrawn", &[room, &seq]);
    }

    pub(super) fn tell_refused(
        &self,
        room: &Room,
        reason: &str,
        message: Option<&Message>,
        words: &str,
    ) {
        let message = message.cloned();
        self.emit_by_name::<()>("amendment-refused", &[room, &reason, &message, &words]);
    }

    pub(super) fn tell_read(&self, room: &Room) {
        self.emit_by_name::<()>("read", &[room]);
    }

    fn count(&self) {
        let imp = self.imp();
        let (unread, mentions) = {
            let rooms = imp.rooms.borrow();
            let loud = rooms.iter().filter(|room| !room.is_muted());
            loud.fold((0_u32, 0_u32), |(unread, mentions), room| {
                (unread.saturating_add(room.unread()), mentions.saturating_add(room.mentions()))
            })
        };
        if imp.unread.replace(unread) != unread {
            self.notify_unread();
        }
        if imp.mentions.replace(mentions) != mentions {
            self.notify_mentions();
        }
    }
}

/// Returns the place of a room. What is new in a muted room does not move it.
fn rank(room: &Room) -> Rank {
    let has_news = 0 < room.unread() && !room.is_muted();
    (room.kind().section(), room.kind() != RoomKind::Hall, !has_news, Reverse(room.last_active()))
}

/// A list model counts in 32 bits.
fn position(index: usize) -> u32 {
    u32::try_from(index).expect("the client bounds how many it lists")
}
