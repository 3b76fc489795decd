//! The store: the messages of the rooms, each room's in one order, and people. A text exists once it
//! is here.
//!
//! A store is given everything of a tick at once and takes all of it or nothing, or, where the disk is
//! short, nothing that makes a record or a person; and answers each request under its ticket, at once
//! or some ticks later. The numbers of a room are dense, from 1, and none is used twice within an
//! epoch, not even when everything is forgotten; its times never go back. A text that a client sends
//! under an id of its own is taken once, however often it is sent, and to whichever room: the same
//! words to another room are another text.

mod deciding;
pub mod memory;
mod moving;
mod over;
mod page;
pub mod postgres;
mod search;
pub mod sqlite;

use std::{
    fmt, io,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use mio::{Registry, Token};
use pychat_wire::UserName;

pub use self::{
    memory::Memory,
    moving::{Cell, Contents, Source, TABLES, Table, Target, copy},
    search::{Candidates, Looked, Place, Wanted},
    sqlite::SqliteStore,
};
use crate::core::{
    elsewhere::{Elsewhere, Present, ServerId},
    id::{RoomId, Ticket},
    moderation::{AuditEntry, Rulebook},
    record::{Entry, Invite, Outcome, Person, PersonId, ReadMark, Request, Room, StorageError},
    time::Time,
};

/// The cost of a record beside its content, in bytes, as it counts for [`Retention::bytes_max`].
pub const MESSAGE_BYTES: u64 = 100;

/// The time for which the log of a room is kept that is over: so long, a request that is sent again is
/// known.
pub const OVER_KEPT: Duration = Duration::from_hours(1);

/// The most records of what operators did that are kept, the newest.
pub const AUDIT_ENTRIES_MAX: usize = 10_000;

/// The limits of what is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// The most records of each room.
    pub messages_max: u64,
    /// The longest that a record is kept; for ever if [`Duration::MAX`].
    pub age_max: Duration,
    /// The most bytes of all rooms together: of content, and [`MESSAGE_BYTES`] more for each record.
    /// The oldest records of all go first.
    pub bytes_max: u64,
    /// The space on the disk that must be free for anything to be taken, in bytes.
    pub disk_reserve_bytes: u64,
}

impl Default for Retention {
    /// Everything, as long as there is room.
    fn default() -> Self {
        Self {
            messages_max: u64::MAX,
            age_max: Duration::MAX,
            bytes_max: u64::MAX,
            disk_reserve_bytes: 512 << 20,
        }
    }
}

impl Retention {
    /// Returns when a record of `time_ms` has been kept for long enough, if it ever has, in UTC
    /// milliseconds since 1970.
    fn expiry_ms(self, time_ms: u64) -> Option<u64> {
        time_ms.checked_add(self.age_max_ms()?)
    }

    /// Returns until when records must have been taken to be too old at `utc_ms`, if any can be.
    fn expired_by(self, utc_ms: u64) -> Option<u64> {
        utc_ms.checked_sub(self.age_max_ms()?)
    }

    fn age_max_ms(self) -> Option<u64> {
        u64::try_from(self.age_max.as_millis()).ok()
    }
}

/// An answer of a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The outcome of a request.
    Done {
        /// The ticket of the request.
        ticket: Ticket,
        /// The outcome.
        outcome: Outcome,
    },
    /// History that was asked for and was not at hand has been fetched; ask for it again.
    Fetched,
    /// Another server had something carried out, before every request whose answer follows.
    Elsewhere(Elsewhere),
}

/// The outcome of reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Read {
    /// There is no more, or the reader broke off.
    Done,
    /// The rest is not at hand, and is being fetched: [`Answer::Fetched`] follows.
    Later,
}

/// The records of a room that are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Records {
    /// All of them.
    All,
    /// Those that a page of history shows: no amendments.
    Shown,
}

/// The most sockets that a store waits for.
pub const SOCKETS_MAX: usize = 4;

/// The messages of the rooms, and the people.
pub trait Store: fmt::Debug {
    /// Has `registry` tell of edges of its sockets, now and later, under `first` and the tokens after
    /// that, [`SOCKETS_MAX`] at most.
    ///
    /// # Errors
    ///
    /// Those of the system: no descriptors left, most likely.
    fn register(&mut self, _registry: &Registry, _first: Token) -> io::Result<()> {
        Ok(())
    }

    /// Notes an edge of the socket with this index; nothing else happens until it is asked something.
    fn set_ready(&mut self, _socket: usize) {}

    /// Goes on beginning, as far as that is possible now; returns true once everything below can be
    /// asked. It is called again at an edge and at the [deadline](Self::next_deadline).
    ///
    /// # Errors
    ///
    /// [`StorageError`] if it never will be.
    fn open(&mut self, _now: Instant) -> Result<bool, StorageError> {
        Ok(true)
    }

    /// Returns the name of this log: 128 random bits as 32 lower-case hex digits. Another name is
    /// another log, whose numbers mean other messages.
    fn epoch(&self) -> &str;

    /// Returns the number of the oldest record of a room that is kept, or of the next if none is.
    fn first_seq(&self, room: RoomId) -> u64;

    /// Returns the number of the newest record of a room, kept or not; 0 if there never was one.
    fn last_seq(&self, room: RoomId) -> u64;

