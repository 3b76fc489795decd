//! Older messages, which are asked for page by page.

use super::{Client, RoomId, phase::Protocol, place::Place};
use crate::message::ClientMessage;

/// The availability of messages older than all that were shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Past {
    /// None: all were shown, the server keeps none, or we are not in that room, or not in protocol 2.
    #[default]
    None,
    /// Perhaps more: [`Client::request_history`] would ask for it.
    Kept,
    /// A page of them is on its way.
    Asked,
}

impl Client {
    /// Asks for at most `limit` records of `room` older than those shown; they come as an
    /// [`Event::Page`](super::Event::Page).
    ///
    /// Returns false, and does nothing, unless there is a [past](Self::past) that is
    /// [`Kept`](Past::Kept): nothing older exists, a page is on its way already, or we are not in
    /// that room, or not in protocol 2.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_history(&RoomId::hall(), 50)); // Not joined.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_history(&mut self, room: &RoomId, limit: u64) -> bool {
        self.request_page(room, |place| place.request(limit))
    }

    /// Asks for at most `limit` records of `room` before number `seq`, wherever that is. If it is before all that
    /// were shown, the pages after this one go on from it; those between are skipped, until
    /// [`Self::forget_before`] says that they are wanted.
    ///
    /// Returns false, and does nothing, if a page is on its way already, if the room has no such number yet,
    /// or if we are not in that room, or not in protocol 2.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_history_before(&RoomId::hall(), 10_000, 50)); // Not joined.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_history_before(&mut self, room: &RoomId, seq: u64, limit: u64) -> bool {
        self.request_page(room, |place| place.request_before(seq, limit))
    }

    /// Records that messages of `room` older than number `seq` are shown no more, so that they can be asked
    /// for again. A page that is on its way is dropped: it belongs above messages that are gone.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// client.forget_before(&RoomId::hall(), 10_000); // Nothing was shown, so nothing changes.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn forget_before(&mut self, room: &RoomId, seq: u64) {
        let is_waiting = self.line.pages.is_waiting(room);
        if self.rooms.forget_before(room, seq, is_waiting) && is_waiting {
            self.line.pages.withdraw(room);
        }
    }

    /// Returns the availability of older messages of `room`, on which [`Self::request_history`] depends.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Past, RoomId, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.past(&RoomId::hall()), Past::None); // Not joined.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn past(&self, room: &RoomId) -> Past {
        let is_joined = self.phase.is_joined(Protocol::Second);
        match self.rooms.get(room).filter(|_| is_joined) {
            Some(cursor) if cursor.place.requested().is_some() => Past::Asked,
            Some(cursor) if cursor.place.has_older() => Past::Kept,
            _ => Past::None,
        }
    }

    fn request_page(&mut self, room: &RoomId, ask: impl FnOnce(&mut Place) -> bool) -> bool {
        let is_joined = self.phase.is_joined(Protocol::Second);
        let Some(cursor) = self.rooms.get_mut(room).filter(|_| is_joined) else { return false };
        let is_asked = ask(&mut cursor.place);
        if is_asked {
            self.line.pages.push(room.clone());
            self.send_page_requests();
        }
        is_asked
    }

    /// Sends the requests for pages whose turn it is. Those of a room that our person asked to leave wait for
    /// the answer: until then the server refuses them, and we may be in it again since.
    pub(super) fn send_page_requests(&mut self) {
        let changes = &self.changes;
        let is_left = |room: &RoomId| changes.iter().any(|change| change.is_leaving(room));
        while let Some(room) = self.line.pages.pop(|room| !is_left(room)) {
            let asked = self.rooms.get(&room).and_then(|cursor| cursor.place.requested());
            if let Some((before, limit)) = asked {
                let room = room.as_str().into();
                ClientMessage::History { room, before, limit }.encode(&mut self.outgoing);
            } else {
                self.line.pages.end(&room);
            }
        }
    }
}
