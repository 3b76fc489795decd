//! The phase that a client is in, and the state of its line.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Cause, RoomId, SERVER_PAYLOAD_BYTES_MAX, held::Held, page_queue::PageQueue, signals::Signals,
};
use crate::{
    frame::Decoder,
    key::{BINDING_BYTES, Challenge},
    message::Door,
};

/// The protocol that is spoken on a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    /// Protocol 1.
    Original,
    /// Protocol 2.
    Second,
}

impl Protocol {
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Original => 1,
            Self::Second => 2,
        }
    }
}

/// The phase of a client. Times are in milliseconds.
#[derive(Debug)]
pub(super) enum Phase {
    /// There is no line, and none is wanted.
    Idle,
    /// There is no line; the next attempt is at `until`.
    Waiting { until: u64 },
    /// The shell is making a line.
    Calling,
    /// There is a line; the greeting is awaited.
    Connected { until: u64 },
    /// We have said hello.
    Asked { protocol: Protocol, until: u64 },
    /// We are in the room.
    Joined { protocol: Protocol, since: u64 },
}

impl Phase {
    pub(super) fn is_joined(&self, spoken: Protocol) -> bool {
        matches!(self, Self::Joined { protocol, .. } if *protocol == spoken)
    }
}

/// The state of the current line; a new one for each.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) decoder: Decoder,
    /// The time at which bytes last arrived.
    pub(super) heard: u64,
    /// The silence after which we ask whether the server is there, in milliseconds.
    pub(super) ping_ms: u64,
    /// The deadline for its answer, if it was asked.
    pub(super) patience: Option<u64>,
    /// The numbers after which we asked for what we missed, by room.
    pub(super) asked_after: BTreeMap<RoomId, u64>,
    /// The ends of the logs when we entered the rooms: what is said on this line comes after them.
    pub(super) welcomed_at: BTreeMap<RoomId, u64>,
    /// Our person is an operator.
    pub(super) is_operator: bool,
    /// The names of those who are bots.
    pub(super) bots: BTreeSet<String>,
    /// The number of things that were asked for as an operator.
    pub(super) n_operations: u64,
    /// The rooms of which the server may skip what it was asked not to send all of: once a line.
    pub(super) may_skip: BTreeSet<RoomId>,
    /// The marks and notices that are to be sent.
    pub(super) signals: Signals,
    /// The texts that wait to be sent again.
    pub(super) held: Held,
    /// The pages that are asked for.
    pub(super) pages: PageQueue,
    /// The people whom the server lets in, as its greeting says.
    pub(super) admission: Door,
    /// The challenge that the hello on this line signs.
    pub(super) challenge: Challenge,
    /// The name of the server; empty if it gave none.
    pub(super) server_name: String,
    /// The server's explanation of the line's end, should it end now.
    pub(super) farewell: Option<Cause>,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            decoder: Decoder::new(SERVER_PAYLOAD_BYTES_MAX),
            heard: 0,
            ping_ms: 0,
            patience: None,
            asked_after: BTreeMap::new(),
            welcomed_at: BTreeMap::new(),
            is_operator: false,
            bots: BTreeSet::new(),
            n_operations: 0,
            may_skip: BTreeSet::new(),
            signals: Signals::default(),
            held: Held::default(),
            pages: PageQueue::default(),
            admission: Door::default(),
            challenge: Challenge::default(),
            server_name: String::new(),
            farewell: None,
        }
    }
}

impl Line {
    /// Returns true if it is encrypted: the shell then knows that it leads to the right server.
    pub(super) fn is_encrypted(&self) -> bool {
        self.challenge.binding != [0; BINDING_BYTES]
    }

    /// Returns the next deadline, in protocol 2 and once joined.
    pub(super) fn next_deadline(&self) -> u64 {
        let silence = self.patience.unwrap_or(self.heard.saturating_add(self.ping_ms));
        let due = [self.held.due_at(), self.signals.due_at()].into_iter().flatten();
        due.fold(silence, u64::min)
    }
}
