//! The entry with what to search the conversation for, and how much was found.
//!
//! People search backwards, from what was said last: the next match is the older one.

use std::cell::{Cell, RefCell};

use adw::subclass::prelude::*;
use gtk::{glib, glib::clone, prelude::*};

use crate::{
    session::{Room, search::Search},
    text::i18n::{gettext, gettext_f},
};

mod imp {
    use std::sync::OnceLock;

    use glib::subclass::Signal;

    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/search_bar.ui")]
    #[properties(wrapper_type = super::SearchBar)]
    pub struct SearchBar {
        #[template_child]
        bar: TemplateChild<gtk::SearchBar>,
        #[template_child]
        pub(super) entry: TemplateChild<gtk::SearchEntry>,
        #[template_child]
        steps: TemplateChild<gtk::Box>,
        #[template_child]
        count: TemplateChild<gtk::Label>,
        #[template_child]
        spinner: TemplateChild<gtk::Spinner>,
        /// The search.
        #[property(get, set = Self::set_search, nullable)]
        search: RefCell<Option<Search>>,
        /// The room that is shown.
        #[property(get, set = Self::set_room, explicit_notify, nullable)]
        room: RefCell<Option<Room>>,
        /// True if all rooms are searched.
        #[property(get, set = Self::set_is_everywhere, explicit_notify)]
        is_everywhere: Cell<bool>,
        /// True while the bar is there.
        #[property(get, set = Self::set_is_open, explicit_notify)]
        is_open: Cell<bool>,
        /// True if all was searched and nothing was found.
        #[property(get)]
        is_in_vain: Cell<bool>,
        /// The advice where nothing was found.
        #[property(get)]
        advice: RefCell<String>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for SearchBar {
        const NAME: &'static str = "PychatSearchBar";
        type Type = super::SearchBar;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.set_accessible_role(gtk::AccessibleRole::Search);
            klass.bind_template();
            klass.bind_template_callbacks();
            klass.install_action("search.older", None, |bar, _, _| bar.imp().on_next_match());
            klass.install_action("search.newer", None, |bar, _, _| bar.imp().on_previous_match());
            klass.install_action("search.give-up", None, |bar, _, _| bar.give_up());
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for SearchBar {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                vec![Signal::builder("given-up").build(), Signal::builder("results-wanted").build()]
            })
        }

