//! All that a server keeps, moved from a file into a database and back, and copied out of either.

#![cfg(test)]

#[path = "../kit/postgres.rs"]
#[allow(dead_code, reason = "each test crate uses its part")]
mod database;
#[path = "../kit/keys.rs"]
mod keys;
#[path = "../kit/process/mod.rs"]
mod process;

mod copies;
mod faults;
mod resuming;
mod shelf;
mod there_and_back;
