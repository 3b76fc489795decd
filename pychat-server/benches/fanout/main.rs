//! A real server with many listeners: what a delivery costs it, how long one takes, and what a
//! crowd that joins at once costs.
//!
//! The load is one thread in another process. Server and load share the machine, so compare the
//! figures of one run only. `CROWDS=5000` has crowds of that size alone, and nobody talk
//! before; `ENCRYPTION=1` has TLS and nothing else; `ROOMS=1` has rooms and nothing else, at
//! length, and `ROOMS=restart` of that only the way back to them; `SEARCH=1000000` has talk beside searches
//! among so many messages, and nothing else; `CLUSTER=1` has servers over a database, and nothing else.

mod cluster;
mod figures;
mod load;
#[path = "../../tests/kit/postgres.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "a part of it, which is the tests' own")]
mod postgres;
#[path = "../../tests/kit/process/mod.rs"]
#[allow(clippy::print_stderr, clippy::unwrap_used, reason = "it is the tests' own")]
mod process;
mod restart;
mod rooms;
mod searching;
#[allow(dead_code, reason = "each benchmark uses its part")]
mod server;

use std::{
    env,
    error::Error,
    time::{Duration, Instant},
};

use figures::{Figures, HEADINGS};
use load::{Load, Pace};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use server::{History, Server};

/// The number of those who join and also speak.
const SENDERS: usize = 4;

/// Receivers, how the senders speak, and how much they say.
const TALKS: [(usize, Pace, usize); 6] = [
    (100, Pace::InFlight(16), 4_000),
    (100, Pace::InFlight(64), 4_000),
    (100, Pace::PerSecond(200), 600),
    (1_000, Pace::InFlight(16), 4_000),
    (1_000, Pace::InFlight(64), 4_000),
    (1_000, Pace::PerSecond(200), 600),
];

/// The talk in which what is said is kept in one way after the other.
const KEPT_TALKS: [(usize, Pace, usize); 2] =
    [(100, Pace::InFlight(16), 4_000), (100, Pace::PerSecond(200), 600)];

/// The talks that are had with TLS and without, and how many shake hands at once.
const ENCRYPTED_TALKS: [(usize, Pace, usize); 3] = [
    (100, Pace::InFlight(16), 4_000),
    (100, Pace::InFlight(64), 4_000),
    (100, Pace::PerSecond(200), 600),
];
const HANDSHAKES: usize = 1_000;

/// The messages among which somebody searches while others talk.
const SEARCHED: usize = 100_000;

/// The numbers of people who join at once; then they talk at 5 messages a second for a while.
const CROWDS: [usize; 3] = [1_000, 5_000, 10_000];
const CROWD_TALK: (Pace, usize) = (Pace::PerSecond(5), 50);

/// The protocol that the load speaks.
#[derive(Clone, Copy, Debug)]
enum Protocol {
    V1,
    V2,
}

impl Protocol {
    fn number(self) -> u64 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;

