//! The promise, checked against what became of it.

use std::{collections::HashMap, fmt, path::Path};

use pychat_wire::{client::MessageId, message::RoomEvent};
use rusqlite::{Connection, OpenFlags};

use super::{memory::Shown, original::Original, person::Person};
use crate::kit::{
    Oracle,
    oracle::{Message, line},
};

/// The number of bits below the number of the room in the key of a record.
const SEQ_BITS: u32 = 40;

/// The events, each at the place that is its number in the file.
const EVENTS: [RoomEvent; 8] = [
    RoomEvent::Unknown,
    RoomEvent::Created,
    RoomEvent::Joined,
    RoomEvent::Left,
    RoomEvent::Added,
    RoomEvent::Removed,
    RoomEvent::Renamed,
    RoomEvent::Topic,
];

/// The log, as everybody together has heard it, which is as a newcomer reads it page by page and as
/// the file has it.
#[derive(Debug)]
pub(crate) struct Log {
    entries: Vec<Shown>,
    places: HashMap<String, usize>,
    epoch: String,
}

impl Log {
    /// Takes the log that people have heard, and holds what `witness` has read and the server's
    /// `file` against it.
    #[track_caller]
    pub(crate) fn of(oracle: &Oracle, witness: &Person, file: &Path) -> Self {
        let entries = oracle.messages().map(|(seq, message)| Shown {
            seq,
            time_ms: message.time,
            author: message.author.clone(),
            content: line(&message.content).to_owned(),
        });
        let (entries, mut places) = (entries.collect::<Vec<_>>(), HashMap::new());
        for (index, entry) in entries.iter().enumerate() {
            if let Some(first) = places.insert(entry.content.clone(), index) {
                panic!("{:?} is in the log twice: {:?}", entry, entries[first]);
            }
        }
        check_same(&witness.memory.shown, &entries, "who reads everything");
        let epoch = witness.epoch().expect("who is in the room knows the epoch");
        let log = Self { entries, places, epoch };
        log.check_file(file);
        log
    }

    /// Returns how many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    #[track_caller]
    fn check_file(&self, file: &Path) {
        let connection = open(file);
        let epoch: String =
            connection.query_row("SELECT epoch FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(epoch, self.epoch, "what the file is called");
        let mut rows = connection
            .prepare("SELECT key, time_ms, author, content FROM records ORDER BY key")
            .unwrap();
        let rows = rows.query_map([], |row| {
            let content: String = row.get(3)?;
            Ok(Shown {
                seq: row.get(0)?,
                time_ms: row.get(1)?,
                author: row.get(2)?,
                content: line(&content).to_owned(),
            })
        });
        // What somebody of protocol 1 said on a line that is gone may yet have been added.
        let rows: Vec<_> = rows.unwrap().take(self.entries.len()).map(Result::unwrap).collect();
        check_same(&self.entries, &rows, "who reads the file");
    }

    /// Everything after the first that they were shown was shown once and in order, and all that
    /// they said is there once.
    #[track_caller]
    pub(crate) fn check_person(&self, person: &Person, is_in_order: bool) {
        let (name, memory) = (person.name.as_str(), &person.memory);
        assert_eq!(person.epoch().as_ref(), Some(&self.epoch), "the log that {name} knows");
        let next = memory.next_seq.expect("everybody has begun");
        assert_eq!(next, self.entries.len() as u64 + 1, "how far {name} was shown");
        let first = memory.shown.first().map_or(next, |first| first.seq);
        let first = usize::try_from(first - 1).unwrap();
        check_same(&memory.shown, &self.entries[first..], name);
        if let Some(begun) = memory.begun_at {
            assert_eq!(first as u64, begun - 1, "where {name} began");
        }
        for (id, text) in &memory.said {
            self.check_said(person, id, text);
        }
        if is_in_order {
            let places: Vec<_> = memory.texts.iter().map(|text| self.places[&**text]).collect();
            assert!(places.is_sorted(), "what {name} said came in another order: {places:?}");
        }
    }

    #[track_caller]
    fn check_said(&self, person: &Person, id: &MessageId, text: &str) {
        let name = person.name.as_str();
        let seq = person.memory.acknowledged.get(id);
        let seq = *seq.unwrap_or_else(|| panic!("{name} said {text:?}, which is not accepted"));
        let index = usize::try_from(seq - 1).unwrap();
        let entry = &self.entries[index];
        assert_eq!((entry.author.as_str(), entry.content.as_str()), (name, text), "{seq}");
    }

    /// Checks that what was heard on each line is a part of the log without a hole, and that what
    /// came back is there.
    #[track_caller]
    pub(crate) fn check_original(&self, original: &mut Original) {
        let name = original.name.clone();
        for run in original.take_runs() {
            let Some((_, content)) = run.heard.first() else { continue };
            let first = self.places.get(content.as_str());
            let first = *first.unwrap_or_else(|| panic!("{name} heard {content:?}, never said"));
            let end = (first + run.heard.len()).min(self.entries.len());
            let part = self.entries[first..end].iter();
            let part: Vec<_> =
                part.map(|entry| (entry.author.clone(), entry.content.clone())).collect();
            check_same(&run.heard, &part, &name);
        }
        for text in &original.acknowledged {
            assert!(self.places.contains_key(text.as_str()), "{name}'s {text:?} is lost");
        }
    }

    /// Nothing is there that was lost before it was sent.
    #[track_caller]
    pub(crate) fn check_unsent(&self, people: &[Person]) {
        for text in people.iter().flat_map(|person| &person.memory.void) {
            assert!(!self.places.contains_key(text.as_str()), "{text:?} was never sent");
        }
    }
}

/// Takes in every record of rooms beside the hall that the server's `file` has, which is what those heard
/// who did.
#[track_caller]
pub(crate) fn take_in_rooms(oracle: &mut Oracle, file: &Path) {
    let connection = open(file);
    let select = "SELECT key, time_ms, author, content, kind FROM records WHERE ?1 <= key";
    let mut rows = connection.prepare(select).unwrap();
    let rows = rows.query_map([1_u64 << SEQ_BITS], |row| {
        let kind: usize = row.get(4)?;
        let event = kind.checked_sub(1).map(|kind| EVENTS[kind / 2]);
        let message =
            Message { time: row.get(1)?, author: row.get(2)?, content: row.get(3)?, event };
        Ok((row.get::<_, u64>(0)?, message))
    });
    for (key, message) in rows.unwrap().map(Result::unwrap) {
        let (room, seq) = (key >> SEQ_BITS, key & ((1 << SEQ_BITS) - 1));
        oracle.check(&format!("r{room}"), seq, &message);
    }
}

fn open(file: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    connection
}

/// All that somebody was shown is what there is.
#[track_caller]
fn check_same<T: fmt::Debug + PartialEq>(shown: &[T], there: &[T], name: &str) {
    for (shown, there) in shown.iter().zip(there) {
        assert_eq!(shown, there, "what {name} was shown, and what is in the log");
    }
    assert_eq!(shown.len(), there.len(), "how much {name} was shown, and how much there is");
}
