//! Outages of the nodes of a database, the ways to them, and servers that go on later: dealt out by the seed
//! of a world as all else is.

use std::{fs, path::PathBuf, time::Duration};

use fastrand::Rng;

use super::plan::{Deed, Step};
use crate::kit::knobs;

knobs! {
    /// A kind of trouble with several nodes, counted when it is over; each must really have happened in a run.
    pub(crate) enum Outage {
        /// The primary was killed, and a standby promoted.
        PrimaryKilled,
        /// The primary stood still for a while, was killed, and a standby promoted.
        PrimaryFrozen,
        /// Nobody reached the primary for a while; a standby was promoted, and servers reached both before the
        /// one that was the primary was killed.
        PrimaryCutOff,
        /// No standby reached the primary for a while, so nothing was committed.
        StandbysCutOff,
        /// The same, and the primary was killed, and a standby promoted.
        StandbysLost,
        /// A server reached no node for a while.
        ServerCutOff,
        /// A server stood still for a while.
        ServerFrozen,
        /// A server stood still for longer than its lease.
        ServerFrozenLong,
        /// A server reached no node for longer than its lease.
        ServerCutOffLong,
        /// No standby reached the primary for longer than a server waits for an answer; then it was killed,
        /// and a standby promoted.
        StandbysLostLong,
        /// A server found that it had been taken for dead, and ended.
        TakenForDead,
        /// The clocks of servers were minutes apart.
        ClocksApart,
    }
}

/// An outage, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blow {
    pub(crate) outage: Outage,
    /// The number of the server, of so many as there are.
    pub(crate) server: usize,
    pub(crate) time: Duration,
    /// The time for which servers reach a primary that is none any more.
    pub(crate) lingers: Duration,
    /// Connections are cut with the end of it; else what was held back gets through.
    pub(crate) is_cut: bool,
}

/// The outages of the nodes: each world has them all.
const OF_NODES: [Outage; 5] = [
    Outage::PrimaryKilled,
    Outage::PrimaryFrozen,
    Outage::PrimaryCutOff,
    Outage::StandbysCutOff,
    Outage::StandbysLost,
];

/// The outages that take long: each world has one of them at most, each in its turn.
const LONG: [Outage; 3] =
    [Outage::ServerFrozenLong, Outage::ServerCutOffLong, Outage::StandbysLostLong];

/// Where Debian has the library that has a program see another time.
const CLOCK_FOLDER: &str = "/usr/lib";
const CLOCK_LIBRARY: &str = "faketime/libfaketime.so.1";

/// Returns the outage of this world that takes long, if it has one.
pub(super) fn long(seed: u64) -> Option<Outage> {
    let turn = usize::try_from(seed % (LONG.len() as u64 + 1)).expect("it is small");
    LONG.get(turn).copied()
}

/// Deals out outages to the rounds of a world: those of the nodes one after another, and one of a server beside.
pub(super) fn deal(seed: u64, rounds: &mut [Vec<Step>]) {
    let mut rng = Rng::with_seed(seed.rotate_left(32));
    let mut of_nodes = OF_NODES.to_vec();
    rng.shuffle(&mut of_nodes);
    let long_round = rng.usize(..rounds.len());
    for (number, round) in rounds.iter_mut().enumerate() {
        let long = long(seed).filter(|_| number == long_round);
        let of_server = rng.choice([Outage::ServerCutOff, Outage::ServerFrozen]);
        let of_node = of_nodes[number % of_nodes.len()];
        // One that takes long is alone.
        let outages = match long {
            Some(outage) => [Some(outage), None],
            None => [Some(of_node), of_server.filter(|_| rng.bool())],
        };
        let end = round.last().map_or(Duration::ZERO, |step| step.at);
        for outage in outages.into_iter().flatten() {
            let time = match outage {
                Outage::ServerFrozenLong | Outage::ServerCutOffLong => 12_000..15_000,
                Outage::StandbysLostLong => 11_000..14_000,
                Outage::PrimaryFrozen | Outage::PrimaryCutOff => 100..1_500,
                Outage::ServerFrozen => 100..3_000,
                _ => 50..2_000,
            };
            let blow = Blow {
                outage,
                server: rng.usize(..),
                time: Duration::from_millis(rng.u64(time)),
                lingers: Duration::from_millis(rng.u64(0..600)),
                is_cut: rng.bool(),
            };
            round.push(Step { at: end.mul_f64(rng.f64()), deed: Deed::Blow(blow) });
        }
        round.sort_by_key(|step| step.at);
    }
}

/// Returns true if an outage can be had on this machine.
pub(super) fn is_possible(outage: Outage) -> bool {
    outage != Outage::ClocksApart || clock().is_some()
}

/// Returns the library by which clocks are wrong, if the machine has it.
pub(super) fn clock() -> Option<PathBuf> {
    let folders = fs::read_dir(CLOCK_FOLDER).unwrap().flatten();
    folders.map(|it| it.path().join(CLOCK_LIBRARY)).find(|it| it.exists())
}
