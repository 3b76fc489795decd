//! The part of a search that the server does.

use std::{collections::BTreeSet, mem};

use gtk::{glib::subclass::prelude::*, prelude::*};
use pychat_wire::client::{self, SearchEnd};

use super::{RESULTS_MAX, Search};
use crate::{
    model::{Message, Person, SearchQuery},
    session::{Room, SessionState, error_text},
};

/// The number of results that the server is asked for at once.
const PAGE_RESULTS: u64 = 50;

/// The pages of a search.
#[derive(Debug, Default)]
pub(super) struct Remote {
    /// The query, as it was written.
    words: String,
    /// The name of the author.
    from: Option<String>,
    /// The id of the page that is on its way.
    id: Option<String>,
    /// The cursor of the page after those that have come.
    before: Option<String>,
    /// True if a page is to be asked for as soon as an earlier search is over.
    is_due: bool,
    /// True while the reader waits for a result that is older than all that are listed.
    pub(super) is_stepping: bool,
}

impl Remote {
    /// Returns true while a page is on its way, or about to be asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.id.is_some() || self.is_due
    }
}

impl Search {
    /// Asks the server for the next page, if there may be one and none is on its way.
    pub fn find_more(&self) {
        if self.has_more() {
            self.ask();
            self.update();
        }
    }

    /// Returns what is searched for, as it was written.
    pub(super) fn words(&self) -> String {
        self.imp().remote.borrow().words.clone()
    }

    /// Begins to search for something that was written so; returns false if that is nothing.
    pub(super) fn begin(&self, query: Option<SearchQuery>, words: &str) -> bool {
        let Some(mut query) = query else { return false };
        let names = if query.has_author() { self.names() } else { BTreeSet::new() };
        let from = query.settle_author(names.iter().map(String::as_str));
        self.imp().remote.replace(Remote { words: words.to_owned(), from, ..Remote::default() });
        self.imp().query.replace(Some(query));
        true
    }

    /// Takes in what the server has found.
    pub(in crate::session) fn on_found(&self, id: &str, said: &client::Message) {
        let is_ours = self.imp().remote.borrow().id.as_deref() == Some(id);
        let session = self.imp().session.upgrade().filter(|_| is_ours);
        let room = session.and_then(|session| session.rooms().room(said.room.as_str()));
        if let Some(room) = room {
            self.look_into(&room, &room.found(said));
        }
    }

    /// Takes in how a page of the server's has ended.
    pub(in crate::session) fn on_ended(&self, id: &str, end: SearchEnd) {
        let is_ours = self.imp().remote.borrow().id.as_deref() == Some(id);
        if is_ours {
            self.imp().remote.borrow_mut().id = None;
            let (has_more, note) = match end {
                SearchEnd::More { before } => {
                    self.imp().remote.borrow_mut().before = Some(before);
                    ((self.n_found() as usize) < RESULTS_MAX, String::new())
                }
                SearchEnd::Refused { code, text } => (true, error_text::denial(code, &text)),
                SearchEnd::Lost => (false, error_text::only_loaded_searched()),
                _ => (false, String::new()),
            };
            self.set_more(has_more);
            self.set_note(note);
        }
        if self.imp().remote.borrow().is_due {
            self.ask();
        }
        self.settle();
        let is_stepping = mem::take(&mut self.imp().remote.borrow_mut().is_stepping);
        if is_ours && is_stepping && self.note().is_empty() {
            self.go_older(); // What came was listed already.
        }
    }

    /// Asks the server for a page, unless one is on its way.
    pub(super) fn ask(&self) {
        let imp = self.imp();
        let Some(session) = imp.session.upgrade() else { return };
        let Some(query) = imp.query.borrow().clone() else { return };
        let (id, from, before) = {
            let remote = imp.remote.borrow();
            (remote.id.clone(), remote.from.clone(), remote.before.clone())
        };
        if id.is_some() {
            return;
        }
        imp.remote.borrow_mut().is_due = false;
        let is_askable = from.is_some() || !query.words().is_empty();
        if session.state() != SessionState::Joined || !session.has_rooms() || !is_askable {
            self.set_more(false);
            self.set_note(error_text::only_loaded_searched());
            return;
        }
        let room = self.room();
        let id = session.with_client(|client| {
            client.search(&client::Search {
                query: query.words(),
                room: room.as_ref().map(Room::client_id),
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

    /// Forgets what was asked for.
    pub(super) fn forget_asked(&self) {
        let before = self.imp().remote.take();
        if let (Some(id), Some(session)) = (before.id, self.imp().session.upgrade()) {
            session.with_client(|client| client.forget_search(&id));
        }
        self.set_more(false);
        self.set_note(String::new());
    }

    /// Returns the names of the people in the rooms that are searched, and of those who said what is here.
    fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for room in self.rooms() {
            let people = room.people();
            names.extend(people.iter::<Person>().flatten().map(|person| person.name()));
            for message in room.history().iter::<Message>().flatten() {
                if message.is_from_person() && !names.contains(message.author()) {
                    names.insert(message.author().to_owned());
                }
            }
        }
        names
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
