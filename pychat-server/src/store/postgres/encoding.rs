//! Entries of the journal, as JSON: the requests that a server had carried out, and what it takes another
//! one to know them. There are no words of messages in it, and no reactions: a record is told by its number,
//! and read from its table as it is then.
//!
//! Servers of two versions may have a database at a time. Fields that this version does not know are passed
//! over, and so are changes of an unknown kind that say of themselves that they may be (`"ignorable": true`).
//! Any other makes an entry [unreadable](Unreadable).

mod parts;

use pychat_wire::{
    key::{InviteId, PublicKey},
    message::Reason,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use self::parts::{PersonTold, RoomTold, RuleTold};
use super::picture::End;
use crate::{
    core::{
        elsewhere::{Presence, ServerId},
        id::RoomId,
        moderation::AuditEntry,
        record::{
            Appended, Kind, PairOffer, PersonChange, PersonId, ReadMark, Record, Request,
            RoomChange, State, StorageError, Stored,
        },
    },
    store::sqlite::records::{code, kind},
};

/// The number of the format. One that earlier versions must not read gets another.
const FORMAT: u64 = 1;

/// An entry of another server that this version cannot read.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("another server of this database is of a later version; upgrade this one")]
pub(super) struct Unreadable;

impl From<Unreadable> for StorageError {
    fn from(error: Unreadable) -> Self {
        Self::Other(error.to_string())
    }
}

/// An entry, with its changes as a `T`.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Entry<T> {
    format: u64,
    pub(super) changes: Vec<T>,
    /// The new ends of logs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ends: Vec<EndTold>,
    /// The rooms with messages that were changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    amended: Vec<u32>,
    /// The time at which words were taken away, if any were, in UTC milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) erased_ms: Option<u64>,
}

/// The end of a log.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct EndTold {
    room: u32,
    seq: u64,
    ms: u64,
    bytes: u64,
    first_ms: Option<u64>,
}

/// A change, as it is told.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Told {
    Append { record: RecordTold, change: Option<RoomTold> },
    Amend { record: RecordTold, entry: Option<AuditEntry> },
    Mark { room: u32, person: u64, seq: u64 },
    EndRoom { room: u32 },
    Save { person: PersonTold },
    Forget { person: u64 },
    Moderate { changes: Vec<RuleTold>, entry: AuditEntry },
    Admit { person: PersonTold, invite: InviteId },
    Enter { name: String, person: Option<u64>, key: Option<PublicKey> },
    Leave { name: String, person: Option<u64>, reason: Reason },
    Offer { person: u64, hash: [u8; 32] },
    Gone { server: u64 },
}

/// A record without its words.
#[derive(Debug, Deserialize, Serialize)]
struct RecordTold {
    room: u32,
    seq: u64,
    time_ms: u64,
    author: String,
    person: Option<u64>,
    code: i64,
    target: Option<u64>,
}

/// A change, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// A record was added to a log; this one has no words.
    Record(Box<Record>, With),
    /// Another request, and its outcome is [`Stored::Changed`].
    Other(Request),
    /// A server is gone.
    Gone(ServerId),
}

/// The rest of the request by which a record was added.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum With {
    Append(Option<RoomChange>),
    Amend(Option<AuditEntry>),
}

/// An entry that is being written.
#[derive(Debug, Default)]
pub(super) struct Draft {
    changes: Vec<Told>,
    /// The records in it, and the bytes of their words.
    pub(super) rooms: Vec<i64>,
    pub(super) seqs: Vec<i64>,
    pub(super) n_bytes: u64,
}

