//! The whole server below the reactor, over lines of the tests' own.
//!
//! `ticks` tells, tick by tick, what the loop promises; `simulation` lets chance do its worst in
//! `world`, of which each line may break, and `clients` has the clients of the wire in its place. `several`
//! has several chats over one store.

mod clients;
mod invites;
#[path = "../kit/mod.rs"]
mod kit;
mod several;
mod simulation;
mod ticks;
mod world;
