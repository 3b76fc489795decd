//! Searches all rooms at once: what is here of them, and by the server what it keeps.
//!
//! What is here is found at once, and without a connection. The server tells what it finds a page at a
//! time, the newest first; both are one list, with each message in it once.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeSet,
    marker::PhantomData,
    time::{Duration, Instant},
};

use gtk::{
    gio::{self, prelude::*},
    glib::{self, clone, subclass::prelude::*},
};
use pychat_wire::{
    client::{self, SearchEnd},
    message::SEARCH_QUERY_BYTES_MAX,
};

use super::{SLICE, found_message::FoundMessage};
use crate::{
    model::{Message, SearchQuery},
    session::{Room, Session, SessionState, error_text},
    text::fold,
};

/// The most results that are listed.
const RESULTS_MAX: usize = 2_000;

/// The number of results that the server is asked for at once.
const PAGE_RESULTS: u64 = 50;

/// The part of a search that the server does.
#[derive(Debug, Default)]
struct Remote {
    /// The id of the page that is on its way.
    id: Option<String>,
    /// The cursor of the page after those that have come.
    before: Option<String>,
    /// True if a page is to be asked for as soon as an earlier search is over.
    is_due: bool,
}

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::SearchEverywhere)]
    pub struct SearchEverywhere {
        /// The messages that were found, the newest first.
        #[property(get = Self::results, type = gio::ListStore)]
        results: OnceCell<gio::ListStore>,
        /// True while there is something that is searched for.
        #[property(get = |imp: &Self| imp.query.borrow().is_some())]
        is_searching: PhantomData<bool>,
        /// True while more may come without being asked for.
        #[property(get)]
        pub(super) is_busy: Cell<bool>,
        /// True if the server may have more.
        #[property(get)]
        pub(super) has_more: Cell<bool>,
        /// The reason why not all was searched, in words; empty if there is none.
        #[property(get)]
        pub(super) note: RefCell<String>,
        pub(super) session: glib::WeakRef<Session>,
        pub(super) query: RefCell<Option<SearchQuery>>,
        /// The ids of the rooms and the numbers of what was found.
        pub(super) known: RefCell<BTreeSet<(String, u64)>>,
        pub(super) remote: RefCell<Remote>,
        /// Goes through what is here.
        pub(super) scan: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for SearchEverywhere {
        const NAME: &'static str = "PychatSearchEverywhere";
        type Type = super::SearchEverywhere;
    }

    #[glib::derived_properties]
    impl ObjectImpl for SearchEverywhere {}

    impl SearchEverywhere {
        fn results(&self) -> gio::ListStore {
            self.results.get_or_init(gio::ListStore::new::<FoundMessage>).clone()
        }
    }
}

glib::wrapper! {
    /// A search through all rooms.
    pub struct SearchEverywhere(ObjectSubclass<imp::SearchEverywhere>);
}

impl Default for SearchEverywhere {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl SearchEverywhere {
    /// Searches for `words` from now on; if these are blank, for nothing. Returns false if that is what
    /// was searched for before.
    pub fn search_for(&self, words: &str) -> bool {
        let imp = self.imp();
        let query = SearchQuery::new(words);
        if *imp.query.borrow() == query {
            return false;
        }
        self.forget();
        let is_over = query.is_none();
        imp.query.replace(query);
        self.notify_is_searching();
        if !is_over {
            self.scan();
            self.ask();
        }
        self.update();
        true
    }

    /// Asks the server for the next page, if there may be one and none is on its way.
    pub fn find_more(&self) {
        if self.has_more() && self.imp().remote.borrow().id.is_none() {
            self.ask();
            self.update();
        }
    }

    /// Takes in whose rooms are searched.
    pub(in crate::session) fn set_session(&self, session: &Session) {
        self.imp().session.set(Some(session));
        session.connect_state_notify(clone!(
            #[weak(rename_to = search)]
            self,
            move |session| {
                let is_asked = search.imp().remote.borrow().id.is_some();
                if session.state() == SessionState::Joined && search.is_searching() && !is_asked {
                    search.ask();
                    search.update();
                }
            }
        ));
        let rooms = session.rooms();
        rooms.connect_withdrawn(clone!(
            #[weak(rename_to = search)]
            self,
            move |_, room, seq| search.drop_where(|found| {
                found.room() == *room && found.message().seq() == Some(seq)
            })
        ));
        rooms.connect_items_changed(clone!(
            #[weak(rename_to = search)]
            self,
            move |rooms, _, _, _| {
                search.drop_where(|found| rooms.room(&found.room().id()).is_none());
            }
        ));
    }

