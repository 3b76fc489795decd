//! The pychat server, as modules in reading order.
//!
//! [`chat`] decides and [`server`] carries out; [`reactor`] waits. `ARCHITECTURE.md` at the
//! top of the project draws the whole.

// The core: pure.
pub mod admission;
pub mod chat;
pub mod deadlines;
pub mod id;
pub mod log;
pub mod rate_limit;
pub mod roster;
pub mod sweep;
pub mod tokens;

// The shell: sockets, clock, signals.
pub mod address;
pub mod clock;
pub mod config;
pub mod connection;
pub mod connections;
pub mod handover;
pub mod limits;
pub mod listener;
pub mod logging;
pub mod outbox;
pub mod reactor;
pub mod server;
pub mod signals;
pub mod systemd;
