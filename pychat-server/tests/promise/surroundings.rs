//! The surroundings that everybody in a world shares.

use std::time::Instant;

use mio::{Registry, Token};

use super::{
    line::Line,
    proxy::{Caller, Proxy},
    tally::Tally,
};
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

impl Surroundings<'_> {
    /// Begins to call the proxy; returns `None` if that cannot be.
    pub(crate) fn connect(&mut self, caller: Caller) -> Option<Line> {
        let to = self.proxy.address();
        let line = Line::connect(self.registry, Token(caller.who), to, false).ok()?;
        self.proxy.expect(line.address().unwrap(), caller);
        Some(line)
    }
}