impl Draft {
    /// Returns true if nothing was changed.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Takes in a request and its outcome.
    pub(super) fn add(&mut self, request: Request, stored: &Stored) {
        let record = match stored {
            Stored::Appended(Appended::New(record)) => Some(self.outline(record)),
            Stored::Appended(_) | Stored::Recalled(_) => return,
            Stored::Changed => None,
        };
        let person = |person: Option<PersonId>| person.map(|PersonId(id)| id);
        let told = match (request, record) {
            (Request::Append { change, .. }, Some(record)) => {
                Told::Append { record, change: change.map(Into::into) }
            }
            (Request::Amend { entry, .. }, Some(record)) => Told::Amend { record, entry },
            (Request::Mark(ReadMark { room, person, seq }), _) => {
                Told::Mark { room: room.0, person: person.0, seq }
            }
            (Request::EndRoom(room), _) => Told::EndRoom { room: room.0 },
            (Request::ChangePerson(PersonChange::Save(person)), _) => {
                Told::Save { person: person.into() }
            }
            (Request::ChangePerson(PersonChange::Forget(person)), _) => {
                Told::Forget { person: person.0 }
            }
            (Request::Moderate { changes, entry, .. }, _) => {
                Told::Moderate { changes: changes.into_iter().map(Into::into).collect(), entry }
            }
            (Request::Admit { person, invite }, _) => Told::Admit { person: person.into(), invite },
            (Request::Enter(it), _) => {
                let name = it.name.as_str().to_owned();
                Told::Enter { name, person: person(it.person), key: it.key }
            }
            (Request::Leave(it, reason), _) => {
                Told::Leave { name: it.name.as_str().to_owned(), person: person(it.person), reason }
            }
            (Request::Offer(PairOffer { person, hash }), _) => {
                Told::Offer { person: person.0, hash }
            }
            // These are answered by a record, or change nothing.
            (
                Request::Append { .. }
                | Request::Amend { .. }
                | Request::Recall { .. }
                | Request::Find { .. }
                | Request::Sync,
                _,
            ) => return,
        };
        self.changes.push(told);
    }

    fn outline(&mut self, record: &Record) -> RecordTold {
        let Record { room, seq, time_ms, ref author, person, ref kind, reply, .. } = *record;
        self.rooms.push(room.0.into());
        self.seqs.push(seq.cast_signed());
        self.n_bytes += kind.text().len() as u64;
        RecordTold {
            room: room.0,
            seq,
            time_ms,
            author: author.as_str().to_owned(),
            person: person.map(|PersonId(id)| id),
            code: code(kind.as_deref()),
            target: reply.or(kind.target()),
        }
    }

    /// Returns the entry, with the new ends of logs and the rooms of messages that were changed.
    pub(super) fn encode(
        self,
        ends: &[(RoomId, End)],
        amended: impl Iterator<Item = RoomId>,
        erased_ms: Option<u64>,
    ) -> Vec<u8> {
        let end = |(room, end): &(RoomId, End)| EndTold {
            room: room.0,
            seq: end.last_seq,
            ms: end.last_ms,
            bytes: end.last_bytes,
            first_ms: end.first_ms,
        };
        let (ends, amended) = (ends.iter().map(end).collect(), amended.map(|it| it.0).collect());
        let entry = Entry { format: FORMAT, changes: self.changes, ends, amended, erased_ms };
        encoded(&entry)
    }
}

/// Returns the entry that says that a server is gone.
pub(super) fn gone(server: ServerId) -> Vec<u8> {
    let changes = vec![Told::Gone { server: server.0 }];
    let (ends, amended) = (Vec::new(), Vec::new());
    encoded(&Entry { format: FORMAT, changes, ends, amended, erased_ms: None })
}

fn encoded(entry: &Entry<Told>) -> Vec<u8> {
    // There is no map in it whose keys are no texts, so nothing can fail.
    serde_json::to_vec(entry).unwrap_or_default()
}

