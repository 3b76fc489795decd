//! The messages that are new to the reader.
//!
//! Where messages have numbers, those are new that had not been seen when the reader was at the end
//! last: the ones that came in their absence too, and ones that have yet to be fetched. How far
//! they have read since is a number as well, and as everything up to it was seen, it stays where it
//! is while some are missing in between. Where there are no numbers, messages are new that come
//! while the reader does not look.
//!
//! Missed messages are not seen by being shown at the end: there may be more than fit there, so the
//! view is told when [all of them have come](History::connect_caught_up).

use std::cell::{Cell, RefCell};

use gtk::{gio::prelude::*, glib, glib::subclass::prelude::*};

use super::{History, Message, position};
use crate::model::MessageKind;

/// The messages that are new to the reader, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// True while the reader does not see what comes.
    pub(super) is_unattended: Cell<bool>,
    /// The number above which messages are shown as new: they were not seen when the end was
    /// seen last.
    pub(super) after: Cell<u64>,
    /// The last number that was missed, until everything is shown that was.
    pub(super) missed_until: Cell<Option<u64>>,
    /// The first message that is new to the reader; it is known until something else is.
    pub(super) first: RefCell<Option<Message>>,
    /// True while that has yet to be fetched.
    pub(super) is_mark_due: Cell<bool>,
}

impl History {
    /// Takes in that the reader has seen everything up to number `seen`, and missed what comes after
    /// it up to number `latest`.
    pub fn read_from(&self, seen: u64, latest: u64) {
        let imp = self.imp();
        imp.seen.set(seen);
        imp.unread.after.set(seen);
        imp.unread.missed_until.set(Some(latest).filter(|latest| seen < *latest));
        imp.unread.is_mark_due.set(false);
        self.set_unread(0);
        self.update_unread();
    }

    /// Takes in whether the reader sees what comes, at the end. What came before they looked again
    /// is marked until something else is, or until they answer.
    pub fn set_attended(&self, is_attended: bool) {
        if is_attended && self.imp().unread.is_unattended.get() {
            self.count_missed(&self.imp().batch.borrow()); // It has come, and is about to be shown.
            self.count_unread();
        }
        self.imp().unread.is_unattended.set(!is_attended);
        self.update_unread();
    }

    /// Takes in that the reader has seen `message`, and so what was shown before it.
    pub fn see(&self, message: &Message) {
        let arrived = self.imp().arrived.borrow();
        let Some(index) = arrived.iter().rposition(|it| it == message) else { return };
        let first_known = self.imp().overflow.n_stale.get();
        if index < first_known {
            return;
        }
        let seq = arrived.range(first_known..=index).rev().find_map(Message::seq);
        drop(arrived);
        if let Some(seq) = seq {
            self.see_up_to(seq);
        }
    }

    /// Takes in that nothing is new to the reader any more, whether they have seen it or not.
    pub fn see_all(&self) {
        let imp = self.imp();
        imp.unread.missed_until.take();
        imp.unread.is_mark_due.set(false);
        self.mark_unread(None);
        self.set_behind(false);
        self.see_up_to(imp.last_seq.get().unwrap_or_default());
        imp.unread.after.set(imp.seen.get());
        self.set_unread(0);
    }

    /// Takes in that the reader has seen everything up to number `seq` on another device.
    pub fn see_elsewhere(&self, seq: u64) {
        let imp = self.imp();
        if seq <= imp.seen.get() {
            return;
        }
        imp.seen.set(seq);
        imp.unread.after.set(imp.unread.after.get().max(seq));
        let missed = imp.unread.missed_until.get().filter(|missed| seq < *missed);
        imp.unread.missed_until.set(missed);
        self.notify_seen();
        self.update_unread();
        if self.n_unread() == 0 {
            imp.unread.is_mark_due.set(false);
            self.mark_unread(None);
        } else if !self.is_behind() {
            self.mark_unread(self.fetched_unread().1);
        }
    }

    /// Returns true if messages with numbers have come.
    pub fn has_numbers(&self) -> bool {
        self.imp().first_seq.get().is_some()
    }

    /// Takes in that nothing else up to number `seq` will be pushed.
    pub fn pass_to(&self, seq: u64) {
        let imp = self.imp();
        if 0 < seq && imp.first_seq.get().is_some() && imp.last_seq.get() < Some(seq) {
            imp.last_seq.set(Some(seq));
            self.update_unread();
        }
    }

    /// Takes in that there is nothing to be had that is older than what is shown.
    pub fn reach_start(&self) {
        let imp = self.imp();
        let before = imp.first_seq.get().map(|first| first.saturating_sub(1));
        if let Some(before) = before.or_else(|| imp.unread.missed_until.take()) {
            self.set_behind(false);
            self.see_up_to(before);
            imp.unread.after.set(imp.unread.after.get().max(before));
            self.update_unread();
        }
    }

    /// Returns the first message that is new to the reader, or was when they looked last.
    pub fn first_unread(&self) -> Option<Message> {
        self.imp().unread.first.borrow().clone()
    }

    /// Returns true if there are new messages, the first of them among those that are here.
    pub fn has_first_unread(&self) -> bool {
        0 < self.n_unread() && self.imp().unread.first.borrow().is_some()
    }

