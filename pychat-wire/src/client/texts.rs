//! Our own texts, until they are acknowledged, refused, or cannot be sent again.
//!
//! A text has the same id each time that it is sent, by which a server of protocol 2 recognizes it.
//! Where the server knows another text under it, ours gets another id, which the shell is not told.
//! The order is kept: a text that is said while another waits to be sent again waits behind it.

use std::{collections::VecDeque, mem};

use super::{
    Client, Event, FailReason, MessageId, Protocol, RENEWALS_MAX, RETRY_MS, RETRY_MS_MAX, RoomId,
    SKIPPED_MS, SayError, UNACKNOWLEDGED_MAX,
    held::Held,
    phase::Phase,
    saved::{Renewed, Unacknowledged},
};
use crate::message::{ClientMessage, ErrorCode};

impl Unacknowledged {
    pub(super) fn message(&self, protocol: Protocol) -> ClientMessage<'_> {
        let id = match protocol {
            Protocol::Original => None,
            Protocol::Second => Some(self.wire_id().as_str().into()),
        };
        let room = self.room.as_str().into();
        ClientMessage::Text { room, content: self.text.as_str().into(), id, reply: None }
    }
}

impl Client {
    /// Says `text`, without the white space at its end, to everybody in `room`.
    ///
    /// It stays among the [unacknowledged](Self::unacknowledged) until it comes back, with this id,
    /// as a [message](super::Message) of our own. A client that has been let in under protocol 2
    /// takes texts without a line too: they are sent when there is one.
    ///
    /// # Errors
    ///
    /// [`SayError`] if it is not taken; then nothing has changed.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::{RoomId, Saved, SayError}};
    ///
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.say(&RoomId::hall(), "hi"), Err(SayError::NotJoined));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn say(&mut self, room: &RoomId, text: &str) -> Result<MessageId, SayError> {
        let text = text.trim_end();
        if text.is_empty() {
            return Err(SayError::Blank);
        }
        let protocol = self.say_protocol().ok_or(SayError::NotJoined)?;
        if self.rooms.get(room).is_none() || (protocol == Protocol::Original && !room.is_hall()) {
            return Err(SayError::NoRoom);
        }
        let text = self.next_text(room, text);
        let (bytes, limit) = (text.message(protocol).payload_bytes(), self.payload_bytes_max);
        if limit < bytes {
            return Err(SayError::TooLarge { bytes, limit });
        }
        if UNACKNOWLEDGED_MAX <= self.saved.unacknowledged.len() + self.said.len() {
            return Err(SayError::Full { limit: UNACKNOWLEDGED_MAX });
        }
        let id = text.id.clone();
        self.saved.counter = self.saved.counter.wrapping_add(1);
        self.has_changed = true;
        self.stop_typing(room);
        match protocol {
            Protocol::Original => {
                text.message(protocol).encode(&mut self.outgoing);
                self.said.push_back(text);
            }
            Protocol::Second => self.send_or_hold(text),
        }
        Ok(id)
    }

    /// Returns the size of the payload that `text` would have for `room`, and the limit, both in bytes. A
    /// caller that asks first need not have a text refused for its size.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// let (bytes, limit) = client.size_of(&RoomId::hall(), "hi");
    /// assert!(bytes < limit);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn size_of(&self, room: &RoomId, text: &str) -> (usize, usize) {
        let protocol = self.say_protocol().unwrap_or(Protocol::Second);
        let text = self.next_text(room, text.trim_end());
        (text.message(protocol).payload_bytes(), self.payload_bytes_max)
    }

    /// Returns the texts that are not acknowledged, as (room, id, text), oldest first.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.unacknowledged().count(), 0);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn unacknowledged(&self) -> impl Iterator<Item = (&RoomId, &MessageId, &str)> {
        self.saved
            .unacknowledged
            .iter()
            .chain(&self.said)
            .map(|text| (&text.room, &text.id, text.text.as_str()))
    }

    /// Drops the key saved under another name, and hands its texts back.
    pub(super) fn adopt_saved(&mut self) {
        if self.saved.name == self.name.as_str() {
            return;
        }
        self.has_changed = !self.saved.name.is_empty();
        self.saved.name = self.name.as_str().to_owned();
        (self.saved.key, self.saved.is_known) = (None, false);
        self.saved.rooms.retain(|room, _| room.is_hall());
        self.fail_unacknowledged();
    }

    /// Sends everything that was not acknowledged, under the ids that it has. Texts for rooms that our
    /// person is not in fail.
    pub(super) fn send_unacknowledged(&mut self) {
        self.line.held = Held::default();
        for text in mem::take(&mut self.saved.unacknowledged) {
            let message = text.message(Protocol::Second);
            let (bytes, limit) = (message.payload_bytes(), self.payload_bytes_max);
            if self.rooms.get(&text.room).is_none() {
                self.has_changed = true;
                self.tell_failed(text, not_in_room());
            // A server that takes less than the last one would end the line, again and again.
            } else if limit < bytes {
                self.has_changed = true;
                let why = format!("{bytes} bytes of at most {limit}");
                let reason = FailReason::Refused { code: ErrorCode::TooLarge, text: why };
                self.tell_failed(text, reason);
            } else {
                message.encode(&mut self.outgoing);
                self.saved.unacknowledged.push_back(text);
            }
        }
    }

    /// Hands back the texts for a room that our person is in no more.
    pub(super) fn fail_texts_for(&mut self, now: u64, room: &RoomId) {
        let texts = mem::take(&mut self.saved.unacknowledged);
        let (failed, kept): (VecDeque<_>, _) =
            texts.into_iter().partition(|text| text.room == *room);
        self.saved.unacknowledged = kept;
        for text in failed {
            self.line.held.give_up(now, &text.id);
            self.has_changed = true;
            self.tell_failed(text, not_in_room());
        }
    }

    fn tell_failed(&mut self, text: Unacknowledged, reason: FailReason) {
        let Unacknowledged { room, id, text, .. } = text;
        self.tell(Event::Failed { room, id, text, reason });
    }

    /// Hands back all texts that protocol 2 would have sent again.
    pub(super) fn fail_unacknowledged(&mut self) {
        for text in mem::take(&mut self.saved.unacknowledged) {
            self.has_changed = true;
            self.tell_failed(text, FailReason::Lost);
        }
    }

    /// Sends a text, behind those that wait for their turn.
    pub(super) fn send_or_hold(&mut self, text: Unacknowledged) {
        if self.phase.is_joined(Protocol::Second) {
            let held = &mut self.line.held;
            let must_wait = held.is_one_by_one && !self.saved.unacknowledged.is_empty();
            if held.ids.is_empty() && !must_wait {
                text.message(Protocol::Second).encode(&mut self.outgoing);
            } else {
                if held.ids.is_empty() {
                    held.until = None;
                }
                held.ids.insert(text.id.clone());
            }
        }
        self.saved.unacknowledged.push_back(text);
    }

    /// Sends everything again that was said in `room` and not acknowledged, but not at once: a server
    /// that skips again and again is not answered each time.
    pub(super) fn hold_unacknowledged(&mut self, now: u64, room: &RoomId) {
        let texts = self.saved.unacknowledged.iter().filter(|text| text.room == *room);
        let ids: Vec<_> = texts.map(|text| text.id.clone()).collect();
        if ids.is_empty() {
            return;
        }
        if self.line.held.due_at().is_none() {
            self.line.held.until = Some(now.saturating_add(SKIPPED_MS));
        }
        self.line.held.ids.extend(ids);
    }

    /// Sends again what the server did not take, and what was said since.
    pub(super) fn send_held(&mut self) {
        let held = &mut self.line.held;
        held.until = None;
        for text in &self.saved.unacknowledged {
            if held.ids.remove(&text.id) {
                text.message(Protocol::Second).encode(&mut self.outgoing);
            }
            if held.is_one_by_one {
                return; // The others, once this one is answered.
            }
        }
        held.ids.clear();
    }

    /// Takes the server's copy of the text at `index`, which has `content`. Returns the id by which
    /// the shell knows the text, if that acknowledges it: a repeated copy with other content does
    /// not.
    pub(super) fn acknowledge(
        &mut self,
        now: u64,
        index: usize,
        content: &str,
        is_repeated: bool,
    ) -> Option<MessageId> {
        if is_repeated && self.saved.unacknowledged[index].text != content {
            self.renew(now, index, "the server knows other words under the same id".to_owned());
            return None;
        }
        let text = self.saved.unacknowledged.remove(index)?;
        self.line.held.answer(now, &text.id);
        self.has_changed = true;
        Some(text.id)
    }

    /// Gives a text another id, to be sent after a delay, as the server knows another text under
    /// the one that it has. After [`RENEWALS_MAX`] of them the text fails.
    fn renew(&mut self, now: u64, index: usize, why: String) {
        let text = &mut self.saved.unacknowledged[index];
        let times = text.renewed.as_ref().map_or(0, |renewed| renewed.times);
        if RENEWALS_MAX <= times {
            return self.fail(now, index, ErrorCode::IdReused, why);
        }
        let id = MessageId::new(self.secret, self.saved.counter);
        self.saved.counter = self.saved.counter.wrapping_add(1);
        text.renewed = Some(Renewed { id, times: times + 1 });
        self.has_changed = true;
        let until = now.saturating_add(SKIPPED_MS << times);
        let held = &mut self.line.held;
        held.until = held.due_at().max(Some(until));
        held.ids.insert(text.id.clone());
    }

    /// Hands back a text that the server will not take.
    fn fail(&mut self, now: u64, index: usize, code: ErrorCode, text: String) {
        if let Some(failed) = self.saved.unacknowledged.remove(index) {
            self.line.held.answer(now, &failed.id);
            self.has_changed = true;
            self.tell_failed(failed, FailReason::Refused { code, text });
        }
    }

    /// Hands back what was said in protocol 1 and did not come back: it may have been heard.
    pub(super) fn fail_said(&mut self) {
        for text in mem::take(&mut self.said) {
            self.tell_failed(text, FailReason::Lost);
        }
    }

    /// Takes an error of the server's once we are in the room.
    pub(super) fn on_error(
        &mut self,
        now: u64,
        code: ErrorCode,
        text: String,
        reference: Option<&str>,
        retry_ms: Option<u64>,
    ) {
        if let Some((id, is_news)) = reference.and_then(|id| Some((id, self.end_change(id)?))) {
            if is_news {
                self.tell(Event::Denied { code, text, id: Some(id.to_owned()) });
            }
            return;
        }
        let index = reference.and_then(|id| self.saved.index_of(id));
        match code {
            // Of a text that is there it is no news.
            ErrorCode::SlowDown if reference.is_none() || index.is_some() => {
                self.tell(Event::SlowDown { retry_ms });
            }
            ErrorCode::AlreadyJoined => return, // It is what we wanted.
            _ => (),
        }
        let Some(index) = index else {
            // That a text must be sent again, or under another id, is no news once it is there, or
            // given up.
            let is_old_news = reference.is_some_and(|id| {
                let held = &mut self.line.held;
                held.is_given_up(id) || can_be_repeated(code) || code == ErrorCode::IdReused
            });
            if !is_old_news && code != ErrorCode::SlowDown {
                self.tell(Event::Denied { code, text, id: reference.map(Into::into) });
            }
            return;
        };
        match code {
            _ if can_be_repeated(code) => {
                let wait_ms = retry_ms.unwrap_or(RETRY_MS).min(RETRY_MS_MAX);
                let held = &mut self.line.held;
                held.until = Some(now.saturating_add(wait_ms));
                held.ids.insert(self.saved.unacknowledged[index].id.clone());
                held.is_one_by_one |= code == ErrorCode::SlowDown;
            }
            ErrorCode::IdReused => self.renew(now, index, text),
            _ => self.fail(now, index, code, text),
        }
    }

    /// Gives `text` the id under which it will be said.
    fn next_text(&self, room: &RoomId, text: &str) -> Unacknowledged {
        let id = MessageId::new(self.secret, self.saved.counter);
        Unacknowledged { room: room.clone(), id, text: text.to_owned(), renewed: None }
    }

    /// Returns the protocol in which a text would be said, if one can be said.
    pub(super) fn say_protocol(&self) -> Option<Protocol> {
        match &self.phase {
            Phase::Joined { protocol, .. } => Some(*protocol),
            Phase::Asked { protocol: Protocol::Original, .. } => None,
            // Only a welcome of protocol 2 makes our key known.
            _ => self.saved.is_known.then_some(Protocol::Second),
        }
    }
}

/// Returns the reason why a text for a room that our person is not in fails.
fn not_in_room() -> FailReason {
    FailReason::Refused { code: ErrorCode::NoRoom, text: "not in this room any more".to_owned() }
}

/// Returns true if a text that the server refused for this reason can be sent again later.
fn can_be_repeated(code: ErrorCode) -> bool {
    use ErrorCode::{Full, NotJoined, SlowDown, Storage, Timeout};
    matches!(code, Storage | NotJoined | Full | Timeout | SlowDown)
}
