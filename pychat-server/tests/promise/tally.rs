//! What went wrong on purpose, counted where it took effect.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

/// A kind of trouble; each must really have happened in a run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fault {
    /// A line was reset at both ends.
    Reset,
    /// A line was ended in order at both ends.
    Ended,
    /// What a client said did not get through for a while.
    StalledUp,
    /// What the server said did not get through for a while.
    StalledDown,
    /// Bytes came one by one, or nearly.
    Trickled,
    /// The server's end of a line was gone, and the client was not told.
    ServerEndLost,
    /// The client's end of a line was gone, and the server was not told.
    ClientEndLost,
    /// A client gave up a line on which nothing was heard any more.
    Silent,
    /// A client took its name over from a line that was still open.
    Replaced,
    /// Somebody who did not read was cut.
    Slow,
    /// The server was killed while nobody was waiting for it.
    Killed,
    /// The server was killed while texts were not acknowledged.
    KilledInBurst,
    /// The server was asked to stop, and stopped.
    Stopped,
    /// A client was told that the server stops.
    Dismissed,
    /// A client died, all that it had shown being stored.
    Died,
    /// A client died between showing and storing.
    DiedUnstored,
    /// A client died between taking a text and sending it.
    DiedUnsent,
    /// A text that was sent again had been accepted before.
    Repeated,
    /// The disk took nothing, and the server said so.
    DiskFull,
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: [Self; 19] = [
        Self::Reset,
        Self::Ended,
        Self::StalledUp,
        Self::StalledDown,
        Self::Trickled,
        Self::ServerEndLost,
        Self::ClientEndLost,
        Self::Silent,
        Self::Replaced,
        Self::Slow,
        Self::Killed,
        Self::KilledInBurst,
        Self::Stopped,
        Self::Dismissed,
        Self::Died,
        Self::DiedUnstored,
        Self::DiedUnsent,
        Self::Repeated,
        Self::DiskFull,
    ];
}

/// How often each fault took effect, and what was survived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    faults: BTreeMap<Fault, u64>,
    /// What several people were told of: to whom it happened, and when.
    told: HashSet<(Fault, String, Option<u64>)>,
    pub(crate) n_worlds: u64,
    pub(crate) n_rounds: u64,
    /// Messages in the logs.
    pub(crate) n_messages: u64,
    /// Messages shown to people of protocol 2, and heard by those of protocol 1.
    pub(crate) n_shown: u64,
    /// Those of them that were said while somebody was away.
    pub(crate) n_replayed: u64,
}

impl Tally {
    /// Counts one fault.
    pub(crate) fn note(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Counts one fault that everybody is told of: that it happened to somebody at a time.
    pub(crate) fn note_once(&mut self, fault: Fault, name: String, time_ms: Option<u64>) {
        if self.told.insert((fault, name, time_ms)) {
            self.note(fault);
        }
    }

    /// Returns what never happened.
    pub(crate) fn missing(&self) -> Vec<Fault> {
        Fault::ALL.into_iter().filter(|fault| !self.faults.contains_key(fault)).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { faults, n_worlds, n_rounds, n_messages, n_shown, n_replayed, .. } = self;
        write!(
            formatter,
            "{n_worlds} worlds, {n_rounds} rounds, {n_messages} messages shown {n_shown} times, \
                {n_replayed} of them late; {faults:?}"
        )
    }
}
