//! The bounds of a history, by number and by bytes, and the handling of messages beyond them.
//!
//! While its reader is at the end, the oldest are forgotten: the server has them still, and they
//! can be asked for again as pages. While the reader is elsewhere, what they read stays, and what
//! there is no room for waits behind it, newest last. It is shown when they come down to it, or
//! all at once when they go to the end.

use std::cell::{Cell, RefCell};

use gtk::glib::subclass::prelude::*;

use super::{
    HISTORY_MESSAGES_MAX, History, Message, message_queue, message_queue::MessageQueue, position,
};

/// The most bytes that the texts of all messages have which have arrived and are kept, shown or not.
pub(super) const HISTORY_BYTES_MAX: usize = 32 << 20;

/// The most of them that are shown; as many may wait.
const SHOWN_BYTES_MAX: usize = HISTORY_BYTES_MAX / 2;

/// The messages for which there is no room: those that wait, and those that are forgotten.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    /// Messages that have arrived after all those shown, while there is no room for them.
    pub(super) later: RefCell<MessageQueue>,
    /// True while these, and what has not arrived, are not shown.
    pub(super) is_detached: Cell<bool>,
    /// True while some are missing between those shown and those.
    pub(super) has_gap: Cell<bool>,
    /// The number up to which, without it, all is shown that was said before these.
    pub(super) filled_to: Cell<u64>,
    /// True while the reader is elsewhere than at the end.
    pub(super) is_away: Cell<bool>,
    /// The number of the oldest messages whose sequence numbers belong to an earlier log, or to
    /// an end that the log has lost.
    pub(super) n_stale: Cell<usize>,
    /// True while it is not known what was before the oldest.
    pub(super) has_forgotten: Cell<bool>,
    /// The number of the oldest, once those before it were forgotten.
    pub(super) forgotten_before: Cell<Option<u64>>,
}

impl History {
    /// Returns true if it is known what comes before all that is shown.
    pub fn can_go_back(&self) -> bool {
        !self.imp().overflow.has_forgotten.get()
    }

    /// Returns the bytes that the texts have of all messages which have arrived and are kept.
    pub fn n_bytes(&self) -> usize {
        let imp = self.imp();
        let n_waiting = message_queue::size(&*imp.batch.borrow());
        imp.arrived.borrow().n_bytes() + imp.overflow.later.borrow().n_bytes() + n_waiting
    }

    /// Returns true while there are newer messages than those shown.
    pub fn is_detached(&self) -> bool {
        self.imp().overflow.is_detached.get()
    }

    /// Takes in whether the reader is elsewhere than at the end. At the end, the latest messages
    /// are shown.
    pub fn set_away(&self, is_away: bool) {
        self.imp().overflow.is_away.set(is_away);
        if !is_away {
            self.show_latest();
        }
    }

    /// Returns the number of the oldest message that is left, if older ones were forgotten since
    /// this was asked last.
    pub fn take_forgotten(&self) -> Option<u64> {
        self.imp().overflow.forgotten_before.take()
    }

    /// Shows at most `n` of the messages that wait, below those shown; the oldest make room.
    pub fn show_later(&self, n: usize) {
        let imp = self.imp();
        if !self.is_detached() {
            return;
        }
        let has_gap = imp.overflow.has_gap.take();
        let n = if has_gap { usize::MAX } else { n };
        let messages = imp.overflow.later.borrow_mut().take_first(n);
        let ends = imp.overflow.later.borrow().is_empty();
        let n_unsent = if ends { imp.unsent.borrow().len() } else { 0 };
        let n_added = messages.len() + n_unsent;
        // What comes after a hole does not belong below what is before it.
        let n_wanted = if has_gap { HISTORY_MESSAGES_MAX } else { n_added };
        let n_forgotten = self.make_room(n_wanted, message_queue::size(&messages));
        let at = imp.arrived.borrow().len();
        imp.arrived.borrow_mut().extend(messages);
        imp.overflow.is_detached.set(!ends);
        self.tell_change(position(at), 0, position(n_added));
        self.forget(n_forgotten);
        if has_gap {
            self.lose_unread();
        }
    }

    /// Shows the latest messages, wherever the reader is.
    pub fn show_latest(&self) {
        self.show_later(usize::MAX);
    }

    /// Has the last `n` of those that have arrived wait, and what has not arrived.
    pub(super) fn detach(&self, n: usize) {
        let imp = self.imp();
        let n_unsent = if self.is_detached() { 0 } else { imp.unsent.borrow().len() };
        let waiting = imp.arrived.borrow_mut().take_last(n);
        let (at, n) = (imp.arrived.borrow().len(), waiting.len());
        imp.overflow.later.borrow_mut().put_before(waiting);
        imp.overflow.is_detached.set(true);
        if 0 < n + n_unsent {
            self.tell_change(position(at), position(n + n_unsent), 0);
        }
        self.bound_later();
    }

    /// Has `messages`, which are the latest, wait.
    pub(super) fn push_later(&self, messages: impl IntoIterator<Item = Message>) {
        self.imp().overflow.later.borrow_mut().extend(messages);
        self.bound_later();
    }

    /// Returns true if there is room for `messages` below those shown.
    pub(super) fn can_take(&self, messages: &[Message]) -> bool {
        let n_bytes = self.imp().arrived.borrow().n_bytes() + message_queue::size(messages);
        self.len() + messages.len() <= HISTORY_MESSAGES_MAX && n_bytes <= SHOWN_BYTES_MAX
    }

