//! People who talk in many rooms at once, beside as many in one room, and in the hall.

use std::time::Duration;

use super::{
    Outcome, Protocol,
    figures::{Figures, HEADINGS},
    load::{Load, Pace},
    server::{History, Server},
};

/// The people, their rooms, how many are in each room, and in how many rooms each is.
const PEOPLE: usize = 1_000;
const ROOMS: usize = 100;
const ROOM_PEOPLE: usize = 30;
const SEATS: usize = PEOPLE_OF_ROOMS / PEOPLE;
const PEOPLE_OF_ROOMS: usize = ROOMS * ROOM_PEOPLE;

/// The messages that are said in one room where nobody talks in others, and in each of all.
const ALONE: usize = 10_000;
const EACH: usize = 400;

/// Places in which people talk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scene {
    /// The hall, of as many as are in one room.
    Hall,
    /// One room, and nobody is in another.
    OneRoom,
    /// One of all rooms.
    OneOfAll,
    All,
}

/// Talks, and the index of the talk in one room that each is compared with.
const TALKS: [(Scene, Pace, usize); 11] = [
    (Scene::OneRoom, Pace::InFlight(16), 0),
    (Scene::Hall, Pace::InFlight(16), 0),
    (Scene::OneOfAll, Pace::InFlight(16), 0),
    (Scene::All, Pace::InFlight(16), 0),
    (Scene::OneRoom, Pace::InFlight(64), 4),
    (Scene::Hall, Pace::InFlight(64), 4),
    (Scene::OneOfAll, Pace::InFlight(64), 4),
    (Scene::All, Pace::InFlight(64), 4),
    (Scene::OneRoom, Pace::InFlight(1), 8),
    (Scene::All, Pace::Together(16), 8),
    (Scene::All, Pace::Together(64), 8),
];

/// Measures each talk in so many rounds, one after the other, and prints the medians.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
pub(crate) fn measure(rounds: usize) -> Outcome<()> {
    println!(
        "\n{PEOPLE} people in {ROOMS} rooms of {ROOM_PEOPLE}, each in {SEATS}; medians of {rounds}"
    );
    println!("where              pace  {HEADINGS}  of one room's");
    let mut measured = vec![Vec::new(); TALKS.len()];
    for _ in 0..rounds {
        for (figures, (scene, pace, _)) in measured.iter_mut().zip(TALKS) {
            figures.push(measure_talk(scene, pace)?);
        }
    }
    let medians: Option<Vec<_>> = measured.into_iter().map(Figures::median).collect();
    let medians = medians.ok_or("no rounds")?;
    for (figures, (scene, pace, other)) in medians.iter().zip(TALKS) {
        println!(
            "{:10}  {:>11}  {figures}  {:13.2}",
            scene.name(),
            pace.to_string(),
            figures.cpu_us / medians[other].cpu_us,
        );
    }
    Ok(())
}

fn measure_talk(scene: Scene, pace: Pace) -> Outcome<Figures> {
    let server = Server::start(History::Memory)?;
    let people = match scene {
        Scene::Hall | Scene::OneRoom => ROOM_PEOPLE,
        Scene::OneOfAll | Scene::All => PEOPLE,
    };
    let mut load = Load::new(&server, people, Protocol::V2)?;
    load.join()?;
    match scene {
        Scene::Hall => (),
        Scene::OneRoom => load.enter_rooms(&[(0..ROOM_PEOPLE).collect()])?,
        Scene::OneOfAll | Scene::All => load.enter_rooms(&groups())?,
    }
    if scene == Scene::OneOfAll {
        load.keep_rooms(1);
    }
    load.rest(Duration::from_millis(500))?;
    let messages = if scene == Scene::All { EACH } else { ALONE };
    Figures::of(&server, &mut load, pace, messages)
}

/// Returns the people of each room, all of whom have different ones.
fn groups() -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); ROOMS];
    for person in 0..PEOPLE {
        let turn = person / ROOMS;
        for seat in 0..SEATS {
            groups[(person + seat * (20 + turn)) % ROOMS].push(person);
        }
    }
    groups
}

impl Scene {
    fn name(self) -> &'static str {
        match self {
            Self::Hall => "the hall",
            Self::OneRoom => "one room",
            Self::OneOfAll => "one of all",
            Self::All => "all rooms",
        }
    }
}
