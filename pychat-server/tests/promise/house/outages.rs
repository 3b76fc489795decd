//! A house over several nodes of a database, and how outages befall it.

use std::{path::PathBuf, process::Command, time::Instant};

use rustix::process::{Signal, kill_process};

use super::{House, Place, State, pid};
use crate::{
    cluster::{Cluster, End},
    promise::{
        outages::{self, Blow, Outage},
        tally::Tally,
    },
};

/// The time by which the clock of each server is wrong, in seconds.
const CLOCKS: [i64; 3] = [0, 420, -300];

/// The nodes, and the outages that are not over.
#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) cluster: Cluster,
    active: Vec<(Instant, Blow)>,
    /// Those of which only the nodes have still to recover.
    recovering: Vec<Outage>,
    clock: Option<PathBuf>,
}

impl Nodes {
    /// Starts a primary with so many standbys.
    pub(super) fn open(n_servers: usize, n_standbys: usize) -> Self {
        assert!(1 < n_servers, "one must be left that knows the log");
        let cluster = Cluster::start(n_servers, n_standbys).expect("PostgreSQL");
        Self { cluster, active: Vec::new(), recovering: Vec::new(), clock: outages::clock() }
    }

    /// Has a server use the nodes, with a clock of its own.
    pub(super) fn equip(&self, command: &mut Command, server: usize) {
        command.arg(format!("--store={}", self.cluster.uri(server)));
        if let Some(library) = &self.clock {
            let by = CLOCKS[server % CLOCKS.len()];
            command.env("LD_PRELOAD", library).env("FAKETIME", format!("{by:+}s"));
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
    }
}

impl House {
    /// Returns true if no outage is under way, and nothing has still to recover from one.
    pub(crate) fn is_whole(&mut self) -> bool {
        let is_whole = |nodes: &mut Nodes| nodes.active.is_empty() && nodes.cluster.is_whole();
        self.nodes.as_mut().is_none_or(is_whole) && self.is_up()
    }

    /// Takes in that all is well: every server that there is knows the log.
    pub(crate) fn attest(&mut self) {
        self.places.iter_mut().for_each(|place| place.is_witness = place.is_up());
    }

    /// Returns true if a server may be killed. Over several nodes one must be left that knows the log: the
    /// first one that finds a node promoted without any such gives the log another name.
    pub(super) fn may_fall(&self, index: usize) -> bool {
        let mut others = self.places.iter().enumerate().filter(|(it, _)| *it != index);
        self.nodes.is_none() || others.any(|(_, place)| place.is_witness && place.is_up())
    }

    /// Begins an outage.
    pub(crate) fn befall(&mut self, blow: Blow, now: Instant) {
        let Some(nodes) = &mut self.nodes else { return };
        let server = blow.server % self.places.len();
        let cluster = &nodes.cluster;
        match blow.outage {
            Outage::PrimaryKilled => cluster.kill_primary(),
            Outage::PrimaryFrozen => cluster.freeze_primary(),
            Outage::PrimaryCutOff => {
                cluster.bar_standbys(true);
                cluster.bar_servers();
            }
            Outage::StandbysCutOff | Outage::StandbysLost | Outage::StandbysLostLong => {
                cluster.bar_standbys(true);
            }
            Outage::ServerCutOff | Outage::ServerCutOffLong => {
                cluster.bar_server(server, true, false);
            }
            Outage::ServerFrozen | Outage::ServerFrozenLong => self.places[server].freeze(),
            Outage::TakenForDead | Outage::ClocksApart => unreachable!("they follow"),
        }
        self.places.iter_mut().for_each(|place| place.is_troubled = true);
        nodes.active.push((now + blow.time, Blow { server, ..blow }));
    }

    /// Ends outages whose time has come.
    pub(super) fn turn_nodes(&mut self, now: Instant, tally: &mut Tally) {
        let Some(nodes) = &mut self.nodes else { return };
        if nodes.cluster.is_whole() {
            nodes.recovering.drain(..).for_each(|outage| tally.outages.note(outage));
        }
        let cluster = &nodes.cluster;
        for (_, blow) in nodes.active.extract_if(.., |(until, _)| *until <= now) {
            let Blow { outage, server, lingers, is_cut, .. } = blow;
            match outage {
                Outage::PrimaryKilled | Outage::PrimaryFrozen => {
                    cluster.replace_primary(End::Before { is_apart: false });
                }
                Outage::PrimaryCutOff => cluster.replace_primary(End::After { lingers }),
                Outage::StandbysCutOff => cluster.bar_standbys(false),
                Outage::StandbysLost | Outage::StandbysLostLong => {
                    cluster.replace_primary(End::Before { is_apart: true });
                }
                Outage::ServerCutOff | Outage::ServerCutOffLong => {
                    cluster.bar_server(server, false, is_cut);
                }
                _ => self.places[server].thaw(),
            }
            nodes.recovering.push(outage);
        }
        let is_apart = nodes.clock.is_some() && 1 < self.places.len();
        if is_apart && !tally.outages.contains(Outage::ClocksApart) {
            tally.outages.note(Outage::ClocksApart);
        }
    }

    /// Returns true if a server may have ended by itself with these last words.
    pub(super) fn may_end(place: &Place, lines: &[String], tally: &mut Tally) -> bool {
        let was_taken = lines.iter().any(|line| line.contains("took this one for dead"));
        if was_taken {
            tally.outages.note(Outage::TakenForDead);
        }
        // One that begins gives up after a while.
        let has_begun = lines.iter().any(|line| line.starts_with("INFO listening"));
        place.is_troubled && (was_taken || !has_begun)
    }
}

impl Place {
    fn freeze(&mut self) {
        if let State::Up { process, .. } = &self.state {
            kill_process(pid(process), Signal::STOP).unwrap();
            self.is_frozen = true;
        }
    }

    fn thaw(&mut self) {
        if let State::Up { process, .. } | State::Stopping { process, .. } = &self.state {
            kill_process(pid(process), Signal::CONT).unwrap();
        }
        self.is_frozen = false;
    }
}
