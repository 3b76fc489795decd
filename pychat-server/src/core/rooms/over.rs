//! Rooms that are over: nobody is in them, and nobody can come to be in them or misses anything.

use std::mem;

use pychat_wire::message::RoomKind;

use super::Rooms;
use crate::core::{
    id::{HALL, RoomId},
    record::ReadMark,
};

/// The things that the store is to be asked.
#[derive(Debug)]
pub struct Due {
    marks: Vec<ReadMark>,
    over: Vec<RoomId>,
}

impl Rooms {
    /// Takes out every room that is over; for a start, once all records are noted.
    pub fn end_all_over(&mut self) {
        let all: Vec<_> = self.known.keys().copied().collect();
        for room in all {
            self.end_if_over(room);
        }
        self.over.sort_unstable();
    }

    /// Returns the rooms that the store is to keep no longer and was not asked to yet.
    pub fn take_over(&mut self) -> Vec<RoomId> {
        mem::take(&mut self.over)
    }

    /// Takes out all that the store is to be asked and was not yet.
    pub fn take_due(&mut self) -> Due {
        Due { marks: mem::take(&mut self.new_marks), over: mem::take(&mut self.over) }
    }

    /// Has the store be asked this, and nothing else that came up since: that is for another server to ask.
    pub fn set_due(&mut self, Due { marks, over }: Due) {
        (self.new_marks, self.over) = (marks, over);
    }

    /// Notes that there are messages in a room's log before those that are noted one by one.
    pub fn note_older_messages(&mut self, room: RoomId) {
        if let Some(known) = self.known.get_mut(&room) {
            known.log.note_older_messages();
        }
    }

    /// Takes a room out if it is over. An open one that nobody is in stays as long as a message in it
    /// may be kept, for whoever joins to read.
    pub(super) fn end_if_over(&mut self, room: RoomId) {
        let Some(known) = self.known.get(&room) else { return };
        let is_wanted = known.kind == RoomKind::Open && known.log.has_messages();
        if room == HALL || !known.is_empty() || is_wanted || self.pending.is_awaited(room) {
            return;
        }
        self.over.push(room);
        if !self.is_shared {
            self.end(room);
        }
    }

    /// Has it live with other servers, on which people may come to be in a room.
    pub fn share(&mut self) {
        self.is_shared = true;
    }

    /// Notes that the store is asked to keep a room no longer, so nobody joins it.
    pub fn begin_end(&mut self, room: RoomId) {
        self.pending.begin_end(room);
    }

    /// Notes that the store has answered that.
    pub fn end_answered(&mut self, room: RoomId) {
        self.pending.end_answered(room);
    }

    /// Returns true if a room is about to be over.
    pub fn is_ending(&self, room: RoomId) -> bool {
        self.pending.is_ending(room)
    }

    /// Takes a room out; returns false if there is none.
    pub fn end(&mut self, room: RoomId) -> bool {
        let Some(known) = self.known.remove(&room) else { return false };
        if self.open.remove(&room) {
            self.free_look(room, &known.name);
        }
        let maker = known.maker.filter(|_| known.kind != RoomKind::Direct);
        if let Some(seats) = maker.and_then(|maker| self.people.get_mut(&maker)) {
            seats.n_made -= 1;
        }
        true
    }
}
