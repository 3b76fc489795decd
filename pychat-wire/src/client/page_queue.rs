//! The requests for pages: a server takes only so many at once, so others wait for their turn.

use std::collections::VecDeque;

use super::{PAGES_MAX, RoomId};

/// The pages that are asked for on one line.
#[derive(Debug, Default)]
pub(super) struct PageQueue {
    /// The rooms of those that are on their way.
    sent: Vec<RoomId>,
    /// The rooms of those that wait for their turn.
    waiting: VecDeque<RoomId>,
}

impl PageQueue {
    /// Takes in that a page of `room` is wanted.
    pub(super) fn push(&mut self, room: RoomId) {
        self.waiting.push_back(room);
    }

    /// Returns the room of which a page is to be asked for now, if there is one, among those that `may_be_read`.
    pub(super) fn pop(&mut self, may_be_read: impl Fn(&RoomId) -> bool) -> Option<RoomId> {
        let is_free = self.sent.len() < PAGES_MAX;
        let index = self.waiting.iter().position(may_be_read).filter(|_| is_free)?;
        let room = self.waiting.remove(index)?;
        self.sent.push(room.clone());
        Some(room)
    }

    /// Takes in that a page of `room` has come.
    pub(super) fn end(&mut self, room: &RoomId) {
        if let Some(index) = self.sent.iter().position(|sent| sent == room) {
            self.sent.swap_remove(index);
        }
    }

    /// Takes in that no page of `room` comes any more.
    pub(super) fn end_all(&mut self, room: &RoomId) {
        self.sent.retain(|sent| sent != room);
        self.waiting.retain(|waiting| waiting != room);
    }

    /// Returns true if a page of `room` waits for its turn.
    pub(super) fn is_waiting(&self, room: &RoomId) -> bool {
        self.waiting.contains(room)
    }

    /// Takes back the page of `room` that waits for its turn.
    pub(super) fn withdraw(&mut self, room: &RoomId) {
        self.waiting.retain(|waiting| waiting != room);
    }
}
