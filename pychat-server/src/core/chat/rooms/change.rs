//! Rooms that are changed: people who come and go, names and topics.

use pychat_wire::message::RoomEvent;

use super::{
    Asked, Chat, Content, Effect, Refusal, Sought,
    make::{check_name, check_topic, not_done},
};
use crate::core::{
    gate::Verb,
    id::{HALL, RoomId},
    record::RoomChange,
};

impl Chat {
    pub(super) fn join_room(&mut self, asked: &Asked, room: &str, effects: &mut Vec<Effect>) {
        let event = (RoomEvent::Joined, None);
        let Some(room) = self.enter_gate(asked, room, Verb::Join, event.0, effects) else { return };
        let person = asked.person;
        let why = if self.rooms.is_in(person, room) || self.rooms.is_joining(person, room) {
            not_done("you are in this room already")
        } else if self.rooms.is_ending(room) {
            not_done("this room is over")
        } else if !self.rooms.may_enter(person, false) {
            not_done("you are in as many rooms as one can be")
        } else {
            return self.change(asked, room, event, RoomChange::Add(person), effects);
        };
        self.refuse(asked, Sought::of(room, event.0), why, effects);
    }

    pub(super) fn leave_room(&mut self, asked: &Asked, room: &str, effects: &mut Vec<Effect>) {
        let event = (RoomEvent::Left, None);
        if let Some(room) = self.enter_gate(asked, room, Verb::Leave, event.0, effects) {
            self.change(asked, room, event, RoomChange::Remove(asked.person), effects);
        }
    }

    pub(super) fn add_member(
        &mut self,
        asked: &Asked,
        room: &str,
        name: &str,
        effects: &mut Vec<Effect>,
    ) {
        let event = RoomEvent::Added;
        let Some(room) = self.enter_gate(asked, room, Verb::Add, event, effects) else { return };
        let (person, name) = match self.named(name) {
            Ok(named) => named,
            Err(why) => return self.refuse(asked, Sought::of(room, event), why, effects),
        };
        let why = if self.rooms.is_in(person, room) || self.rooms.is_joining(person, room) {
            not_done(&format!("{name} is in this room already"))
        } else if !self.rooms.may_enter(person, false) {
            not_done(&format!("{name} is in as many rooms as one can be"))
        } else {
            let event = (event, Some(name.as_str()));
            return self.change(asked, room, event, RoomChange::Add(person), effects);
        };
        self.refuse(asked, Sought::of(room, event), why, effects);
    }

    pub(super) fn remove_member(
        &mut self,
        asked: &Asked,
        room: &str,
        name: &str,
        effects: &mut Vec<Effect>,
    ) {
        let event = RoomEvent::Removed;
        let Some(room) = self.enter_gate(asked, room, Verb::Remove, event, effects) else { return };
        let (person, name) = match self.named(name) {
            Ok(named) => named,
            Err(why) => return self.refuse(asked, Sought::of(room, event), why, effects),
        };
        if self.rooms.is_in(person, room) {
            let event = (event, Some(name.as_str()));
            return self.change(asked, room, event, RoomChange::Remove(person), effects);
        }
        let why = not_done(&format!("{name} is not in this room"));
        self.refuse(asked, Sought::of(room, event), why, effects);
    }

    /// Somebody wants another name or another topic for a room: one of them, as each is a record.
    pub(super) fn update_room(
        &mut self,
        asked: &Asked,
        room: &str,
        update: (Option<&str>, Option<&str>),
        effects: &mut Vec<Effect>,
    ) {
        match update {
            (Some(name), None) => self.rename(asked, room, name.trim(), effects),
            (None, Some(topic)) => self.set_topic(asked, room, topic.trim(), effects),
            (None, None) | (Some(_), Some(_)) => {
                let text = "a name or a topic is changed, one at a time";
                self.refuse_payload(asked.from, Some(&asked.id), text, Refusal::Room, effects);
            }
        }
    }

    fn rename(&mut self, asked: &Asked, room: &str, name: &str, effects: &mut Vec<Effect>) {
        let event = (RoomEvent::Renamed, Some(name));
        let Some(room) = self.enter_gate(asked, room, Verb::Update, event.0, effects) else {
            return;
        };
        let Some(known) = self.rooms.get(room) else { return };
        let check = if known.name() == name {
            Err(not_done("this is its name already"))
        } else {
            check_name(name).and_then(|()| self.check_free(known.kind(), name, Some(room)))
        };
        match check {
            Ok(()) => self.change(asked, room, event, RoomChange::Rename(name.into()), effects),
            Err(why) => self.refuse(asked, Sought::of(room, event.0), why, effects),
        }
    }

    fn set_topic(&mut self, asked: &Asked, room: &str, topic: &str, effects: &mut Vec<Effect>) {
        let event = (RoomEvent::Topic, (!topic.is_empty()).then_some(topic));
        let Some(room) = self.enter_gate(asked, room, Verb::Update, event.0, effects) else {
            return;
        };
        let is_same = self.rooms.get(room).is_some_and(|known| known.topic() == topic);
        let check =
            if is_same { Err(not_done("this is its topic already")) } else { check_topic(topic) };
        match check {
            Ok(()) => self.change(asked, room, event, RoomChange::SetTopic(topic.into()), effects),
            Err(why) => self.refuse(asked, Sought::of(room, event.0), why, effects),
        }
    }

    /// Returns the room that somebody wants to change, if they may; refuses them if not.
    fn enter_gate(
        &mut self,
        asked: &Asked,
        room: &str,
        verb: Verb,
        event: RoomEvent,
        effects: &mut Vec<Effect>,
    ) -> Option<RoomId> {
        match self.may(asked.from, room, verb) {
            Ok(room) => self.may_change(asked, Some(room), effects).then_some(room),
            Err(complaint) => {
                let room = RoomId::of_wire(room).unwrap_or(HALL);
                let why = (complaint.code, complaint.text);
                self.refuse(asked, Sought::of(room, event), why, effects);
                None
            }
        }
    }
}

impl Sought {
    fn of(room: RoomId, event: RoomEvent) -> Self {
        Self { room: Some(room), content: Content::Event(event) }
    }
}