    /// Leaves of `messages`, which are a page of older ones, as many of the newest as there can be
    /// room for. The others can be asked for again.
    pub(super) fn cut_page(&self, messages: &mut Vec<Message>) {
        if 0 < skip_oldest(messages)
            && let Some(oldest) = messages.iter().find_map(Message::seq)
        {
            self.imp().first_seq.set(Some(oldest));
            self.imp().overflow.forgotten_before.set(Some(oldest));
        }
    }

    /// Takes in that nothing is here of what comes after all that was said so far, up to number `seq`.
    /// At the end, what was before is forgotten like that, and can be asked for page by page; a
    /// reader who is elsewhere reads on there, and finds what comes on coming down to it.
    pub fn skip_to(&self, seq: u64) {
        self.flush();
        let imp = self.imp();
        imp.last_seq.set(imp.last_seq.get().max(Some(seq)));
        if imp.overflow.is_away.get() {
            self.detach(0);
            imp.overflow.later.take();
            imp.overflow.has_gap.set(true);
            imp.overflow.filled_to.set(0);
            return;
        }
        let n_forgotten = imp.arrived.take().len();
        self.tell_change(0, position(n_forgotten), 0);
        self.forget(n_forgotten.max(1)); // Were there nothing, its place would still be another.
    }

    /// Has as many of the latest wait as it takes to have room for `messages` above those shown.
    pub(super) fn detach_for(&self, messages: &[Message]) {
        let n_over = {
            let arrived = self.imp().arrived.borrow();
            let n_bytes = arrived.n_bytes() + message_queue::size(messages);
            let by_bytes = message_queue::n_over(arrived.iter().rev(), n_bytes, SHOWN_BYTES_MAX);
            let by_count = (self.len() + messages.len()).saturating_sub(HISTORY_MESSAGES_MAX);
            by_count.max(by_bytes)
        };
        if 0 < n_over {
            self.detach(n_over);
        }
    }

    /// Makes room where the messages that are shown have grown: the oldest leave, or, for a reader who is
    /// elsewhere, the latest wait.
    pub(super) fn bound_shown(&self) {
        if self.imp().overflow.is_away.get() {
            self.detach_for(&[]);
        } else {
            let n_forgotten = self.make_room(0, 0);
            self.forget(n_forgotten);
        }
    }

    /// Lets no more wait than are shown. Of more the oldest are forgotten: a reader who comes down
    /// to them goes on with those that are left; above these the server has the others.
    pub(super) fn bound_later(&self) {
        let imp = self.imp();
        let mut later = imp.overflow.later.borrow_mut();
        let by_count = later.len().saturating_sub(HISTORY_MESSAGES_MAX);
        let by_bytes = message_queue::n_over(later.iter(), later.n_bytes(), SHOWN_BYTES_MAX);
        let n_forgotten = by_count.max(by_bytes).min(later.len().saturating_sub(1));
        if 0 < n_forgotten {
            later.take_first(n_forgotten);
            if !imp.overflow.has_gap.replace(true) {
                imp.overflow.filled_to.set(0);
            }
        }
    }

    /// Takes as many of the oldest away as it takes to have room for `n_added` with so many bytes;
    /// returns how many.
    pub(super) fn make_room(&self, n_added: usize, bytes_added: usize) -> usize {
        let n_removed = {
            let arrived = self.imp().arrived.borrow();
            let by_count = (self.len() + n_added).saturating_sub(HISTORY_MESSAGES_MAX);
            let n_bytes = arrived.n_bytes() + bytes_added;
            let by_bytes = message_queue::n_over(arrived.iter(), n_bytes, SHOWN_BYTES_MAX);
            by_count.max(by_bytes).min(arrived.len())
        };
        if 0 < n_removed {
            self.imp().arrived.borrow_mut().take_first(n_removed);
            self.tell_change(0, position(n_removed), 0);
        }
        n_removed
    }

    /// Takes in that the `n` oldest messages are gone. What is before those that are left can be
    /// asked for, unless they are of an earlier log, or of an end that the log has lost: what is
    /// before their numbers is something else by now.
    pub(super) fn forget(&self, n: usize) {
        let imp = self.imp();
        if n == 0 {
            return;
        }
        imp.overflow.n_stale.set(imp.overflow.n_stale.get().saturating_sub(n));
        let is_known = imp.overflow.n_stale.get() == 0;
        imp.overflow.has_forgotten.set(!is_known);
        if is_known {
            let oldest = {
                let (arrived, later) = (imp.arrived.borrow(), imp.overflow.later.borrow());
                arrived.iter().chain(later.iter()).find_map(Message::seq)
            };
            let next = || imp.last_seq.get().map(|last| last.saturating_add(1));
            imp.first_seq.set(oldest.or_else(next));
            imp.overflow.forgotten_before.set(imp.first_seq.get());
        }
    }

    /// Takes in that the numbers of all messages so far belong to something else than those of
    /// the messages to come.
    pub(super) fn invalidate_seqs(&self) {
        self.flush();
        let imp = self.imp();
        imp.overflow.n_stale.set(imp.arrived.borrow().len() + imp.overflow.later.borrow().len());
    }
}

/// Leaves of `messages` the latest, as many as there can be room for and at least one; returns how
/// many are gone.
pub(super) fn skip_oldest(messages: &mut Vec<Message>) -> usize {
    let by_count = messages.len().saturating_sub(HISTORY_MESSAGES_MAX);
    let by_bytes =
        message_queue::n_over(messages.iter(), message_queue::size(&*messages), SHOWN_BYTES_MAX);
    let n_skipped = by_count.max(by_bytes).min(messages.len().saturating_sub(1));
    messages.drain(..n_skipped);
    n_skipped
}
