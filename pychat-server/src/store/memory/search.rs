//! Searching in memory: one message after the other.

use std::{cmp::Reverse, ops::ControlFlow};

use super::{Memory, amendments::entry};
use crate::{
    core::{
        id::RoomId,
        record::{Entry, Kind},
    },
    store::{
        Looked, Place, Wanted,
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
            Place::Number(_) => return Looked::All,
        };
        let records = wanted.rooms.iter().filter_map(|room| self.logs.records(*room)).flatten();
        let place_of = |record: &super::Record| (record.time_ms, record.room, record.seq);
        let mut older: Vec<_> = records
            .filter(|record| matches!(record.kind, Kind::Text(_)) && !record.state.is_deleted)
            .filter(|record| before.is_none_or(|before| place_of(record) < before))
            .collect();
        older.sort_unstable_by_key(|record| Reverse(place_of(record)));
        for record in older {
            if *budget == 0 {
                return Looked::Some;
            }
            let entry = entry(&self.logs, record);
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
