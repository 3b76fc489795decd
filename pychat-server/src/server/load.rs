//! The rooms of a log, as a server finds them when it begins.

use std::{iter, ops::ControlFlow};

use crate::{
    core::{
        id::HALL,
        record::{Kind, StorageError},
        rooms::Rooms,
    },
    store::{Records, Store},
};

/// The records at the end of each room's log among which those are counted that somebody has not seen.
const TAIL_RECORDS: u64 = 200;

/// The same of the hall: as many more as may have come at once before the server was killed, and moved
/// the marks of their authors.
const HALL_TAIL_RECORDS: u64 = 4_096 + TAIL_RECORDS;

/// Returns the rooms in a log, with the ends of their logs, and what each person has seen of them.
///
/// # Errors
///
/// [`StorageError`].
pub fn load_rooms(store: &mut dyn Store) -> Result<Rooms, StorageError> {
    let known = store.rooms()?;
    let ids: Vec<_> = iter::once(HALL).chain(known.iter().map(|room| room.id)).collect();
    let mut rooms = Rooms::new(known, store.marks()?);
    rooms.note_last_id(store.last_room());
    if store.is_shared() {
        rooms.share();
    }
    for room in ids {
        let last = store.last_seq(room);
        let n_records = if room == HALL { HALL_TAIL_RECORDS } else { TAIL_RECORDS };
        let begin = store.page_start(room, last + 1, n_records, usize::MAX, Records::Shown)?;
        let after = begin.map_or(last.saturating_sub(n_records), |begin| begin.saturating_sub(1));
        if store.first_seq(room) <= after {
            rooms.note_older_messages(room);
        }
        store.read(room, after, Records::Shown, &mut |entry| {
            let is_message = matches!(entry.kind, Kind::Text(_));
            rooms.note_record(room, entry.seq, entry.person, is_message);
            rooms.note_deleted(room, entry.seq, entry.state.is_deleted);
            ControlFlow::Continue(())
        })?;
        rooms.note_forgotten(room, store.first_seq(room) - 1);
        // Though it be forgotten.
        rooms.note_record(room, last, None, false);
    }
    rooms.end_all_over();
    Ok(rooms)
}
