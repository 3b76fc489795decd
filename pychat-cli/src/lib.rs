//! The chat for scripts: `pychat-send` says something and ends once it is accepted, `pychat-tail` prints
//! what is said.
//!
//! Both are one thread around [`pychat_wire::Client`], which decides; here is what it does not do: sockets,
//! TLS, files, the terminal.

mod address;
mod connecting;
mod escape;
mod failure;
mod finding;
mod identity;
mod line;
mod options;
mod private_file;
mod records;
mod rooms;
pub mod send;
mod session;
mod signals;
pub mod tail;
mod trust;

pub use failure::Failure;
