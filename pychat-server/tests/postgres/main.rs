//! Sessions with a real PostgreSQL: how they begin, what they ask, and how they end.

#![cfg(test)]

#[path = "../kit/postgres.rs"]
#[allow(dead_code, reason = "each test crate uses its part")]
mod database;
#[path = "../kit/process/mod.rs"]
mod process;

mod line;
mod opening;
mod statements;
