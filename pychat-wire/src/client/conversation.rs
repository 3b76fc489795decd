//! Protocol 2: everything that is said in the rooms that we are in.

use std::borrow::Cow;

use super::{
    Amended, Client, Event, Hearing, Message, MessageId, MessageState, Room, RoomId, RoomRecord,
    original::shown,
    record::Record,
    rooms::Placed,
    said::{Answer, Copied},
};
use crate::message::{Amendment, RoomEvent, ServerMessage, is_emoji};

impl Client {
    /// Takes what a server says to those who have joined.
    pub(super) fn on_room(&mut self, now: u64, message: ServerMessage<'_>) {
        match message {
            ServerMessage::Joined { username, time } => {
                self.roster.push_once(&username);
                let name = username.into_owned();
                self.tell(Event::MemberJoined { name, time_ms: Some(time) });
            }
            ServerMessage::Left { username, time, reason } => {
                self.roster.remove(&username);
                let (name, reason) = (username.into_owned(), Some(reason));
                self.tell(Event::MemberLeft { name, time_ms: Some(time), reason });
            }
            ServerMessage::Error { code, text, reference, retry_ms, .. } => {
                self.on_error(now, code, text.into_owned(), reference.as_deref(), retry_ms);
            }
            ServerMessage::Notice { text } => self.tell(Event::Notice { text: text.into_owned() }),
            message => {
                let message = self.on_log(now, message);
                let message = message.and_then(|message| self.on_rooms(now, message));
                let message = message.and_then(|message| self.on_searches(message));
                let message = message.and_then(|message| self.on_devices(message));
                let message = message.and_then(|message| self.on_operators(message));
                if let Some(message) = message.and_then(|message| self.on_invites(message)) {
                    self.on_aside(now, message);
                }
            }
        }
    }