        fn constructed(&self) {
            self.parent_constructed();
            self.bar.connect_entry(&*self.entry);
            self.show_outcome();
        }
    }

    impl WidgetImpl for SearchBar {}

    impl BinImpl for SearchBar {}

    #[gtk::template_callbacks]
    impl SearchBar {
        fn set_search(&self, search: Option<Search>) {
            if let Some(search) = &search {
                search.connect_notify_local(
                    None,
                    clone!(
                        #[weak(rename_to = imp)]
                        self,
                        move |_, _| imp.show_outcome()
                    ),
                );
            }
            self.search.replace(search);
            self.point_search();
        }

        fn set_room(&self, room: Option<Room>) {
            self.room.replace(room);
            self.point_search();
            self.obj().notify_room();
        }

        /// Has the search go through what is to be searched: nothing yet, if that is something else.
        fn point_search(&self) {
            if let Some(search) = &*self.search.borrow() {
                search.set_room(self.room.borrow().as_ref().filter(|_| !self.is_everywhere.get()));
            }
        }

        /// Searches for the same words elsewhere.
        fn set_is_everywhere(&self, is_everywhere: bool) {
            if self.is_everywhere.replace(is_everywhere) == is_everywhere {
                return;
            }
            self.point_search();
            self.steps.set_visible(!is_everywhere);
            let name = if is_everywhere {
                gettext("Search all rooms")
            } else {
                gettext("Search the conversation")
            };
            self.entry.set_placeholder_text(Some(&name));
            self.entry.update_property(&[gtk::accessible::Property::Label(&name)]);
            self.search_for_words();
            self.show_outcome();
            self.obj().notify_is_everywhere();
        }

        /// Searches for what is written; returns false if that was done already.
        fn search_for_words(&self) -> bool {
            let search = self.search.borrow().clone().filter(|_| self.is_open.get());
            search.is_some_and(|search| search.search_for(&self.entry.text()))
        }

        fn set_is_open(&self, is_open: bool) {
            if self.is_open.replace(is_open) == is_open {
                return;
            }
            if !is_open {
                if let Some(search) = &*self.search.borrow() {
                    search.search_for("");
                }
                self.obj().set_is_everywhere(false);
            }
            // What has slid out of sight is not there for a screen reader either.
            self.obj().set_visible(is_open);
            self.obj().notify_is_open();
        }

        /// Shows how much was found. Nothing is said to be missing before all was looked at.
        fn show_outcome(&self) {
            let Some(search) = self.search.borrow().clone() else { return };
            let (n_found, is_over) = (search.n_found(), !search.is_busy());
            let is_searching = search.is_searching();
            let advice = match search.note() {
                note if note.is_empty() => gettext("Try a different search"),
                note => note,
            };
            if self.advice.replace(advice.clone()) != advice {
                self.obj().notify_advice();
            }
            self.show_in_vain(is_searching && is_over && n_found == 0 && !search.has_more());
            let count = match n_found {
                0 if is_over && search.has_more() => gettext("No results so far"),
                _ if search.ordinal() == 0 => String::new(),
                _ => count(search.ordinal(), n_found, search.has_more()),
            };
            self.count.set_visible(is_searching && !count.is_empty());
            self.count.set_label(&count);
            self.spinner.set_visible(!is_over);
            self.spinner.set_spinning(!is_over);
            let obj = self.obj();
            let has_older = search.ordinal() < n_found || search.has_more();
            obj.action_set_enabled("search.older", is_searching && (has_older || !is_over));
            obj.action_set_enabled("search.newer", 1 < search.ordinal());
        }

        fn show_in_vain(&self, is_in_vain: bool) {
            if self.is_in_vain.replace(is_in_vain) == is_in_vain {
                return;
            }
            if is_in_vain {
                self.entry.add_css_class("error");
            } else {
                self.entry.remove_css_class("error");
            }
            self.obj().notify_is_in_vain();
        }

        #[template_callback]
        fn on_search_changed(&self) {
            self.search_for_words();
        }

        /// Enter goes on to the next match, once the first is that of the words as they stand.
        #[template_callback]
        fn on_activate(&self) {
            if self.search_for_words() {
                return;
            }
            if self.is_everywhere.get() {
                self.obj().emit_by_name::<()>("results-wanted", &[]);
            } else {
                self.on_next_match();
            }
        }

        #[template_callback]
        pub(super) fn on_next_match(&self) {
            if let Some(search) = &*self.search.borrow() {
                search.go_older();
            }
        }

        #[template_callback]
        pub(super) fn on_previous_match(&self) {
            if let Some(search) = &*self.search.borrow() {
                search.go_newer();
            }
        }

        #[template_callback]
        fn on_stop_search(&self) {
            self.obj().give_up();
        }
    }
}

glib::wrapper! {
    /// The entry with what to search the conversation for.
    ///
    /// Emits `given-up` when it was closed to go back to where the search began, and `results-wanted` when
    /// the keyboard is to go to what was found in all rooms.
    pub struct SearchBar(ObjectSubclass<imp::SearchBar>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl SearchBar {
    /// Opens it to search all rooms, if `is_everywhere`, or the one that is shown, and lets its reader
    /// write, over what was searched for before.
    pub fn open(&self, is_everywhere: bool) {
        self.set_is_open(true);
        self.set_is_everywhere(is_everywhere);
        self.imp().entry.grab_focus();
        self.imp().entry.select_region(0, -1);
    }

    /// Returns the words that are searched for.
    pub fn text(&self) -> String {
        self.imp().entry.text().into()
    }

    /// Searches for `text`, as before.
    pub fn go_on_with(&self, text: &str) {
        self.imp().entry.set_text(text);
    }

    /// Closes it to go back to where the search began.
    pub fn give_up(&self) {
        self.set_is_open(false);
        self.emit_by_name::<()>("given-up", &[]);
    }
}

/// Returns which of the matches is on show.
fn count(ordinal: u32, n_found: u32, has_more: bool) -> String {
    let (ordinal, count) = (ordinal.to_string(), n_found.to_string());
    let values = [("ordinal", ordinal.as_str()), ("count", count.as_str())];
    if has_more {
        // Translators: {ordinal} is the number of the match on show; there are more than {count}.
        gettext_f("{ordinal} of {count}+", &values)
    } else {
        // Translators: {ordinal} is the number of the match on show; there are {count}.
        gettext_f("{ordinal} of {count}", &values)
    }
}
