//! Texts that wait to be sent again, as the server did not take them the last time.

use std::collections::HashSet;

use super::MessageId;

/// The texts of one line that wait. Times are in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Those that the server did not take, and what was said after them.
    pub(super) ids: HashSet<MessageId>,
    /// The time to send them; `None` while they wait for the answer to what was sent before.
    pub(super) until: Option<u64>,
    /// The server takes one text in so long (slow mode), so texts are sent one by one: of many at once
    /// it would refuse all but one, each time.
    pub(super) is_one_by_one: bool,
    /// Those that were given up before the server answered them: its refusal is no news.
    given_up: HashSet<MessageId>,
}

impl Held {
    /// Takes in that a text is answered for good: those that wait for that may be sent.
    pub(super) fn answer(&mut self, now: u64, id: &MessageId) {
        self.ids.remove(id);
        self.until.get_or_insert(now);
    }

    /// Takes in that a text is given up: if it waits, those that wait with it, perhaps for it alone, may
    /// be sent.
    pub(super) fn give_up(&mut self, now: u64, id: &MessageId) {
        self.given_up.insert(id.clone());
        if self.ids.remove(id) {
            self.until = Some(now);
        }
        self.answer(now, id);
    }

    /// Takes in a refusal of something; returns true if that is a text that was given up.
    pub(super) fn is_given_up(&mut self, id: &str) -> bool {
        self.given_up.remove(&MessageId::heard(id))
    }

    /// Returns the time to send some of them, if there are any.
    pub(super) fn due_at(&self) -> Option<u64> {
        self.until.filter(|_| !self.ids.is_empty())
    }
}
