//! The programs as people meet them: the real ones, against the real server, over real sockets.
//!
//! Every test has a server of its own on a port that the system chose, and a folder of its own for all
//! that is kept.

mod door;
mod exactly_once;
mod following;
mod relay;
mod saying;
mod several;
mod trusting;
mod world;
