//! The messages from before we came: pages of each room, until there is enough.

use std::collections::BTreeMap;

use pychat_wire::{
    Client,
    client::{Message, Page, RoomId, RoomRecord},
    message::PAGE_MESSAGES_MAX,
};

use crate::records::Record;

/// The most records that are printed of each room.
const RECORDS_MAX: usize = 100_000;

/// The part of the messages from before that is printed, of each room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    Nothing,
    Lines(u64),
    Since(u64),
}

/// The pages that have come so far.
#[derive(Debug)]
pub(super) struct Backlog {
    wanted: Wanted,
    /// The rooms whose pages are on their way.
    asked: BTreeMap<RoomId, usize>,
    found: Vec<Found>,
}

/// One record of a page.
#[derive(Debug)]
pub(super) enum Found {
    Message(Message),
    Event(RoomRecord),
}

impl Backlog {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self { wanted, asked: BTreeMap::new(), found: Vec::new() }
    }

    /// Returns true while pages are on their way.
    pub(super) fn is_waiting(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Begins with a room.
    pub(super) fn ask(&mut self, client: &mut Client, room: &RoomId) {
        self.ask_more(client, room, 0);
    }

    /// Takes a page.
    pub(super) fn on_page(&mut self, client: &mut Client, page: Page) {
        let Some(n_before) = self.asked.remove(&page.room) else { return };
        let (room, start) = (page.room, page.start);
        let messages = page.messages.into_iter().map(Found::Message);
        let found: Vec<_> = messages.chain(page.events.into_iter().map(Found::Event)).collect();
        let oldest = found.iter().filter_map(Found::seq).min();
        let n_found = n_before + found.len();
        let is_wanted = |record: &Found| match self.wanted {
            Wanted::Since(since) => record.seq().is_none_or(|seq| since < seq),
            Wanted::Lines(_) | Wanted::Nothing => true,
        };
        self.found.extend(found.into_iter().filter(is_wanted));
        let is_enough = match (self.wanted, oldest) {
            (_, None) => true, // Nothing came that could be shown.
            (Wanted::Since(since), Some(oldest)) => oldest <= since.saturating_add(1),
            (Wanted::Lines(_) | Wanted::Nothing, Some(_)) => false,
        };
        if !start && !is_enough && n_found < RECORDS_MAX {
            self.ask_more(client, &room, n_found);
        }
    }

    /// Takes in that no page of this room will come.
    pub(super) fn forget(&mut self, room: &RoomId) {
        self.asked.remove(room);
    }

    /// Takes in that no page at all will come.
    pub(super) fn forget_all(&mut self) {
        self.asked.clear();
    }

    /// Takes what has come, in the order in which it was said.
    pub(super) fn take(&mut self) -> Vec<Found> {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_key(|record| (record.time_ms(), record.seq()));
        found
    }

    fn ask_more(&mut self, client: &mut Client, room: &RoomId, n_found: usize) {
        let limit = match self.wanted {
            Wanted::Nothing => 0,
            Wanted::Lines(lines) => lines.saturating_sub(n_found as u64),
            Wanted::Since(_) => PAGE_MESSAGES_MAX,
        };
        if 0 < limit && client.request_history(room, limit.min(PAGE_MESSAGES_MAX)) {
            self.asked.insert(room.clone(), n_found);
        }
    }
}

impl Found {
    pub(super) fn room(&self) -> &RoomId {
        match self {
            Self::Message(message) => &message.room,
            Self::Event(record) => &record.room,
        }
    }

    pub(super) fn record(&self) -> Record<'_> {
        match self {
            Self::Message(message) => Record::Message(message),
            Self::Event(record) => Record::Event(record),
        }
    }

    fn seq(&self) -> Option<u64> {
        match self {
            Self::Message(message) => message.seq,
            Self::Event(record) => Some(record.seq),
        }
    }

    fn time_ms(&self) -> Option<u64> {
        match self {
            Self::Message(message) => message.time_ms,
            Self::Event(record) => Some(record.time_ms),
        }
    }
}
