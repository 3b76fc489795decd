//! Requests, carried out.

use rusqlite::Connection;

use super::{
    moderation,
    records::{self, Writer},
    rooms, rows,
};
use crate::core::record::{Appended, PersonChange, Request, Stored};

/// Carries out one request of a batch; returns its outcome.
pub(super) fn carry_out(
    connection: &Connection,
    writer: &mut Writer<'_>,
    request: &Request,
) -> rusqlite::Result<Stored> {
    let changed = match request {
        Request::Append { room, draft, change } => {
            let appended = writer.append(*room, draft)?;
            if let (Appended::New(record), Some(change)) = (&appended, change) {
                rooms::change(connection, *room, record.seq, change)?;
            }
            return Ok(Stored::Appended(appended));
        }
        Request::Amend { room, draft, entry } => {
            return writer.amend(*room, draft, entry.as_ref()).map(Stored::Appended);
        }
        Request::Recall { person, id } => {
            return records::recall(connection, *person, id).map(Stored::Recalled);
        }
        Request::Find { room, seq } => {
            return records::find_record(connection, *room, *seq).map(Stored::Recalled);
        }
        Request::Mark(mark) => rooms::mark(connection, *mark),
        Request::EndRoom(room) => rooms::end(connection, *room),
        Request::ChangePerson(PersonChange::Save(person)) => rows::save_person(connection, person),
        Request::ChangePerson(PersonChange::Forget(person)) => {
            rows::forget_person(connection, *person)
                .and_then(|()| rooms::forget_person(connection, *person))
        }
        Request::Admit { person, invite } => rows::admit(connection, person, *invite),
        Request::Moderate { changes, entry, .. } => moderation::save(connection, changes, entry),
        // There are no other servers.
        Request::Sync | Request::Enter(_) | Request::Leave(..) | Request::Offer(_) => Ok(()),
    };
    changed.map(|()| Stored::Changed)
}
