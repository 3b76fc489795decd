//! The side of a server that hears of others: what those did is applied to what it has in memory, and told to
//! the core, in the order of the journal and each once.

use std::time::Instant;

use super::{
    encoding::{self, Change, With},
    journal::Piece,
    link::damage,
    listener::Heard,
    picture::{End, Picture},
    row::Row,
    store::{Phase, PostgresStore},
};
use crate::{
    core::{
        elsewhere::{Elsewhere, ServerId},
        id::RoomId,
        record::{Appended, Draft, Kind, Record, Request, StorageError, Stored, Target},
    },
    store::{Answer, deciding::Log},
};

impl PostgresStore {
    /// Goes on with the session in which it hears of others, as far as it can.
    pub(super) fn listen(&mut self, now: Instant) {
        let (Phase::Ready | Phase::Away { .. }, Some(journal)) =
            (&self.phase, &mut self.memory.journal)
        else {
            return;
        };
        let listener = self.lines.as_mut().and_then(|lines| lines.listener.as_mut());
        let Some(listener) = listener else { return };
        let mut heard = Vec::new();
        listener.poll(now, journal, &self.memory.epoch, &mut heard);
        for heard in heard {
            match heard {
                Heard::Entry(number) => journal.hear(number),
                Heard::Typing(typing) => {
                    journal.note(&typing);
                    self.answers.push_back(Answer::Elsewhere(*typing));
                }
                Heard::Over(error) => return self.phase = Phase::Over(error),
            }
        }
    }

    /// Returns true if the lease of this server may have ended by now.
    pub(super) fn is_fenced(&self, now: Instant) -> bool {
        let listener = self.lines.as_ref().and_then(|lines| lines.listener.as_ref());
        let shared = listener.zip(self.memory.journal.as_ref());
        shared.is_some_and(|(listener, journal)| listener.is_fenced(now, journal))
    }

    /// Applies the entries of a piece that this server has not, and tells the core of them.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if an entry is missing, or cannot be read: nothing can be applied after that.
    pub(super) fn apply(&mut self, piece: &Piece) -> Result<(), StorageError> {
        let picture = Picture::of_records(&piece.records)?;
        for row in &piece.entries {
            self.apply_entry(row, &picture)?;
        }
        let Some(journal) = &mut self.memory.journal else { return Ok(()) };
        journal.is_behind = journal.applied < piece.end;
        if journal.is_behind && piece.entries.is_empty() {
            return Err(missing());
        }
        Ok(())
    }

    fn apply_entry(&mut self, row: &Row, picture: &Picture) -> Result<(), StorageError> {
        let Some(journal) = &mut self.memory.journal else { return Ok(()) };
        let (number, server): (u64, _) = (row.get(0)?, ServerId(row.get(1)?));
        if number != journal.applied + 1 {
            return Err(missing());
        }
        journal.applied = number;
        if server == journal.server {
            return Ok(());
        }
        let entry = encoding::decode(row.get(2)?)?;
        self.note_ends(entry.ends());
        for room in entry.amended() {
            self.history.throw_away(room);
        }
        self.forgetting.removed(entry.erased_ms);
        for change in entry.changes {
            if let Change::Other(Request::EndRoom(room)) = change {
                self.forgetting.over.add(room);
            }
            let elsewhere = told(server, change, picture);
            if let Some(journal) = &mut self.memory.journal {
                journal.note(&elsewhere);
            }
            self.answers.push_back(Answer::Elsewhere(elsewhere));
        }
        Ok(())
    }

    /// Takes in the new ends of logs.
    pub(super) fn note_ends(&mut self, ends: Vec<(RoomId, End)>) {
        for (room, end) in ends {
            let mut new = self.memory.logs.ends(room);
            (new.last_seq, new.last_ms, new.last_bytes) =
                (end.last_seq, end.last_ms, end.last_bytes);
            new.first_ms = new.first_ms.or(end.first_ms);
            self.memory.logs.put(room, Some(new));
        }
    }
}

fn missing() -> StorageError {
    damage("entries of the journal are missing; start this server anew")
}

/// Returns a change as the core is told of it, with the records as they are now.
fn told(server: ServerId, change: Change, records: &Picture) -> Elsewhere {
    let (outline, with) = match change {
        Change::Gone(server) => return Elsewhere::ServerGone(server),
        Change::Other(request) => {
            let request = Box::new(request);
            return Elsewhere::Done { server, request, stored: Stored::Changed };
        }
        Change::Record(outline, with) => (outline, with),
    };
    let mut record = records.find(outline.room, outline.seq).unwrap_or(*outline);
    let target = record.reply.or(record.kind.target());
    record.target = target.and_then(|target| about(record.room, target, records));
    let (room, draft) = (record.room, draft(&record));
    let request = Box::new(match with {
        With::Append(change) => Request::Append { room, draft, change },
        With::Amend(entry) => Request::Amend { room, draft, entry },
    });
    Elsewhere::Done { server, request, stored: Stored::Appended(Appended::New(record)) }
}

/// Returns the message that a record answers or amends.
fn about(room: RoomId, target: u64, records: &Picture) -> Option<Target> {
    let message = records.record(room, target)?;
    match &message.kind {
        Kind::Text(words) => Some(Target::new(message.time_ms, words)),
        Kind::Event { .. } | Kind::Amendment { .. } => None,
    }
}

/// Returns the draft that became a record.
fn draft(record: &Record) -> Draft {
    let Record { author, person, kind, id, reply, .. } = record.clone();
    Draft { author, person, kind, id, reply }
}
