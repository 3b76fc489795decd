//! The rooms that are over, until their logs are forgotten.

use std::{collections::VecDeque, time::Instant};

use super::OVER_KEPT;
use crate::core::id::RoomId;

/// Rooms that are over, in the order in which it is time to forget their logs. Nothing wakes up for it:
/// whatever happens next is early enough.
#[derive(Debug, Default)]
pub(super) struct Over {
    /// Those that were added since the time was told.
    new: Vec<RoomId>,
    waiting: VecDeque<(Instant, RoomId)>,
}

impl Over {
    /// Takes in a room whose log is to be forgotten [`OVER_KEPT`] from now.
    pub(super) fn add(&mut self, room: RoomId) {
        self.new.push(room);
    }

    /// Takes in a room whose time has come and was too early.
    pub(super) fn put_off(&mut self, now: Instant, room: RoomId) {
        self.waiting.push_back((now + OVER_KEPT, room));
    }

    /// Takes out the rooms whose time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<RoomId> {
        let new = self.new.drain(..).map(|room| (now + OVER_KEPT, room));
        self.waiting.extend(new);
        let n_due = self.waiting.partition_point(|(due, _)| *due <= now);
        self.waiting.drain(..n_due).map(|(_, room)| room).collect()
    }
}
