//! The results of a search, as a list in which the result that is being looked at is selected.
//!
//! In GTK's own models, a row is selected when the keyboard moves to it or the pointer hovers over
//! it. Here only the search selects.

use std::cell::OnceCell;

use gtk::{gio, glib, glib::clone, prelude::*, subclass::prelude::*};

use crate::session::search::{FoundMessage, Search};

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct CurrentResult {
        pub(super) search: glib::WeakRef<Search>,
        /// The first of them, which the list is given.
        pub(super) given: OnceCell<gtk::SliceListModel>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for CurrentResult {
        const NAME: &'static str = "PychatCurrentResult";
        type Type = super::CurrentResult;
        type Interfaces = (gio::ListModel, gtk::SelectionModel);
    }

    impl ObjectImpl for CurrentResult {}

    impl ListModelImpl for CurrentResult {
        fn item_type(&self) -> glib::Type {
            FoundMessage::static_type()
        }

        fn n_items(&self) -> u32 {
            self.given.get().map_or(0, ListModelExt::n_items)
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            self.given.get()?.item(position)
        }
    }

    impl SelectionModelImpl for CurrentResult {
        fn is_selected(&self, position: u32) -> bool {
            self.obj().current() == Some(position)
        }
    }
}

glib::wrapper! {
    /// The results of a search, with the result that is being looked at as the selected one.
    pub struct CurrentResult(ObjectSubclass<imp::CurrentResult>)
        @implements gio::ListModel, gtk::SelectionModel;
}

impl CurrentResult {
    /// Makes one of those results of `search` that are `given` to a list, which are the first.
    pub fn new(search: &Search, given: &gtk::SliceListModel) -> Self {
        let selection: Self = glib::Object::new();
        selection.imp().search.set(Some(search));
        selection.imp().given.get_or_init(|| given.clone());
        given.connect_items_changed(clone!(
            #[weak]
            selection,
            move |_, at, n_removed, n_added| selection.items_changed(at, n_removed, n_added)
        ));
        selection
    }

    /// Returns the position of the result that is being looked at.
    pub fn current(&self) -> Option<u32> {
        self.imp().search.upgrade()?.ordinal().checked_sub(1)
    }

    /// Has views show anew which one that is.
    pub fn tell_change(&self) {
        let n_items = self.n_items();
        if 0 < n_items {
            self.selection_changed(0, n_items);
        }
    }
}
