//! The core: pure. It owns no socket, reads no clock and writes no log; time arrives as an argument.

pub mod admission;
pub mod amending;
pub mod chat;
pub mod connection_map;
pub mod deadlines;
pub mod elsewhere;
pub mod gate;
pub mod id;
pub mod moderation;
pub mod networks;
pub mod people;
pub mod rate_limit;
pub mod record;
pub mod rooms;
pub mod roster;
pub mod secret;
pub mod sweep;
pub mod time;