/// Returns the entry that was written so.
///
/// # Errors
///
/// [`Unreadable`].
pub(super) fn decode(bytes: &[u8]) -> Result<Entry<Change>, Unreadable> {
    let read: Entry<Value> = serde_json::from_slice(bytes).map_err(|_| Unreadable)?;
    if FORMAT < read.format {
        return Err(Unreadable);
    }
    let mut changes = Vec::new();
    for value in read.changes {
        let is_ignorable = value.get("ignorable") == Some(&Value::Bool(true));
        let change = Told::deserialize(value).map_err(|_| Unreadable).and_then(Change::try_from);
        match change {
            Ok(change) => changes.push(change),
            Err(Unreadable) if is_ignorable => (),
            Err(error) => return Err(error),
        }
    }
    let Entry { format, ends, amended, erased_ms, .. } = read;
    Ok(Entry { format, changes, ends, amended, erased_ms })
}

impl Entry<Change> {
    /// Returns the new ends of logs.
    pub(super) fn ends(&self) -> Vec<(RoomId, End)> {
        let end = |told: &EndTold| {
            let EndTold { room, seq, ms, bytes, first_ms } = *told;
            (RoomId(room), End { first_ms, last_seq: seq, last_ms: ms, last_bytes: bytes })
        };
        self.ends.iter().map(end).collect()
    }

    /// Returns the rooms with messages that were changed.
    pub(super) fn amended(&self) -> impl Iterator<Item = RoomId> {
        self.amended.iter().copied().map(RoomId)
    }
}

impl TryFrom<Told> for Change {
    type Error = Unreadable;

    fn try_from(told: Told) -> Result<Self, Unreadable> {
        let presence = |name: &str, person: Option<u64>, key| -> Result<_, Unreadable> {
            Ok(Presence { name: parts::user_name(name)?, person: person.map(PersonId), key })
        };
        Ok(Self::Other(match told {
            Told::Append { record, change } => {
                let change = change.map(TryInto::try_into).transpose()?;
                return Ok(Self::Record(Box::new(record.try_into()?), With::Append(change)));
            }
            Told::Amend { record, entry } => {
                return Ok(Self::Record(Box::new(record.try_into()?), With::Amend(entry)));
            }
            Told::Gone { server } => return Ok(Self::Gone(ServerId(server))),
            Told::Mark { room, person, seq } => {
                Request::Mark(ReadMark { room: RoomId(room), person: PersonId(person), seq })
            }
            Told::EndRoom { room } => Request::EndRoom(RoomId(room)),
            Told::Save { person } => Request::ChangePerson(PersonChange::Save(person.into())),
            Told::Forget { person } => {
                Request::ChangePerson(PersonChange::Forget(PersonId(person)))
            }
            Told::Moderate { changes, entry } => {
                let changes = changes.into_iter().map(TryInto::try_into);
                // It was decided already; nothing is held against who asked for it.
                Request::Moderate { changes: changes.collect::<Result<_, _>>()?, entry, by: None }
            }
            Told::Admit { person, invite } => Request::Admit { person: person.into(), invite },
            Told::Enter { name, person, key } => Request::Enter(presence(&name, person, key)?),
            Told::Leave { name, person, reason } => {
                Request::Leave(presence(&name, person, None)?, reason)
            }
            Told::Offer { person, hash } => {
                Request::Offer(PairOffer { person: PersonId(person), hash })
            }
        }))
    }
}

impl TryFrom<RecordTold> for Record {
    type Error = Unreadable;

    /// Returns the record as one of a message without any words.
    fn try_from(told: RecordTold) -> Result<Self, Unreadable> {
        let RecordTold { room, seq, time_ms, author, person, code, target } = told;
        let kind: Kind<&str> = kind(code, Some(""), target).map_err(|_| Unreadable)?;
        let is_deleted = matches!(kind, Kind::Text(_));
        Ok(Self {
            room: RoomId(room),
            seq,
            time_ms,
            author: parts::user_name(&author)?,
            person: person.map(PersonId),
            reply: target.filter(|_| kind.is_shown()),
            kind: kind.map(Into::into),
            id: None,
            state: State { is_deleted, ..State::default() },
            target: None,
        })
    }
}

#[cfg(test)]
mod tests;
