//! Rooms that are made.

use std::{collections::BTreeSet, sync::Arc};

use pychat_wire::{
    UserName,
    message::{
        DIRECT_PEOPLE_MAX, ErrorCode, Names, ROOM_NAME_CHARS_MAX, RoomEvent, RoomKind,
        TOPIC_CHARS_MAX,
    },
    name::is_one_line,
};

use super::{
    super::requests::Pending, Asked, Chat, Content, Effect, Recalling, Refusal, Sought, Waiting,
    Why, denied,
};
use crate::core::{
    admission::Act,
    gate::Denied,
    id::RoomId,
    record::{PersonId, Request, Room, RoomChange},
    rooms::ROOMS_MAX,
};

impl Chat {
    /// Somebody wants an open or a closed room.
    pub(super) fn create(
        &mut self,
        asked: &Asked,
        kind: RoomKind,
        name: &str,
        topic: &str,
        effects: &mut Vec<Effect>,
    ) {
        if !matches!(kind, RoomKind::Open | RoomKind::Closed) {
            let text = "a room is made open or closed";
            return self.refuse_payload(asked.from, Some(&asked.id), text, Refusal::Room, effects);
        }
        let (name, topic) = (name.trim(), topic.trim());
        if !self.may_change(asked, None, effects) {
            return;
        }
        if let Err(why) = self.check_new(asked, kind, name, topic) {
            return self.refuse(asked, Sought::CREATED, why, effects);
        }
        let origin = self.peers.get(&asked.from).map(|peer| peer.origin);
        if !origin.is_some_and(|it| self.admission.try_fill(asked.now, it, Act::MakeRoom)) {
            let why = not_done("too many rooms were made from your address in a short time");
            return self.refuse(asked, Sought::CREATED, why, effects);
        }
        let room = Room {
            id: self.rooms.next_id(),
            kind,
            name: name.to_owned(),
            topic: topic.to_owned(),
            maker: Some(asked.person),
            members: vec![asked.person],
        };
        self.make(asked, room, effects);
    }

    fn make(&mut self, asked: &Asked, room: Room, effects: &mut Vec<Effect>) {
        let (id, name) = (room.id, room.name.clone());
        let subject = (!name.is_empty()).then_some(name.as_str());
        let event = (RoomEvent::Created, subject);
        self.change(asked, id, event, RoomChange::Create(room), effects);
    }

    /// Checks that there can be such a room.
    fn check_new(&self, asked: &Asked, kind: RoomKind, name: &str, topic: &str) -> Result<(), Why> {
        self.check_maker(asked)?;
        if !self.rooms.may_make(asked.person) {
            return Err(not_done("you have made as many rooms as one can make"));
        }
        if !self.rooms.may_enter(asked.person, false) {
            return Err(not_done("you are in as many rooms as one can be"));
        }
        check_name(name)?;
        check_topic(topic)?;
        self.check_free(kind, name, None)
    }

    /// Checks that somebody may make a room at all, and that there can be one more.
    fn check_maker(&self, asked: &Asked) -> Result<(), Why> {
        self.check_kept(asked)?;
        if ROOMS_MAX <= self.rooms.len() {
            return Err(not_done("there are as many rooms as there can be"));
        }
        Ok(())
    }

    /// Checks that somebody is no guest.
    fn check_kept(&self, asked: &Asked) -> Result<(), Why> {
        if !self.is_kept(asked.from) {
            let complaint = denied(Denied::Guest);
            return Err((complaint.code, complaint.text));
        }
        Ok(())
    }

    /// Checks that no other open room than `room` has such a name.
    pub(super) fn check_free(
        &self,
        kind: RoomKind,
        name: &str,
        room: Option<RoomId>,
    ) -> Result<(), Why> {
        if kind == RoomKind::Open && !self.rooms.is_free(name, room) {
            return Err((ErrorCode::NameTaken, "another room has this name".to_owned()));
        }
        Ok(())
    }

