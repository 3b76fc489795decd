//! People who talk while somebody searches what the server keeps, and while nobody does, in turns.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use pychat_server::{
    core::{
        id::{HALL, Ticket},
        record::{Draft, Kind, Request},
        time::Time,
    },
    store::{
        Retention, Store,
        sqlite::{Durability, Place, SqliteStore},
    },
};
use pychat_wire::{
    Client, UserName,
    client::{Event, Saved, Search},
};

use super::{
    Outcome, Protocol,
    load::{Load, Pace},
    server::Server,
};

/// The people who hear, the texts that each second has, and those of one round.
const PEOPLE: usize = 100;
const PACE: Pace = Pace::PerSecond(100);
const ROUND_MESSAGES: usize = 400;

/// The pairs of rounds, of which one has searches.
const ROUNDS: usize = 9;

/// The time from one search to the next.
const SEARCH_PAUSE: Duration = Duration::from_millis(100);

/// The number of different words: word `n` is in about one of `n` texts.
const WORDS: usize = 10_000;

/// The searches, one after the other: for a common and for a rare word, for two, for how words begin, and
/// for words in a row.
const QUERIES: [&str; 6] =
    ["\"word2x\"", "\"word9999x\"", "word2x word40x", "word2", "word999", "\"word2x word3x\""];

/// Measures talk beside searches among so many messages.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
pub(crate) fn measure(messages: usize) -> Outcome<()> {
    let server = Server::start_filled(|directory| fill(directory, messages))?;
    let mut load = Load::new(&server, PEOPLE, Protocol::V1)?;
    load.join()?;
    let mut searcher = Searcher::start(server.address());
    let (mut plain, mut beside, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        load.talk(PACE, ROUND_MESSAGES)?;
        plain.push(load.take_latencies()[0].at(0.99));
        searcher.set_active(true)?;
        load.talk(PACE, ROUND_MESSAGES)?;
        beside.push(load.take_latencies()[0].at(0.99));
        taken.extend(searcher.set_active(false)?);
    }
    for times in [&mut plain, &mut beside, &mut taken] {
        times.sort_unstable();
    }
    let at = |times: &[Duration], percent: usize| {
        times.get((times.len() * percent / 100).min(times.len() - 1)).map_or(0.0, as_ms)
    };
    let [plain, beside] = [plain, beside].map(|times| at(&times, 50));
    println!("\n{messages} messages, {PEOPLE} people hear {PACE}, {ROUNDS} pairs of rounds");
    println!("talk p99, ms: {plain:.2} alone, {beside:.2} beside searches: {:.3}", beside / plain);
    println!(
        "{} searches beside it, ms: p50 {:.2}, p99 {:.2}, max {:.2}",
        taken.len(),
        at(&taken, 50),
        at(&taken, 99),
        at(&taken, 100)
    );
    Ok(())
}

