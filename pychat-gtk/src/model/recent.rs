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

/// How many of the last messages are shown when there is time for it.
pub const RECENT_MESSAGES: u32 = 100;

/// How many there may be before those above the last [`RECENT_MESSAGES`] are taken away. That is
/// done seldom, as whoever looks pays for each change.
const RECENT_MESSAGES_MAX: u32 = 2 * RECENT_MESSAGES;

/// How many messages fill a page until somebody [knows better](Recent::set_page).
const PAGE_MESSAGES: u32 = 20;

/// How long there must have been no flood before rows above the page follow; how many at a time,
/// and how soon after one another.
const CALM_TIME: Duration = Duration::from_millis(300);
const STEP_MESSAGES: u32 = 8;
const STEP_INTERVAL: Duration = Duration::from_millis(20);

mod imp {
    use super::*;

    #[derive(Debug)]
    pub struct Recent {
        pub(super) history: OnceCell<History>,
        /// Where in the history it begins; from there on it has everything.
        pub(super) start: Cell<u32>,
        /// How long it is, as far as was told.
        pub(super) len: Cell<u32>,
        /// True while everything is to be shown.
        pub(super) is_whole: Cell<bool>,
        /// True while rows above those that are shown are to stay as they are.
        pub(super) is_held: Cell<bool>,
        /// How many messages fill a page.
        pub(super) page: Cell<u32>,
        /// Adds what is above the page.
        pub(super) growth: RefCell<Option<glib::JoinHandle<()>>>,
    }

    impl Default for Recent {
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
    impl ObjectSubclass for Recent {
        const NAME: &'static str = "PychatRecent";
        type Type = super::Recent;
        type Interfaces = (gio::ListModel,);
    }

    impl ObjectImpl for Recent {}

