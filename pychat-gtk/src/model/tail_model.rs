//! The part of a history that is on show: its end, or all of it.
//!
//! A list makes and measures some two hundred rows around where it is, however few can be seen,
//! and does not take a row over from a message that is gone. So as long as nobody looks further
//! back it is given the last messages alone. In a flood these are as many as fill the page, and
//! those that nobody could have read never become rows; once there is time, rows above the page
//! follow, a few at a time.

use std::{
    cell::{Cell, OnceCell, RefCell},
    time::Duration,
};

use gtk::{
    gio,
    gio::{prelude::*, subclass::prelude::*},
    glib,
    glib::clone,
};

use super::{History, Message};

/// The number of latest messages that are shown when there is time for it, unless more fill the
/// page.
const TAIL_MESSAGES: u32 = 60;

/// The most messages that are shown before those above the last [`TAIL_MESSAGES`] are taken away.
/// That is done seldom, as the view pays for each change.
const TAIL_MESSAGES_MAX: u32 = 2 * TAIL_MESSAGES;

/// The number of messages that fill a page, until [`TailModel::set_page`] tells it.
const PAGE_MESSAGES: u32 = 20;

/// The number of messages that are shown at once of a history that is there already. Most fill a page,
/// and the time until they are drawn grows with them.
const FIRST_MESSAGES: u32 = 12;

/// The time without a flood before rows above the page follow; the number that follow at once, and
/// the time between two such steps.
const CALM_TIME: Duration = Duration::from_millis(300);
const STEP_MESSAGES: u32 = 8;
const STEP_INTERVAL: Duration = Duration::from_millis(20);

mod imp {
    use super::*;

    #[derive(Debug)]
    pub struct TailModel {
        pub(super) history: OnceCell<History>,
        /// Its first position in the history; from there on it has everything.
        pub(super) start: Cell<u32>,
        /// The number of items, as far as views were told.
        pub(super) len: Cell<u32>,
        /// True while everything is to be shown.
        pub(super) is_whole: Cell<bool>,
        /// True while rows above those that are shown are to stay as they are.
        pub(super) is_held: Cell<bool>,
        /// The number of messages that fill a page.
        pub(super) page: Cell<u32>,
        /// Adds what is above the page.
        pub(super) growth: RefCell<Option<glib::JoinHandle<()>>>,
    }

    impl Default for TailModel {
        fn default() -> Self {
            Self {
                history: OnceCell::default(),
                start: Cell::default(),
                len: Cell::default(),
                is_whole: Cell::default(),
                is_held: Cell::default(),
                page: Cell::new(PAGE_MESSAGES),
                growth: RefCell::default(),
            }
        }
    }

    #[glib::object_subclass]
    impl ObjectSubclass for TailModel {
        const NAME: &'static str = "PychatTailModel";
        type Type = super::TailModel;
        type Interfaces = (gio::ListModel,);
    }

    impl ObjectImpl for TailModel {}

    impl ListModelImpl for TailModel {
        fn item_type(&self) -> glib::Type {
            Message::static_type()
        }

        fn n_items(&self) -> u32 {
            self.len.get()
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            if self.len.get() <= position {
                return None;
            }
            self.history.get()?.item(self.start.get() + position)
        }
    }
}

glib::wrapper! {
    /// The part of a history that is on show.
    pub struct TailModel(ObjectSubclass<imp::TailModel>) @implements gio::ListModel;
}

impl TailModel {
    /// Makes one that shows the end of `history`.
    pub fn new(history: &History) -> Self {
        let tail: Self = glib::Object::new();
        tail.imp().history.get_or_init(|| history.clone());
        let n_shown = history.n_items().min(FIRST_MESSAGES);
        tail.imp().start.set(history.n_items() - n_shown);
        tail.imp().len.set(n_shown);
        if !tail.is_whole() {
            tail.grow_later(STEP_INTERVAL);
        }
        history.connect_items_changed(clone!(
            #[weak]
            tail,
            move |_, at, n_removed, n_added| tail.on_changed(at, n_removed, n_added)
        ));
        tail
    }

    /// Shows everything, or from the next message on the end alone.
    pub fn set_whole(&self, is_whole: bool) {
        self.imp().is_whole.set(is_whole);
        self.show_whole();
    }

