//! The rooms of a session: which there are, what the client tells of them, and how many are open.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashSet},
};

use gtk::glib::subclass::prelude::*;
use pychat_wire::{
    Client,
    client::{self, Event, ROOMS_MAX, RoomId},
};

use super::{
    Room, Session, SessionState, missed_mentions::MissedMentions, notices, state_file::KeptRoom,
};

/// The most rooms whose messages are kept here, and not only counted, beside the hall.
const OPEN_ROOMS_MAX: usize = 16;

/// The most bytes that the texts of all these messages have, beside those of the room that was opened
/// last.
const OPEN_BYTES_MAX: usize = 32 << 20;

/// The rooms of a session, beside the list of them.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// The state of rooms that are not known yet, by their ids.
    kept: RefCell<BTreeMap<String, KeptRoom>>,
    /// The rooms that were opened, the last one last.
    opened: RefCell<Vec<Room>>,
    /// True once something in a room has changed, until that is told.
    is_news_due: Cell<bool>,
    pub(super) missed_mentions: RefCell<MissedMentions>,
}

impl Session {
    /// Begins anew with the hall alone, in which `draft` is being written; of other rooms this is
    /// `kept`.
    pub(super) fn begin_rooms(&self, draft: String, mut kept: BTreeMap<String, KeptRoom>) {
        let rooms = &self.imp().rooms_state;
        let hall = kept.remove("").unwrap_or_default();
        while ROOMS_MAX < kept.len() {
            kept.pop_last();
        }
        rooms.kept.replace(kept);
        rooms.opened.take();
        rooms.missed_mentions.take();
        self.search().search_for("");
        for room in self.rooms().all().iter().filter(|room| !room.has_id("")) {
            room.lose(); // It was on the server of before.
        }
        self.rooms().replace(vec![self.room()]);
        self.room().begin(draft, &hall);
    }

    /// Takes in which rooms there are, at a welcome; `is_new` if there was no conversation before.
    pub(super) fn update_rooms(&self, is_new: bool) {
        if self.speaks_original() {
            return;
        }
        let described = self.ask_client(Client::rooms).unwrap_or_default();
        let ids: HashSet<_> = described.iter().map(|room| room.id.as_str()).collect();
        let mut rooms = self.rooms().all();
        for room in &rooms {
            if !room.has_id("") && !ids.contains(&*room.id()) {
                room.lose();
            }
        }
        let n_known = rooms.len();
        rooms.extend(described.iter().filter_map(|room| self.describe_room(room)));
        self.begin_missed_mentions(is_new || n_known < rooms.len());
        rooms.retain(is_worth_listing);
        rooms.iter().for_each(Room::tell_news); // They are sorted by it.
        self.rooms().replace(rooms);
        self.restore_lost_rooms();
        let rooms = self.rooms().all();
        for room in rooms.iter().filter(|room| !room.has_id("")) {
            room.on_returned(is_new);
        }
    }

    /// Takes in what the client tells of rooms; returns what is of something else.
    pub(super) fn on_room_event(&self, event: Event) -> Option<Event> {
        if let Event::Skipped { .. } = event {
            self.expect_missed_mentions();
        }
        match &event {
            Event::RoomChanged(room) => {
                if let Some(new) = self.describe_room(room) {
                    self.list(&new);
                }
                self.show_wanted(room.id.as_str());
            }
            Event::RoomGone { room } => self.lose_room(room),
            Event::NewEpoch => self.rooms().all().iter().for_each(Room::begin_epoch),
            Event::Members { room, names } => self.with_room(room, |room| room.on_members(names)),
            Event::Read { room, seq } => self.with_room(room, |room| room.on_read(*seq)),
            Event::Typing { room, name } => self.with_room(room, |room| room.on_typing(name)),
            Event::SlowDown { retry_ms: Some(retry_ms) } => {
                self.rooms().all().iter().for_each(|room| room.hold(*retry_ms));
            }
            Event::Failed { room, .. } => self.found_room(room).on_event(event),
            Event::Message(client::Message { room, .. })
            | Event::Page(client::Page { room, .. })
            | Event::RoomEvent(client::RoomRecord { room, .. })
            | Event::Gap { room, .. }
            | Event::Skipped { room, .. }
            | Event::Amended(client::Amended { room, .. })
            | Event::Withdrawn { room, .. }
            | Event::Accepted { room, .. } => {
                if let Some(room) = self.rooms().room(room.as_str()) {
                    room.on_event(event);
                }
            }
            _ => return Some(event),
        }
        None
    }

    /// Takes in that something in a room has changed, to be told with all that happens at once.
    pub(super) fn expect_news(&self) {
        self.imp().rooms_state.is_news_due.set(true);
    }

    /// Tells what has changed in rooms; returns false if nothing has.
    pub(super) fn tell_news(&self) -> bool {
        if !self.imp().rooms_state.is_news_due.take() {
            return false;
        }
        for room in self.rooms().all() {
            if room.is_open() && !self.speaks_original() {
                room.pass_unknown();
            }
            room.tell_news();
        }
        self.rooms().update();
        self.bound_open_rooms();
        true
    }

