//! Everything that was said, oldest first, up to a bound.
//!
//! Messages that have arrived stand in the order of their arrival, which is the server's; those
//! that are still on their way, or were refused, stand after them in the order in which they were
//! said.
//!
//! Not more than [`HISTORY_MESSAGES_MAX`] are shown, nor more bytes than there are for all of them:
//! see [`capacity`].
//!
//! A view pays for each change, not for each message, so messages gather for a moment. Views
//! hear of such a batch as two changes: the oldest leave at the top, the new come at the
//! end.

mod amending;
mod capacity;
mod distant;
mod message_queue;
mod unread;

use std::{cell::RefCell, sync::OnceLock, time::Duration};

use gtk::{
    gio,
    gio::{prelude::*, subclass::prelude::*},
    glib,
    glib::subclass::Signal,
};

pub use self::distant::Gap;
use self::{capacity::Overflow, message_queue::MessageQueue, unread::Unread};
use super::{Message, grouping};

/// The most messages that are shown, sent or not.
pub const HISTORY_MESSAGES_MAX: usize = 10_000;

/// The time for which messages gather before they are shown.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);

mod imp {
    use std::cell::Cell;

    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::History)]
    pub struct History {
        pub(super) arrived: RefCell<MessageQueue>,
        /// Messages that are on their way, or were refused.
        pub(super) unsent: RefCell<Vec<Message>>,
        /// Messages that were pushed and wait to be shown.
        pub(super) batch: RefCell<Vec<Message>>,
        /// The lowest number in the room that was pushed or prepended.
        pub(super) first_seq: Cell<Option<u64>>,
        /// The highest.
        pub(super) last_seq: Cell<Option<u64>>,
        pub(super) overflow: Overflow,
        pub(super) unread: Unread,
        /// The last number that the reader has seen; 0 where messages have none.
        #[property(get)]
        pub(super) seen: Cell<u64>,
        /// The number of other people's messages that are new to the reader.
        #[property(get)]
        pub(super) n_unread: Cell<u32>,
        /// True while some of these have yet to be fetched.
        #[property(get)]
        pub(super) is_behind: Cell<bool>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for History {
        const NAME: &'static str = "PychatHistory";
        type Type = super::History;
        type Interfaces = (gio::ListModel,);
    }

    #[glib::derived_properties]
    impl ObjectImpl for History {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                vec![
                    Signal::builder("amended").param_types([u32::static_type()]).build(),
                    Signal::builder("caught-up").build(),
                ]
            })
        }
    }

    impl ListModelImpl for History {
        fn item_type(&self) -> glib::Type {
            Message::static_type()
        }

        fn n_items(&self) -> u32 {
            position(self.obj().len())
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            let (arrived, unsent) = (self.arrived.borrow(), self.unsent.borrow());
            let index = usize::try_from(position).ok()?;
            let unsent = if self.overflow.is_detached.get() { &[][..] } else { &unsent[..] };
            let message = arrived.get(index).or_else(|| unsent.get(index - arrived.len()));
            message.cloned().map(Cast::upcast)
        }
    }
}

glib::wrapper! {
    /// The messages of a conversation, oldest first.
    pub struct History(ObjectSubclass<imp::History>) @implements gio::ListModel;
}

impl Default for History {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl History {
    /// Appends `message` after everything that has arrived, in a moment. One whose number is not
    /// above those before is there already, and is passed over.
    pub fn push(&self, message: Message) {
        if !self.is_next(message.seq()) {
            return;
        }
        self.quote(&message);
        let mut batch = self.imp().batch.borrow_mut();
        if batch.last().is_some_and(|last| last.fold(&message)) {
            return;
        }
        batch.push(message);
        if batch.len() == 1 {
            let weak = self.downgrade();
            glib::spawn_future_local(async move {
                glib::timeout_future(BATCH_INTERVAL).await;
                if let Some(history) = weak.upgrade() {
                    history.flush();
                }
            });
        }
    }

