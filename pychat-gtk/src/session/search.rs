//! Searches one room, or all of them: what is here, and by the server what it keeps.
//!
//! What is here is found at once, and without a connection. The server tells what it finds a page at a
//! time, by the same rule. Both are one list, the newest first, in which each message is once.

mod found_message;
mod here;
mod remote;

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeMap,
    marker::PhantomData,
};

use gtk::{
    gio::{self, prelude::*},
    glib::{self, clone, subclass::prelude::*},
};

pub use self::found_message::FoundMessage;
use self::{here::Here, remote::Remote};
use crate::{
    model::{Message, SearchQuery},
    session::{Room, Session, SessionState},
};

/// The most results that are listed; of more, the newest.
const RESULTS_MAX: usize = 2_000;

/// The number of older results left below which the next page is asked for.
const FEW: u32 = 10;

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::Search)]
    pub struct Search {
        /// The only room that is searched; `None` for all.
        #[property(get, set = Self::set_room, explicit_notify, nullable)]
        room: RefCell<Option<Room>>,
        /// The messages that were found, the newest first.
        #[property(get = Self::results, type = gio::ListStore)]
        results: OnceCell<gio::ListStore>,
        /// The number of them.
        #[property(get = |imp: &Self| imp.results().n_items())]
        n_found: PhantomData<u32>,
        /// The result that is being looked at.
        #[property(get, nullable)]
        pub(super) current: RefCell<Option<FoundMessage>>,
        /// The position of the current result, the newest being 1; 0 if there is none.
        #[property(get)]
        pub(super) ordinal: Cell<u32>,
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
        /// The results by the ids of their rooms and their numbers.
        pub(super) known: RefCell<BTreeMap<(String, u64), FoundMessage>>,
        pub(super) here: Here,
        pub(super) remote: RefCell<Remote>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Search {
        const NAME: &'static str = "PychatSearch";
        type Type = super::Search;
    }

    #[glib::derived_properties]
    impl ObjectImpl for Search {}

    impl Search {
        fn results(&self) -> gio::ListStore {
            self.results.get_or_init(gio::ListStore::new::<FoundMessage>).clone()
        }

        fn set_room(&self, room: Option<Room>) {
            if *self.room.borrow() != room {
                self.obj().search_for("");
                self.room.replace(room);
                self.obj().notify_room();
            }
        }
    }
}

glib::wrapper! {
    /// A search through one room, or through all of them.
    pub struct Search(ObjectSubclass<imp::Search>);
}

impl Default for Search {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Search {
    /// Searches for `words` from now on; if these are blank, for nothing. Returns false if that is what
    /// was searched for before.
    pub fn search_for(&self, words: &str) -> bool {
        if self.words() == words.trim() {
            return false;
        }
        let before = self.current();
        self.forget();
        let is_new = self.begin(SearchQuery::new(words), words.trim());
        self.notify_is_searching();
        if is_new {
            self.watch();
            // Who goes on typing stays where they are, as long as that is found.
            if let Some((room, message)) = before.and_then(|it| Some((it.room(), it.message()?))) {
                self.look_into(&room, &message);
                self.look_at(self.result(0).as_ref());
            }
            self.ask();
        }
        self.update();
        true
    }

    /// Looks at the result before this one, and has more looked for where these run out.
    pub fn go_older(&self) {
        let at = self.ordinal();
        if at < self.n_found() {
            self.look_at(self.result(at).as_ref());
        } else {
            let is_stepping = self.has_more() || self.is_busy();
            self.imp().remote.borrow_mut().is_stepping = is_stepping;
        }
        if self.n_found() < self.ordinal() + FEW {
            self.find_more();
        }
    }

    /// Looks at the result after this one.
    pub fn go_newer(&self) {
        if let Some(at) = self.ordinal().checked_sub(2) {
            self.look_at(self.result(at).as_ref());
        }
    }

    /// Looks at the result at `position`, the newest being 0, even if that is the current one.
    pub fn go_to(&self, position: u32) {
        let found = self.result(position);
        if found.is_some() && found == self.current() {
            self.notify_current();
        } else if found.is_some() {
            self.look_at(found.as_ref());
        }
    }

    /// Takes in whose rooms are searched.
    pub(in crate::session) fn set_session(&self, session: &Session) {
        self.imp().session.set(Some(session));
        session.connect_state_notify(clone!(
            #[weak(rename_to = search)]
            self,
            move |session| {
                if session.state() == SessionState::Joined && search.is_searching() {
                    search.ask();
                    search.update();
                }
            }
        ));
        let rooms = session.rooms();
        rooms.connect_withdrawn(clone!(
            #[weak(rename_to = search)]
            self,
            move |_, room, seq| search.drop_where(|(id, it), _| *id == room.id() && *it == seq)
        ));
        rooms.connect_items_changed(clone!(
            #[weak(rename_to = search)]
            self,
            move |rooms, _, _, _| search.drop_where(|(id, _), _| rooms.room(id).is_none())
        ));
    }

