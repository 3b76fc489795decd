//! The promise, under chance: every accepted text is shown by everybody exactly once and in order.
//!
//! Real clients of protocol 2, over lines that cut bytes anywhere and die at any byte in either
//! direction; clients are killed and go on from what was stored, the server crashes, cannot store,
//! forgets its oldest messages and loses its log.
//!
//! `SEED=7` replays one run, `SEEDS=100000` makes as many.

mod amending;
mod calm;
mod check;
mod person;
mod rooms;
mod searching;
mod shown;
mod trouble;
mod world;

use self::world::World;
use crate::kit::{knobs, runs};

const SEEDS: u64 = 1_000;

knobs! {
    /// The faults, each of which must take effect in the course of all runs. Those with a number
    /// are made, so often in 42 times that something is; the others follow.
    enum Fault {
        /// A line died while bytes were on their way to the server.
        CutUp = 8,
        /// A line died while bytes were on their way to a client.
        CutDown = 8,
        /// A line fell silent.
        Silenced = 4,
        /// Nothing was read from a line.
        Stalled = 4,
        /// Somebody who did not read was cut.
        Slow,
        /// A client was killed, all that it had shown being stored.
        Killed = 4,
        /// A client was killed between showing and storing.
        KilledUnstored,
        /// A window was opened again after its client was killed.
        Reopened,
        /// The server was killed.
        Crashed = 4,
        /// The server was killed when something was not read or not answered.
        CrashedUnanswered,
        /// The store took nothing for a while.
        StoreFull = 2,
        /// A text was refused for that.
        NotStored,
        /// The oldest messages were forgotten.
        Trimmed = 2,
        /// They were forgotten while somebody was told of older ones.
        TrimmedReplaying,
        /// A client was told that it missed what is forgotten.
        Gap,
        /// The log was lost.
        LogLost = 2,
        /// A client was told of another log.
        OtherEpoch,
        /// The server was away for a while.
        Away = 4,
        /// A client found nobody there.
        Unreachable,
        /// A text was sent twice.
        Resent,
        /// Its answer came before the message was replayed.
        Overtaken,
        /// An older page was asked for.
        Page,
        /// A search found something.
        Found,
        /// A search came to its end, or may find more.
        FoundEnd,
        FoundMore,
        /// A line was lost before the search on it had ended.
        SearchLost,
        /// A search was refused, as its author was not in the room any more.
        SearchRefused,
        /// Messages that somebody had missed were replayed.
        Replayed,
        /// Somebody came into a room, or found that they were in it.
        Entered,
        /// Somebody was in a room no more.
        Gone,
        /// Something happened to a room that somebody was in.
        Happened,
        /// Something had happened to a room while somebody was away.
        Missed,
        /// A request to make or change a room was done.
        Done,
        /// A request was refused, as it was so already, or could not be.
        NotDone,
        /// Something was asked of a room by somebody who was not in it.
        Outside,
        /// A text was refused, as its author was not in the room any more.
        Refused,
        Edited,
        Deleted,
        Reacted,
        /// A message had been amended while somebody was away.
        AmendmentMissed,
        /// Something was said of a message that is none, or is deleted.
        NoMessage,
        /// Somebody wanted to change what another had said.
        NotTheirs,
    }
}

type Fired = crate::kit::Fired<Fault>;

#[test]
fn every_accepted_text_is_shown_by_everybody_exactly_once() {
    runs::for_each_seed(SEEDS, |seed, fired| {
        let mut world = World::new(seed, fired);
        world.live();
        world.settle();
        check::all(world);
    });
}