    /// Appends at once what was pushed.
    pub fn flush(&self) {
        let batch = self.imp().batch.take();
        self.extend(batch);
    }

    /// Puts older messages, oldest first, before all others. What is not older is there already,
    /// and is passed over. If there is no room for them, the latest wait.
    pub fn prepend(&self, mut messages: Vec<Message>) {
        let imp = self.imp();
        if !self.can_go_back() {
            return;
        }
        let mut before = imp.first_seq.get();
        // From the newest to the oldest, each must be older than the one after it.
        messages.reverse();
        messages.retain(|message| {
            let Some(seq) = message.seq() else { return true };
            let is_older = before.is_none_or(|before| seq < before);
            if is_older {
                before = Some(seq);
                imp.last_seq.set(imp.last_seq.get().max(Some(seq)));
            }
            is_older
        });
        imp.first_seq.set(before);
        messages.reverse();
        self.cut_page(&mut messages);
        self.detach_for(&messages);
        if !messages.is_empty() {
            let n_added = messages.len();
            self.quote_all(&messages);
            imp.arrived.borrow_mut().put_before(messages);
            self.tell_change(0, 0, position(n_added));
            self.quote_older();
        }
        self.update_unread();
    }

    /// Shows, after all others, a message that is on its way.
    pub fn say(&self, message: Message) {
        self.flush();
        self.show_latest();
        self.quote(&message);
        let n_forgotten = self.make_room(1, message.size());
        let at = self.n_items();
        self.imp().unsent.borrow_mut().push(message);
        self.tell_change(at, 0, 1);
        self.forget(n_forgotten);
    }

    /// Takes in that the message known as `id` has arrived, and puts it after all that had; returns
    /// false if there is none. `time_ms` is in UTC milliseconds since 1970.
    pub fn arrive(&self, id: &str, seq: Option<u64>, time_ms: Option<i64>) -> bool {
        let Some(index) = self.index_of(id) else { return false };
        if !self.is_next(seq) {
            return self.remove(id).is_some();
        }
        self.flush();
        let imp = self.imp();
        let message = imp.unsent.borrow_mut().remove(index);
        message.arrive(seq, time_ms);
        let at = imp.arrived.borrow().len();
        if self.is_detached() {
            self.push_later([message]);
        } else if index == 0 {
            imp.arrived.borrow_mut().push_back(message); // It is where it was.
            self.update_placement(at);
            self.update_placement(at + 1);
            self.tell_amended(at);
        } else {
            self.tell_change(position(at + index), 1, 0);
            imp.arrived.borrow_mut().push_back(message);
            self.tell_change(position(at), 0, 1);
        }
        self.update_unread();
        true
    }

    /// Takes the message known as `id` away, if it has not arrived; returns it.
    pub fn remove(&self, id: &str) -> Option<Message> {
        let index = self.index_of(id)?;
        let message = self.imp().unsent.borrow_mut().remove(index);
        if !self.is_detached() {
            self.tell_change(position(self.imp().arrived.borrow().len() + index), 1, 0);
        }
        Some(message)
    }

    /// Returns true if there are messages that have not arrived.
    pub fn has_unsent(&self) -> bool {
        !self.imp().unsent.borrow().is_empty()
    }

    /// Returns the message known as `id`, if it has not arrived.
    pub fn unsent(&self, id: &str) -> Option<Message> {
        let index = self.index_of(id)?;
        self.imp().unsent.borrow().get(index).cloned()
    }

    /// Takes in that what comes next has a number above `seq`, whatever was shown.
    pub fn restart(&self, seq: u64) {
        if Some(seq) < self.imp().last_seq.replace(Some(seq)) {
            self.invalidate_seqs();
        }
    }

    /// Takes in that all numbers begin anew.
    pub fn begin_epoch(&self) {
        self.invalidate_seqs();
        self.imp().first_seq.set(Some(0));
        self.imp().last_seq.set(None);
    }

