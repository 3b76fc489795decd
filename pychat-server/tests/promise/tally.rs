//! The faults that are made on purpose, counted where they take effect.

use std::{collections::HashSet, fmt};

use super::{
    database,
    outages::{self, Outage},
};
use crate::kit::{Fired, knobs};

knobs! {
    /// A kind of trouble; each must really have happened in a run.
    ///
    /// Those with a number are made, in each world at least so often, and more often by this chance;
    /// the others follow.
    pub(crate) enum Fault {
        /// A line was reset at both ends.
        Reset = 1,
        /// A line was ended in order at both ends.
        Ended = 1,
        /// The bytes that a client sent did not get through for a while.
        StalledUp = 1,
        /// The bytes that the server sent did not get through for a while.
        StalledDown = 1,
        /// Bytes came one by one, or nearly.
        Trickled = 2,
        /// A line was reset within a handshake of TLS.
        HandshakeCut = 1,
        /// A handshake did not get through for a while.
        HandshakeStalled = 1,
        /// A handshake came in pieces of a few bytes.
        HandshakeTrickled = 1,
        /// The server's end of a line was gone, and the client was not told.
        ServerEndLost = 1,
        /// The client's end of a line was gone, and the server was not told.
        ClientEndLost = 2,
        /// A client gave up a line on which nothing was heard any more.
        Silent,
        /// A device was shown what another one of the same person had said.
        SaidElsewhere,
        /// Somebody who did not read was cut.
        Slow = 1,
        /// The server was killed while nobody was waiting for it.
        Killed = 1,
        /// The server was killed while texts were not acknowledged.
        KilledInBurst = 2,
        /// The server was asked to stop, and stopped.
        Stopped = 1,
        /// A client was told that the server stops.
        Dismissed,
        /// A client died, all that it had shown being stored.
        Died = 1,
        /// A client died between showing and storing.
        DiedUnstored = 1,
        /// A client died between taking a text and sending it.
        DiedUnsent = 2,
        /// A text that was sent again had been accepted before.
        Repeated,
        /// The disk took nothing, and the server said so.
        DiskFull = 1,
    }
}

knobs! {
    /// Something that became of rooms and messages; each must really have happened in a run.
    pub(crate) enum Effect {
        /// An open room was made.
        CreatedOpen,
        /// A closed room was made.
        CreatedClosed,
        /// A direct room was made or found.
        Direct,
        Joined,
        Left,
        Added,
        Removed,
        Renamed,
        /// A room was given another topic.
        Topic,
        /// A request was done that was sent on more than one line.
        DoneLate,
        /// A request was refused.
        Denied,
        /// A text came back, as its author was not in the room any more.
        Failed,
        /// A text of somebody's own was shown in a room other than the hall.
        Said,
        /// An event was shown that had happened while somebody was away.
        Missed,
        /// Somebody was told that they are in a room no more.
        Gone,
        /// A device was told what another one of the same person had seen.
        SeenElsewhere,
        /// Somebody was told that another one is writing.
        Typed,
        /// A page of older records of a room other than the hall was shown.
        Paged,
        /// A message of somebody's own was shown that answers another.
        Replied,
        Edited,
        Deleted,
        Reacted,
        ReactedNoMore,
        /// An operator removed what somebody else had said.
        MessageRemoved,
        /// An operator brought it back.
        Restored,
        /// An amendment was shown that had happened while somebody was away.
        AmendedAway,
        /// An amendment was shown that another device of the same person had said.
        AmendedElsewhere,
        /// A text was given other words before it, or the change of it, was sent.
        EditedUnsent,
        /// A text was taken back before it was sent.
        TakenBackUnsent,
        /// A text was edited before its number was known.
        EditedEarly,
        /// A text was deleted before its number was known.
        DeletedEarly,
        /// Something was said of a message that is none, or is deleted.
        NoMessage,
        /// Somebody wanted to change what another had said.
        NotTheirs,
        /// Somebody of protocol 1 heard an edit.
        EditHeardInOne,
        /// Somebody of protocol 1 heard an answer with the line that it answers.
        ReplyHeardInOne,
        /// Words were accepted, and are in no file any more.
        Erased,
    }
}

/// The number of times that each fault took effect, and of worlds, rounds and messages survived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) fired: Fired<Fault>,
    pub(crate) effects: Fired<Effect>,
    pub(crate) outages: Fired<Outage>,
    /// The faults that several people were told of: to whom each happened, and when.
    told: HashSet<(Fault, String, Option<u64>)>,
    pub(crate) n_worlds: u64,
    pub(crate) n_rounds: u64,
    /// Records in the logs.
    pub(crate) n_messages: u64,
    /// Messages shown to people of protocol 2, and heard by those of protocol 1.
    pub(crate) n_shown: u64,
    /// Those of them that were said while somebody was away.
    pub(crate) n_replayed: u64,
}

impl Tally {
    /// Counts one fault.
    pub(crate) fn note(&mut self, fault: Fault) {
        self.fired.note(fault);
    }

    /// Counts something that became of rooms or messages.
    pub(crate) fn note_effect(&mut self, effect: Effect) {
        self.effects.note(effect);
    }

    /// Returns true if everything has happened.
    pub(crate) fn is_complete(&self) -> bool {
        self.fired.missing().is_empty() && self.effects.missing().is_empty()
    }

    /// Returns the outages that have never happened, if there is anything that may have them.
    pub(crate) fn outages_missing(&self) -> Vec<Outage> {
        let mut missing = self.outages.missing();
        missing.retain(|outage| database::n_standbys().is_some() && outages::is_possible(*outage));
        missing
    }

    /// Counts one fault that everybody is told of: that it happened to somebody at a time.
    pub(crate) fn note_once(&mut self, fault: Fault, name: String, time_ms: Option<u64>) {
        if self.told.insert((fault, name, time_ms)) {
            self.note(fault);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fired, effects, n_worlds, n_rounds, n_messages, n_shown, .. } = self;
        let Self { n_replayed, outages, .. } = self;
        write!(
            formatter,
            "{n_worlds} worlds, {n_rounds} rounds, {n_messages} records, messages shown {n_shown} \
                times, {n_replayed} of them late; {fired}; {effects}"
        )?;
        if database::n_standbys().is_some() { write!(formatter, "; {outages}") } else { Ok(()) }
    }
}
