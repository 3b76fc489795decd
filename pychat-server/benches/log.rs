//! The costs of the log: a tick's texts taken, a thousand read, and a tick's wait for the disk.
//!
//! The disk is that of the temporary folder. Compare the figures of one run only.

use std::{
    error::Error,
    fs,
    ops::ControlFlow,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        id::{HALL, RoomId, Ticket},
        record::{self, Draft, PersonId, Request},
        time::Time,
    },
    store::{
        Answer, Memory, Records, Retention, Store,
        sqlite::{Durability, FILE_NAME, Place, SqliteStore},
    },
};
use pychat_wire::UserName;

type Outcome<T> = Result<T, Box<dyn Error>>;

const TEXT: &str = "Кажется, лучше поехать тем поездом, что в половине десятого.";

/// A talk as fast as it may be: messages a tick, ticks a second, for how long.
const TALK: (usize, u32, Duration) = (16, 300, Duration::from_secs(20));

/// The number of rooms that are spoken in at once.
const ROOMS: u32 = 100;

/// The number of times that a single cost is measured.
const ROUNDS: usize = 1_000;

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() -> Outcome<()> {
    println!("log      messages  append µs, median     99 %   read 1000, µs");
    for kind in [Kind::Memory, Kind::Process, Kind::Power] {
        for messages in [1, 16] {
            let mut bench = Bench::new(kind, true)?;
            let append = bench.append_rounds(messages, 1)?;
            let read = bench.read_rounds()?;
            println!(
                "{:8} {messages:8}  {:17.1}  {:7.1}  {:14.1}",
                kind.name(),
                micros(append.at(0.5)),
                micros(append.at(0.99)),
                micros(read.at(0.5)),
            );
        }
    }

    report_rooms()?;

    let mut bench = Bench::new(Kind::Process, true)?;
    bench.keep_all();
    for _ in 0..1_000 {
        bench.append(100, 1)?;
    }
    println!("\n100 000 messages of {} bytes: {} KiB on disk\n", TEXT.len(), bench.close()? >> 10);

    let (messages, per_second, time) = TALK;
    println!("{messages} messages a tick, {per_second} ticks a second, for {} s", time.as_secs());
    println!("log      moved by  tick µs, median     99 %   99.9 %      worst   WAL KiB");
    for kind in [Kind::Process, Kind::Power] {
        for (by, has_child) in [("a child", true), ("itself", false)] {
            let mut bench = Bench::new(kind, has_child)?;
            let times = bench.talk(messages, per_second, time)?;
            println!(
                "{:8} {by:8}  {:15.1}  {:7.1}  {:7.1}  {:9.1}  {:8}",
                kind.name(),
                micros(times.at(0.5)),
                micros(times.at(0.99)),
                micros(times.at(0.999)),
                micros(times.at(1.0)),
                bench.wal_bytes()? >> 10,
            );
        }
    }
    Ok(())
}

/// Reports the cost of a tick in which several rooms are spoken in.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn report_rooms() -> Outcome<()> {
    println!("\n{ROOMS} messages a tick, to as many rooms");
    println!("log      append µs, median     99 %");
    for kind in [Kind::Memory, Kind::Process, Kind::Power] {
        let append = Bench::new(kind, true)?.append_rounds(ROOMS as usize, ROOMS)?;
        let (median, most) = (micros(append.at(0.5)), micros(append.at(0.99)));
        println!("{:8} {median:17.1}  {most:7.1}", kind.name());
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Memory,
    Process,
    Power,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Process => "process",
            Self::Power => "power",
        }
    }
}

/// A log under load, in a folder that is gone with it.
#[derive(Debug)]
struct Bench {
    log: Option<Box<dyn Store>>,
    directory: PathBuf,
    author: UserName,
    content: std::sync::Arc<str>,
    utc_ms: u64,
}

