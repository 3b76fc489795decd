//! Durable data, as the core knows it: messages, people, and the reasons why keeping them failed.

mod content;
mod keys;
mod people;
mod presence;

use std::sync::Arc;

use pychat_wire::{
    UserName,
    key::InviteId,
    message::{Reason, RoomKind},
};
use thiserror::Error;

pub use self::{
    content::{Amending, Kind, State, Target},
    keys::{Key, Keys},
    people::{Device, Invite, InviteTerms, OwnedName, Person, PersonChange},
    presence::{PairOffer, Presence, ServerId},
};
use super::{
    id::RoomId,
    moderation::{AuditEntry, Change},
};

/// Something that the store is to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// Take a draft into the log of a room, and with it what it changes of the room: both, or
    /// neither. A draft that is known, or whose id is used for another, changes nothing. One that makes
    /// a room is known also if the room was made under another number.
    Append {
        /// The room.
        room: RoomId,
        /// The draft.
        draft: Draft,
        /// The change.
        change: Option<RoomChange>,
    },
    /// Take a draft of an amendment into the log of a room, and change its message: both, or neither. One
    /// that is known, whose id is used for another, or that may not be, changes nothing.
    Amend {
        /// The room.
        room: RoomId,
        /// The draft.
        draft: Draft,
        /// The record of that, without a subject, if its author may remove the messages of others there,
        /// and bring them back. It is kept if the message is another's.
        entry: Option<AuditEntry>,
    },
    /// Find the record that a person's draft became.
    Recall {
        /// The person.
        person: PersonId,
        /// The person's own id of it.
        id: Arc<str>,
    },
    /// Find a record of a room by its number.
    Find {
        /// The room.
        room: RoomId,
        /// The number.
        seq: u64,
    },
    /// Keep that somebody has seen everything up to a number, unless more is known.
    Mark(ReadMark),
    /// Keep a room no longer, in which nobody is. Its log is forgotten later, little by little, and its
    /// number is given to no other.
    EndRoom(RoomId),
    /// Keep a change of a person.
    ChangePerson(PersonChange),
    /// Keep what an operator did, and what changed by it.
    Moderate {
        /// The changes.
        changes: Vec<Change>,
        /// The record of it.
        entry: AuditEntry,
        /// The operator, if they asked for it in the chat: they must be one still.
        by: Option<PersonId>,
    },
    /// Keep a new person, and that a use of an invite was taken for them.
    Admit {
        /// The person.
        person: Person,
        /// The invite.
        invite: InviteId,
    },
    /// Know all that other servers had carried out before; asked for only where they share the store.
    Sync,
    /// Let all servers know that somebody is present on this one, in place of whoever has a name that
    /// looks like theirs and is not the same person; asked for only where servers share the store.
    Enter(Presence),
    /// Let all servers know that somebody is present on this one no more, for this reason.
    Leave(Presence, Reason),
    /// Let all servers know a code by which another device can join a person, in place of any that they
    /// had.
    Offer(PairOffer),
}

/// The store's answer to a request: what became of it, or why nothing did.
pub type Outcome = Result<Stored, StorageError>;

/// The outcome of a request that was carried out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stored {
    /// That of a draft.
    Appended(Appended),
    /// The record that was to be found, if there is one.
    Recalled(Option<Record>),
    /// That of a change: it is kept.
    Changed,
}

impl Stored {
    /// Returns the record that is in a log only now, if there is one.
    pub fn new_record(&self) -> Option<&Record> {
        match self {
            Self::Appended(Appended::New(record)) => Some(record),
            Self::Appended(_) | Self::Recalled(_) | Self::Changed => None,
        }
    }
}

/// A record that waits to be taken into a log. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Draft {
    /// The name of its author.
    pub author: UserName,
    /// Its author, if the author proved to be that person.
    pub person: Option<PersonId>,
    /// Its content.
    pub kind: Kind<Arc<str>>,
    /// The person's own id of it, if there is one: a draft that is sent again is recognised by it.
    pub id: Option<Arc<str>>,
    /// The number of the message of the same room that it answers, if it answers one.
    pub reply: Option<u64>,
}

/// One record as the log has it. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The room whose log has it.
    pub room: RoomId,
    /// Its number in the room: dense, from 1.
    pub seq: u64,
    /// When it was taken, in UTC milliseconds since 1970; never less than the one before it.
    pub time_ms: u64,
    /// The name of its author.
    pub author: UserName,
    /// Its author, if the author had proved to be that person.
    pub person: Option<PersonId>,
    /// Its content.
    pub kind: Kind<Arc<str>>,
    /// The person's own id of it, if there is one.
    pub id: Option<Arc<str>>,
    /// The number of the message of the same room that it answers, if it answers one.
    pub reply: Option<u64>,
    /// Its state, if it is a message.
    pub state: State<Arc<str>>,
    /// The message that it answers or edits, in a record that is new.
    pub target: Option<Target>,
}