    /// Takes in what the server has found.
    pub(in crate::session) fn on_found(&self, id: &str, said: &client::Message) {
        let is_ours = self.imp().remote.borrow().id.as_deref() == Some(id);
        let session = self.imp().session.upgrade().filter(|_| is_ours);
        let room = session.and_then(|session| session.rooms().room(said.room.as_str()));
        let Some(room) = room.filter(|_| !said.state.is_deleted) else { return };
        let found = match &*self.imp().query.borrow() {
            Some(query) if query.is_by(&said.author) => query.mark_words(&said.state.content),
            _ => return,
        };
        let message = room.found(said);
        let is_same = *message.text() == *said.state.content;
        let found = if is_same { found } else { self.marks(&message) };
        self.add(&room, &message, found);
    }

    /// Takes in how a page of the server's has ended.
    pub(in crate::session) fn on_ended(&self, id: &str, end: SearchEnd) {
        let imp = self.imp();
        let is_ours = imp.remote.borrow().id.as_deref() == Some(id);
        if is_ours {
            imp.remote.borrow_mut().id = None;
            let (has_more, note) = match end {
                SearchEnd::More { before } => {
                    imp.remote.borrow_mut().before = Some(before);
                    (imp.known.borrow().len() < RESULTS_MAX, String::new())
                }
                SearchEnd::Refused { code, text } => (true, error_text::denial(code, &text)),
                SearchEnd::Lost => (false, error_text::only_loaded_searched()),
                _ => (false, String::new()),
            };
            self.set_more(has_more);
            self.set_note(note);
        }
        if imp.remote.borrow().is_due {
            self.ask();
        }
        self.update();
    }

    /// Asks the server for a page.
    fn ask(&self) {
        let imp = self.imp();
        let Some(session) = imp.session.upgrade() else { return };
        imp.remote.borrow_mut().is_due = false;
        if session.state() != SessionState::Joined || !session.has_rooms() {
            self.set_more(false);
            self.set_note(error_text::only_loaded_searched());
            return;
        }
        let Some(query) = imp.query.borrow().clone() else { return };
        let before = imp.remote.borrow().before.clone();
        let from = author(&session, &query);
        let id = session.with_client(|client| {
            client.search(&client::Search {
                query: shortened(query.text()),
                room: None,
                from: from.as_deref(),
                before: before.as_deref(),
                limit: PAGE_RESULTS,
            })
        });
        let id = id.flatten();
        imp.remote.borrow_mut().is_due = id.is_none();
        imp.remote.borrow_mut().id = id;
        self.set_note(String::new());
        session.process_events();
    }

    /// Goes through what is here of all rooms.
    fn scan(&self) {
        let Some(session) = self.imp().session.upgrade() else { return };
        let rooms: Vec<_> = session.rooms().all().into_iter().filter(Room::is_open).collect();
        let weak = self.downgrade();
        let context = glib::MainContext::ref_thread_default();
        let scan = context.spawn_local_with_priority(glib::Priority::DEFAULT_IDLE, async move {
            for room in rooms {
                let mut at = room.history().n_items();
                while 0 < at {
                    glib::timeout_future_with_priority(
                        glib::Priority::DEFAULT_IDLE,
                        Duration::ZERO,
                    )
                    .await;
                    let Some(search) = weak.upgrade() else { return };
                    at = search.scan_slice(&room, at.min(room.history().n_items()));
                }
            }
            if let Some(search) = weak.upgrade() {
                search.imp().scan.take(); // The task that runs this; it is about to end.
                search.update();
            }
        });
        self.imp().scan.replace(Some(scan));
    }

