//! Mentions that came while the client was not there. The server counts what is unread, and does not know
//! whom it calls: it is asked once for the reader's name in all rooms, and what it finds is counted by the
//! rule that holds for what is heard. Nobody is notified of it.

use gtk::glib::subclass::prelude::*;
use pychat_wire::{
    Client,
    client::{self, SEARCH_LIMIT_MAX, SearchEnd},
};

use super::{Session, SessionState};

/// The state of the search for missed mentions.
#[derive(Debug, Default)]
pub(super) enum MissedMentions {
    /// All that was unread at the welcome is known, or is on its way.
    #[default]
    None,
    /// It is not: the search is to be made.
    Due,
    /// The search is made, under this id.
    Asked(String),
    /// The search was made over this connection.
    Done,
}

impl Session {
    /// Takes in a welcome; `is_missing` if there are rooms of which nothing before it will be heard.
    pub(super) fn begin_missed_mentions(&self, is_missing: bool) {
        let mut missed = self.imp().rooms_state.missed_mentions.borrow_mut();
        let is_due = is_missing || matches!(*missed, MissedMentions::Due);
        *missed = if is_due { MissedMentions::Due } else { MissedMentions::None };
    }

    /// Takes in that something will not be heard after all.
    pub(super) fn expect_missed_mentions(&self) {
        let mut missed = self.imp().rooms_state.missed_mentions.borrow_mut();
        if let MissedMentions::None = *missed {
            *missed = MissedMentions::Due;
        }
    }

    /// Asks the server for the newest messages that have the reader's name in them, if that is due and
    /// anything is unread that was there at the welcome. One page is enough: in it are the mentions in all that a reader would look at.
    pub(super) fn search_missed_mentions(&self) {
        let mut missed = self.imp().rooms_state.missed_mentions.borrow_mut();
        if !matches!(*missed, MissedMentions::Due) || self.state() != SessionState::Joined {
            return;
        }
        let is_missing = |client: &Client| {
            let was_there = |room: &client::Room| room.read < client.welcomed_at(&room.id);
            client.rooms().iter().any(|room| 0 < room.unread && was_there(room))
        };
        if !self.ask_client(is_missing).unwrap_or_default() {
            *missed = MissedMentions::None;
            return;
        }
        // Words in a row, so that a name of several is found as one.
        let query = format!("\"{}\"", self.name());
        let search =
            client::Search { query: &query, limit: SEARCH_LIMIT_MAX, ..client::Search::default() };
        if let Some(id) = self.with_client(|client| client.search(&search)).flatten() {
            *missed = MissedMentions::Asked(id);
        }
    }

    /// Takes in a message that a search has found.
    pub(super) fn on_mention_found(&self, search: &str, said: &client::Message) {
        if self.is_for_missed_mentions(search)
            && let Some(room) = self.rooms().room(said.room.as_str())
        {
            room.count_missed(said);
        }
    }

    /// Takes in how a search has ended. One that was lost with the connection is made again over the next.
    pub(super) fn on_mentions_ended(&self, search: &str, end: &SearchEnd) {
        if self.is_for_missed_mentions(search) {
            let is_lost = *end == SearchEnd::Lost;
            let missed = if is_lost { MissedMentions::Due } else { MissedMentions::Done };
            self.imp().rooms_state.missed_mentions.replace(missed);
        }
    }

    fn is_for_missed_mentions(&self, search: &str) -> bool {
        let missed = self.imp().rooms_state.missed_mentions.borrow();
        matches!(&*missed, MissedMentions::Asked(id) if id == search)
    }
}
