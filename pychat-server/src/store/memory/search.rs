//! Searching in memory: one message after the other.

use std::{collections::BinaryHeap, ops::ControlFlow};

use super::Memory;
use crate::{
    core::{
        id::RoomId,
        record::{Entry, Kind, Record},
    },
    store::{
        Looked, Place, Wanted,
        deciding::entry,
        search::{BEGIN_BYTES, LOOK_BYTES},
    },
};

impl Memory {
    /// Looks at the messages of the wanted rooms, the newest first, until `each` breaks off or the budget is
    /// spent.
    pub(super) fn look_for(
        &self,
        wanted: &Wanted<'_>,
        place: &mut Place,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Looked {
        *budget = budget.saturating_sub(BEGIN_BYTES);
        let before = match *place {
            Place::Newest => None,
            Place::Message(room, seq) => match self.logs.find(room, seq) {
                Some(record) => Some((record.time_ms, room, seq)),
                None => return Looked::All,
            },
            Place::Number(_) | Place::Candidates(_) => return Looked::All,
        };
        let place_of = |record: &Record| (record.time_ms, record.room, record.seq);
        let is_older = |record: &Record| before.is_none_or(|before| place_of(record) < before);
        // The newest record of each room that is still to be looked at.
        let mut newest = BinaryHeap::new();
        for records in wanted.rooms.iter().filter_map(|room| self.logs.records(*room)) {
            let n_older = records.partition_point(is_older);
            newest.extend(n_older.checked_sub(1).and_then(|last| records.get(last)).map(place_of));
        }
        while let Some((_, room, seq)) = newest.pop() {
            newest.extend(self.logs.find(room, seq - 1).map(place_of));
            let Some(record) = self.logs.find(room, seq) else { continue };
            if !matches!(record.kind, Kind::Text(_)) || record.state.is_deleted {
                continue;
            }
            if *budget == 0 {
                return Looked::Some;
            }
            let entry = entry(self, record);
            let text = entry.kind.text();
            *budget = budget.saturating_sub(text.len() + LOOK_BYTES);
            *place = Place::Message(record.room, record.seq);
            if wanted.query.finds(entry.author, text) && each(record.room, entry).is_break() {
                return Looked::Some;
            }
        }
        Looked::All
    }
}
