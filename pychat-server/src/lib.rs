//! The pychat server. A module knows those below it in this list, and none above it.
//!
//! [`core`] decides and [`server`] carries out; [`reactor`] waits. `ARCHITECTURE.md` at the top of
//! the project draws the whole.

pub mod reactor;
pub mod signals;
pub mod systemd;

pub mod control;

pub mod server;

pub mod archive;

pub mod config;
pub mod handover;
pub mod limits;
pub mod logging;

pub mod net;
pub mod store;

pub mod core;
