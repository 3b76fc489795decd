//! Rooms, as a person asks for them and is told of them.

use std::collections::BTreeSet;

use pychat_wire::{
    Client,
    client::{Event, Past, Room, RoomId},
    message::{ErrorCode, PAGE_MESSAGES_MAX, RoomKind, RoomRequest},
};

use super::Person;
use crate::promise::{
    shown::Screen,
    stored::Stored,
    tally::{Effect, Tally},
};

impl Person {
    /// Returns the rooms that they are in as far as they know, but for the hall; none if they do not
    /// live.
    pub(crate) fn rooms(&self) -> Vec<Room> {
        let mut rooms = self.client.as_ref().map(Client::rooms).unwrap_or_default();
        rooms.retain(|room| !room.id.is_hall());
        rooms
    }

    /// Asks for a room to be made or changed.
    pub(crate) fn request(&mut self, request: RoomRequest<'static>) {
        let Some(client) = &mut self.client else { return };
        if let Some(id) = client.change_room(request.clone()) {
            self.memory.ask(id, request);
        }
        self.store();
    }

    /// Marks all that they were shown of a room as seen.
    pub(crate) fn see(&mut self, room: &RoomId) {
        if let Some(client) = &mut self.client {
            client.see(room, client.saved().seq(room));
        }
        self.store();
    }

    /// Says that they are writing something.
    pub(crate) fn type_in(&mut self, room: &RoomId) {
        if let Some(client) = &mut self.client {
            client.typing(room);
        }
    }

    /// Asks for an older page of the hall.
    pub(crate) fn ask_for_older(&mut self) {
        if let Some(client) = &mut self.client {
            client.request_history(&RoomId::hall(), PAGE_MESSAGES_MAX);
        }
    }

    /// Asks for older pages of all other rooms of which there is more.
    pub(crate) fn ask_for_older_of_rooms(&mut self) {
        for Room { id, .. } in self.rooms() {
            if let Some(client) = &mut self.client
                && client.past(&id) == Past::Kept
            {
                client.request_history(&id, PAGE_MESSAGES_MAX);
            }
        }
    }

    /// Returns what they do not know of what the server has, if there is anything.
    pub(crate) fn find_lack(&self, stored: &Stored) -> Option<String> {
        let name = self.name.as_str();
        let Some(client) = &self.client else { return Some(format!("{name} does not live")) };
        let rooms = stored.rooms_of(name);
        let known: BTreeSet<_> = self.rooms().into_iter().map(|room| room.id).collect();
        let memory = &self.memory.rooms;
        if !known.iter().eq(rooms.keys()) || !memory.iter().filter(|it| !it.is_hall()).eq(&known) {
            return Some(format!("{name} is in {rooms:?}, not in {known:?}, {memory:?}"));
        }
        for (room, last) in &rooms {
            let screen = &self.memory.screens[room];
            let span = (screen.oldest(), screen.next());
            if span != (Some(1), Some(last + 1)) {
                let past = client.past(room);
                return Some(format!("{name} has {span:?} of {room:?}, {past:?}, of 1 to {last}"));
            }
        }
        for room in rooms.keys().chain([&RoomId::hall()]) {
            let (seen, mark) = (client.seen(room), stored.mark(room, name));
            // Nobody is told that they have seen the record by which they came.
            if seen != mark && !(seen + 1 == mark && stored.is_entry(room, mark, name)) {
                return Some(format!("{name} has seen {seen} of {room:?}, by the server {mark}"));
            }
        }
        None
    }

    /// Takes what is said of rooms other than what was said in them.
    pub(super) fn heed_rooms(&mut self, event: Event, tally: &mut Tally) {
        match event {
            Event::RoomEvent(record) => {
                self.has_shown = true;
                if record.replayed {
                    tally.note_effect(Effect::Missed);
                }
                self.memory.show_event(record);
            }
            Event::RoomChanged(room) => {
                let client = self.client.as_ref().expect("it has told this");
                let seq = client.saved().seq(&room.id);
                self.memory.enter(&room.id, seq);
            }
            Event::RoomGone { room } => {
                tally.note_effect(Effect::Gone);
                self.memory.go(&room);
            }
            Event::Gap { room, from, to } => self.memory.miss(&room, from, to),
            Event::RoomRequestDone { room, id } => {
                let asked = self.memory.answer(id, Some(room));
                tally.note_effect(effect_of(&asked.request));
                if asked.is_repeated {
                    tally.note_effect(Effect::DoneLate);
                }
            }
            Event::Denied { code, text, id } => {
                use ErrorCode::{Forbidden, NameTaken, NoRoom, NotDone, SlowDown, Storage};
                let is_allowed =
                    matches!(code, Forbidden | NameTaken | NoRoom | NotDone | SlowDown | Storage);
                assert!(is_allowed, "{} is denied {code:?}: {text}", self.name.as_str());
                tally.note_effect(Effect::Denied);
                if let Some(id) = id {
                    self.memory.answer(id, None);
                }
            }
            Event::Read { .. } => tally.note_effect(Effect::SeenElsewhere),
            Event::Typing { .. } => tally.note_effect(Effect::Typed),
            other => panic!("{} is told {other:?}", self.name.as_str()),
        }
    }

    /// Returns true if they were shown all of the hall.
    pub(crate) fn has_all_of_the_hall(&self) -> bool {
        self.hall().and_then(Screen::oldest) == Some(1)
    }
}

fn effect_of(request: &RoomRequest<'_>) -> Effect {
    match request {
        RoomRequest::CreateRoom { kind: RoomKind::Open, .. } => Effect::CreatedOpen,
        RoomRequest::CreateRoom { .. } => Effect::CreatedClosed,
        RoomRequest::Direct { .. } => Effect::Direct,
        RoomRequest::JoinRoom { .. } => Effect::Joined,
        RoomRequest::LeaveRoom { .. } => Effect::Left,
        RoomRequest::AddMember { .. } => Effect::Added,
        RoomRequest::RemoveMember { .. } => Effect::Removed,
        RoomRequest::UpdateRoom { name: Some(_), .. } => Effect::Renamed,
        RoomRequest::UpdateRoom { .. } => Effect::Topic,
    }
}
