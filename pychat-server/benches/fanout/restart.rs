//! A server that is killed and started anew, and everybody who comes back to all of their rooms at once.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use pychat_server::{
    core::{
        id::{RoomId, Ticket},
        record::{Device, Draft, Kind, OwnedName, Person, PersonChange, PersonId, Request},
        record::{Room, RoomChange},
    },
    store::{
        Retention, Store,
        sqlite::{Durability, Place, SqliteStore},
    },
};
use pychat_wire::{
    UserName,
    message::{RoomEvent, RoomKind},
};

use super::{
    Outcome, Protocol, as_float,
    load::{Load, identity},
    server::Server,
};

/// The number of people, of their rooms, and of the rooms of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    people: usize,
    rooms: usize,
    seats: usize,
}

pub(crate) const LARGE: Shape = Shape { people: 10_000, rooms: 500, seats: 20 };
pub(crate) const SMALL: Shape = Shape { people: 1_000, rooms: 50, seats: 20 };

/// The messages that are kept of each room, and how many of them everybody has missed.
const SAID: usize = 10;
const MISSED: u64 = 1;

/// Kills a server while people are in their rooms, starts it anew, and measures until everybody has been
/// sent what they missed.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
pub(crate) fn measure(shape: &Shape) -> Outcome<()> {
    let Shape { people, rooms, seats } = *shape;
    let members = people * seats / rooms;
    println!("\n{people} people come back to {rooms} rooms of {members}, each to {seats}");
    let server = Server::start_filled(|directory| fill(directory, shape))?;
    let mut load = Load::new(&server, people, Protocol::V2)?;
    load.join()?;
    let missed = load.seats().before(MISSED);
    let records = missed.len() - people; // In the hall nothing was said.
    drop(load);

    let begin = Instant::now();
    let server = server.restart()?;
    let (started, start_cpu) = (begin.elapsed(), server.cpu()?);
    let mut load = Load::new(&server, people, Protocol::V2)?.resuming(missed);
    load.join()?;
    let welcomed = begin.elapsed();
    load.catch_up(records)?;
    let (resumed, cpu) = (begin.elapsed(), server.cpu()?);
    println!("listens, s  all welcomed, s  all resumed, s  server s  µs/person  RSS MiB  peak MiB");
    println!(
        "{:10.2}  {:15.2}  {:14.2}  {:8.2}  {:9.0}  {:7}  {:8}",
        started.as_secs_f64(),
        welcomed.as_secs_f64(),
        resumed.as_secs_f64(),
        cpu.as_secs_f64(),
        cpu.saturating_sub(start_cpu).as_secs_f64() * 1e6 / as_float(people),
        server.memory()? >> 20,
        server.peak_memory()? >> 20,
    );
    Ok(())
}

/// Puts people, rooms and messages into the folder of a server.
fn fill(directory: &Path, shape: &Shape) -> Outcome<()> {
    let (durability, program) = (Durability::Process, None);
    let place = Place { directory: directory.to_owned(), durability, program };
    let mut store = SqliteStore::open(&place, Retention::default(), 1)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let utc_ms = u64::try_from(now.as_millis())?;
    let people = (0..shape.people)
        .map(|number| Request::ChangePerson(PersonChange::Save(person(number, utc_ms))));
    let mut batch: Vec<_> = people.collect();
    for (index, members) in groups(shape).into_iter().enumerate() {
        let room = RoomId(u32::try_from(index + 1)?);
        let author = members[0];
        batch.push(make(room, members)?);
        for number in 0..SAID {
            let text = Kind::Text(format!("{number} {}", "x".repeat(60)).into());
            let id = format!("{index} {number}");
            let draft = draft(author, text, &id)?;
            batch.push(Request::Append { room, draft, change: None });
        }
    }
    let mut batch = (1..).map(Ticket).zip(batch).collect();
    store.submit(Instant::now(), utc_ms, &mut batch);
    let mut answers = Vec::new();
    store.poll(Instant::now(), &mut answers);
    Ok(())
}

/// Returns the people of each room.
fn groups(shape: &Shape) -> Vec<Vec<usize>> {
    let Shape { people, rooms, seats } = *shape;
    let step = rooms / seats;
    let mut groups = vec![Vec::new(); rooms];
    for person in 0..people {
        let turn = person / rooms;
        for seat in 0..seats {
            groups[(person + seat * step + seat * turn % step) % rooms].push(person);
        }
    }
    groups
}

fn id_of(number: usize) -> PersonId {
    PersonId(number as u64 + 1)
}

fn person(number: usize, utc_ms: u64) -> Person {
    let (name, key) = identity(number);
    Person {
        id: id_of(number),
        is_operator: false,
        is_bot: false,
        names: vec![OwnedName { name, used_ms: utc_ms, is_regular: true }],
        devices: vec![Device { key: key.public(), label: "".into(), added_ms: utc_ms }],
    }
}

/// Returns the request that makes a room.
fn make(room: RoomId, members: Vec<usize>) -> Outcome<Request> {
    let maker = members[0];
    let kind = Kind::Event { event: RoomEvent::Created, subject: None };
    let made = Room {
        id: room,
        kind: RoomKind::Closed,
        name: format!("Room {}", room.0),
        topic: String::new(),
        maker: Some(id_of(maker)),
        members: members.into_iter().map(id_of).collect(),
    };
    let draft = draft(maker, kind, &format!("make {}", room.0))?;
    Ok(Request::Append { room, draft, change: Some(RoomChange::Create(made)) })
}

fn draft(author: usize, kind: Kind<std::sync::Arc<str>>, id: &str) -> Outcome<Draft> {
    let (name, _) = identity(author);
    let (author, person) = (UserName::new(&name)?, Some(id_of(author)));
    Ok(Draft { author, person, kind, id: Some(id.into()), reply: None })
}
