//! What the next process must know of the connections that outlive this one.
//!
//! Sockets wait with the service manager; the notes say who is behind each, how far it was read and
//! what it is owed. They are written in frames, of which each counts as a whole or not at all: so what
//! is read back, however a process ended, was true at some moment.
//!
//! ```text
//!  frame = length (u32) · CRC-32 of the body (u32) · body: notes, one after the other
//! ```
//!
//! The first frame says everything there is to know, the others what has changed since. When the
//! file has grown long, everything is said anew in another one, which takes its place.

mod account;

use std::{
    env,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::account::{Account, Person};
use crate::chat::{CloseReason, Protocol};

/// What notes look like. A process reads those of its own kind only.
const FORMAT: u32 = 1;

/// Where a frame's body begins, in bytes.
const HEAD_BYTES: usize = 8;

/// Everything is said anew when what was said since has grown longer than this, in bytes, and than
/// [`GROWTH`] times what it took to say everything.
const CHANGES_BYTES_MAX: u64 = 1 << 20;
const GROWTH: u64 = 4;

/// Why notes tell nothing.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Unreadable {
    /// Another version of the server wrote them.
    #[error("they are of format {0}, and this server reads format {FORMAT}")]
    Format(u32),
    /// Something else wrote them, or broke them.
    #[error("they make no sense")]
    Senseless,
}

/// One fact about the room, or about one of its connections (`peer`, its socket's cookie).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Note<'a> {
    /// All that follows is everything there is to know. Notes of every format begin with this, and
    /// this with the format.
    Everything {
        /// Of which version the notes are; others are not read.
        format: u32,
        /// What the log is called.
        epoch: &'a str,
        /// Where the common run begins, in bytes, as either protocol counts it.
        run: (u64, u64),
    },
    /// The common run has become longer.
    Run {
        /// The last number of the log that is in it.
        published: u64,
        /// By this, in protocol 1.
        #[serde(with = "serde_bytes")]
        one: &'a [u8],
        /// By this, in protocol 2.
        #[serde(with = "serde_bytes")]
        two: &'a [u8],
    },
    /// How it is with somebody.
    Peer(#[serde(borrow)] Peer<'a>),
    /// Somebody's connection is no more.
    Gone {
        /// Whose.
        peer: u64,
    },
}

/// How it is with somebody.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Peer<'a> {
    /// Who.
    pub peer: u64,
    /// The name under which it is in the room, and its place in the order in which people joined.
    pub joined: Option<(&'a str, u64)>,
    /// What it is spoken to in.
    pub protocol: Protocol,
    /// Why its connection is to be closed once it has been told all, if it is.
    pub closing: Option<CloseReason>,
    /// Until when what it has said weighs on what it may say, in UTC milliseconds since 1970.
    pub paced_until_ms: Option<u64>,
    /// How much it was read since it connected, in bytes.
    pub read: u64,
    /// What of that is the beginning of a payload, or waits to be understood.
    #[serde(with = "serde_bytes")]
    pub unfinished: &'a [u8],
    /// How much it had been owed before, in bytes since it connected.
    pub at: u64,
    /// What it has come to be owed besides.
    #[serde(with = "serde_bytes")]
    pub owed: &'a [u8],
    /// From where on it is owed the common run as well, if it hears that.
    pub hears: Option<u64>,
}

/// The notes of this process.
#[derive(Debug)]
pub struct Notes {
    path: PathBuf,
    file: Option<File>,
    /// How long the file is, in bytes, and how long it was when everything had been said.
    size: u64,
    everything: u64,
    frame: Vec<u8>,
}

impl Notes {
    /// Returns notes where the service manager keeps what is to outlive a process, if this one has
    /// a manager that does.
    pub fn of_process() -> Option<Self> {
        env::var_os("NOTIFY_SOCKET")?;
        let folders = env::var_os("RUNTIME_DIRECTORY")?;
        let folder = env::split_paths(&folders).next()?;
        Some(Self::new(folder.join("connections")))
    }

    /// Returns notes in the file `path`, in which nothing is written yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, size: 0, everything: 0, frame: Vec::new() }
    }

    /// Reads what the last process noted; nothing if it noted nothing.
    ///
    /// # Errors
    ///
    /// [`Unreadable`]: it noted something else than this process would have.
    pub fn read(&self) -> Result<Option<Account>, Unreadable> {
        let Ok(notes) = fs::read(&self.path) else { return Ok(None) };
        Account::read(&notes)
    }

    /// Returns true if everything is to be said anew.
    pub fn is_everything_due(&self) -> bool {
        let changes = self.size - self.everything;
        self.file.is_none() || CHANGES_BYTES_MAX.max(GROWTH * self.everything) < changes
    }

    /// Begins to say everything.
    pub fn begin_everything(&mut self, epoch: &str, run: (u64, u64)) {
        self.begin();
        self.put(&Note::Everything { format: FORMAT, epoch, run });
    }

    /// Begins to say what has changed.
    pub fn begin(&mut self) {
        self.frame.clear();
        self.frame.resize(HEAD_BYTES, 0);
    }

    /// Says one thing.
    pub fn put(&mut self, note: &Note<'_>) {
        let frame = std::mem::take(&mut self.frame);
        // It fails for want of room alone, which a vector makes.
        self.frame = postcard::to_extend(note, frame).unwrap_or_default();
    }

    /// Writes down what was said, in a file of its own if that was everything.
    ///
    /// # Errors
    ///
    /// Those of the system: no memory left, most likely. There are no notes then, and nothing counts
    /// until everything has been said anew.
    pub fn write(&mut self, is_everything: bool) -> io::Result<()> {
        if self.frame.len() <= HEAD_BYTES {
            return Ok(());
        }
        let (head, body) = self.frame.split_at_mut(HEAD_BYTES);
        let size = u32::try_from(body.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        head[..4].copy_from_slice(&size.to_le_bytes());
        head[4..].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        let written = if is_everything { self.replace() } else { self.append() };
        if written.is_err() {
            self.file = None;
            let _ = fs::remove_file(&self.path); // Where nothing can be written there may be none.
        }
        written
    }

    fn append(&mut self) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.write_all_at(&self.frame, self.size)?;
            self.size += self.frame.len() as u64;
        }
        Ok(())
    }

    fn replace(&mut self) -> io::Result<()> {
        let path = self.path.with_extension("new");
        let file = File::create(&path)?;
        file.write_all_at(&self.frame, 0)?;
        fs::rename(&path, &self.path)?;
        (self.file, self.size) = (Some(file), self.frame.len() as u64);
        self.everything = self.size;
        Ok(())
    }
}

/// Takes the body of the next frame off `bytes`, if there is a whole one.
fn next_body<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
    let (body, rest) = rest.split_at_checked(size)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return None;
    }
    *bytes = rest;
    Some(body)
}