    /// Begins to carry out a batch of requests, all of it or nothing, in order, and takes them out of
    /// `batch`. Each will be answered once by [`poll`](Self::poll), those of one room in order.
    fn submit(&mut self, now: Instant, utc_ms: u64, batch: &mut Vec<(Ticket, Request)>);

    /// Appends the answers that there are by now. A request that has not been carried out by its
    /// answer's [`StorageError`] never will be; it may be made again.
    ///
    /// [`Answer::Elsewhere`] is only ever the first of those that are appended: so each request was
    /// decided by all of them that came before it was submitted, and by none that came after.
    fn poll(&mut self, now: Instant, answers: &mut Vec<Answer>);

    /// Has all that is read until [`end_reading`](Self::end_reading) share what reading costs at all.
    /// Nothing else is asked of the store meanwhile.
    fn begin_reading(&mut self) {}

    /// Ends what [`begin_reading`](Self::begin_reading) began.
    fn end_reading(&mut self) {}

    /// Shows `each` of these records of a room after number `after` that is kept, oldest first, until it
    /// breaks off; messages as they are now. Records that no answer has told of yet may be among them.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: `each` may have seen some by then.
    fn read(
        &mut self,
        room: RoomId,
        after: u64,
        records: Records,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError>;

    /// Returns where a page begins that ends before number `before`: the number of the oldest of the
    /// newest `limit` of these records of a room that are kept, or fewer so that their texts and reactions have
    /// at most `bytes_max` bytes together, but one at least; `before` if there is none. Returns `None` if
    /// that is not at hand: [`Answer::Fetched`] follows.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn page_start(
        &mut self,
        room: RoomId,
        before: u64,
        limit: u64,
        bytes_max: usize,
        records: Records,
    ) -> Result<Option<u64>, StorageError>;

    /// Shows `each` of the messages that are wanted, the newest first, as they are now, from `place` on
    /// until it breaks off; then the place is behind that message. Stops when the work that was done is worth more than `budget`, in bytes, of which it is taken. What
    /// was said a moment ago need not be found yet.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: `each` may have seen some by then.
    fn search(
        &mut self,
        wanted: &Wanted<'_>,
        place: &mut Place,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, StorageError>;

    /// Returns every person, and the largest number that a person ever had of whom anything
    /// is kept.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn people(&mut self) -> Result<(Vec<Person>, PersonId), StorageError>;

    /// Returns every room, but for the hall, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn rooms(&mut self) -> Result<Vec<Room>, StorageError>;

    /// Returns the largest number that a room ever had of which anything is kept.
    fn last_room(&self) -> RoomId;

    /// Returns the end of what each person has seen of each room, where that is known.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn marks(&mut self) -> Result<Vec<ReadMark>, StorageError>;

    /// Returns every invite, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn invites(&mut self) -> Result<Vec<Invite>, StorageError>;

    /// Returns the rules that operators have made.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn rulebook(&mut self) -> Result<Rulebook, StorageError>;

    /// Returns the newest `limit` records of what operators did, oldest first. Returns `None` if they are
    /// not at hand: [`Answer::Fetched`] follows.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn audit(&mut self, limit: usize) -> Result<Option<Vec<AuditEntry>>, StorageError>;

    /// Returns true if other servers may use it at the same time.
    fn is_shared(&self) -> bool {
        false
    }

    /// Returns the number of this server.
    fn server(&self) -> ServerId {
        ServerId::default()
    }

    /// Returns who is present on other servers, in the order in which they came.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    fn present(&mut self) -> Result<Vec<Present>, StorageError> {
        Ok(Vec::new())
    }

    /// Returns the version of the schema, if the store is a database.
    fn schema(&self) -> Option<u64> {
        None
    }

    /// Lets other servers know at once that this one stops, and forgets who is present on it. Returns true
    /// if that is done, or cannot be; otherwise it is called again at an edge and at the
    /// [deadline](Self::next_deadline). Nothing else is asked after it.
    fn close(&mut self, _now: Instant) -> bool {
        true
    }

    /// Returns the reason if a store that is shared takes nothing any more: only a server that begins anew
    /// can go on.
    fn end(&self) -> Option<&StorageError> {
        None
    }

    /// Lets other servers know that somebody is writing. This may be lost.
    fn tell_typing(&mut self, _room: RoomId, _name: &UserName, _person: Option<PersonId>) {}

    /// Does a little of what can wait, such as forgetting what is too old by a clock that can be
    /// trusted. Never takes long.
    fn maintain(&mut self, time: &Time);

    /// Returns when [`maintain`](Self::maintain) or [`poll`](Self::poll) has something to do for the
    /// time alone.
    fn next_deadline(&self) -> Option<Instant>;

    /// Returns how many records of all rooms were forgotten since this was asked last.
    fn take_forgotten(&mut self) -> u64;

    /// Changes how much is kept; what is too much by that is forgotten little by little.
    fn set_retention(&mut self, retention: Retention);

    /// Returns true if [`check`](Self::check) has something to begin.
    fn is_check_due(&self) -> bool {
        false
    }

    /// Has the whole log read by another process if the last server did not close it; once that has
    /// ended, returns its outcome, once. A log that is damaged takes nothing any more.
    fn check(&mut self, _now: Instant) -> Option<Result<(), StorageError>> {
        None
    }
}
