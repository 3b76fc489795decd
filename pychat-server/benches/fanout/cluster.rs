//! Servers over a database, one and several, beside one with a file: the cost of a delivery, and the time that
//! one takes to people at another server.

use std::time::Duration;

use super::{
    Outcome, Protocol, SENDERS,
    figures::{Figures, HEADINGS},
    load::{Load, Pace},
    postgres::Postgres,
    server::{History, Server},
};

/// The people who are there, in turns at each server.
const PEOPLE: usize = 96 + SENDERS;

/// The rooms of the last talks, and how many are in each.
const ROOMS: usize = 100;
const ROOM_PEOPLE: usize = 12;

/// The time for names to be stored.
const REST: Duration = Duration::from_secs(1);

/// The number of servers over a database; none is one with a file.
type Servers = Option<usize>;

const TALKS: [(Servers, Pace, usize); 7] = [
    (None, Pace::InFlight(16), 2_000),
    (Some(1), Pace::InFlight(16), 2_000),
    (Some(3), Pace::InFlight(16), 2_000),
    (None, Pace::PerSecond(200), 2_000),
    (Some(1), Pace::PerSecond(200), 2_000),
    (Some(3), Pace::PerSecond(200), 2_000),
    (Some(3), Pace::InFlight(256), 8_000),
];

/// The messages that are said in each of many rooms, so many in all on their way at a time.
const EACH: usize = 60;
const IN_ALL: Pace = Pace::Together(256);

/// Measures all talks, or says that there is no PostgreSQL.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
pub(crate) fn measure() -> Outcome<()> {
    // What is committed is on disk, as a database has it by default.
    let Some(database) = Postgres::start("fsync = on\n") else { return Ok(()) };
    println!("\nservers  pace       {HEADINGS}  texts/s  elsewhere: p50 µs  p99 µs");
    for (servers, pace, messages) in TALKS {
        let servers = start(&database, servers)?;
        let mut load = Load::over(&servers, PEOPLE, Protocol::V2)?;
        load.join()?;
        load.rest(REST)?;
        report(&servers, &mut load, (pace, messages), PEOPLE)?;
    }
    println!("in {ROOMS} rooms of {ROOM_PEOPLE}:");
    for number in [1, 3] {
        let servers = start(&database, Some(number))?;
        let mut load = Load::over(&servers, ROOMS * ROOM_PEOPLE, Protocol::V2)?;
        load.join()?;
        load.rest(REST)?;
        // Who makes rooms is at one server: two that are made at once in two places are one too many.
        let group = |room| (0..ROOM_PEOPLE).map(|seat| room * ROOM_PEOPLE + seat).collect();
        load.enter_rooms(&(0..ROOMS).map(group).collect::<Vec<_>>())?;
        load.rest(REST)?;
        report(&servers, &mut load, (IN_ALL, EACH), ROOM_PEOPLE)?;
    }
    Ok(())
}

fn start(database: &Postgres, servers: Servers) -> Outcome<Vec<Server>> {
    match servers {
        None => Ok(vec![Server::start(History::Power)?]),
        Some(number) => (0..number).map(|_| Server::start_over(&database.uri())).collect(),
    }
}

/// Has people talk, each text heard by `hearers`, and prints the figures.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn report(
    servers: &[Server],
    load: &mut Load,
    (pace, messages): (Pace, usize),
    hearers: usize,
) -> Outcome<()> {
    let figures = Figures::of_all(servers, load, pace, messages)?;
    let texts = figures.per_second / super::as_float(hearers);
    let elsewhere = figures.elsewhere.map_or_else(String::new, |took| {
        let [half, most] = took.map(|took| took.as_micros());
        format!("  {half:17}  {most:6}")
    });
    println!("{:7}  {:9}  {figures}  {texts:7.0}{elsewhere}", servers.len(), pace.to_string());
    Ok(())
}