    /// Calls `f` when all that was missed is shown, or as much as there is room for.
    pub fn connect_caught_up(&self, f: impl Fn(&Self) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "caught-up",
            false,
            glib::closure_local!(move |history: &Self| f(history)),
        )
    }

    /// Takes in that what is new and not here is about to be fetched.
    pub fn expect_unread(&self) {
        self.imp().unread.missed_until.set(self.imp().last_seq.get());
    }

    /// Takes in that numbers up to `seq` will not come.
    pub fn skip_missing(&self, seq: u64) {
        let imp = self.imp();
        if imp.unread.missed_until.get().is_some_and(|missed| missed <= seq) {
            imp.unread.missed_until.set(imp.last_seq.get());
        }
        self.update_unread();
    }

    /// Takes in messages that have come: they are seen, or new. Tells once that all is shown that
    /// was missed.
    pub(super) fn update_unread(&self) {
        let imp = self.imp();
        self.see_latest();
        self.count_unread();
        let has_come = |latest| Some(latest) <= imp.last_seq.get() && imp.batch.borrow().is_empty();
        if !imp.is_behind.get() && imp.unread.missed_until.get().is_some_and(has_come) {
            imp.unread.missed_until.take();
            self.emit_by_name::<()>("caught-up", &[]);
            self.see_latest();
            self.count_unread();
        }
    }

    /// A reader at the end sees what there is, unless something was missed.
    fn see_latest(&self) {
        let imp = self.imp();
        if imp.unread.is_unattended.get() || imp.unread.missed_until.get().is_some() {
            return;
        }
        match imp.last_seq.get() {
            Some(_) if imp.is_behind.get() => {}
            Some(latest) => {
                self.see_up_to(latest);
                imp.unread.after.set(imp.seen.get());
            }
            None => self.set_unread(0),
        }
    }

    fn see_up_to(&self, seq: u64) {
        let imp = self.imp();
        if !imp.is_behind.get() && imp.seen.get() < seq {
            imp.seen.set(seq);
            self.notify_seen();
        }
    }

    /// Takes in that these are about to come, and that the reader may be elsewhere: as far as they
    /// have no numbers.
    pub(super) fn count_missed(&self, messages: &[Message]) {
        if !self.imp().unread.is_unattended.get() {
            return;
        }
        let is_missed = |it: &&Message| it.kind() == MessageKind::Other && it.seq().is_none();
        let mut missed = messages.iter().filter(is_missed);
        let Some(first) = missed.next() else { return };
        let n_before = self.n_unread();
        if n_before == 0 {
            self.mark_unread(Some(first.clone()));
        }
        self.set_unread(n_before + 1 + position(missed.count()));
    }

    /// Counts, of the messages that have numbers, those that are new, and marks the first of them if
    /// there were none before. Of those that have yet to be fetched, all may be other people's.
    pub(super) fn count_unread(&self) {
        let imp = self.imp();
        let (Some(first), Some(_)) = (imp.first_seq.get(), imp.last_seq.get()) else {
            return self.set_behind(false); // Nothing has a number.
        };
        let n_unfetched = first.saturating_sub(1).saturating_sub(imp.unread.after.get());
        let (n_fetched, first_unread) = self.fetched_unread();
        let n_unread = n_unfetched.saturating_add(n_fetched);
        if self.n_unread() == 0 && 0 < n_unread {
            imp.unread.is_mark_due.set(true);
        }
        if n_unfetched == 0 && imp.unread.is_mark_due.get() && first_unread.is_some() {
            imp.unread.is_mark_due.set(false);
            self.mark_unread(first_unread);
        }
        self.set_unread(u32::try_from(n_unread).unwrap_or(u32::MAX));
        self.set_behind(0 < n_unfetched);
    }

    /// Returns how many messages are here that are new, and the first of them.
    fn fetched_unread(&self) -> (u64, Option<Message>) {
        let imp = self.imp();
        let (arrived, later, batch) =
            (imp.arrived.borrow(), imp.overflow.later.borrow(), imp.batch.borrow());
        let n_known = arrived.len() + later.len() + batch.len();
        let n_known = n_known.saturating_sub(imp.overflow.n_stale.get());
        let latest = batch.iter().rev().chain(later.iter().rev()).chain(arrived.iter().rev());
        let new = latest
            .take(n_known)
            .take_while(|message| message.seq().is_none_or(|seq| imp.unread.after.get() < seq))
            .filter(|message| is_counted(message) && message.seq().is_some());
        new.fold((0, None), |(n, _), message| (n + 1, Some(message.clone())))
    }

    /// Takes in that some of what is new is not here any more.
    pub(super) fn lose_unread(&self) {
        self.mark_unread(None);
        self.imp().unread.is_mark_due.set(true);
        self.count_unread();
    }

    /// Marks this message, and no other, as the first that is new to the reader.
    pub(super) fn mark_unread(&self, first: Option<Message>) {
        let before = self.imp().unread.first.replace(first.clone());
        let changed = [before, first].into_iter().flatten();
        let places = changed.filter_map(|changed| {
            self.imp().arrived.borrow().iter().rposition(|message| *message == changed)
        });
        for index in places.collect::<Vec<_>>() {
            self.update_placement(index);
        }
    }

    /// Counts anew if the message that was changed was deleted, or is no longer.
    pub(super) fn count_deletion(&self, message: &Message, was_deleted: bool) {
        if message.kind() == MessageKind::Other && message.is_deleted() != was_deleted {
            self.count_unread();
        }
    }

    fn set_behind(&self, is_behind: bool) {
        if self.imp().is_behind.replace(is_behind) != is_behind {
            self.notify_is_behind();
        }
    }

    fn set_unread(&self, n_unread: u32) {
        if self.imp().n_unread.replace(n_unread) != n_unread {
            self.notify_n_unread();
        }
    }
}

/// Returns true for what others have said, unless it is deleted: the server does not count that either.
fn is_counted(message: &Message) -> bool {
    message.kind() == MessageKind::Other && !message.is_deleted()
}