    /// Finds out whether `message` of `room` is what is searched for, and lists it, or does so no more.
    fn look_into(&self, room: &Room, message: &Message) {
        let found = match &*self.imp().query.borrow() {
            Some(query) if message.is_from_person() && !message.is_deleted() => {
                query.find(message.author(), &message.text())
            }
            _ => None,
        };
        let Some(seq) = message.seq() else { return };
        let (key, is_found) = ((room.id(), seq), found.is_some());
        message.set_found(found);
        let known = self.imp().known.borrow().get(&key).cloned();
        match known {
            Some(known) if is_found => {
                if known.message().as_ref() != Some(message) {
                    known.set_message(Some(message));
                }
                message.set_current(self.current().as_ref() == Some(&known));
            }
            Some(_) => self.drop_where(|it, _| *it == key),
            None if is_found => self.add(key, room, message),
            None => {}
        }
    }

    /// Lists a message that was found, unless there are newer ones enough.
    fn add(&self, key: (String, u64), room: &Room, message: &Message) {
        let results = self.results();
        let found = FoundMessage::new(room, message, self.room().is_none());
        let last = results.n_items().checked_sub(1).and_then(|at| self.result(at));
        let is_full = RESULTS_MAX <= results.n_items() as usize;
        if let Some(last) = last.filter(|_| is_full) {
            if found.compare(&last).is_ge() {
                return;
            }
            self.drop_where(|_, it| *it == last);
        }
        self.imp().known.borrow_mut().insert(key, found.clone());
        results.insert_sorted(&found, |one, other| {
            let [one, other] = [one, other].map(|it| it.downcast_ref::<FoundMessage>());
            one.zip(other).map_or(std::cmp::Ordering::Equal, |(one, other)| one.compare(other))
        });
    }

    /// Takes off the list what `is_gone`.
    fn drop_where(&self, is_gone: impl Fn(&(String, u64), &FoundMessage) -> bool) {
        let mut gone = Vec::new();
        self.imp().known.borrow_mut().retain(|key, found| {
            let is_kept = !is_gone(key, found);
            gone.extend((!is_kept).then(|| found.clone()));
            is_kept
        });
        if gone.is_empty() {
            return;
        }
        for found in gone {
            if let Some(at) = self.results().find(&found) {
                self.results().remove(at);
            }
            if self.current().as_ref() == Some(&found) {
                self.look_at(None);
            }
        }
        self.count();
    }

    fn result(&self, position: u32) -> Option<FoundMessage> {
        self.results().item(position).and_downcast()
    }

    /// Looks at a result, or at none.
    fn look_at(&self, found: Option<&FoundMessage>) {
        let before = self.imp().current.replace(found.cloned());
        if before.as_ref() != found {
            for (found, is_current) in [(before.as_ref(), false), (found, true)] {
                if let Some(message) = found.and_then(FoundMessage::message) {
                    message.set_current(is_current);
                }
            }
            self.count();
            self.notify_current();
        }
    }

    /// Takes in what has been found meanwhile. In one room the newest is looked at first; who wants an older
    /// one gets it.
    fn settle(&self) {
        self.count();
        let is_stepping = self.imp().remote.borrow().is_stepping;
        let is_wanted = if self.current().is_none() {
            self.room().is_some() && !self.imp().here.is_scanning()
        } else {
            is_stepping
        };
        if is_wanted && self.ordinal() < self.n_found() {
            self.imp().remote.borrow_mut().is_stepping = false;
            self.look_at(self.result(self.ordinal()).as_ref());
        }
        self.update();
    }

    /// Tells how many were found.
    fn count(&self) {
        let current = self.current();
        let at = current.and_then(|current| self.results().find(&current));
        let ordinal = at.map_or(0, |at| at + 1);
        if self.imp().ordinal.replace(ordinal) != ordinal {
            self.notify_ordinal();
        }
        self.notify_n_found();
    }

    /// Forgets what was found, and what is still to come of it.
    fn forget(&self) {
        self.unwatch();
        self.forget_asked();
        let imp = self.imp();
        imp.query.take();
        self.look_at(None);
        for found in imp.known.take().into_values() {
            if let Some(message) = found.message() {
                message.set_found(None);
            }
        }
        self.results().remove_all();
        self.count();
    }

    /// Tells whether more may come.
    fn update(&self) {
        let is_busy = self.imp().remote.borrow().is_asked() || self.imp().here.is_scanning();
        if self.imp().is_busy.replace(is_busy) != is_busy {
            self.notify_is_busy();
        }
    }
}
