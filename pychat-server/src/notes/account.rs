//! Notes read back: how it was with everybody when the last whole frame was written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{FORMAT, Note, Peer, Unreadable, next_body};
use crate::chat::{CloseReason, Protocol};

/// What another process knew of its connections.
#[derive(Debug, Default)]
pub struct Account {
    /// What its log was called.
    pub epoch: String,
    /// The last number of the log that went into the common run.
    pub published: u64,
    people: BTreeMap<u64, Person>,
    run_one: Run,
    run_two: Run,
}

/// What is known of one connection.
#[derive(Debug, Default)]
pub struct Person {
    /// The cookie of its socket.
    pub peer: u64,
    /// The name under which it is in the room, and its place in the order in which people joined.
    pub joined: Option<(String, u64)>,
    /// What it is spoken to in.
    pub protocol: Protocol,
    /// Why it is to be closed, if it is.
    pub closing: Option<CloseReason>,
    /// Until when what it has said weighs on what it may say, in UTC milliseconds since 1970.
    pub paced_until_ms: Option<u64>,
    /// How much it was read, in bytes since it connected.
    pub read: u64,
    /// What it has said in part.
    pub unfinished: Vec<u8>,
    /// Where `owed` begins and ends, in bytes since it connected.
    begin: u64,
    end: u64,
    owed: Vec<Piece>,
    /// From where on it is owed the common run behind all that, if it hears that.
    hears: Option<u64>,
}

/// Something that somebody is owed.
#[derive(Debug)]
enum Piece {
    Own(Vec<u8>),
    /// So much of the common run.
    Run {
        from: u64,
        size: u64,
    },
}

/// The common run of one protocol.
#[derive(Debug, Default)]
struct Run {
    begin: u64,
    bytes: Vec<u8>,
}

impl Account {
    /// Reads notes. Whatever is not whole at the end was never written.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], as a whole: of what makes no sense nothing is made, not even in part.
    pub fn read(mut notes: &[u8]) -> Result<Option<Self>, Unreadable> {
        let mut account = None;
        while let Some(body) = next_body(&mut notes) {
            match &mut account {
                None => account = Some(Self::begin(body)?),
                Some(account) => account.take_all(body)?,
            }
        }
        Ok(account)
    }

    /// Reads the first frame, of a format that is not known before.
    fn begin(body: &[u8]) -> Result<Self, Unreadable> {
        let ((kind, format), _): ((u32, u32), _) = taken(body)?;
        if kind == 0 && format != FORMAT {
            return Err(Unreadable::Format(format));
        }
        let (Note::Everything { format: _, epoch, run }, rest) = taken(body)? else {
            return Err(Unreadable::Senseless);
        };
        let mut account = Self::new(epoch, run);
        account.take_all(rest)?;
        Ok(account)
    }

    fn take_all(&mut self, mut body: &[u8]) -> Result<(), Unreadable> {
        while !body.is_empty() {
            let (note, rest) = taken(body)?;
            self.take(note).ok_or(Unreadable::Senseless)?;
            body = rest;
        }
        Ok(())
    }

    fn new(epoch: &str, run: (u64, u64)) -> Self {
        Self {
            epoch: epoch.to_owned(),
            run_one: Run { begin: run.0, bytes: Vec::new() },
            run_two: Run { begin: run.1, bytes: Vec::new() },
            ..Self::default()
        }
    }

    fn take(&mut self, note: Note<'_>) -> Option<()> {
        match note {
            Note::Everything { .. } => return None,
            Note::Run { published, one, two } => {
                self.published = published;
                self.run_one.bytes.extend_from_slice(one);
                self.run_two.bytes.extend_from_slice(two);
            }
            Note::Peer(peer) => {
                let new = || Person { begin: peer.at, end: peer.at, ..Person::default() };
                self.people.entry(peer.peer).or_insert_with(new).take(&peer)?;
            }
            Note::Gone { peer } => {
                self.people.remove(&peer);
            }
        }
        Some(())
    }

    /// Returns who is there, those in the room first, in the order in which they joined.
    pub fn people(&self) -> Vec<&Person> {
        let mut people: Vec<_> = self.people.values().collect();
        people.sort_by_key(|person| person.joined.as_ref().map_or(u64::MAX, |(_, place)| *place));
        people
    }

    /// Returns what somebody is still owed who has been `written` so much, in bytes; nothing if that
    /// cannot be.
    pub fn owed(&self, person: &Person, written: u64) -> Option<Vec<u8>> {
        let run = match person.protocol {
            Protocol::One => &self.run_one,
            Protocol::Two => &self.run_two,
        };
        let last =
            person.hears.map(|from| Piece::Run { from, size: run.end().saturating_sub(from) });
        let mut skip = usize::try_from(written.checked_sub(person.begin)?).ok()?;
        let mut owed = Vec::new();
        for piece in person.owed.iter().chain(&last) {
            let bytes = match piece {
                Piece::Own(bytes) => bytes,
                Piece::Run { from, size } => run.part(*from, *size)?,
            };
            owed.extend_from_slice(&bytes[skip.min(bytes.len())..]);
            skip = skip.saturating_sub(bytes.len());
        }
        (skip == 0).then_some(owed)
    }
}

impl Person {
    fn take(&mut self, note: &Peer<'_>) -> Option<()> {
        if self.end < note.at {
            // It has been given the common run meanwhile.
            let (from, size) = (self.hears?, note.at - self.end);
            self.owed.push(Piece::Run { from, size });
        }
        if !note.owed.is_empty() {
            self.owed.push(Piece::Own(note.owed.to_vec()));
        }
        self.end = note.at + note.owed.len() as u64;
        self.peer = note.peer;
        self.joined = note.joined.map(|(name, place)| (name.to_owned(), place));
        (self.protocol, self.closing, self.read) = (note.protocol, note.closing, note.read);
        self.paced_until_ms = note.paced_until_ms;
        self.unfinished = note.unfinished.to_vec();
        self.hears = note.hears;
        Some(())
    }
}

impl Run {
    fn end(&self) -> u64 {
        self.begin + self.bytes.len() as u64
    }

    fn part(&self, from: u64, size: u64) -> Option<&[u8]> {
        let begin = usize::try_from(from.checked_sub(self.begin)?).ok()?;
        self.bytes.get(begin..begin.checked_add(usize::try_from(size).ok()?)?)
    }
}

/// Takes the next thing that was said off a frame's body.
fn taken<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<(T, &'a [u8]), Unreadable> {
    postcard::take_from_bytes(body).map_err(|_| Unreadable::Senseless)
}

#[cfg(test)]
mod tests;
