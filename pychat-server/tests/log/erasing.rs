//! Erasing: of words that are in no message any more, no file has a trace.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use fastrand::Rng;
use pychat_server::{
    core::{
        amending::RESTORABLE_MS,
        id::{HALL, RoomId},
        record::{Amending, Appended, Request},
    },
    store::{Retention, SqliteStore, Store},
};

use super::{
    amending::amend,
    shelf::{Shelf, at, carry_out, draft, rest, to},
};

const ROOMS: [RoomId; 4] = [HALL, RoomId(1), RoomId(2), RoomId(5)];
const AUTHORS: [&str; 3] = ["Анна", "Борис", "Виктория"];
const OPERATOR: &str = "Operator";
const NOW_MS: u64 = 1_700_000_000_000;

/// Words that are said beside the secrets.
const FILLERS: [&str; 6] = ["и", "ведь", "train", "поезд", "отправляется", "tomorrow"];

/// The texts said in one talk, the ticks in which they are, and the most records of a room that are kept.
const TEXTS: usize = 1_000;
const TICK_TEXTS: usize = 8;
const RECORDS_MAX: u64 = 500;

/// So many letters of a secret in a row are a trace of it.
const TRACE_BYTES: usize = 8;

/// So many secrets after each other begin alike, and are kept or erased together.
const FAMILY: usize = 6;

/// A text with a secret in it.
#[derive(Debug)]
struct Said {
    room: RoomId,
    seq: u64,
    author: &'static str,
    secret: String,
    is_kept: bool,
}

/// A talk in a log, by chance.
struct Talk {
    log: SqliteStore,
    rng: Rng,
    now: Instant,
    stem: String,
    n_secrets: usize,
    n_requests: usize,
    /// Texts that have their secrets still.
    said: Vec<Said>,
    erased: Vec<String>,
}

impl Talk {
    fn new(shelf: &Shelf, seed: u64) -> Self {
        let log = shelf.open();
        let (rng, now, said) = (Rng::with_seed(seed), Instant::now(), Vec::new());
        let (n_secrets, n_requests, erased, stem) = (0, 0, Vec::new(), String::new());
        Self { log, rng, now, stem, n_secrets, n_requests, said, erased }
    }

    /// Goes through all that a log does, until so many texts were said.
    fn go_on(&mut self) {
        for _ in 0..TEXTS / TICK_TEXTS {
            self.say();
            for _ in 0..TICK_TEXTS / 4 {
                self.react();
                self.edit();
                self.delete();
            }
            let pause = Duration::from_millis(self.rng.u64(10..1_000));
            self.wait(pause);
        }
    }

    fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| self.rng.lowercase()).collect()
    }

    /// Returns a secret, and whether it is to be kept.
    fn secret(&mut self) -> (String, bool) {
        if self.n_secrets.is_multiple_of(FAMILY) {
            self.stem = self.letters(TRACE_BYTES + 4);
        }
        self.n_secrets += 1;
        let is_kept = ((self.n_secrets - 1) / FAMILY).is_multiple_of(4);
        (self.stem.clone() + &self.letters(TRACE_BYTES), is_kept)
    }

    /// Returns a text of any size with a secret in it.
    fn text(&mut self, secret: &str) -> String {
        let n_words = match self.rng.usize(0..100) {
            0 => self.rng.usize(200..2_000),
            1..10 => self.rng.usize(20..200),
            _ => self.rng.usize(1..20),
        };
        let place = self.rng.usize(0..n_words);
        let word = |(number, filler)| {
            let is_secret = number == place || number % 30 == 29;
            if is_secret { secret } else { FILLERS[filler] }
        };
        let fillers: Vec<_> = (0..n_words).map(|_| self.rng.usize(..FILLERS.len())).collect();
        fillers.into_iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
    }

    fn id(&mut self) -> String {
        self.n_requests += 1;
        format!("{:x}-{}", self.rng.u64(..), self.n_requests)
    }

    fn take(&mut self, requests: Vec<Request>) -> Vec<Appended> {
        carry_out(&mut self.log, NOW_MS, requests).unwrap()
    }

    fn say(&mut self) {
        let (mut requests, mut said) = (Vec::new(), Vec::new());
        for _ in 0..TICK_TEXTS {
            let (secret, is_kept) = self.secret();
            let (text, id) = (self.text(&secret), self.id());
            let room = ROOMS[self.rng.usize(..ROOMS.len())];
            let author = AUTHORS[self.rng.usize(..AUTHORS.len())];
            requests.push(to(room, draft(author, &text, Some(&id))));
            said.push(Said { room, seq: 0, author, secret, is_kept });
        }
        for (outcome, said) in self.take(requests).into_iter().zip(said) {
            let Appended::New(record) = outcome else { panic!("{outcome:?}") };
            self.said.push(Said { seq: record.seq, ..said });
        }
    }

    /// Has one text amended; returns true if it is kept still.
    fn amend(&mut self, number: usize, amending: Amending<&str>, by: Option<&str>) -> bool {
        let (id, Said { room, seq, author, .. }) = (self.id(), &self.said[number]);
        let request = amend(*room, by.unwrap_or(author), (*seq, amending), &id, by.is_some());
        matches!(self.take(vec![request])[..], [Appended::New(_)])
    }

    fn react(&mut self) {
        let number = self.rng.usize(..self.said.len());
        let emoji = ["👍", "🎉", "🚀"][self.rng.usize(..3)];
        self.amend(number, Amending::React(Some(emoji)), None);
    }

    /// Puts another secret in the place of one.
    fn edit(&mut self) {
        let number = self.rng.usize(..self.said.len());
        if !self.said[number].is_kept {
            let (secret, is_kept) = self.secret();
            let text = self.text(&secret);
            if self.amend(number, Amending::Edit(Some(&text)), None) {
                self.said[number].is_kept = is_kept;
                let before = std::mem::replace(&mut self.said[number].secret, secret);
                self.erased.push(before);
            }
        }
    }

    /// Deletes a text that is not to be kept; an operator does so now and then.
    fn delete(&mut self) {
        let number = self.rng.usize(..self.said.len());
        if !self.said[number].is_kept {
            let by = (self.rng.u8(..) < 50).then_some(OPERATOR);
            self.amend(number, Amending::Delete, by);
            let said = self.said.swap_remove(number);
            self.erased.push(said.secret);
        }
    }

    /// Deletes all that is not to be kept, and waits until that is done.
    fn delete_all(&mut self) {
        self.rng.shuffle(&mut self.said);
        for number in (0..self.said.len()).rev() {
            if !self.said[number].is_kept {
                self.amend(number, Amending::Delete, None);
                let said = self.said.swap_remove(number);
                self.erased.push(said.secret);
            }
            if number.is_multiple_of(8) {
                self.wait(Duration::from_millis(20));
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.log.check(self.now);
        self.log.maintain(&at(self.now, NOW_MS));
    }

    /// Has the log do all that can wait, and forget what operators removed.
    fn rest(&mut self) {
        self.now += Duration::from_mins(1);
        self.log.check(self.now);
        rest(&mut self.log, self.now, NOW_MS + RESTORABLE_MS);
    }

    /// Has the log forget old records.
    fn forget(&mut self) {
        let retention = Retention { messages_max: RECORDS_MAX, ..Retention::default() };
        self.log.set_retention(retention);
        self.rest();
        let Self { log, said, erased, .. } = self;
        let forgotten = said.extract_if(.., |it| it.seq < log.first_seq(it.room));
        erased.extend(forgotten.map(|it| it.secret));
        // Words that were forgotten leave the write-ahead log with others.
        let number = self.said.iter().position(|it| !it.is_kept).unwrap();
        self.amend(number, Amending::Delete, None);
        self.erased.push(self.said.swap_remove(number).secret);
        self.rest();
    }

    /// Looks into all files, once nothing waits to be done.
    fn check(&self, directory: &Path) {
        let pieces = |words: &str| -> Vec<[u8; TRACE_BYTES]> {
            words.as_bytes().array_windows().copied().collect()
        };
        let kept: HashSet<_> = self.said.iter().flat_map(|it| pieces(&it.secret)).collect();
        let mut erased: HashSet<_> = self.erased.iter().flat_map(|it| pieces(it)).collect();
        erased.retain(|piece| !kept.contains(piece));
        let (mut n_kept, mut traces) = (HashSet::new(), HashSet::new());
        for path in fs::read_dir(directory).unwrap() {
            let path = path.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for (place, piece) in bytes.array_windows::<TRACE_BYTES>().enumerate() {
                if piece.iter().all(u8::is_ascii_lowercase) {
                    if kept.contains(piece) {
                        n_kept.insert(piece.to_owned());
                    } else if erased.contains(piece) {
                        let piece = str::from_utf8(piece).unwrap().to_owned();
                        traces.insert((path.clone(), place / 4_096 + 1, place % 4_096, piece));
                    }
                }
            }
        }
        assert!(kept.len() * 9 / 10 < n_kept.len(), "what is kept is there");
        let mut traces: Vec<_> = traces.into_iter().collect();
        traces.sort();
        assert!(
            traces.is_empty(),
            "of {} erased, {}: {traces:#?}",
            self.erased.len(),
            traces.len()
        );
    }
}

#[test]
fn no_file_has_a_trace_of_what_was_erased() {
    for seed in 0..2 {
        let shelf = Shelf::new();
        let mut talk = Talk::new(&shelf, seed);
        talk.go_on();
        talk.rest();
        talk.check(&shelf.place.directory);
        talk.go_on();
        talk.delete_all();
        talk.rest();
        talk.check(&shelf.place.directory);
        talk.go_on();
        talk.forget();
        talk.check(&shelf.place.directory);
    }
}