    /// Lets nothing come above what is shown, and nothing there leave before it is forgotten; or
    /// makes up for it.
    pub fn set_held(&self, is_held: bool) {
        self.imp().is_held.set(is_held);
        self.show_whole();
        self.shorten();
    }

    /// Takes in that `page` messages, as far as so many are ever shown, fill what can be seen.
    pub fn set_page(&self, page: u32) {
        self.imp().page.set(page.min(TAIL_MESSAGES_MAX));
        self.grow_later(STEP_INTERVAL);
    }

    /// Returns true if there is nothing older than what is shown.
    pub fn is_whole(&self) -> bool {
        self.imp().start.get() == 0
    }

    /// The history has other messages at a place than before.
    fn on_changed(&self, at: u32, n_removed: u32, n_added: u32) {
        let imp = self.imp();
        let start = imp.start.get();
        let len = imp.len.get();
        let is_above =
            at < start || (imp.is_held.get() && at == start && 0 < len && n_removed == 0);
        if is_above {
            // Above what is shown; of what is gone, some may have been shown.
            let n_hidden = n_removed.min(start - at);
            imp.start.set(start - n_hidden + n_added);
            imp.len.set(len - (n_removed - n_hidden));
            self.tell(0, n_removed - n_hidden, 0);
            self.show_whole();
        } else if !imp.is_whole.get() && !imp.is_held.get() && imp.page.get() < n_added {
            // One change instead of two: what is new pushes out everything that was shown. How
            // much can be seen of it at once grows step by step.
            let page = imp.page.get();
            let n_shown = page.min(len + STEP_MESSAGES);
            imp.start.set(start + len - n_removed + n_added - n_shown);
            imp.len.set(n_shown);
            self.tell(0, len, n_shown);
            self.grow_later(if n_shown < page { STEP_INTERVAL } else { CALM_TIME });
        } else {
            imp.len.set(len - n_removed + n_added);
            self.tell(at - start, n_removed, n_added);
            self.shorten();
        }
    }

    /// Shows everything, if that is to be shown.
    fn show_whole(&self) {
        let imp = self.imp();
        if imp.is_whole.get() && !imp.is_held.get() {
            let n_added = imp.start.take();
            imp.len.set(imp.len.get() + n_added);
            self.tell(0, 0, n_added);
        }
    }

    /// Takes away what is above the last messages, if that is worth it.
    fn shorten(&self) {
        let imp = self.imp();
        let len = imp.len.get();
        if imp.is_whole.get() || imp.is_held.get() || len <= TAIL_MESSAGES_MAX {
            return;
        }
        let n_removed = len - self.wanted();
        imp.start.set(imp.start.get() + n_removed);
        imp.len.set(len - n_removed);
        self.tell(0, n_removed, 0);
    }

    /// Shows more of what is above, step by step, until there is enough.
    fn grow_later(&self, wait: Duration) {
        let weak = self.downgrade();
        let growth = glib::spawn_future_local(async move {
            glib::timeout_future(wait).await;
            while weak.upgrade().is_some_and(|tail| tail.grow()) {
                glib::timeout_future(STEP_INTERVAL).await;
            }
        });
        if let Some(earlier) = self.imp().growth.replace(Some(growth)) {
            earlier.abort();
        }
    }

    /// Shows a little more of what is above; returns false if there is enough.
    fn grow(&self) -> bool {
        let imp = self.imp();
        let (start, len) = (imp.start.get(), imp.len.get());
        if imp.is_held.get() {
            return true;
        }
        let n_added = STEP_MESSAGES.min(start).min(self.wanted().saturating_sub(len));
        imp.start.set(start - n_added);
        imp.len.set(len + n_added);
        self.tell(0, 0, n_added);
        0 < n_added
    }

    /// Returns how many there are when there is time for it.
    fn wanted(&self) -> u32 {
        TAIL_MESSAGES.max(self.imp().page.get())
    }

    fn tell(&self, at: u32, n_removed: u32, n_added: u32) {
        if 0 < n_removed || 0 < n_added {
            self.items_changed(at, n_removed, n_added);
        }
    }
}

#[cfg(test)]
mod tests;
