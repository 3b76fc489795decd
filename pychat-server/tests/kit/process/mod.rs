//! The parts that the tests over real sockets share: a server in a process of its own, and peers
//! that talk to it. Everything waits for what it wants to see, up to [`PATIENCE`]; nothing sleeps
//! blindly.

#![allow(dead_code, unused_imports, reason = "each test crate uses its part")]

mod log;
mod peer;
mod server;
mod skip;
mod stream;
mod tls;
mod world;

use std::time::Duration;

pub(crate) use self::{
    log::Log,
    peer::{Message, Peer, frame, hello, text},
    server::{PROGRAM, Server, exit_code, program, signal, wait_until},
    skip::{has_address, skip},
    tls::{Handshake, binding},
    world::World,
};

/// The longest that anything may take before the test gives up; no test measures speed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The notices that the tests meet most often, to the letter.
pub(crate) const GREETING: &str = "Connection established. Waiting for your username...";
pub(crate) const STILL_WAITING: &str = "Still waiting for your username....";
pub(crate) const GOODBYE: &str = "Connection closed due to server is shutting down. Bye!\n";

/// Returns the notice that a newcomer is told, `names` being of those who were there before.
pub(crate) fn welcome(name: &str, names: &[&str]) -> String {
    let online = names.len();
    let mut welcome = format!("Добро пожаловать, {name}. Участников онлайн в чате: {online}");
    if !names.is_empty() {
        welcome += "\n";
        welcome += &names.join(", ");
    }
    welcome
}

/// Returns the notice that the others are told when somebody comes.
pub(crate) fn joined(name: &str) -> String {
    format!("{name} присоединился к чату.")
}

/// Returns the notice that the others are told when somebody goes.
pub(crate) fn left(name: &str) -> String {
    format!("{name} покинул чат.")
}