impl Bench {
    fn new(kind: Kind, has_child: bool) -> Outcome<Self> {
        let directory = std::env::temp_dir().join(format!("pychat-bench-{}", std::process::id()));
        let program = has_child.then(|| env!("CARGO_BIN_EXE_pychat-server").into());
        let retention = Retention::default();
        let durability = match kind {
            Kind::Memory | Kind::Process => Durability::Process,
            Kind::Power => Durability::Power,
        };
        let log: Box<dyn Store> = match kind {
            Kind::Memory => Box::new(Memory::new(1, retention)),
            Kind::Process | Kind::Power => {
                let place = Place { directory: directory.clone(), durability, program };
                Box::new(SqliteStore::open(&place, retention, 1)?)
            }
        };
        let (author, content) = (UserName::new("Анна")?, TEXT.into());
        Ok(Self { log: Some(log), directory, author, content, utc_ms: 1 })
    }

    fn log(&mut self) -> &mut dyn Store {
        &mut **self.log.as_mut().expect("open until it is closed")
    }

    fn keep_all(&mut self) {
        self.log().set_retention(Retention::default());
    }

    /// Does what a tick does, for so many rooms; returns how long that took.
    fn append(&mut self, messages: usize, rooms: u32) -> Outcome<Duration> {
        self.utc_ms += 1;
        let (author, content, utc_ms) = (self.author.clone(), self.content.clone(), self.utc_ms);
        let begin = Instant::now();
        let drafts = (0..messages).map(|number| Draft {
            author: author.clone(),
            person: Some(PersonId(1)),
            kind: record::Kind::Text(content.clone()),
            id: Some(format!("{utc_ms}.{number}").into()),
            reply: None,
        });
        let rooms = (0..rooms).map(RoomId).cycle();
        let append = |(room, draft)| Request::Append { room, draft, change: None };
        let requests = rooms.zip(drafts).map(append);
        let mut batch = (1..).map(Ticket).zip(requests).collect();
        let mut answers = Vec::new();
        self.log().submit(begin, utc_ms, &mut batch);
        self.log().poll(begin, &mut answers);
        for answer in answers {
            let Answer::Done { outcome, .. } = answer else { continue };
            outcome?;
        }
        self.log().maintain(&Time { now: begin, utc_ms, trusted_at: begin });
        Ok(begin.elapsed())
    }

    fn append_rounds(&mut self, messages: usize, rooms: u32) -> Outcome<Times> {
        (0..ROUNDS)
            .map(|_| self.append(messages, rooms))
            .collect::<Outcome<Vec<_>>>()
            .map(Times::from)
    }

    /// Reads the last 1000 messages, again and again.
    fn read_rounds(&mut self) -> Outcome<Times> {
        let after = self.log().last_seq(HALL).saturating_sub(1_000);
        let mut times = Vec::new();
        for _ in 0..ROUNDS / 10 {
            let (begin, mut bytes) = (Instant::now(), 0);
            self.log().read(HALL, after, Records::All, &mut |entry| {
                bytes += entry.kind.text().len();
                ControlFlow::Continue(())
            })?;
            times.push(begin.elapsed());
            assert_eq!(bytes, 1_000 * TEXT.len());
        }
        Ok(times.into())
    }

    /// Ticks at an even pace; who is late does not wait for the next.
    fn talk(&mut self, messages: usize, per_second: u32, time: Duration) -> Outcome<Times> {
        let (mut times, begin) = (Vec::new(), Instant::now());
        for tick in 0.. {
            let due = Duration::from_secs(1) * tick / per_second;
            if time <= due {
                break;
            }
            thread::sleep(due.saturating_sub(begin.elapsed()));
            times.push(self.append(messages, 1)?);
        }
        Ok(times.into())
    }

    /// Closes the log; returns how large its file is, in bytes.
    fn close(&mut self) -> Outcome<u64> {
        self.log = None;
        Ok(fs::metadata(self.directory.join(FILE_NAME))?.len())
    }

    fn wal_bytes(&self) -> Outcome<u64> {
        Ok(fs::metadata(self.directory.join(format!("{FILE_NAME}-wal")))?.len())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.log = None;
        let _ = fs::remove_dir_all(&self.directory); // Not there, if the log was in memory.
    }
}

/// Times, in order.
#[derive(Debug)]
struct Times(Vec<Duration>);

impl From<Vec<Duration>> for Times {
    fn from(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }
}

impl Times {
    /// Returns the time than which this part of all is no longer.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "counts far below 2⁵²"
    )]
    fn at(&self, part: f64) -> Duration {
        self.0[((self.0.len() - 1) as f64 * part) as usize]
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