    /// Takes what belongs to the log of a room; returns anything else. What belongs to the log of a
    /// room that is not heard is passed over.
    fn on_log<'a>(&mut self, now: u64, message: ServerMessage<'a>) -> Option<ServerMessage<'a>> {
        match message {
            ServerMessage::Gap { room, from, to } => {
                let room = self.rooms.id_of(&room)?;
                let missing = self.rooms.get_mut(&room)?.gap(from, to);
                if let Some((from, to)) = missing {
                    self.on_missing(now, &room, (from, to));
                }
            }
            ServerMessage::Skip { room, from, to } => {
                let room = self.rooms.id_of(&room)?;
                self.on_skip(now, &room, (from, to));
            }
            ServerMessage::Page { room, before, start, .. } => {
                let room = self.rooms.id_of(&room)?;
                self.line.pages.end(&room);
                if let Some(page) = self.rooms.on_page(&room, before, start) {
                    self.tell(Event::Page(page));
                }
                self.send_page_requests();
            }
            other => return self.on_record(now, other),
        }
        None
    }

    /// Takes one record of a room; returns anything else.
    fn on_record<'a>(&mut self, now: u64, message: ServerMessage<'a>) -> Option<ServerMessage<'a>> {
        match message {
            ServerMessage::Record {
                room,
                seq,
                time,
                username,
                content,
                id,
                dup,
                replay,
                reply,
                edited,
                deleted,
                reactions,
            } => {
                let room = self.rooms.id_of(&room)?;
                let message = Message {
                    room: room.clone(),
                    seq: Some(seq),
                    time_ms: Some(time),
                    author: username.into_owned(),
                    state: MessageState::heard(shown(&content), edited, deleted, reactions),
                    reply,
                    own: id.is_some(),
                    id: id.as_deref().map(MessageId::heard),
                    replayed: replay,
                };
                self.on_message_record(now, &room, seq, message, dup);
            }
            ServerMessage::Amended { amendment, room, seq, time, username, id, dup, replay } => {
                let amended = Amended {
                    room: self.rooms.id_of(&room)?,
                    seq,
                    time_ms: time,
                    author: username.into_owned(),
                    own: id.is_some(),
                    id: id.as_deref().map(MessageId::heard),
                    replayed: replay,
                    amendment: shown_amendment(amendment),
                };
                self.on_amended_record(now, amended, dup);
            }
            ServerMessage::Event { room, seq, time, username, event, subject, id, dup, replay } => {
                let record = RoomRecord {
                    room: RoomId::from(&*room),
                    seq,
                    time_ms: time,
                    username: username.into_owned(),
                    event,
                    subject: subject.map(Into::into),
                    own: id.is_some(),
                    id: id.as_deref().map(ToOwned::to_owned),
                    replayed: replay,
                };
                self.on_event_record(now, record, dup);
                if let Some(id) = id {
                    self.on_change_done(&id, &room);
                }
            }
            ServerMessage::UnknownRecord { room, seq } => {
                let room = self.rooms.id_of(&room)?;
                if self.place(now, &room, seq, Record::Unknown).is_some() {
                    self.mark_shown(room, seq);
                }
            }
            other => return Some(other),
        }
        None
    }

    /// Takes what a server says of rooms; returns anything else.
    fn on_rooms<'a>(&mut self, now: u64, message: ServerMessage<'a>) -> Option<ServerMessage<'a>> {
        match message {
            ServerMessage::Room(room) => self.on_described(room.into()),
            ServerMessage::RoomGone { room } => {
                self.on_gone(now, &RoomId::from(&*room));
            }
            ServerMessage::Rooms { rooms } => {
                self.tell(Event::Rooms(rooms.0.into_iter().map(Into::into).collect()));
            }
            ServerMessage::Members { room, members } => {
                let names = members.names();
                self.tell(Event::Members { room: RoomId::from(&*room), names });
            }
            ServerMessage::Read { room, seq } => {
                let room = self.rooms.id_of(&room)?;
                if self.on_read(&room, seq) {
                    let seq = self.seen(&room);
                    self.tell(Event::Read { room, seq });
                }
            }
            ServerMessage::Typing { room, username } => {
                let room = self.rooms.id_of(&room)?;
                self.tell(Event::Typing { room, name: username.into_owned() });
            }
            other => return Some(other),
        }
        None
    }

    /// Takes in that our person is not in `room` any more.
    fn on_gone(&mut self, now: u64, room: &RoomId) {
        if self.rooms.remove(room) {
            self.fail_texts_for(now, room);
            self.tell_gone(room.clone());
        }
        self.line.pages.end_all(room);
        self.send_page_requests();
        self.on_left(room);
    }

    fn on_described(&mut self, room: Room) {
        if self.heard_rooms() == Hearing::Hall && !room.id.is_hall() {
            return;
        }
        let (id, last) = (room.id.clone(), room.last);
        let Some(is_new) = self.rooms.describe(room) else { return };
        let Some(room) = self.room(&id) else { return };
        self.tell(Event::RoomChanged(room));
        if is_new {
            self.line.welcomed_at.insert(id.clone(), last);
            self.mark_shown(id, last);
        } else {
            self.save_seen(&id, false);
        }
    }

    /// An answer to a text that was sent twice only acknowledges it: its message comes in its
    /// place, or has come.
    fn on_message_record(
        &mut self,
        now: u64,
        room: &RoomId,
        seq: u64,
        mut message: Message,
        dup: bool,
    ) {
        let MessageState { content, edited_ms, is_deleted, .. } = &message.state;
        let is_amended = edited_ms.is_some() || *is_deleted;
        let copied = Copied::Message { content, is_amended };
        let is_repeated = dup || message.replayed;
        let answer = Answer { room, seq, copied, is_repeated };
        let accepted = self.acknowledge(now, &mut message.id, &answer);
        let record = Record::Message(message);
        let placed = if dup { None } else { self.place(now, room, seq, record) };
        match placed {
            Some(Placed { record: Record::Message(message), .. }) => {
                self.tell_shown(Event::Message(message), room.clone(), seq);
            }
            _ => self.tell_accepted(accepted, room, seq),
        }
    }

    /// The same for an amendment. A reaction with what is no emoji counts, and is not shown.
    fn on_amended_record(&mut self, now: u64, mut amended: Amended, dup: bool) {
        let (room, seq) = (amended.room.clone(), amended.seq);
        let copied = Copied::Amended(&amended.amendment);
        let is_repeated = dup || amended.replayed;
        let answer = Answer { room: &room, seq, copied, is_repeated };
        let accepted = self.acknowledge(now, &mut amended.id, &answer);
        let is_known = match &amended.amendment {
            Amendment::React { emoji: Some(emoji), .. } => is_emoji(emoji),
            _ => true,
        };
        let record = if is_known { Record::Amended(amended) } else { Record::Unknown };
        let placed = if dup { None } else { self.place(now, &room, seq, record) };
        match placed {
            Some(Placed { record: Record::Amended(amended), .. }) => {
                self.tell_shown(Event::Amended(amended), room, seq);
            }
            Some(_) => {
                self.tell_accepted(accepted, &room, seq);
                self.mark_shown(room, seq);
            }
            None => self.tell_accepted(accepted, &room, seq),
        }
    }

    /// A repeated answer to a request changes nothing: its record comes in its place, or has come.
    fn on_event_record(&mut self, now: u64, record: RoomRecord, dup: bool) {
        let (room, seq) = (record.room.clone(), record.seq);
        let placed = if dup { None } else { self.place(now, &room, seq, Record::Event(record)) };
        let Some(Placed { record: Record::Event(record), is_change, .. }) = placed else { return };
        if record.event == RoomEvent::Unknown {
            return self.mark_shown(room, seq);
        }
        self.tell_shown(Event::RoomEvent(record), room.clone(), seq);
        if let Some(room) = self.room(&room).filter(|_| is_change) {
            self.tell(Event::RoomChanged(room));
        }
    }

    /// Puts a record in its place; returns it if it is the next one.
    fn place(&mut self, now: u64, room: &RoomId, seq: u64, record: Record) -> Option<Placed> {
        let placed = self.rooms.place(room, seq, record)?;
        if let Some(missing) = placed.missing {
            self.on_missing(now, room, missing);
        }
        Some(placed)
    }

    fn on_skip(&mut self, now: u64, room: &RoomId, (from, to): (u64, u64)) {
        let Some(cursor) = self.rooms.get_mut(room) else { return };
        let Some((from, to)) = cursor.gap(from, to) else { return };
        let is_wanted = self.line.may_skip.remove(room);
        if is_wanted {
            cursor.tally.skip(to);
        }
        self.tell_skipped(room, (from, to), is_wanted);
        self.hold_missing(now, room, to);
    }

    /// Tells that these numbers are not sent; they can be asked for where that `is_wanted`.
    pub(super) fn tell_skipped(&mut self, room: &RoomId, (from, to): (u64, u64), is_wanted: bool) {
        let skipped = room.clone();
        let event = if is_wanted {
            Event::Skipped { room: skipped, from, to }
        } else {
            Event::Gap { room: skipped, from, to }
        };
        self.tell_shown(event, room.clone(), to);
    }

    /// Numbers will not come.
    fn on_missing(&mut self, now: u64, room: &RoomId, (from, to): (u64, u64)) {
        self.tell_shown(Event::Gap { room: room.clone(), from, to }, room.clone(), to);
        self.hold_missing(now, room, to);
    }

    /// Numbers up to `to` will not come. What we said since the welcome may be among them, and only an
    /// answer to the same text again would tell.
    fn hold_missing(&mut self, now: u64, room: &RoomId, to: u64) {
        if self.welcomed_at(room) < to {
            self.hold_unacknowledged(now, room);
        }
    }

    fn tell_accepted(&mut self, accepted: Option<MessageId>, room: &RoomId, seq: u64) {
        if let Some(id) = accepted {
            self.tell(Event::Accepted { room: room.clone(), id, seq });
        }
    }
}

/// Returns an amendment as it is shown.
fn shown_amendment(amendment: Amendment<'_>) -> Amendment<'static> {
    let words = |content: Option<Cow<'_, str>>| content.map(|content| shown(&content).into());
    match amendment {
        Amendment::Edit { target, content } => Amendment::Edit { target, content: words(content) },
        Amendment::Restore { target, content } => {
            Amendment::Restore { target, content: words(content) }
        }
        amendment => amendment.into_owned(),
    }
}
