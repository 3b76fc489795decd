//! The costs of searching: what queries take among many messages, what the index takes of the disk and of
//! the time in which texts are accepted.
//!
//! `MESSAGES=100000` makes as many instead of a million. Compare the figures of one run only.

use std::{
    env,
    error::Error,
    fs,
    ops::ControlFlow,
    path::PathBuf,
    time::{Duration, Instant},
};

use fastrand::Rng;
use pychat_server::{
    core::{
        id::{RoomId, Ticket},
        record::{self, Draft, PersonId, Request},
        time::Time,
    },
    store::{
        Looked, Place as Begin, Retention, Store, Wanted,
        sqlite::{Durability, FILE_NAME, Place, SqliteStore},
    },
};
use pychat_wire::{UserName, search::Query};

type Outcome<T> = Result<T, Box<dyn Error>>;

const MESSAGES: usize = 1_000_000;

/// The number of rooms, of which the first one has half of all messages.
const ROOMS: u32 = 20;

/// The rooms that somebody is in who is in many; one message of ten is in any of these.
const MANY_ROOMS: u32 = 500;

/// Different words, and what the common ones are made of.
const WORDS: usize = 50_000;
const LETTERS: &str = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэф";

/// A word that is in one message of so many.
const RARE: (&str, usize) = ("единорог", 100_000);

/// The number of times that a query is asked for.
const ROUNDS: usize = 200;

/// The texts of one tick.
const TICK: usize = 16;