    /// Goes through the messages of a room before the one at `end`, for a while; returns how many are left.
    fn scan_slice(&self, room: &Room, end: u32) -> u32 {
        let (begin, history) = (Instant::now(), room.history());
        let mut at = end;
        while 0 < at && begin.elapsed() < SLICE {
            at -= 1;
            let message = history.message(at).filter(|it| it.is_from_person() && !it.is_deleted());
            let Some(message) = message else { continue };
            let query = self.imp().query.borrow().clone();
            let found = query.and_then(|it| it.find_words(message.author(), &message.text()));
            if let Some(found) = found {
                self.add(room, &message, found);
            }
        }
        at
    }

    /// Returns where `message` has the words.
    fn marks(&self, message: &Message) -> Vec<std::ops::Range<usize>> {
        let query = self.imp().query.borrow();
        query.as_ref().map(|query| query.mark_words(&message.text())).unwrap_or_default()
    }

    /// Lists a message, unless it is listed already or too many are.
    fn add(&self, room: &Room, message: &Message, found: Vec<std::ops::Range<usize>>) {
        let Some(seq) = message.seq() else { return };
        let is_new = {
            let mut known = self.imp().known.borrow_mut();
            known.len() < RESULTS_MAX && known.insert((room.id(), seq))
        };
        if is_new {
            message.set_found(Some(found));
            let found = FoundMessage::new(room, message);
            self.results().insert_sorted(&found, |one, other| {
                let [one, other] = [one, other].map(|it| it.downcast_ref::<FoundMessage>());
                one.zip(other).map_or(std::cmp::Ordering::Equal, |(one, other)| one.compare(other))
            });
        }
    }

    /// Takes off the list what `is_gone`.
    fn drop_where(&self, is_gone: impl Fn(&FoundMessage) -> bool) {
        let results = self.results();
        for at in (0..results.n_items()).rev() {
            let found = results.item(at).and_downcast::<FoundMessage>();
            if found.as_ref().is_some_and(&is_gone) {
                results.remove(at);
            }
        }
    }

    /// Forgets what was found, and what is still to come of it.
    fn forget(&self) {
        let imp = self.imp();
        if let Some(scan) = imp.scan.take() {
            scan.abort();
        }
        let before = imp.remote.take();
        if let (Some(id), Some(session)) = (before.id, imp.session.upgrade()) {
            session.with_client(|client| client.forget_search(&id));
        }
        imp.known.take();
        for found in self.results().iter::<FoundMessage>().flatten() {
            found.message().set_found(None);
        }
        self.results().remove_all();
        self.set_more(false);
        self.set_note(String::new());
    }

    fn update(&self) {
        let is_asked = {
            let remote = self.imp().remote.borrow();
            remote.id.is_some() || remote.is_due
        };
        let is_busy = is_asked || self.imp().scan.borrow().is_some();
        if self.imp().is_busy.replace(is_busy) != is_busy {
            self.notify_is_busy();
        }
    }

    fn set_more(&self, has_more: bool) {
        if self.imp().has_more.replace(has_more) != has_more {
            self.notify_has_more();
        }
    }

    fn set_note(&self, note: String) {
        if *self.imp().note.borrow() != note {
            self.imp().note.replace(note);
            self.notify_note();
        }
    }
}

/// Returns the name of the author who is asked for: in full, if it is that of one who is known. Where it may
/// be one of several, the server is not told.
fn author(session: &Session, query: &SearchQuery) -> Option<String> {
    let begun = query.author()?;
    let mut names = BTreeSet::new();
    for room in session.rooms().all() {
        let people = room.people();
        let people = people.iter::<crate::model::Person>().flatten();
        names.extend(people.map(|person| person.name()).filter(|name| query.is_by(name)));
    }
    if let Some(exact) = names.iter().find(|name| fold(name) == begun) {
        return Some(exact.clone());
    }
    match names.len() {
        0 => Some(begun.to_owned()),
        1 => names.pop_first(),
        _ => None,
    }
}

/// Returns as much of the words as a server takes.
fn shortened(words: &str) -> &str {
    let end = words.len().min(SEARCH_QUERY_BYTES_MAX);
    &words[..(0..=end).rev().find(|at| words.is_char_boundary(*at)).unwrap_or_default()]
}
