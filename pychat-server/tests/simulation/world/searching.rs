//! Searches: what people of protocol 2 look for, in all their rooms or in one that they may not be in.

use pychat_wire::{
    ClientMessage,
    message::{ErrorCode, Search},
};

use super::{Checker, NAMES, Peer, World, fault::Fault, limits::REQUEST_COST};

/// The most searches that a polite client makes before it has the end of the first.
const SEARCHES_MAX: usize = 3;

impl World<'_> {
    /// Somebody searches, if they wait for the ends of fewer than a polite client.
    pub(super) fn search(&mut self, peer: usize) {
        self.search_with(peer, SEARCHES_MAX);
    }

    /// Somebody makes more searches at once than they may.
    pub(super) fn search_much(&mut self, peer: usize) {
        (0..6).for_each(|_| self.search_with(peer, usize::MAX));
    }

    fn search_with(&mut self, peer: usize, searches_max: usize) {
        let (who, number) = (self.below(self.people.len()), self.below(30));
        let (query, from) = match self.below(8) {
            0 => (String::new(), Some(NAMES[self.below(NAMES.len())].into())),
            1 => (String::new(), None),
            2 => (format!("\"{who} {number}\""), None),
            3 => (format!("{number} {who}"), None),
            4 => (format!("{number}* {who}"), None),
            5 => (number.to_string(), Some(self.people[who].name.clone().into())),
            _ => (format!("{who} "), None),
        };
        let room = (self.below(3) == 0).then(|| self.some_room(peer));
        let begin = room.clone().unwrap_or_default();
        let before = (self.below(4) == 0).then(|| self.some_message(peer, &begin));
        let limit = [0, 1, 3, 100, 1_000][self.below(5)];
        let Peer { checker: Checker::V2 { checker, .. }, is_leaving: false, .. } =
            &self.peers[peer]
        else {
            return;
        };
        if checker.name().is_none() || searches_max <= checker.n_searches() {
            return;
        }
        self.n_searches += 1;
        self.peers[peer].units += REQUEST_COST;
        let search = Search {
            reference: format!("s{}", self.n_searches).into(),
            query: query.into(),
            room: room.map(Into::into),
            from,
            before: before.map(|seq| format!("{seq}.{begin}").into()),
            limit,
        };
        self.say(peer, &ClientMessage::Search(search));
    }

    /// A search is refused.
    pub(super) fn on_search_refused(&mut self, code: ErrorCode, text: &str) {
        if code == ErrorCode::NoRoom {
            self.on_no_room(text);
        }
        self.fire(match code {
            ErrorCode::NoRoom | ErrorCode::Forbidden => Fault::SearchedOutside,
            ErrorCode::SlowDown => Fault::TooManySearches,
            ErrorCode::NotDone => Fault::SearchBrokenOff,
            code => panic!("a search is refused: {code:?}"),
        });
    }
}