    impl ListModelImpl for Recent {
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
    pub struct Recent(ObjectSubclass<imp::Recent>) @implements gio::ListModel;
}

impl Recent {
    /// Makes one that shows the end of `history`.
    pub fn new(history: &History) -> Self {
        let recent: Self = glib::Object::new();
        recent.imp().history.get_or_init(|| history.clone());
        recent.on_changed(0, 0, history.n_items());
        history.connect_items_changed(clone!(
            #[weak]
            recent,
            move |_, at, n_removed, n_added| recent.on_changed(at, n_removed, n_added)
        ));
        recent
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

    /// Takes in that `page` messages, at most [`RECENT_MESSAGES`], fill what can be seen.
    pub fn set_page(&self, page: u32) {
        self.imp().page.set(page.min(RECENT_MESSAGES));
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
            // One change instead of two: what is new pushes out everything that was shown.
            let page = imp.page.get();
            imp.start.set(start + len - n_removed + n_added - page);
            imp.len.set(page);
            self.tell(0, len, page);
            self.grow_later(CALM_TIME);
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
        if imp.is_whole.get() || imp.is_held.get() || len <= RECENT_MESSAGES_MAX {
            return;
        }
        let n_removed = len - RECENT_MESSAGES;
        imp.start.set(imp.start.get() + n_removed);
        imp.len.set(RECENT_MESSAGES);
        self.tell(0, n_removed, 0);
    }

    /// Shows more of what is above, step by step, up to [`RECENT_MESSAGES`].
    fn grow_later(&self, wait: Duration) {
        let weak = self.downgrade();
        let growth = glib::spawn_future_local(async move {
            glib::timeout_future(wait).await;
            while weak.upgrade().is_some_and(|recent| recent.grow()) {
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
        let n_added = STEP_MESSAGES.min(start).min(RECENT_MESSAGES.saturating_sub(len));
        imp.start.set(start - n_added);
        imp.len.set(len + n_added);
        self.tell(0, 0, n_added);
        0 < n_added
    }

    fn tell(&self, at: u32, n_removed: u32, n_added: u32) {
        if 0 < n_removed || 0 < n_added {
            self.items_changed(at, n_removed, n_added);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::model::{HISTORY_MESSAGES_MAX, MessageKind};

    fn numbered(range: std::ops::Range<usize>) -> Vec<Message> {
        range.map(|n| Message::new(MessageKind::Other, "Анна", &n.to_string(), 0)).collect()
    }

    /// What a view holds that hears only of the changes, and the longest of them.
    type View = Rc<RefCell<(Vec<String>, u32)>>;

    fn viewed(history: &History) -> (Recent, View) {
        let recent = Recent::new(history);
        let view = View::default();
        recent.connect_items_changed({
            let view = view.clone();
            move |recent, at, n_removed, n_added| {
                let (rows, longest) = &mut *view.borrow_mut();
                let new = (at..at + n_added).map(|n| text(recent, n));
                rows.splice(at as usize..(at + n_removed) as usize, new);
                *longest = n_added.max(*longest);
                assert_eq!(rows.len(), recent.n_items() as usize);
            }
        });
        (recent, view)
    }

    fn text(recent: &Recent, position: u32) -> String {
        let message = recent.item(position).and_downcast::<Message>();
        message.expect("there is one").text()
    }

    fn push(history: &History, range: std::ops::Range<usize>) {
        for message in numbered(range) {
            history.push(message);
        }
        history.flush();
    }

    fn check(view: &View, expected: std::ops::Range<usize>) {
        let expected: Vec<_> = expected.map(|n| n.to_string()).collect();
        assert_eq!(view.borrow().0, expected);
    }

    #[test]
    fn the_last_are_shown_and_those_above_leave_when_there_are_many() {
        let history = History::default();
        let (recent, view) = viewed(&history);
        for n in 0..200 {
            push(&history, n..n + 1);
        }
        check(&view, 0..200);
        push(&history, 200..201);
        check(&view, 101..201);
        assert!(!recent.is_whole());
    }

    #[test]
    fn in_a_flood_no_more_is_shown_than_could_be_seen() {
        let history = History::default();
        let (_recent, view) = viewed(&history);
        push(&history, 0..1);
        push(&history, 1..5_000);
        push(&history, 5_000..20_000);
        push(&history, 20_000..20_150);
        check(&view, 20_130..20_150);
        assert_eq!(view.borrow().1, PAGE_MESSAGES);
    }

    #[test]
    fn once_there_is_time_more_is_shown_than_can_be_seen() {
        let context = glib::MainContext::new();
        let until_grown = async {
            let history = History::default();
            let (recent, view) = viewed(&history);
            push(&history, 0..5_000);
            check(&view, 4_980..5_000);
            while recent.n_items() < RECENT_MESSAGES {
                glib::timeout_future(STEP_INTERVAL).await;
            }
            check(&view, 4_900..5_000);
        };
        context.with_thread_default(|| context.block_on(until_grown)).expect("it is new");
    }

    #[test]
    fn what_is_on_its_way_stays_at_the_end() {
        let history = History::default();
        let (_recent, view) = viewed(&history);
        history.say(Message::new(MessageKind::Own, "Анна", "unsent", 0));
        push(&history, 0..5_000);
        let (rows, longest) = view.take();
        assert_eq!((&*rows[0], &*rows[18], &*rows[19]), ("4981", "4999", "unsent"));
        assert_eq!((rows.len(), longest), (20, 20));
    }

    #[test]
    fn who_looks_further_back_finds_everything_until_they_return() {
        let history = History::default();
        let (recent, view) = viewed(&history);
        push(&history, 100..5_000);
        recent.set_whole(true);
        check(&view, 100..5_000);
        history.prepend(numbered(0..100));
        push(&history, 5_000..5_300);
        check(&view, 0..5_300);
        recent.set_whole(false);
        check(&view, 0..5_300);
        push(&history, 5_300..5_301);
        check(&view, 5_201..5_301);
        history.prepend(numbered(0..50));
        check(&view, 5_201..5_301);
        recent.set_whole(true);
        assert_eq!(recent.n_items(), history.n_items());
    }

    #[test]
    fn nothing_comes_or_goes_above_while_that_would_disturb() {
        let history = History::default();
        let (recent, view) = viewed(&history);
        push(&history, 100..300);
        recent.set_held(true);
        let shown = (300 - recent.n_items() as usize)..300;
        push(&history, 300..800);
        check(&view, shown.start..800);
        recent.set_whole(true);
        history.prepend(numbered(0..100));
        check(&view, shown.start..800);
        recent.set_held(false);
        check(&view, 0..800);

        recent.set_held(true);
        history.prepend(numbered(0..10));
        check(&view, 0..800);
        recent.set_whole(false);
        push(&history, 800..801);
        check(&view, 0..801);
        recent.set_held(false);
        check(&view, 701..801);
    }

    #[test]
    fn what_is_forgotten_leaves_wherever_it_stands() {
        let history = History::default();
        let (recent, view) = viewed(&history);
        push(&history, 0..HISTORY_MESSAGES_MAX);
        push(&history, HISTORY_MESSAGES_MAX..HISTORY_MESSAGES_MAX + 60);
        check(&view, HISTORY_MESSAGES_MAX + 40..HISTORY_MESSAGES_MAX + 60);
        recent.set_whole(true);
        push(&history, HISTORY_MESSAGES_MAX + 60..HISTORY_MESSAGES_MAX + 70);
        check(&view, 70..HISTORY_MESSAGES_MAX + 70);
        history.clear();
        check(&view, 0..0);
    }

    #[test]
    fn a_history_that_is_there_already_is_shown_from_its_end() {
        let history = History::default();
        push(&history, 0..1_000);
        let recent = Recent::new(&history);
        assert_eq!((recent.n_items(), text(&recent, 0)), (PAGE_MESSAGES, "980".to_owned()));
    }
}
