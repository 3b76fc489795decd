//! Our own texts and amendments, until they are acknowledged, refused, or cannot be sent again.
//!
//! Each has the same id each time that it is sent, by which a server of protocol 2 recognizes it. Where
//! the server knows something else under it, ours gets another id, which the shell is not told. The order
//! is kept: what is said while something else waits to be sent again waits behind that.

use std::mem;

use super::{
    Client, Event, FailReason, MessageId, Protocol, RENEWALS_MAX, RoomId, SKIPPED_MS, Said,
    SayError, UNACKNOWLEDGED_MAX,
    held::Held,
    phase::Phase,
    said::Answer,
    saved::{Renewed, Unacknowledged},
};
use crate::message::{Amendment, ErrorCode, is_emoji};

/// The most digits of a number.
const NUMBER_DIGITS_MAX: usize = 20;

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
        let text = checked(text)?.to_owned();
        self.enqueue(room, Said::Text { text, reply: None }, None)
    }

    /// Says `text` like [`Self::say`], as an answer to message `target` of the same room. In protocol 1
    /// it is a text like any other.
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
    /// assert_eq!(client.reply(&RoomId::hall(), 7, "hi"), Err(SayError::NotJoined));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn reply(&mut self, room: &RoomId, target: u64, text: &str) -> Result<MessageId, SayError> {
        let text = checked(text)?.to_owned();
        let is_original = self.say_protocol() == Some(Protocol::Original);
        let reply = (!is_original).then_some(target);
        self.enqueue(room, Said::Text { text, reply }, None)
    }

    /// Changes a message of `room`, or reacts to it. What says so waits among the
    /// [unacknowledged](Self::unacknowledged) like a text, and comes back as an [`Event::Amended`] of our
    /// own, with this id.
    ///
    /// # Errors
    ///
    /// [`SayError`] if it is not taken; then nothing has changed.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::{RoomId, Saved, SayError}, message::Amendment};
    ///
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// let delete = Amendment::Delete { target: 7 };
    /// assert_eq!(client.amend(&RoomId::hall(), delete), Err(SayError::NotJoined));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn amend(
        &mut self,
        room: &RoomId,
        amendment: Amendment<'_>,
    ) -> Result<MessageId, SayError> {
        let amendment = match amendment {
            Amendment::Edit { target, content } => {
                let words = checked(content.as_deref().unwrap_or_default())?.to_owned();
                Amendment::Edit { target, content: Some(words.into()) }
            }
            Amendment::React { emoji: Some(emoji), .. } if !is_emoji(&emoji) => {
                return Err(SayError::NotAnEmoji);
            }
            Amendment::Restore { target, .. } => Amendment::Restore { target, content: None },
            amendment => amendment.into_owned(),
        };
        self.enqueue(room, Said::Amendment(amendment), None)
    }

    /// Takes something that is said, and sends it or has it wait. `of` is the text that it amends, where
    /// that has no number yet.
    pub(super) fn enqueue(
        &mut self,
        room: &RoomId,
        said: Said,
        of: Option<&MessageId>,
    ) -> Result<MessageId, SayError> {
        self.take(Unacknowledged { of: of.cloned(), ..self.next(room, said) })
    }

    /// The same for something that has its id.
    pub(super) fn take(&mut self, said: Unacknowledged) -> Result<MessageId, SayError> {
        let protocol = self.say_protocol().ok_or(SayError::NotJoined)?;
        let is_original = protocol == Protocol::Original;
        if is_original && (said.is_chosen || matches!(said.said, Said::Amendment(_))) {
            return Err(SayError::NotSupported);
        }
        let room = said.room.clone();
        if self.rooms.get(&room).is_none() || (is_original && !room.is_hall()) {
            return Err(SayError::NoRoom);
        }
        self.check_size(&said, protocol)?;
        if UNACKNOWLEDGED_MAX <= self.saved.unacknowledged.len() + self.said.len() {
            return Err(SayError::Full { limit: UNACKNOWLEDGED_MAX });
        }
        let id = said.id.clone();
        self.saved.counter = self.saved.counter.wrapping_add(1);
        self.has_changed = true;
        self.stop_typing(&room);
        if is_original {
            said.message(protocol).encode(&mut self.outgoing);
            self.said.push_back(said);
        } else {
            self.saved.unacknowledged.push_back(said);
            self.send_or_hold(self.saved.unacknowledged.len() - 1);
        }
        Ok(id)
    }

    pub(super) fn check_size(
        &self,
        said: &Unacknowledged,
        protocol: Protocol,
    ) -> Result<(), SayError> {
        let (bytes, limit) = (payload_bytes(said, protocol), self.payload_bytes_max);
        if limit < bytes { Err(SayError::TooLarge { bytes, limit }) } else { Ok(()) }
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
        let said = Said::Text { text: text.trim_end().to_owned(), reply: None };
        (payload_bytes(&self.next(room, said), protocol), self.payload_bytes_max)
    }

    /// Drops the key saved under another name, and hands its texts back.
    pub(super) fn adopt_saved(&mut self) {
        self.drop_orphans();
        if self.saved.name == self.name.as_str() {
            return;
        }
        self.has_changed = !self.saved.name.is_empty();
        self.saved.name = self.name.as_str().to_owned();
        (self.saved.key, self.saved.is_known) = (None, false);
        self.saved.rooms.retain(|room, _| room.is_hall());
        self.fail_unacknowledged();
    }

    /// Sends everything that was not acknowledged, under the ids that it has. What is for rooms that our
    /// person is not in fails.
    pub(super) fn send_unacknowledged(&mut self) {
        self.line.held = Held::default();
        let mut index = 0;
        while let Some(said) = self.saved.unacknowledged.get(index) {
            let reason = if self.rooms.get(&said.room).is_none() {
                Some(not_in_room())
            } else {
                // A server that takes less than the last one would end the line, again and again.
                self.check_size(said, Protocol::Second).err().map(too_large)
            };
            match reason {
                Some(reason) => self.fail_at(index, reason),
                None => index += 1,
            }
        }
        for said in self.saved.unacknowledged.iter_mut().filter(|said| said.of.is_none()) {
            self.has_changed |= said.send(&mut self.outgoing);
        }
    }

    /// Hands back what was said in a room that our person is in no more.
    pub(super) fn fail_texts_for(&mut self, now: u64, room: &RoomId) {
        let find = |said: &Unacknowledged| said.room == *room;
        while let Some(index) = self.saved.unacknowledged.iter().position(find) {
            self.line.held.give_up(now, &self.saved.unacknowledged[index].id);
            self.fail_at(index, not_in_room());
        }
    }

    /// Hands back everything that protocol 2 would have sent again.
    pub(super) fn fail_unacknowledged(&mut self) {
        while !self.saved.unacknowledged.is_empty() {
            self.fail_at(0, FailReason::Lost);
        }
    }

    /// Takes in which numbers of messages mean others from now on, or none. What amends them fails, and
    /// what answers them does so no more.
    pub(super) fn fail_targets(&mut self, is_lost: impl Fn(&RoomId, u64) -> bool) {
        let mut index = 0;
        while let Some(said) = self.saved.unacknowledged.get_mut(index) {
            match &mut said.said {
                Said::Amendment(amendment)
                    if said.of.is_none() && is_lost(&said.room, amendment.target()) =>
                {
                    self.fail_at(index, no_message());
                    continue;
                }
                Said::Text { reply, .. } => {
                    let lost = reply.take_if(|target| is_lost(&said.room, *target));
                    self.has_changed |= lost.is_some();
                }
                Said::Amendment(_) => (),
            }
            index += 1;
        }
    }

    /// Sends what is at `index`, unless it has to wait for its turn, or for the number of a text.
    pub(super) fn send_or_hold(&mut self, index: usize) {
        let is_alone = self.saved.unacknowledged.len() == 1;
        let said = &mut self.saved.unacknowledged[index];
        if said.of.is_some() || !self.phase.is_joined(Protocol::Second) {
            return;
        }
        let held = &mut self.line.held;
        if held.ids.is_empty() && (is_alone || !held.is_one_by_one) {
            self.has_changed |= said.send(&mut self.outgoing);
            return;
        }
        if held.ids.is_empty() {
            held.until = None;
        }
        held.ids.insert(said.id.clone());
    }

    /// Sends everything again that was said in `room` and not acknowledged, but not at once: a server
    /// that skips again and again is not answered each time.
    pub(super) fn hold_unacknowledged(&mut self, now: u64, room: &RoomId) {
        let sent =
            self.saved.unacknowledged.iter().filter(|it| it.room == *room && it.of.is_none());
        let ids: Vec<_> = sent.map(|said| said.id.clone()).collect();
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
        for said in self.saved.unacknowledged.iter_mut().filter(|said| said.of.is_none()) {
            if held.ids.remove(&said.id) {
                self.has_changed |= said.send(&mut self.outgoing);
            }
            if held.is_one_by_one {
                return; // The others, once this one is answered.
            }
        }
        held.ids.clear();
    }

    /// Takes a record that bears `id`. Where something waits for it, `id` becomes that by which the shell
    /// knows what waits, which is returned too, if that is acknowledged: a repeated copy of something else
    /// does not do that.
    pub(super) fn acknowledge(
        &mut self,
        now: u64,
        id: &mut Option<MessageId>,
        answer: &Answer<'_>,
    ) -> Option<MessageId> {
        let index = self.saved.index_of(id.as_ref()?.as_str())?;
        let said = self.saved.unacknowledged.get(index).filter(|said| said.room == *answer.room)?;
        if !said.said.is_answered_by(answer) {
            let why = "the server knows other words under the same id";
            self.renew(now, index, why.to_owned());
            *id = None;
            return None;
        }
        let said = self.saved.unacknowledged.remove(index)?;
        self.line.held.answer(now, &said.id);
        self.has_changed = true;
        self.settle(&said.id, answer.seq);
        *id = Some(said.id.clone());
        Some(said.id)
    }

    /// Gives what is at `index` another id, to be sent after a delay, as the server knows something else
    /// under the one that it has. After [`RENEWALS_MAX`] of them it fails, and one that was chosen at once.
    pub(super) fn renew(&mut self, now: u64, index: usize, why: String) {
        let text = &mut self.saved.unacknowledged[index];
        let times = text.renewed.as_ref().map_or(0, |renewed| renewed.times);
        if text.is_chosen || RENEWALS_MAX <= times {
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

    /// Hands back what the server will not take.
    pub(super) fn fail(&mut self, now: u64, index: usize, code: ErrorCode, text: String) {
        if let Some(failed) = self.saved.unacknowledged.get(index) {
            self.line.held.answer(now, &failed.id);
            self.fail_at(index, FailReason::Refused { code, text });
        }
    }

    /// Hands back what was said in protocol 1 and did not come back: it may have been heard.
    pub(super) fn fail_said(&mut self) {
        for Unacknowledged { room, id, said, .. } in mem::take(&mut self.said) {
            self.tell(Event::Failed { room, id, said, reason: FailReason::Lost });
        }
    }

    /// Gives what is said next its id.
    fn next(&self, room: &RoomId, said: Said) -> Unacknowledged {
        let id = MessageId::new(self.secret, self.saved.counter);
        Unacknowledged::new(room, id, said)
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

/// Returns a text without the white space at its end, if that is not all of it.
pub(super) fn checked(text: &str) -> Result<&str, SayError> {
    let text = text.trim_end();
    if text.is_empty() { Err(SayError::Blank) } else { Ok(text) }
}

/// Returns the size of the payload, with the largest number where none is known yet.
fn payload_bytes(said: &Unacknowledged, protocol: Protocol) -> usize {
    let digits = if said.of.is_some() { NUMBER_DIGITS_MAX - 1 } else { 0 };
    said.message(protocol).payload_bytes() + digits
}

fn too_large(error: SayError) -> FailReason {
    FailReason::Refused { code: ErrorCode::TooLarge, text: error.to_string() }
}

/// Returns the reason why what amends a message fails that is not in the logs.
fn no_message() -> FailReason {
    let text = "the log does not have the message any more".to_owned();
    FailReason::Refused { code: ErrorCode::NoMessage, text }
}

/// Returns the reason why a text for a room that our person is not in fails.
fn not_in_room() -> FailReason {
    FailReason::Refused { code: ErrorCode::NoRoom, text: "not in this room any more".to_owned() }
}
