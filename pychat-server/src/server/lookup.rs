//! The records that operators on the machine look up in the store.

use std::ops::ControlFlow;

use pychat_wire::link::Address;

use super::{history::Source, replay::PAGE_BYTES_MAX};
use crate::{
    core::{
        chat::Chat,
        moderation::{AuditEntry, ListedMessage},
        record::{Entry, Kind},
    },
    store::{Read, Records},
};

/// The most messages that are listed at once.
pub const LISTED_MAX: u64 = 500;

/// The way to look something up.
#[derive(Debug)]
pub struct Lookup<'a> {
    pub(super) chat: &'a Chat,
    pub(super) servers: &'a [Address],
    pub(super) source: Source<'a>,
}

impl Lookup<'_> {
    /// Returns the addresses of all servers of the chat; none if it is the only one.
    pub fn servers(self) -> Vec<String> {
        self.servers.iter().map(ToString::to_string).collect()
    }

    /// Returns the newest `limit` records of what operators did, oldest first; `None` while they are being
    /// fetched.
    ///
    /// # Errors
    ///
    /// The reason why they cannot be read, for people to read.
    pub fn audit(self, limit: usize) -> Result<Option<Vec<AuditEntry>>, String> {
        self.source.store.audit(limit).map_err(|error| format!("{error}."))
    }

    /// Returns the newest `limit` messages and events of a room, by the name that peers know it by, before
    /// number `before`, oldest first: as many as make a page, and at most [`LISTED_MAX`]; `None` while they
    /// are being fetched.
    ///
    /// # Errors
    ///
    /// The reason why there are none, for people to read.
    pub fn messages(
        self,
        room: &str,
        limit: u64,
        before: Option<u64>,
    ) -> Result<Option<Vec<ListedMessage>>, String> {
        let room = self.chat.moderated_room(room)?;
        let Source { store, broadcasts } = self.source;
        let next = broadcasts.published_seq(room) + 1;
        let end = before.unwrap_or(next).min(next);
        let limit = limit.clamp(1, LISTED_MAX);
        let start = store
            .page_start(room, end, limit, PAGE_BYTES_MAX, Records::Shown)
            .map_err(|error| format!("{error}."))?;
        let Some(start) = start else { return Ok(None) };
        let mut listed = Vec::new();
        let mut each = |entry: Entry<'_>| {
            if end <= entry.seq {
                return ControlFlow::Break(());
            }
            listed.push(list(entry));
            ControlFlow::Continue(())
        };
        let after = start.saturating_sub(1);
        let read = store.read(room, after, Records::Shown, &mut each);
        let read = read.map_err(|error| format!("{error}."))?;
        Ok((read == Read::Done).then_some(listed))
    }
}

fn list(entry: Entry<'_>) -> ListedMessage {
    ListedMessage {
        number: entry.seq,
        time_ms: entry.time_ms,
        author: entry.author.to_owned(),
        words: entry.kind.text().to_owned(),
        deleted: entry.state.is_deleted,
        event: match entry.kind {
            Kind::Event { event, .. } => Some(event),
            Kind::Text(_) | Kind::Amendment { .. } => None,
        },
    }
}
