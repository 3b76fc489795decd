//! Several servers over one store: whatever is late, lost or done twice at once, they are one chat.
//!
//! Each device hears every record of its rooms once and in order, and of no other room; comings and goings
//! are told once; and when all is quiet, every server knows the same, a new one too.

mod acts;
mod finish;
mod server;
mod world;

use self::world::World;
use crate::kit::{knobs, runs};

const SEEDS: u64 = 300;
const STEPS: usize = 250;

knobs! {
    /// Things that must have happened.
    pub(crate) enum Happening {
        /// A guest came too late for a name, or to somebody who was changed.
        OvertakenEntry,
        OvertakenText,
        OvertakenPerson,
        OvertakenRoom,
        OvertakenRule,
        /// Somebody was here on two servers.
        TwoServers,
        /// The owner of a name took it over.
        Displaced,
        Kicked,
        Banned,
        Removed,
        RoomOver,
        /// A device joined by a code that was made on another server.
        PairedElsewhere,
        /// A server died.
        Killed,
        /// The store took nothing for a while.
        Down,
        /// Somebody was let in by an invite.
        Invited,
        /// Somebody on another server was writing.
        Typing,
    }
}

#[test]
fn servers_that_share_a_store_are_one_chat() {
    runs::for_each_seed(SEEDS, |seed, fired| {
        let mut world = World::new(seed, fired);
        for _ in 0..STEPS {
            world.step();
        }
        world.finish();
    });
}
