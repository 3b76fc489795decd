//! Searches one conversation: what is shown of it, and then what the server still has.
//!
//! The list is gone through in slices while nothing else is to be done, from the newest message to
//! the oldest, and each message is told what was found in it. When all are known, older ones are
//! asked for, page by page, until enough was found or there are no more, and further when one of
//! the oldest results is looked at.

mod amended;
mod everywhere;
mod found_message;

use std::{
    cell::{Cell, OnceCell, RefCell},
    marker::PhantomData,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use gtk::{gio::prelude::*, glib, glib::subclass::prelude::*};
use pychat_wire::client::Past;

pub use self::{everywhere::SearchEverywhere, found_message::FoundMessage};
use crate::{
    model::{History, Message, SearchQuery, SearchResults},
    session::room::{Room, SEARCH_PAGE_MESSAGES},
};

/// The longest time messages are gone through before the main loop runs again.
const SLICE: Duration = Duration::from_millis(4);

/// The number of results that are enough, and of further ones when more are asked for.
const ENOUGH: usize = 100;

/// The number of older results left below which more are looked for.
const FEW: usize = 10;

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::Search)]
    pub struct Search {
        /// The room whose conversation is searched.
        #[property(get, set = Self::set_room, explicit_notify, nullable)]
        room: RefCell<Option<Room>>,
        /// The signals of its history, and of itself.
        signals: OnceCell<(glib::SignalGroup, glib::SignalGroup)>,
        /// True while there is something that is searched for.
        #[property(get = |imp: &Self| imp.query.borrow().is_some())]
        is_searching: PhantomData<bool>,
        /// The messages that were found, the newest first.
        #[property(get)]
        pub(super) results: SearchResults,
        /// The result that is being looked at.
        #[property(get, nullable)]
        pub(super) current: RefCell<Option<Message>>,
        /// The position of the current result, the newest being 1; 0 if there is none.
        #[property(get)]
        pub(super) ordinal: Cell<u32>,
        /// The number of messages found.
        #[property(get)]
        pub(super) n_found: Cell<u32>,
        /// True while there are messages to be gone through.
        #[property(get)]
        pub(super) is_busy: Cell<bool>,
        /// True while older messages are being asked for.
        #[property(get)]
        pub(super) is_loading: Cell<bool>,
        /// True if there are older messages that were not asked for: enough was found, or there is
        /// no room for them.
        #[property(get)]
        pub(super) has_more: Cell<bool>,
        pub(super) query: RefCell<Option<SearchQuery>>,
        /// The number of results that are enough.
        pub(super) n_wanted: Cell<usize>,
        /// True while one more is wanted though later messages have to leave for it.
        pub(super) goes_beyond: Cell<bool>,
        /// Goes through what is not known.
        pub(super) scan: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Search {
        const NAME: &'static str = "PychatSearch";
        type Type = super::Search;
    }

    #[glib::derived_properties]
    impl ObjectImpl for Search {
        fn dispose(&self) {
            self.set_room(None);
        }
    }

    impl Search {
        fn set_room(&self, room: Option<Room>) {
            self.obj().search_for("");
            let (history_signals, room_signals) = self.signals.get_or_init(|| self.signals());
            history_signals.set_target(room.as_ref().map(Room::history).as_ref());
            room_signals.set_target(room.as_ref());
            self.room.replace(room);
            self.obj().notify_room();
        }

        fn signals(&self) -> (glib::SignalGroup, glib::SignalGroup) {
            let history = glib::SignalGroup::new::<History>();
            history.connect_closure(
                "items-changed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = search)]
                    self.obj(),
                    move |_: &History, at: u32, n_removed: u32, n_added: u32| {
                        search.on_changed(at as usize, n_removed as usize, n_added as usize);
                    }
                ),
            );
            history.connect_closure(
                "amended",
                false,
                glib::closure_local!(
                    #[weak(rename_to = search)]
                    self.obj(),
                    move |_: &History, at: u32| search.on_amended(at as usize)
                ),
            );
            let room = glib::SignalGroup::new::<Room>();
            room.connect_closure(
                "back-pages-changed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = search)]
                    self.obj(),
                    move |_: &Room| search.load_more()
                ),
            );
            (history, room)
        }
    }
}

glib::wrapper! {
    /// Searches one conversation.
    pub struct Search(ObjectSubclass<imp::Search>);
}

impl Default for Search {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Search {
    /// Searches for `words` from now on; if these are blank, for nothing. Returns false if that is
    /// what was searched for before.
    pub fn search_for(&self, words: &str) -> bool {
        let imp = self.imp();
        let query = SearchQuery::new(words);
        if *imp.query.borrow() == query {
            return false;
        }
        let is_over = query.is_none();
        imp.query.replace(query);
        self.notify_is_searching();
        imp.n_wanted.set(ENOUGH);
        imp.goes_beyond.set(false);
        if is_over {
            imp.results.begin(None);
            self.look_at(None);
            self.stop();
        } else {
            self.scan();
            self.begin();
        }
        true
    }

    /// Looks at the result before this one, and has more looked for where these run out.
    pub fn go_older(&self) {
        let (older, n_hits) = {
            let hits = self.imp().results.hits();
            (hits.older(), hits.n_hits())
        };
        self.imp().goes_beyond.set(older.is_none());
        if older.is_some() {
            self.look_at(older);
        }
        if n_hits < self.ordinal() as usize + FEW {
            self.imp().n_wanted.set(n_hits + ENOUGH);
            self.load_more();
        }
    }

    /// Looks at the result after this one.
    pub fn go_newer(&self) {
        let newer = self.imp().results.hits().newer();
        if newer.is_some() {
            self.look_at(newer);
        }
    }

