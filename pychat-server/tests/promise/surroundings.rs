//! What everybody in a world has about them.

use std::time::Instant;

use mio::Registry;

use super::{proxy::Proxy, tally::Tally};
use crate::kit::Oracle;

/// The time, the way to the server, what is known of the log, and what is counted.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) now: Instant,
    pub(crate) registry: &'a Registry,
    pub(crate) proxy: &'a mut Proxy,
    pub(crate) oracle: &'a mut Oracle,
    pub(crate) tally: &'a mut Tally,
}