    /// Has every message say again when it was: times are told otherwise than before.
    pub fn tell_times(&self) {
        for position in 0..self.n_items() {
            self.update_placement(position as usize);
            self.message(position).inspect(Message::tell_change);
        }
    }

    /// Forgets everything, what was pushed too.
    pub fn clear(&self) {
        let imp = self.imp();
        let n_removed = self.n_items();
        imp.batch.take();
        imp.arrived.take();
        imp.unsent.take();
        imp.overflow.later.take();
        imp.first_seq.take();
        imp.last_seq.take();
        imp.overflow.is_detached.take();
        imp.overflow.has_gap.take();
        imp.overflow.filled_to.take();
        imp.overflow.n_stale.take();
        imp.overflow.has_forgotten.take();
        imp.overflow.forgotten_before.take();
        self.read_from(0, 0);
        self.mark_unread(None);
        if 0 < n_removed {
            self.tell_change(0, n_removed, 0);
        }
    }

    /// Returns the message at `position`, counted from the oldest.
    pub fn message(&self, position: u32) -> Option<Message> {
        self.item(position).and_downcast()
    }

    /// Appends `messages` to what has arrived.
    fn extend(&self, mut messages: Vec<Message>) {
        let imp = self.imp();
        let last = imp.overflow.later.borrow().back().or(imp.arrived.borrow().back()).cloned();
        if last.zip(messages.first()).is_some_and(|(last, first)| last.fold(first)) {
            messages.remove(0);
        }
        if messages.is_empty() {
            return;
        }
        self.count_missed(&messages);
        self.add(messages);
        self.update_unread();
    }

    /// Puts `messages` after all that have arrived.
    fn add(&self, mut messages: Vec<Message>) {
        let imp = self.imp();
        if imp.overflow.is_away.get() && !self.can_take(&messages) {
            self.detach(0);
        }
        if self.is_detached() {
            self.push_later(messages);
            return;
        }
        let n_skipped = capacity::skip_oldest(&mut messages);
        let n_forgotten =
            n_skipped + self.make_room(messages.len(), message_queue::size(&messages));
        let (at, n_added) = (imp.arrived.borrow().len(), messages.len());
        imp.arrived.borrow_mut().extend(messages);
        self.tell_change(position(at), 0, position(n_added));
        self.forget(n_forgotten);
    }

    /// Places what is new, and what comes after it, and tells views of the change.
    fn tell_change(&self, at: u32, n_removed: u32, n_added: u32) {
        for index in at..=at + n_added {
            self.update_placement(index as usize);
        }
        self.items_changed(at, n_removed, n_added);
    }

    /// Finds out how a message stands below the one before it.
    fn update_placement(&self, index: usize) {
        let Some(message) = self.message(position(index)) else { return };
        let before = index.checked_sub(1).and_then(|index| self.message(position(index)));
        let before = before.as_ref().map(Message::group_key);
        let is_unread = self.imp().unread.first.borrow().as_ref() == Some(&message);
        message.set_placement(grouping::placement(message.group_key(), before, is_unread));
    }

    /// Takes a number in; returns false if it is not above those before.
    fn is_next(&self, seq: Option<u64>) -> bool {
        let imp = self.imp();
        if seq.is_none() {
            return true;
        }
        let is_next = imp.last_seq.get() < seq;
        if is_next {
            imp.last_seq.set(seq);
            imp.first_seq.set(imp.first_seq.get().or(seq));
        }
        is_next
    }

    fn index_of(&self, id: &str) -> Option<usize> {
        self.imp().unsent.borrow().iter().position(|message| message.id() == Some(id))
    }

    /// Returns how many are shown.
    fn len(&self) -> usize {
        let n_unsent = if self.is_detached() { 0 } else { self.imp().unsent.borrow().len() };
        self.imp().arrived.borrow().len() + n_unsent
    }
}

/// A list model counts in 32 bits; the bound above keeps every count far below that.
fn position(index: usize) -> u32 {
    u32::try_from(index).expect("the history is bounded")
}

#[cfg(test)]
mod tests;