    /// Looks at the result at `position`, the newest being 0, even if that is the current one.
    pub fn go_to(&self, position: u32) {
        let at = self.imp().results.hits().hit(position as usize);
        if at.is_some() && at == self.imp().results.hits().current() {
            self.notify_current();
        } else if at.is_some() {
            self.look_at(at);
        }
    }

    /// Has older results looked for. Where later messages have to leave for them, the oldest result
    /// is looked at first.
    pub fn find_more(&self) {
        if self.room().is_some_and(|room| room.history().has_room()) {
            self.imp().n_wanted.set(self.n_found() as usize + ENOUGH);
            self.load_more();
        } else {
            let oldest = self.imp().results.hits().oldest();
            self.look_at(oldest);
            self.go_older();
        }
    }

    /// Forgets what was found; what is being looked at stays so if it is found again.
    fn begin(&self) {
        let Some(room) = self.room() else { return };
        let results = &self.imp().results;
        let before = results.hits().current();
        results.begin(Some(&room.history()));
        let is_found = before.is_some_and(|at| self.look_into(at));
        results.tell();
        self.look_at(before.filter(|_| is_found));
    }

    /// Has messages gone through that are not known.
    fn scan(&self) {
        self.set_busy(true);
        let weak = self.downgrade();
        self.imp().scan.borrow_mut().get_or_insert_with(|| {
            let context = glib::MainContext::ref_thread_default();
            context.spawn_local_with_priority(glib::Priority::DEFAULT_IDLE, async move {
                loop {
                    glib::timeout_future_with_priority(
                        glib::Priority::DEFAULT_IDLE,
                        Duration::ZERO,
                    )
                    .await;
                    let Some(search) = weak.upgrade() else { break };
                    if search.scan_slice().is_break() {
                        search.imp().scan.take();
                        search.load_more();
                        search.set_busy(false);
                        break;
                    }
                }
            })
        });
    }

    /// Goes through a slice of them; breaks when all are known.
    fn scan_slice(&self) -> ControlFlow<()> {
        let begin = Instant::now();
        let flow = loop {
            let Some(at) = self.imp().results.next_unknown() else {
                break ControlFlow::Break(());
            };
            self.look_into(at);
            if SLICE <= begin.elapsed() {
                break ControlFlow::Continue(());
            }
        };
        self.imp().results.tell();
        if self.current().is_none() || self.imp().goes_beyond.get() {
            let older = self.imp().results.hits().older();
            if older.is_some() {
                self.imp().goes_beyond.set(false);
                self.look_at(older);
            }
        }
        self.count();
        flow
    }

    /// Finds out whether the message at `at`, or its author's name, has what is searched for.
    fn look_into(&self, at: usize) -> bool {
        let message = self.message(at);
        let found = match (&message, &*self.imp().query.borrow()) {
            (Some(message), Some(query)) if message.is_from_person() && !message.is_deleted() => {
                query.find(message.author(), &message.text())
            }
            _ => None,
        };
        let is_found = found.is_some();
        self.imp().results.settle(at, is_found);
        if let Some(message) = message {
            message.set_found(found);
        }
        is_found
    }

    /// Asks for older messages, if they are wanted and there are any.
    fn load_more(&self) {
        let imp = self.imp();
        let Some(room) = self.room() else { return };
        // Where there is no room, what was found last has to leave for what is older.
        let is_wanted = if room.history().has_room() {
            imp.results.hits().n_hits() < imp.n_wanted.get()
        } else {
            imp.goes_beyond.get()
        };
        let past = match &*imp.query.borrow() {
            Some(_) => room.back_pages(),
            None => Past::None,
        };
        let is_loading = is_wanted && past != Past::None;
        if imp.is_loading.replace(is_loading) != is_loading {
            self.notify_is_loading();
        }
        let has_more = !is_wanted && past != Past::None;
        if imp.has_more.replace(has_more) != has_more {
            self.notify_has_more();
        }
        if is_loading && imp.scan.borrow().is_none() {
            room.request_history(SEARCH_PAGE_MESSAGES);
        }
    }

    /// Looks for nothing any more, and wipes out the traces.
    fn stop(&self) {
        if let Some(scan) = self.imp().scan.take() {
            scan.abort();
        }
        if let Some(room) = self.room() {
            let history = room.history();
            for message in (0..history.n_items()).filter_map(|at| history.message(at)) {
                message.set_found(None);
            }
        }
        self.count();
        self.set_busy(false);
        self.load_more();
    }

    /// Looks at the message at `at`, which was found, or at none.
    fn look_at(&self, at: Option<usize>) {
        let imp = self.imp();
        imp.results.look_at(at);
        let message = at.and_then(|at| self.message(at));
        let before = imp.current.replace(message.clone());
        if let Some(message) = &message {
            message.set_current(true);
        }
        if before != message {
            if let Some(before) = before {
                before.set_current(false);
            }
            self.notify_current();
        }
        self.count();
    }

    /// Tells how many were found.
    fn count(&self) {
        let imp = self.imp();
        let (n_found, ordinal) = {
            let hits = imp.results.hits();
            (hits.n_hits(), hits.rank().map_or(0, |rank| rank + 1))
        };
        let (n_found, ordinal) = (saturate(n_found), saturate(ordinal));
        if imp.n_found.replace(n_found) != n_found {
            self.notify_n_found();
        }
        if imp.ordinal.replace(ordinal) != ordinal {
            self.notify_ordinal();
        }
    }

    fn set_busy(&self, is_busy: bool) {
        if self.imp().is_busy.replace(is_busy) != is_busy {
            self.notify_is_busy();
        }
    }

    fn message(&self, at: usize) -> Option<Message> {
        self.room()?.history().message(u32::try_from(at).ok()?)
    }
}

fn saturate(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
