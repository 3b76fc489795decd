//! The promise: no accepted message is lost, and none is shown twice.
//!
//! The real server, killed and started again; the real client over real sockets, killed and
//! restored; between them a proxy that cuts, stalls and breaks lines. People talk in rooms, answer,
//! edit, delete and react, also to what is not accepted yet; operators remove. A seed decides it all.
//! After each round everything is made well, and what everybody was shown is held against the log.
//!
//! `SEED=7` has the same happen again, `PROMISE_SECONDS=3600` goes on for an hour, 0
//! until it is stopped. `PROMISE_STORE=postgres` has the server store all in a database, which is killed
//! where the disk would be full, and now and then with the server; `PROMISE_SERVERS=3` has so many servers
//! over it, at any of which people come in. With `PROMISE_STANDBYS=2` the database has so many standbys, which
//! follow it synchronously, and outages of its own: one of them is promoted where it is killed, and servers and
//! nodes are cut off from one another, or stand still.

#![cfg(test)]

#[path = "kit/cluster.rs"]
mod cluster;
mod kit;
#[path = "kit/postgres.rs"]
#[allow(dead_code, reason = "each test crate uses its part")]
mod postgres;
#[path = "kit/process/mod.rs"]
mod process;
#[path = "kit/relay.rs"]
mod relay;

mod promise {
    //! The parts of the proof.

    // What happens, and how often it did.
    pub(crate) mod outages;
    pub(crate) mod plan;
    pub(crate) mod tally;

    // Where it happens.
    mod acts;
    mod amending;
    mod calm;
    pub(crate) mod database;
    mod house;
    mod proxy;
    pub(crate) mod world;

    // To whom.
    mod channel;
    mod line;
    mod memory;
    mod original;
    mod person;
    mod shown;
    mod surroundings;
    mod texts;

    // What must have become of it.
    mod erased;
    mod proof;
    mod stored;
}

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kit::runs;
use promise::{database, plan::Plan, tally::Tally, world::World};

const TIME: Duration = Duration::from_mins(1);

/// The most time added while not everything has happened yet: a slow machine does less.
const EXTENSION: Duration = Duration::from_mins(4);

/// The time between two reports of a run on its progress.
const REPORT: Duration = Duration::from_secs(10);

#[test]
fn no_accepted_message_is_lost_and_none_is_shown_twice() {
    let mut tally = Tally::default();
    if let Some(seed) = runs::number("SEED") {
        run(seed, &mut tally);
        println!("{tally}");
        return;
    }
    let time = runs::number("PROMISE_SECONDS").map_or(TIME, Duration::from_secs);
    let begin = Instant::now();
    let mut reported = begin;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for seed in since_1970.as_secs() * 1_000.. {
        let is_complete = if database::is_wanted() {
            tally.outages_missing().is_empty()
        } else {
            tally.is_complete()
        };
        let extension = if is_complete { Duration::ZERO } else { EXTENSION };
        if !time.is_zero() && time + extension < begin.elapsed() {
            break;
        }
        run(seed, &mut tally);
        if REPORT < reported.elapsed() {
            reported = Instant::now();
            println!("{} s: {tally}", begin.elapsed().as_secs());
        }
    }
    println!("{} s: {tally}", begin.elapsed().as_secs());
    if database::is_wanted() {
        assert_eq!(tally.outages_missing(), [], "these never happened: {tally}");
        return; // Hardly anything takes so long that the server refuses it.
    }
    tally.fired.check_complete();
    tally.effects.check_complete();
}

fn run(seed: u64, tally: &mut Tally) {
    let fired = tally.fired.clone();
    runs::reproducibly(seed, &fired, |_| World::run(seed, &Plan::new(seed), tally));
}
