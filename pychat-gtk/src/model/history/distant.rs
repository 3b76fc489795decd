//! Messages that were said long before all others that are here: shown in the place of these, which wait
//! below a gap. Who reads on down there has the gap filled page by page.

use gtk::glib::subclass::prelude::*;

use super::{History, Message, message_queue, position};

/// The numbers between what is shown and what waits: those that are not here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gap {
    /// The first of them.
    pub from: u64,
    /// The number before which they end.
    pub before: u64,
}

impl History {
    /// Returns the lowest number that is shown; `None` if no message has one, or if theirs belong to
    /// something else than the log that there is.
    pub fn first_seq(&self) -> Option<u64> {
        let is_stale = 0 < self.imp().overflow.n_stale.get() || !self.can_go_back();
        self.imp().first_seq.get().filter(|_| !is_stale)
    }

    /// Returns the numbers that are missing below what is shown, if there are any.
    pub fn gap(&self) -> Option<Gap> {
        let imp = self.imp();
        if !imp.overflow.has_gap.get() || self.first_seq().is_none() {
            return None;
        }
        let last = imp.arrived.borrow().iter().rev().find_map(Message::seq)?;
        let later = imp.overflow.later.borrow().iter().find_map(Message::seq);
        let next = || imp.last_seq.get().map(|last| last.saturating_add(1));
        let from = imp.overflow.filled_to.get().max(last.saturating_add(1));
        Some(Gap { from, before: later.or_else(next)? })
    }

    /// Shows `messages`, oldest first, which end right before number `before`, in the place of all others.
    /// These wait, and what is between is not here.
    pub fn turn_to(&self, before: u64, messages: Vec<Message>) {
        self.flush();
        let imp = self.imp();
        if imp.overflow.has_gap.replace(true) {
            let n_removed = imp.arrived.take().len();
            self.tell_change(0, position(n_removed), 0);
        } else {
            let n_waiting = imp.arrived.borrow().len();
            self.detach(n_waiting);
        }
        imp.overflow.filled_to.set(before);
        imp.first_seq.set(Some(before));
        self.prepend(messages);
    }

    /// Shows `messages`, oldest first, which are all that was said in the gap before number `before`.
    pub fn fill_gap(&self, before: u64, mut messages: Vec<Message>) {
        let imp = self.imp();
        let Some(gap) = self.gap() else { return };
        let is_missing = |seq: u64| gap.from <= seq && seq < before.min(gap.before);
        messages.retain(|message| message.seq().is_some_and(is_missing));
        imp.overflow.filled_to.set(before);
        imp.overflow.has_gap.set(before < gap.before);
        let (n_added, n_bytes) = (messages.len(), message_queue::size(&messages));
        let n_forgotten = self.make_room(n_added, n_bytes);
        self.quote_all(&messages);
        let at = imp.arrived.borrow().len();
        imp.arrived.borrow_mut().extend(messages);
        self.tell_change(position(at), 0, position(n_added));
        self.forget(n_forgotten);
        self.update_unread();
    }
}
