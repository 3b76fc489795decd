//! The pychat wire protocol: frames, messages, names, and the client's side of a conversation.
//!
//! This crate does no I/O and reads no clock: bytes and text come in, bytes and values go out, so
//! both ends, their tests and anybody's bot share it. Read [`frame`] first (the bounds of
//! payloads), then [`message`] (their content), [`name`] (the rules of names), [`key`] (the proof of
//! who somebody is), [`link`] (an invitation), [`search`] (what a search finds) and [`client`] (the client's
//! side of a conversation). With the feature `tls` there is also the client's side of an encrypted
//! connection.

pub mod client;
pub mod frame;
pub mod key;
pub mod link;
pub mod message;
pub mod name;
pub mod notice;
pub mod search;
#[cfg(feature = "tls")]
pub mod tls;

pub use client::Client;
pub use frame::{Decoder, FrameError, PAYLOAD_BYTES_MAX};
pub use link::Link;
pub use message::{ClientMessage, MessageError, ServerMessage};
pub use name::{NameError, UserName};
