//! Read marks and notices of typing, which are sent now and then, not each time.

use std::collections::{BTreeMap, BTreeSet};

use super::{Client, READ_MS_MIN, RoomId, TYPING_MS_MIN, phase::Protocol, rooms::Cursor};
use crate::message::ClientMessage;

/// The signals of one line. Times are in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// The rooms whose marks the server is to be told.
    reads: BTreeSet<RoomId>,
    /// The rooms in which somebody has just typed.
    typing: BTreeSet<RoomId>,
    /// The times before which no other mark, and no other notice, is sent, by room.
    reads_after: BTreeMap<RoomId, u64>,
    typing_after: BTreeMap<RoomId, u64>,
}

impl Signals {
    /// Returns the time to send some of them, if there are any.
    pub(super) fn due_at(&self) -> Option<u64> {
        if !self.typing.is_empty() {
            return Some(0);
        }
        self.reads.iter().map(|room| self.reads_after.get(room).copied().unwrap_or(0)).min()
    }

    /// Has the server be told what was seen in `room`.
    pub(super) fn read(&mut self, room: &RoomId) {
        self.reads.insert(room.clone());
    }

    fn take_reads(&mut self, now: u64) -> BTreeSet<RoomId> {
        let is_due = |room: &RoomId| self.reads_after.get(room).is_none_or(|after| *after <= now);
        let (due, later) = self.reads.iter().cloned().partition(is_due);
        self.reads = later;
        due
    }
}

impl Client {
    /// Records that the reader has seen everything up to number `seq` of `room`. The server is told,
    /// at most once in [`READ_MS_MIN`] milliseconds, and with it the other devices of our person.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// client.see(&RoomId::hall(), 5);
    /// assert_eq!(client.seen(&RoomId::hall()), 0); // There was no such message yet.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn see(&mut self, room: &RoomId, seq: u64) {
        let seen = seq.min(self.saved.seq(room));
        if let Some(cursor) = self.rooms.get_mut(room)
            && cursor.tally.see(seen)
        {
            self.line.signals.read(room);
            self.save_seen(room, true);
        }
    }

    /// Returns the number up to which our person has seen `room`, here or on another device, as far as
    /// is known; 0 if they have seen nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.seen(&RoomId::hall()), 0);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn seen(&self, room: &RoomId) -> u64 {
        self.rooms.get(room).map_or(0, |cursor| cursor.tally.mark())
    }

    /// Returns the number of messages of others in `room` after what was [seen](Self::seen), counted up
    /// to [`UNREAD_MAX`](super::UNREAD_MAX). It is exact where those messages were shown or asked for;
    /// otherwise it is as the server counted them, or less.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.unread(&RoomId::hall()), 0);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn unread(&self, room: &RoomId) -> u64 {
        self.rooms.get(room).map_or(0, Cursor::unread)
    }

    /// Records that a text is being written in `room`. The others there are told, at most once in
    /// [`TYPING_MS_MIN`] milliseconds; nothing is sent later than it was meant.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// client.typing(&RoomId::hall()); // Nobody is there to be told.
    /// assert_eq!(client.take_outgoing(), b"");
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn typing(&mut self, room: &RoomId) {
        if self.phase.is_joined(Protocol::Second) && self.rooms.get(room).is_some() {
            self.line.signals.typing.insert(room.clone());
        }
    }

    /// Returns the last number in the log of `room` at the welcome of this line, or when our person
    /// entered it since; 0 before that.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.welcomed_at(&RoomId::hall()), 0);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn welcomed_at(&self, room: &RoomId) -> u64 {
        self.line.welcomed_at.get(room).copied().unwrap_or(0)
    }

    /// Sends the marks and notices that are due.
    pub(super) fn send_signals(&mut self, now: u64) {
        let signals = &mut self.line.signals;
        for room in std::mem::take(&mut signals.typing) {
            let after = signals.typing_after.entry(room.clone()).or_default();
            if *after <= now {
                *after = now.saturating_add(TYPING_MS_MIN);
                let room = room.as_str().into();
                ClientMessage::Typing { room }.encode(&mut self.outgoing);
            }
        }
        for room in signals.take_reads(now) {
            if let Some(seq) = self.rooms.get_mut(&room).and_then(|cursor| cursor.tally.tell()) {
                let message = ClientMessage::Read { room: room.as_str().into(), seq };
                message.encode(&mut self.outgoing);
                signals.reads_after.insert(room, now.saturating_add(READ_MS_MIN));
            }
        }
    }

    /// Takes the mark of another device of our person.
    pub(super) fn on_read(&mut self, room: &RoomId, seq: u64) -> bool {
        let Some(cursor) = self.rooms.get_mut(room) else { return false };
        let is_news = cursor.tally.hear_mark(seq, cursor.last());
        if cursor.tally.is_news() {
            self.line.signals.read(room); // The server has less than it was told.
        }
        if is_news {
            self.save_seen(room, false);
        }
        is_news
    }

    /// Drops the notice that a text is being written in `room`, as it was said.
    pub(super) fn stop_typing(&mut self, room: &RoomId) {
        self.line.signals.typing.remove(room);
    }

    /// Saves what was seen of `room`, if this client has a reader.
    pub(super) fn save_seen(&mut self, room: &RoomId, has_reader: bool) {
        let mark = self.seen(room);
        let has_reader = has_reader || self.begin.has_reader();
        if let Some(spot) = self.saved.rooms.get_mut(room)
            && (has_reader || spot.seen.is_some())
            && spot.seen != Some(mark)
        {
            spot.seen = Some(mark);
            self.has_changed = true;
        }
    }
}
