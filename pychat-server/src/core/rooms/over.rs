//! Rooms that are over: nobody is in them, and nobody can come to be in them or misses anything.

use pychat_wire::message::RoomKind;

use super::Rooms;
use crate::core::id::{HALL, RoomId};

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
        std::mem::take(&mut self.over)
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
        let Some(known) = self.known.remove(&room) else { return };
        if self.open.remove(&room) {
            self.free_look(room, &known.name);
        }
        let maker = known.maker.filter(|_| known.kind != RoomKind::Direct);
        if let Some(seats) = maker.and_then(|maker| self.people.get_mut(&maker)) {
            seats.n_made -= 1;
        }
        self.over.push(room);
    }
}
