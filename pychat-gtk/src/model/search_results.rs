//! The messages that a search finds in a history, the newest first, as a list for views.
//!
//! Hits are told to views by the stretch: see [`SearchResults::tell`].

use std::cell::{Cell, Ref, RefCell};

use gtk::{
    gio,
    gio::{prelude::*, subclass::prelude::*},
    glib,
};

use super::{History, Message, search_hits::SearchHits};

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct SearchResults {
        pub(super) history: RefCell<Option<History>>,
        pub(super) hits: RefCell<SearchHits>,
        /// The first rank of the hits that views have not been told of, and their number.
        pub(super) untold: Cell<(usize, usize)>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for SearchResults {
        const NAME: &'static str = "PychatSearchResults";
        type Type = super::SearchResults;
        type Interfaces = (gio::ListModel,);
    }

    impl ObjectImpl for SearchResults {}

    impl ListModelImpl for SearchResults {
        fn item_type(&self) -> glib::Type {
            Message::static_type()
        }

        fn n_items(&self) -> u32 {
            position(self.hits.borrow().n_hits())
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            let at = self.hits.borrow().hit(usize::try_from(position).ok()?)?;
            self.history.borrow().as_ref()?.item(u32::try_from(at).ok()?)
        }
    }
}

glib::wrapper! {
    /// The messages that a search finds in a history, the newest first.
    pub struct SearchResults(ObjectSubclass<imp::SearchResults>) @implements gio::ListModel;
}

impl Default for SearchResults {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl SearchResults {
    /// Forgets what was found, to search `history` anew, or nothing.
    pub fn begin(&self, history: Option<&History>) {
        let n_lost = self.n_items();
        let n_messages = history.map_or(0, ListModelExt::n_items);
        self.imp().history.replace(history.cloned());
        self.imp().hits.replace(SearchHits::new(n_messages as usize));
        self.changed(0, n_lost as usize, 0);
    }

    /// Takes in that so many messages at a place of the history were replaced by others.
    pub fn splice(&self, at: usize, n_removed: usize, n_added: usize) {
        let lost = self.imp().hits.borrow_mut().splice(at, n_removed, n_added);
        self.changed(lost.start, lost.len(), 0);
    }

    /// Returns the newest message that was not looked at, by its place in the history.
    pub fn next_unknown(&self) -> Option<usize> {
        self.imp().hits.borrow_mut().next_unknown()
    }

    /// Takes in whether the message at `at` has what is searched for. [`SearchResults::tell`] has to
    /// follow before anything else happens.
    pub fn settle(&self, at: usize, is_hit: bool) {
        let imp = self.imp();
        let rank = self.hits().n_newer(at);
        let (first, n) = imp.untold.get();
        // One change tells of neighbours alone, and before there is anything else.
        if is_hit && 0 < n && rank != first + n {
            self.tell();
        }
        if imp.hits.borrow_mut().settle(at, is_hit) {
            imp.untold.set(match imp.untold.get() {
                (_, 0) => (rank, 1),
                (first, n) => (first, n + 1),
            });
        }
    }

    /// Tells views what was settled. They pay for each change, not for each result in it.
    pub fn tell(&self) {
        let (first, n) = self.imp().untold.take();
        self.changed(first, 0, n);
    }

    /// Looks at the result at `at` in the history, or at none.
    pub fn look_at(&self, at: Option<usize>) {
        self.imp().hits.borrow_mut().look_at(at);
    }

    /// Returns what was found, by places in the history.
    pub fn hits(&self) -> Ref<'_, SearchHits> {
        self.imp().hits.borrow()
    }

    fn changed(&self, at: usize, n_removed: usize, n_added: usize) {
        if 0 < n_removed || 0 < n_added {
            self.items_changed(position(at), position(n_removed), position(n_added));
        }
    }
}