    /// Takes in that a room was opened, and is looked at.
    pub(super) fn note_opened(&self, room: &Room) {
        let opened = &self.imp().rooms_state.opened;
        opened.borrow_mut().retain(|it| it != room);
        opened.borrow_mut().push(room.clone());
        self.bound_open_rooms();
    }

    /// Has every room that is open find out what there is of older messages.
    pub(super) fn update_back_pages(&self) {
        for room in self.rooms().all().iter().filter(|room| room.is_open()) {
            room.update_back_pages();
        }
    }

    /// Takes a room off the list that the reader is in no more, unless something in it would be lost.
    pub(super) fn forget_lost_room(&self, room: &Room) {
        if !is_worth_listing(room) {
            self.imp().rooms_state.opened.borrow_mut().retain(|it| it != room);
            let mut rooms = self.rooms().all();
            rooms.retain(|it| it != room);
            self.rooms().replace(rooms);
            self.save_soon();
        }
    }

    /// Returns what is to be kept of all rooms, by their ids.
    pub(super) fn kept_rooms(&self) -> BTreeMap<String, KeptRoom> {
        let mut kept = self.imp().rooms_state.kept.borrow().clone();
        let known = self.rooms().all();
        kept.extend(known.iter().filter_map(|room| Some((room.id(), room.kept()?))));
        kept
    }

    /// Takes in what a room is like; returns it if it is not listed yet.
    fn describe_room(&self, room: &client::Room) -> Option<Room> {
        let known = self.rooms().room(room.id.as_str());
        let is_new = known.is_none();
        let it = known.unwrap_or_else(|| self.new_room(&room.id));
        it.describe(room);
        self.let_in(&it);
        is_new.then_some(it)
    }

    fn lose_room(&self, id: &RoomId) {
        let Some(room) = self.rooms().room(id.as_str()).filter(|room| !room.has_id("")) else {
            return;
        };
        if self.is_leaving(id.as_str()) {
            room.drop_draft();
        }
        room.lose();
        room.tell_read();
        self.expect_news();
        self.forget_lost_room(&room);
    }

    /// Returns the room whose id is `id`; one that the reader is in no more, if it is not listed.
    fn found_room(&self, id: &RoomId) -> Room {
        self.rooms().room(id.as_str()).unwrap_or_else(|| {
            let room = self.new_room(id);
            if room.title().is_empty() {
                room.set_title(notices::unknown_room());
            }
            room.set_unknown();
            self.list(&room);
            room
        })
    }

    /// Lists the rooms in which something was being written, and that the reader is in no more.
    fn restore_lost_rooms(&self) {
        let kept = &self.imp().rooms_state.kept;
        let drafts = kept
            .borrow()
            .iter()
            .filter(|(_, kept)| !kept.draft.is_empty())
            .map(|(id, _)| RoomId::from(id.as_str()))
            .collect::<Vec<_>>();
        for id in drafts {
            self.found_room(&id);
        }
        kept.take();
    }

    fn new_room(&self, id: &RoomId) -> Room {
        let kept = self.imp().rooms_state.kept.borrow_mut().remove(id.as_str());
        Room::new(self, id, kept)
    }

    fn list(&self, room: &Room) {
        let mut rooms = self.rooms().all();
        rooms.push(room.clone());
        self.rooms().replace(rooms);
    }

    /// Has a room be as the session is.
    fn let_in(&self, room: &Room) {
        let is_joined = self.state() == SessionState::Joined;
        if room.is_online() != is_joined {
            room.set_online(is_joined);
        }
        room.set_can_say(self.can_say());
        room.set_can_moderate(self.room().can_moderate());
    }

    fn with_room(&self, id: &RoomId, f: impl FnOnce(&Room)) {
        if let Some(room) = self.rooms().room(id.as_str()) {
            f(&room);
        }
    }

    /// Closes the rooms that were not looked at for longest, while too many are open.
    fn bound_open_rooms(&self) {
        let opened = self.imp().rooms_state.opened.borrow().clone();
        let Some((_, others)) = opened.split_last() else { return };
        let others: Vec<_> = others.iter().filter(|room| !room.has_id("")).collect();
        let mut n_rooms = opened.iter().filter(|room| !room.has_id("")).count();
        let mut n_bytes: usize = others.iter().map(|room| room.history().n_bytes()).sum();
        for room in others {
            if n_rooms <= OPEN_ROOMS_MAX && n_bytes <= OPEN_BYTES_MAX {
                break;
            }
            let n_freed = room.history().n_bytes();
            if room.close() {
                (n_rooms, n_bytes) = (n_rooms - 1, n_bytes - n_freed);
                self.imp().rooms_state.opened.borrow_mut().retain(|it| it != room);
            }
        }
    }
}

/// Returns true if the reader is in the room, or something that they wrote would be lost with it.
fn is_worth_listing(room: &Room) -> bool {
    !room.is_gone() || room.has_words()
}
