//! The pychat wire protocol: what client and server say to each other.
//!
//! This crate does no I/O and reads no clock: bytes and text come in, bytes and values go out, so
//! both ends, their tests and anybody's bot share it. Read [`frame`] first (where a payload ends),
//! then [`message`] (what it says), [`name`] (what a person may be called) and [`client`] (the
//! client's half of the conversation).

pub mod client;
pub mod frame;
pub mod message;
pub mod name;
pub mod notice;

pub use client::Client;
pub use frame::{Decoder, FrameError, PAYLOAD_BYTES_MAX};
pub use message::{ClientMessage, MessageError, ServerMessage};
pub use name::{NameError, UserName};
