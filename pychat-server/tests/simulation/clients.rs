//! The promise, under chance: every accepted text is shown by everybody exactly once and in order.
//!
//! A small model of a server and several real clients, over lines that cut bytes anywhere and die
//! at any byte in either direction; clients are killed and go on from what was saved, the server
//! restarts, forgets its oldest messages and loses its log.
//!
//! `SEED=7` replays one run, `SEEDS=100000` makes as many.

mod chance;
mod check;
mod person;
mod server;
mod world;

use std::{collections::BTreeMap, env};

use self::world::World;

/// How many runs there are unless `SEEDS` says otherwise.
const SEEDS: u64 = 200;

/// What must have happened in the course of all runs, or they prove nothing.
const FAULTS: [&str; 22] = [
    "an attempt found nobody",
    "a line was cut while bytes went up",
    "a line was cut while bytes came down",
    "a line fell silent",
    "a person was killed before what they showed was stored",
    "a person was killed",
    "a person opened their window again",
    "the server crashed",
    "the server forgot what it had read",
    "the server could not keep a text",
    "the server cut a slow reader",
    "the server refused a name",
    "the server replaced a line",
    "the server trimmed its log",
    "the server trimmed what it was replaying",
    "the server lost its log",
    "a gap was told",
    "another log was told",
    "a text was sent twice",
    "an answer overtook the replay",
    "a page was asked for",
    "a message was replayed",
];

/// How often each thing happened.
type Tally = BTreeMap<&'static str, u64>;

#[test]
fn every_accepted_text_is_shown_by_everybody_exactly_once() {
    let number = |name| env::var(name).ok().map(|value| value.parse().expect("a number"));
    let mut tally = Tally::new();
    if let Some(seed) = number("SEED") {
        run(seed, &mut tally);
        println!("{tally:#?}");
        return;
    }
    for seed in 0..number("SEEDS").unwrap_or(SEEDS) {
        run(seed, &mut tally);
    }
    println!("{tally:#?}");
    for fault in FAULTS {
        assert!(tally.contains_key(fault), "never: {fault}");
    }
    for fault in tally.keys() {
        assert!(FAULTS.contains(fault), "not among the faults: {fault}");
    }
}

fn run(seed: u64, tally: &mut Tally) {
    let witness = Witness(seed);
    let mut world = World::new(seed);
    world.live();
    world.settle();
    check::all(&world);
    for (fault, count) in world.tally {
        *tally.entry(fault).or_default() += count;
    }
    drop(witness);
}

/// Says how to see a failure again.
struct Witness(u64);

impl Drop for Witness {
    #[expect(clippy::print_stderr, reason = "whoever runs the tests must know")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={} replays this run", self.0);
        }
    }
}