    /// Somebody wants the direct room of these people, which is made if there is none.
    pub(super) fn make_direct(
        &mut self,
        asked: &Asked,
        with: &Names<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let people = match self.check_people(asked, with) {
            Ok(people) => people,
            Err(why) => return self.refuse(asked, Sought::CREATED, why, effects),
        };
        if let Some(room) = self.rooms.direct(&people) {
            return self.find_direct(asked, room, effects);
        }
        if !self.may_change(asked, None, effects) {
            return;
        }
        if let Err(why) = self.check_direct(asked, &people) {
            return self.refuse(asked, Sought::CREATED, why, effects);
        }
        let others = people.into_iter().filter(|person| *person != asked.person);
        let room = Room {
            id: self.rooms.next_id(),
            kind: RoomKind::Direct,
            name: String::new(),
            topic: String::new(),
            maker: Some(asked.person),
            members: [asked.person].into_iter().chain(others).collect(),
        };
        self.make(asked, room, effects);
    }

    /// Returns the people of a direct room, the one who asks for it among them.
    fn check_people(&self, asked: &Asked, with: &Names<'_>) -> Result<BTreeSet<PersonId>, Why> {
        self.check_kept(asked)?;
        let mut people = BTreeSet::from([asked.person]);
        for name in &with.0 {
            people.insert(self.named(name)?.0);
        }
        if people.len() < 2 {
            return Err(not_done("name somebody else"));
        }
        if DIRECT_PEOPLE_MAX < people.len() {
            let text = format!("at most {DIRECT_PEOPLE_MAX} people can talk directly");
            return Err((ErrorCode::NotDone, text));
        }
        Ok(people)
    }

    fn check_direct(&self, asked: &Asked, people: &BTreeSet<PersonId>) -> Result<(), Why> {
        self.check_maker(asked)?;
        let has_place = |person: &PersonId| self.rooms.may_enter(*person, *person != asked.person);
        if !people.iter().all(has_place) {
            return Err(not_done("one of you is in as many rooms as one can be"));
        }
        Ok(())
    }

    /// Answers with a direct room that there is already, or that is being made.
    fn find_direct(&mut self, asked: &Asked, room: RoomId, effects: &mut Vec<Effect>) {
        let Asked { from, ref author, ref id, .. } = *asked;
        let (author, id) = (author.clone(), Arc::clone(id));
        if self.rooms.get(room).is_none() {
            let ticket = self.requests.ticket();
            let waiting = Waiting { ticket, from, author, id };
            self.requests.waiting.entry(room).or_default().push(waiting);
            return self.owe_answer(from, ticket, effects);
        }
        let request = Request::Find { room, seq: 1 };
        let recalling = Recalling::Direct { from, room, author, id };
        self.ask(from, Pending::Recall(Box::new(recalling)), request, effects);
    }

    /// Returns the person who owns a name, and how they spell it.
    pub(super) fn named(&self, name: &str) -> Result<(PersonId, UserName), Why> {
        let owner = UserName::new(name).ok().and_then(|name| self.people.owner(&name));
        owner.ok_or_else(|| {
            // No more of it than a name can have.
            let name: String = name.chars().take(ROOM_NAME_CHARS_MAX).collect();
            (ErrorCode::NotDone, format!("nobody owns the name {name}"))
        })
    }
}

impl Sought {
    /// The record of some room that was made.
    const CREATED: Self = Self { room: None, content: Content::Event(RoomEvent::Created) };
}

/// Checks the name of a room.
pub(super) fn check_name(name: &str) -> Result<(), Why> {
    let n_chars = name.chars().count();
    if !(1..=ROOM_NAME_CHARS_MAX).contains(&n_chars) {
        let text = format!("the name of a room has 1 to {ROOM_NAME_CHARS_MAX} characters");
        return Err((ErrorCode::NameInvalid, text));
    }
    if !is_one_line(name) || pychat_wire::name::Skeleton::of_text(name)[0].as_str().is_empty() {
        let text = "this name has characters that cannot be seen".to_owned();
        return Err((ErrorCode::NameInvalid, text));
    }
    Ok(())
}

/// Checks the topic of a room.
pub(super) fn check_topic(topic: &str) -> Result<(), Why> {
    if TOPIC_CHARS_MAX < topic.chars().count() {
        let text = format!("a topic has at most {TOPIC_CHARS_MAX} characters");
        return Err((ErrorCode::NotDone, text));
    }
    if !is_one_line(topic) {
        let text = "this topic has characters that cannot be seen".to_owned();
        return Err((ErrorCode::NotDone, text));
    }
    Ok(())
}

/// Returns the words for something that cannot be done.
pub(super) fn not_done(text: &str) -> Why {
    (ErrorCode::NotDone, text.to_owned())
}
