//! Sockets: listening, connections, and the bytes that these are owed. Nothing here knows what a
//! person is.

pub mod address;
pub mod connection;
pub mod connection_table;
pub mod identity;
pub mod listen;
pub mod listen_address;
pub mod outbox;
pub mod reach;
mod tls;
pub mod transport;