/// One record as it is read back. Its author is any text: the rules for names may have changed
/// since it was said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Entry<'a> {
    /// Its number in the room.
    pub seq: u64,
    /// When it was taken, in UTC milliseconds since 1970.
    pub time_ms: u64,
    /// The name of its author.
    pub author: &'a str,
    /// Its author, if the author had proved to be that person.
    pub person: Option<PersonId>,
    /// Its content.
    pub kind: Kind<&'a str>,
    /// The person's own id of it, if there is one.
    pub id: Option<&'a str>,
    /// The number of the message of the same room that it answers, if it answers one.
    pub reply: Option<u64>,
    /// Its state, if it is a message.
    pub state: State<&'a str>,
}

/// The outcome of a draft.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Appended {
    /// It is in the log now.
    New(Record),
    /// The log had it already: this owner said the same under this id before. The record is that of
    /// then, with its number and time.
    Known(Record),
    /// It is not in the log: this owner said something else under this id before.
    Conflict {
        /// The id.
        id: Arc<str>,
    },
    /// It is not in the log: its author may not do that to that message, or there is no such message.
    Refused(AmendError),
}

/// The reason why a message cannot be answered or amended.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum AmendError {
    /// There is none, or none any more.
    #[error("there is no such message in this room, or no longer")]
    NoMessage,
    /// It has no words that can be brought back.
    #[error("there is nothing to bring back of this message")]
    NothingToRestore,
    /// It is another's.
    #[error("this message is not yours")]
    NotTheirs,
    /// There are as many reactions to it as there can be.
    #[error("no more reactions to this message are taken")]
    Full,
}

/// The number of a person. No other owner ever has it, so texts said under it are theirs
/// alone, even if the name belongs to somebody else by now.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PersonId(pub u64);

/// A room, but for its log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Room {
    /// Its number.
    pub id: RoomId,
    /// Its kind.
    pub kind: RoomKind,
    /// Its name; empty for the hall and for direct rooms.
    pub name: String,
    /// Its topic; empty if it has none.
    pub topic: String,
    /// The person who made it; `None` for the hall.
    pub maker: Option<PersonId>,
    /// The people in it, in the order in which they came; none for the hall, in which everybody is.
    pub members: Vec<PersonId>,
}

/// A change of a room, which its log has a record of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RoomChange {
    /// There is a room. Its maker has seen the record of that, and other members have seen nothing.
    Create(Room),
    /// Somebody is in it from now on, and has seen everything up to the record of that.
    Add(PersonId),
    /// Somebody is in it no more.
    Remove(PersonId),
    /// It has another name.
    Rename(String),
    /// It has another topic.
    SetTopic(String),
}

/// The end of what somebody has seen of a room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadMark {
    /// The room.
    pub room: RoomId,
    /// The person.
    pub person: PersonId,
    /// The number of the last record that they have seen.
    pub seq: u64,
}

/// The reason why the log cannot be written or read just now. A write that fails writes nothing.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum StorageError {
    /// There is no room left.
    #[error("disk full")]
    Full,
    /// Less of the disk is free than is to be left to others.
    #[error("less of the disk is free than disk-reserve")]
    Reserve,
    /// The file, or the file system that it is on, cannot be written.
    #[error("disk read-only")]
    ReadOnly,
    /// The content of the file is invalid.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The system could not read or write; the number is SQLite's code for the reason.
    #[error("input/output error, SQLite {0}")]
    Io(i32),
    /// The database cannot be reached, or does not answer.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// Another server changed what the request relies on. It may be made again at once, by the state that
    /// is known with its answer.
    #[error("another server was faster")]
    Overtaken,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl StorageError {
    /// Returns the words for people, who can do nothing about it.
    pub fn in_short(&self) -> &'static str {
        match self {
            Self::Full | Self::Reserve => "disk full",
            Self::ReadOnly => "disk read-only",
            Self::Damaged(_) => "damaged",
            Self::Io(_) => "input/output error",
            Self::Unreachable(_) => "database out of reach",
            Self::Overtaken => "another server was faster",
            Self::Other(_) => "out of order",
        }
    }

    /// Returns the word that stands for it in logs.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Reserve => "reserve",
            Self::ReadOnly => "read_only",
            Self::Damaged(_) => "damaged",
            Self::Io(_) => "io",
            Self::Unreachable(_) => "unreachable",
            Self::Overtaken => "overtaken",
            Self::Other(_) => "other",
        }
    }
}

impl Draft {
    /// Returns the record that it becomes.
    pub fn into_record(self, room: RoomId, seq: u64, time_ms: u64) -> Record {
        let Self { author, person, kind, id, reply } = self;
        let (state, target) = (State::default(), None);
        Record { room, seq, time_ms, author, person, kind, id, reply, state, target }
    }
}

impl Record {
    /// Returns this record as it will be read back.
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            seq: self.seq,
            time_ms: self.time_ms,
            author: self.author.as_str(),
            person: self.person,
            kind: self.kind.as_deref(),
            id: self.id.as_deref(),
            reply: self.reply,
            state: State {
                edited_ms: self.state.edited_ms,
                is_deleted: self.state.is_deleted,
                reactions: self.state.reactions.as_deref(),
            },
        }
    }
}