fn as_ms(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Puts messages into the folder of a server, with an index of their words.
fn fill(directory: &Path, messages: usize) -> Outcome<()> {
    let (durability, program) = (Durability::Process, None);
    let place = Place { directory: directory.to_owned(), durability, program };
    let mut store = SqliteStore::open(&place, Retention::default(), 1)?;
    let (mut rng, author) = (Rng::with_seed(7), UserName::new("Анна")?);
    let mut now = Instant::now();
    let (mut batch, mut answers) = (Vec::new(), Vec::new());
    for number in 0..messages {
        let text = Kind::Text(text(&mut rng).into());
        let (author, id) = (author.clone(), Some(number.to_string().into()));
        let draft = Draft { author, person: None, kind: text, id, reply: None };
        batch.push((Ticket(1), Request::Append { room: HALL, draft, change: None }));
        if batch.len() == 256 || number + 1 == messages {
            store.submit(now, number as u64, &mut batch);
            store.poll(now, &mut answers);
            answers.clear();
        }
    }
    let mut n_idle = 0;
    while n_idle < 3 {
        now += Duration::from_secs(1);
        store.maintain(&Time { now, utc_ms: messages as u64, trusted_at: now });
        n_idle = if store.next_deadline().is_none() { n_idle + 1 } else { 0 };
    }
    Ok(())
}

/// Returns words of which the first ones are the most common by far.
fn text(rng: &mut Rng) -> String {
    let mut word = || {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let number = (1.0 / rng.f64().max(1e-4)) as usize;
        format!("word{}x", number.min(WORDS))
    };
    (0..10).map(|_| word()).collect::<Vec<_>>().join(" ")
}

/// Somebody who searches at a set pace, in a thread of their own.
#[derive(Debug)]
struct Searcher {
    active: mpsc::Sender<bool>,
    times: mpsc::Receiver<Vec<Duration>>,
}

impl Searcher {
    /// Joins.
    fn start(server: SocketAddr) -> Self {
        let (active, orders) = mpsc::channel();
        let (results, times) = mpsc::channel();
        thread::spawn(move || {
            // What fails shows: there are no times.
            if let Err(error) = search(server, &orders, &results) {
                eprintln_error(&error.to_string());
            }
        });
        Self { active, times }
    }

    /// Begins to search, or ends; returns how long each search took.
    fn set_active(&mut self, is_active: bool) -> Outcome<Vec<Duration>> {
        self.active.send(is_active)?;
        Ok(if is_active { Vec::new() } else { self.times.recv()? })
    }
}

#[expect(clippy::print_stderr, reason = "a benchmark reports")]
fn eprintln_error(text: &str) {
    eprintln!("cannot search: {text}");
}

/// Searches whenever it is to, until nobody wants the times.
fn search(
    server: SocketAddr,
    orders: &mpsc::Receiver<bool>,
    results: &mpsc::Sender<Vec<Duration>>,
) -> Outcome<()> {
    let mut session = Session::new(server)?;
    session.until(|event| matches!(event, Event::Joined { .. }))?;
    let mut queries = QUERIES.iter().cycle();
    while orders.recv().unwrap_or(false) {
        let mut times = Vec::new();
        while orders.try_recv().is_err() {
            let begin = Instant::now();
            let query = queries.next().copied().unwrap_or_default();
            let search = Search { query, limit: 50, ..Search::default() };
            session.client.search(&search).ok_or("no line")?;
            session.until(|event| matches!(event, Event::SearchEnded { .. }))?;
            times.push(begin.elapsed());
            thread::sleep(SEARCH_PAUSE.saturating_sub(begin.elapsed()));
        }
        results.send(times)?;
    }
    Ok(())
}

/// A client and its line.
struct Session {
    client: Client,
    line: TcpStream,
    buffer: Vec<u8>,
    begin: Instant,
}

impl Session {
    /// Connects.
    fn new(server: SocketAddr) -> Outcome<Self> {
        let line = TcpStream::connect(server)?;
        line.set_nodelay(true)?;
        let mut client = Client::new(UserName::new("searcher")?, Saved::default(), [9; 32]);
        client.next_event().filter(|event| *event == Event::Connect).ok_or("nothing to do")?;
        client.connected(0);
        Ok(Self { client, line, buffer: vec![0; 64 << 10], begin: Instant::now() })
    }

    /// Goes on until something is shown.
    fn until(&mut self, mut is_it: impl FnMut(&Event) -> bool) -> Outcome<()> {
        loop {
            let outgoing = self.client.take_outgoing();
            self.line.write_all(&outgoing)?;
            while let Some(event) = self.client.next_event() {
                match event {
                    event if is_it(&event) => return Ok(()),
                    Event::Offline { cause, .. } => return Err(format!("{cause:?}").into()),
                    _ => (),
                }
            }
            let size = self.line.read(&mut self.buffer)?;
            let now = u64::try_from(self.begin.elapsed().as_millis())?;
            match size {
                0 => return Err("the server hung up".into()),
                size => self.client.receive(now, &self.buffer[..size]),
            }
        }
    }
}
