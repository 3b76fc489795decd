//! The time that it takes to come back: from the first packet of the new line until the last of a
//! thousand missed messages is shown.
//!
//! The real server in a process of its own and the real client over a socket. Both share the
//! machine, so compare the figures of one run only.

#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "fanout/server.rs"]
mod server;

use std::{
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use pychat_wire::{
    Client, UserName,
    client::{Event, RoomId, Saved},
};
use server::{History, Server};

/// The number of messages that are missed.
const MISSED: u64 = 1_000;

/// The number of times that somebody comes back.
const COMEBACKS: usize = 300;

/// The most messages that may be on their way to the log while it is filled.
const IN_FLIGHT: usize = 100;

const TEXT: &str = "Кажется, лучше поехать тем поездом, что в половине десятого.";

type Outcome<T> = Result<T, Box<dyn Error>>;

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() -> Outcome<()> {
    println!("{MISSED} missed messages, {COMEBACKS} times");
    println!("history  to the welcome, median µs  to the last, median µs    99 %   worst");
    for history in [History::Memory, History::Process, History::Power] {
        let server = Server::start(history)?;
        let before = fill(server.address())?;
        let mut times = Vec::new();
        for _ in 0..COMEBACKS {
            times.push(come_back(server.address(), &before)?);
        }
        let welcomes = sorted(times.iter().map(|(welcome, _)| *welcome));
        let ends = sorted(times.iter().map(|(_, end)| *end));
        println!(
            "{history:7}  {:25}  {:22}  {:6}  {:6}",
            welcomes[COMEBACKS / 2].as_micros(),
            ends[COMEBACKS / 2].as_micros(),
            ends[COMEBACKS * 99 / 100].as_micros(),
            ends[COMEBACKS - 1].as_micros(),
        );
    }
    Ok(())
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times
}

/// Lets somebody join and leave again, and somebody else say what they miss; returns what the first
/// one has saved.
fn fill(server: SocketAddr) -> Outcome<Saved> {
    let mut absent = Session::new(server, "Борис", Saved::default())?;
    absent.until(|event| matches!(event, Event::Joined { .. }))?;
    let before = absent.client.saved().clone();
    drop(absent);
    let mut talker = Session::new(server, "Анна", Saved::default())?;
    talker.until(|event| matches!(event, Event::Joined { .. }))?;
    let (mut said, mut accepted) = (0, 0);
    while accepted < MISSED {
        while said < MISSED && talker.client.unacknowledged().count() < IN_FLIGHT {
            talker.client.say(&RoomId::hall(), &format!("{said} {TEXT}"))?;
            said += 1;
        }
        talker.write()?;
        talker.until(|event| matches!(event, Event::Message(message) if message.own))?;
        accepted += 1;
    }
    Ok(before)
}

/// Comes back with what was `saved`; returns how long it took until the welcome, and until nothing
/// was missing.
fn come_back(server: SocketAddr, saved: &Saved) -> Outcome<(Duration, Duration)> {
    let begin = Instant::now();
    let mut session = Session::new(server, "Борис", saved.clone())?;
    session.until(|event| matches!(event, Event::Joined { .. }))?;
    let welcome = begin.elapsed();
    let mut next = saved.seq(&RoomId::hall()) + 1;
    while next <= saved.seq(&RoomId::hall()) + MISSED {
        session.until(|event| match event {
            Event::Message(message) => message.seq == Some(next),
            _ => false,
        })?;
        next += 1;
    }
    Ok((welcome, begin.elapsed()))
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
    fn new(server: SocketAddr, name: &str, saved: Saved) -> Outcome<Self> {
        let begin = Instant::now();
        let line = TcpStream::connect(server)?;
        line.set_nodelay(true)?;
        let mut client = Client::new(UserName::new(name)?, saved, [7; 32]);
        client.next_event().filter(|event| *event == Event::Connect).ok_or("nothing to do")?;
        client.connected(0);
        Ok(Self { client, line, buffer: vec![0; 64 << 10], begin })
    }

    /// Goes on until something is shown.
    fn until(&mut self, mut is_it: impl FnMut(&Event) -> bool) -> Outcome<()> {
        loop {
            while let Some(event) = self.client.next_event() {
                match event {
                    event if is_it(&event) => return Ok(()),
                    Event::Offline { cause, .. } => return Err(format!("{cause:?}").into()),
                    _ => (),
                }
            }
            drop(self.client.take_saved().cloned()); // As a shell would store it.
            self.write()?;
            let size = self.line.read(&mut self.buffer)?;
            let now = u64::try_from(self.begin.elapsed().as_millis())?;
            match size {
                0 => self.client.disconnected(now),
                size => self.client.receive(now, &self.buffer[..size]),
            }
        }
    }

    fn write(&mut self) -> Outcome<()> {
        let outgoing = self.client.take_outgoing();
        Ok(self.line.write_all(&outgoing)?)
    }
}