/// The ticks after which what was written is moved into its place, while nobody else does that.
const CHECKPOINT_TICKS: usize = 1_000;

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() -> Outcome<()> {
    let messages = env::var("MESSAGES").ok().and_then(|it| it.parse().ok()).unwrap_or(MESSAGES);
    let mut bench = Bench::new()?;
    let plain = bench.talk(messages, false)?;
    let plain_bytes = bench.bytes()?;
    let begin = Instant::now();
    let steps = bench.index()?;
    let indexed = begin.elapsed();
    println!("{messages} messages in {ROOMS} rooms, and a few in others");
    println!("file without the index: {} MiB", plain_bytes >> 20);
    println!("file with the index:    {} MiB", bench.bytes()? >> 20);
    println!("indexed in {:.1} s, by {} steps:", indexed.as_secs_f64(), steps.len());
    report("step", &steps);
    report("tick of 16 texts, no index", &plain);
    report("tick of 16 texts, with it", &bench.talk(messages / 10, true)?);
    let [common, other] = [bench.words[0].clone(), bench.words[40].clone()];
    let rare = RARE.0;
    for (name, query) in [
        ("a rare word", format!("\"{rare}\"")),
        ("a common word", format!("\"{common}\"")),
        ("a common word, as the last one", common.clone()),
        ("a rare word, as the last one", rare.to_owned()),
        ("a rare and a common word", format!("{common} {rare}")),
        ("two common words", format!("{common} {other}")),
        ("two words, never together", format!("{other} {rare} единорогов")),
        ("the beginning of a rare word", "едино".to_owned()),
        ("two letters", "ед".to_owned()),
        ("four letters of a common word", bench.words[60].chars().take(4).collect()),
        ("a phrase", format!("\"{common} {other}\"")),
        ("a phrase of common words", format!("\"{common} {}\"", bench.words[1])),
        ("nothing", "нетакогослова".to_owned()),
    ] {
        for n_rooms in [ROOMS, MANY_ROOMS] {
            let (times, worst, found) = bench.search(&query, n_rooms)?;
            report(&format!("{name} in {n_rooms} rooms ({found})"), &times);
            report("   its longest piece", &worst);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn report(name: &str, times: &[Duration]) {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |share: usize| {
        let index = (times.len() * share / 1_000).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!("{name:55} p50 {:8.3} ms  p99 {:8.3} ms  max {:8.3} ms", at(500), at(990), at(1_000));
}

/// A log in a folder that is gone with it.
struct Bench {
    store: Option<SqliteStore>,
    directory: PathBuf,
    author: UserName,
    words: Vec<String>,
    rng: Rng,
    n_said: usize,
}

impl Bench {
    fn new() -> Outcome<Self> {
        let directory = env::temp_dir().join(format!("pychat-search-{}", std::process::id()));
        let program = Some(env!("CARGO_BIN_EXE_pychat-server").into());
        let place =
            Place { directory: directory.clone(), durability: Durability::Process, program };
        let store = Some(SqliteStore::open(&place, Retention::default(), 1)?);
        let (mut rng, letters) = (Rng::with_seed(7), LETTERS.chars().collect::<Vec<_>>());
        let mut word = || -> String {
            let n_letters = rng.usize(3..11);
            (0..n_letters).map(|_| letters[rng.usize(..letters.len())]).collect()
        };
        let words = (0..WORDS).map(|_| word()).collect();
        Ok(Self { store, directory, author: UserName::new("Анна")?, words, rng, n_said: 0 })
    }

    fn store(&mut self) -> &mut SqliteStore {
        self.store.as_mut().expect("open until the end")
    }

    /// Returns a text of words of which the first ones are the most common by far.
    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.rng.usize(3..17) {
            let share = self.rng.f64().powi(4);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss
            )]
            let index = (share * WORDS as f64) as usize;
            text.push_str(&self.words[index]);
            text.push(' ');
        }
        if self.n_said.is_multiple_of(RARE.1) {
            text.push_str(RARE.0);
        }
        text
    }

    /// Says so much, tick by tick; the index follows if it is to.
    fn talk(&mut self, messages: usize, is_indexed: bool) -> Outcome<Vec<Duration>> {
        let mut times = Vec::new();
        for tick in 0..messages / TICK {
            let mut batch = Vec::new();
            for _ in 0..TICK {
                self.n_said += 1;
                let room = match self.rng.u32(..20) {
                    0..10 => 0,
                    10 | 11 => self.rng.u32(..MANY_ROOMS),
                    _ => self.rng.u32(..ROOMS),
                };
                let draft = Draft {
                    author: self.author.clone(),
                    person: Some(PersonId(1)),
                    kind: record::Kind::Text(self.text().into()),
                    id: Some(self.n_said.to_string().into()),
                    reply: None,
                };
                let request = Request::Append { room: RoomId(room), draft, change: None };
                batch.push((Ticket(1), request));
            }
            let (now, utc_ms) = (Instant::now(), self.n_said as u64);
            let mut answers = Vec::new();
            self.store().submit(now, utc_ms, &mut batch);
            self.store().poll(now, &mut answers);
            times.push(now.elapsed());
            if is_indexed {
                self.store().maintain(&Time { now, utc_ms, trusted_at: now });
            } else if tick.is_multiple_of(CHECKPOINT_TICKS) {
                self.bytes()?; // What was written is moved into its place.
            }
        }
        Ok(times)
    }

    /// Has the index take in all that there is; returns how long each step took.
    fn index(&mut self) -> Outcome<Vec<Duration>> {
        let mut times = Vec::new();
        let mut now = Instant::now();
        loop {
            now += Duration::from_millis(20);
            let begin = Instant::now();
            self.store().maintain(&Time { now, utc_ms: 1, trusted_at: now });
            times.push(begin.elapsed());
            let query = Query::new(RARE.0, None);
            if self.store().next_deadline().is_none() && self.count(&query)? {
                return Ok(times);
            }
        }
    }

    /// Returns true if the index has all.
    fn count(&mut self, query: &Query) -> Outcome<bool> {
        let (mut place, mut budget) = (Begin::Newest, usize::MAX);
        let rooms: Vec<_> = (0..MANY_ROOMS).map(RoomId).collect();
        let wanted = Wanted { query, rooms: &rooms };
        let mut n_found = 0;
        self.store().search(&wanted, &mut place, &mut budget, &mut |_, _| {
            n_found += 1;
            ControlFlow::Continue(())
        })?;
        Ok(n_found == self.n_said / RARE.1)
    }

    /// Searches again and again for the newest 50; returns the times of the searches, those of the longest
    /// piece of each, and the number of messages found.
    fn search(
        &mut self,
        query: &str,
        n_rooms: u32,
    ) -> Outcome<(Vec<Duration>, Vec<Duration>, usize)> {
        let query = Query::new(query, None);
        let rooms: Vec<_> = (0..n_rooms).map(RoomId).collect();
        let (mut times, mut pieces, mut n_found) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            let (mut place, mut left) = (Begin::Newest, 50);
            let (mut time, mut longest) = (Duration::ZERO, Duration::ZERO);
            loop {
                let (mut budget, begin) = (32 << 10, Instant::now());
                let wanted = Wanted { query: &query, rooms: &rooms };
                let looked =
                    self.store().search(&wanted, &mut place, &mut budget, &mut |_, _| {
                        left -= 1;
                        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                    })?;
                let piece = begin.elapsed();
                (time, longest) = (time + piece, longest.max(piece));
                if left == 0 || looked == Looked::All {
                    break;
                }
            }
            n_found = 50 - left;
            times.push(time);
            pieces.push(longest);
        }
        Ok((times, pieces, n_found))
    }

    /// Returns how large the file is once all is in its place.
    fn bytes(&mut self) -> Outcome<u64> {
        let connection = rusqlite::Connection::open(self.directory.join(FILE_NAME))?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(fs::metadata(self.directory.join(FILE_NAME))?.len())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.store = None;
        let _ = fs::remove_dir_all(&self.directory); // Not there, if it could not be made.
    }
}