    if env::var_os("ENCRYPTION").is_some() {
        return measure_encryption();
    }
    if let Ok(part) = env::var("ROOMS") {
        if part != "restart" {
            rooms::measure(3)?;
        }
        return restart::measure(&restart::LARGE);
    }
    if env::var_os("CLUSTER").is_some() {
        return cluster::measure();
    }
    if let Ok(messages) = env::var("SEARCH") {
        return searching::measure(messages.parse()?);
    }
    if let Ok(people) = env::var("CROWDS") {
        return measure_crowds(&[people.parse()?]);
    }
    measure_talks()?;
    measure_encryption()?;
    measure_histories()?;
    searching::measure(SEARCHED)?;
    rooms::measure(1)?;
    restart::measure(&restart::SMALL)?;
    cluster::measure()?;
    measure_crowds(&CROWDS)
}

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn measure_talks() -> Outcome<()> {
    println!("receivers       pace  {HEADINGS}");
    for (receivers, pace, messages) in TALKS {
        let figures = measure_talk(History::Memory, receivers, pace, messages)?;
        println!("{receivers:9}  {:>9}  {figures}", pace.to_string());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn measure_histories() -> Outcome<()> {
    println!("\nhistory  receivers       pace  {HEADINGS}");
    for (receivers, pace, messages) in KEPT_TALKS {
        for history in [History::Memory, History::Process, History::Power] {
            let figures = measure_talk(history, receivers, pace, messages)?;
            println!("{history:7}  {receivers:9}  {:>9}  {figures}", pace.to_string());
        }
    }
    Ok(())
}

fn measure_talk(
    history: History,
    receivers: usize,
    pace: Pace,
    messages: usize,
) -> Outcome<Figures> {
    let server = Server::start(history)?;
    let load = Load::new(&server, receivers + SENDERS, Protocol::V1)?;
    measure_load(&server, load, pace, messages)
}

/// Measures the costs of a delivery, a handshake and an idle connection, with TLS and without.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn measure_encryption() -> Outcome<()> {
    println!("\n  TLS  receivers       pace  {HEADINGS}");
    for (receivers, pace, messages) in ENCRYPTED_TALKS {
        for is_encrypted in [false, true] {
            let server = Server::start_encrypted()?;
            let load = load_of(&server, receivers + SENDERS, is_encrypted)?;
            let figures = measure_load(&server, load, pace, messages)?;
            println!("{is_encrypted:5}  {receivers:9}  {:>9}  {figures}", pace.to_string());
        }
    }
    println!("\n  TLS    crowd  joins/s  server µs/join  bytes/idle connection");
    for is_encrypted in [false, true] {
        let server = Server::start_encrypted()?;
        let (cpu, memory) = (server.cpu()?, server.memory()?);
        let mut load = load_of(&server, HANDSHAKES, is_encrypted)?;
        let begin = Instant::now();
        load.join()?;
        let (time, cpu) = (begin.elapsed(), server.cpu()?.saturating_sub(cpu));
        load.rest(Duration::from_secs(1))?;
        println!(
            "{is_encrypted:5}  {HANDSHAKES:7}  {:7.0}  {:14.1}  {:21}",
            as_float(HANDSHAKES) / time.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / as_float(HANDSHAKES),
            server.memory()?.saturating_sub(memory) / HANDSHAKES,
        );
    }
    Ok(())
}

fn load_of(server: &Server, people: usize, is_encrypted: bool) -> Outcome<Load> {
    let load = Load::new(server, people, Protocol::V1)?;
    Ok(if is_encrypted { load.encrypted() } else { load })
}

fn measure_load(server: &Server, mut load: Load, pace: Pace, messages: usize) -> Outcome<Figures> {
    load.join()?;
    Figures::of(server, &mut load, pace, messages)
}

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn measure_crowds(crowds: &[usize]) -> Outcome<()> {
    println!(
        "\n    crowd  protocol  joins/s  server µs/join  bytes/connection  worst delivery at 5/s, ms"
    );
    let both = [Protocol::V1, Protocol::V2];
    for (people, protocol) in crowds.iter().flat_map(|people| both.map(|both| (*people, both))) {
        let server = Server::start(History::Memory)?;
        let (cpu, memory) = (server.cpu()?, server.memory()?);
        let mut load = Load::new(&server, people, protocol)?;
        let begin = Instant::now();
        load.join()?;
        let (time, cpu) = (begin.elapsed(), server.cpu()?.saturating_sub(cpu));
        load.rest(Duration::from_secs(1))?;
        let memory = server.memory()?.saturating_sub(memory);
        load.talk(CROWD_TALK.0, CROWD_TALK.1)?;
        println!(
            "{people:9}  {:8}  {:7.0}  {:14.1}  {:16}  {:25}",
            protocol.number(),
            as_float(people) / time.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / as_float(people),
            memory / people,
            load.take_latencies()[0].at(1.0).as_millis(),
        );
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2⁵²")]
fn as_float(count: usize) -> f64 {
    count as f64
}