/// A list model counts in 32 bits.
fn position(index: usize) -> u32 {
    u32::try_from(index).expect("the history is bounded")
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::model::MessageKind;

    /// The rows of a view that hears only of changes, and the changes it heard of.
    type View = Rc<RefCell<(Vec<String>, Vec<(u32, u32, u32)>)>>;

    fn viewed() -> (SearchResults, View) {
        let results = SearchResults::default();
        let view = View::default();
        results.connect_items_changed({
            let view = view.clone();
            move |results, at, n_removed, n_added| {
                let (rows, changes) = &mut *view.borrow_mut();
                let added = shown(results, at..at + n_added);
                rows.splice(at as usize..(at + n_removed) as usize, added);
                assert_eq!(*rows, shown(results, 0..results.n_items()));
                changes.push((at, n_removed, n_added));
            }
        });
        (results, view)
    }

    fn shown(results: &SearchResults, positions: std::ops::Range<u32>) -> Vec<String> {
        let items = positions.map(|at| results.item(at).and_downcast::<Message>());
        items.map(|it| it.expect("there is one").text().to_string()).collect()
    }

    /// Makes a history of these, and has `results` hear of what changes.
    fn history(results: &SearchResults, texts: &[&str]) -> History {
        let history = History::default();
        push(&history, texts);
        history.connect_items_changed({
            let results = results.downgrade();
            move |_, at, n_removed, n_added| {
                let results = results.upgrade().expect("it lives as long");
                results.splice(at as usize, n_removed as usize, n_added as usize);
            }
        });
        history
    }

    fn messages(texts: &[&str]) -> Vec<Message> {
        texts.iter().map(|text| Message::new(MessageKind::Other, "Анна", text, 0)).collect()
    }

    fn push(history: &History, texts: &[&str]) {
        for message in messages(texts) {
            history.push(message);
        }
        history.flush();
    }

    /// Looks at up to `n` messages; those with an `x` are hits.
    fn walk(results: &SearchResults, history: &History, n: usize) {
        for _ in 0..n {
            let Some(at) = results.next_unknown() else { break };
            let message = history.message(position(at)).expect("there is one");
            results.settle(at, message.text().contains('x'));
        }
        results.tell();
    }

    #[track_caller]
    fn check(view: &View, rows: &[&str], changes: &[(u32, u32, u32)]) {
        let (shown, heard) = &mut *view.borrow_mut();
        assert_eq!(*shown, rows);
        assert_eq!(std::mem::take(heard), changes);
    }

    #[test]
    fn a_view_hears_of_each_stretch_that_was_found() {
        let (results, view) = viewed();
        let history = history(&results, &["x1", "2", "x3", "x4", "5", "x6"]);
        results.begin(Some(&history));
        check(&view, &[], &[]);
        walk(&results, &history, 4);
        check(&view, &["x6", "x4", "x3"], &[(0, 0, 3)]);
        walk(&results, &history, 4);
        check(&view, &["x6", "x4", "x3", "x1"], &[(3, 0, 1)]);
        results.begin(Some(&history));
        check(&view, &[], &[(0, 4, 0)]);
        results.begin(None);
        check(&view, &[], &[]);
    }

    #[test]
    fn what_comes_at_either_end_is_found_where_it_belongs() {
        let (results, view) = viewed();
        let history = history(&results, &["x1", "2", "x3"]);
        results.begin(Some(&history));
        walk(&results, &history, 1);
        check(&view, &["x3"], &[(0, 0, 1)]);
        push(&history, &["x4", "5", "x6"]);
        walk(&results, &history, usize::MAX);
        check(&view, &["x6", "x4", "x3", "x1"], &[(0, 0, 2), (3, 0, 1)]);
        history.prepend(messages(&["x-1", "x0"]));
        walk(&results, &history, usize::MAX);
        check(&view, &["x6", "x4", "x3", "x1", "x0", "x-1"], &[(4, 0, 2)]);
        history.clear();
        check(&view, &[], &[(0, 6, 0)]);
    }

    #[test]
    fn a_flood_is_told_of_a_batch_at_a_time_and_what_is_forgotten_leaves() {
        let (results, view) = viewed();
        let n = crate::model::HISTORY_MESSAGES_MAX;
        let texts: Vec<_> = (0..2 * n).map(|n| format!("x{n}")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let history = history(&results, &texts[..n]);
        results.begin(Some(&history));
        walk(&results, &history, usize::MAX);
        assert_eq!(std::mem::take(&mut view.borrow_mut().1), [(0, 0, position(n))]);
        push(&history, &texts[n..n + 400]);
        walk(&results, &history, usize::MAX);
        let newest: Vec<_> = texts[400..n + 400].iter().rev().copied().collect();
        check(&view, &newest, &[(position(n - 400), 400, 0), (0, 0, 400)]);
    }
}
