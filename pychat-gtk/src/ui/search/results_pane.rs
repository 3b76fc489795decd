//! The results of a search, the newest first: beside the conversation, where there is room for both. Those of
//! all rooms are shown above it where there is none.
//!
//! A list view makes rows for some two hundred items around those in view, all at once. So it is given
//! a few at first, which come soon after each key, and more as it is scrolled; and none while the pane
//! is not shown. When it has all that there are, the server is asked for the next page.

mod row;
mod selection;

use std::cell::{Cell, OnceCell, RefCell};

use adw::subclass::prelude::*;
use gtk::{glib, glib::clone, prelude::*};

use self::{row::ResultRow, selection::CurrentResult};
use crate::{
    session::search::{FoundMessage, Search},
    ui::people::people_flap,
};

/// The number of results that are given to the list at first, and each time its end is near.
const STEP_RESULTS: u32 = 40;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/results_pane.ui")]
    pub struct ResultsPane {
        #[template_child]
        note: TemplateChild<gtk::Label>,
        #[template_child]
        scrolled_window: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        pub(super) list_view: TemplateChild<gtk::ListView>,
        #[template_child]
        more_button: TemplateChild<gtk::Button>,
        pub(super) search: RefCell<Option<Search>>,
        /// The flap that shows it.
        pub(super) flap: OnceCell<adw::Flap>,
        /// True while the reader does not want to see it above the conversation.
        pub(super) is_sent_away: Cell<bool>,
        /// True while results come that were not asked for: the newest of them are to be seen.
        is_fresh: Cell<bool>,
        /// The results that the list is given.
        given: gtk::SliceListModel,
        selection: RefCell<Option<CurrentResult>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ResultsPane {
        const NAME: &'static str = "PychatResultsPane";
        type Type = super::ResultsPane;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            FoundMessage::ensure_type();
            ResultRow::ensure_type();
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for ResultsPane {
        fn constructed(&self) {
            self.parent_constructed();
            let adjustment = self.scrolled_window.vadjustment();
            adjustment.connect_changed(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.give_more_later()
            ));
            adjustment.connect_value_changed(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.give_more_later()
            ));
        }
    }

    impl WidgetImpl for ResultsPane {}

    impl BinImpl for ResultsPane {}

    #[gtk::template_callbacks]
    impl ResultsPane {
        /// Shows the list if there are results and there is room for it. As long as it is not known what other
        /// words lead to, it stays.
        pub(super) fn show(&self) {
            let search = self.search.borrow().clone();
            let (Some(search), Some(flap)) = (search, self.flap.get()) else { return };
            let has_more = search.has_more() && !search.is_busy();
            let has_any = 0 < search.n_found() || search.room().is_none() && has_more;
            let is_kept = flap.reveals_flap() && search.is_busy();
            let has_room = !flap.is_folded() || search.room().is_none() && !self.is_sent_away.get();
            let is_shown = search.is_searching() && has_room && (has_any || is_kept);
            if !is_shown {
                self.given.set_size(STEP_RESULTS);
            }
            self.note.set_label(&search.note());
            self.note.set_visible(!search.note().is_empty());
            let model = self.selection.borrow().clone().filter(|_| is_shown);
            self.list_view.set_model(model.as_ref());
            if !has_more && self.more_button.has_focus() {
                self.list_view.grab_focus();
            }
            self.more_button.set_visible(has_more);
            flap.set_reveal_flap(is_shown);
            if self.is_fresh.get() {
                self.scroll_to_newest_later();
            }
        }

        /// Shows the newest result. A list keeps what it has shown first, and newer ones come above.
        fn scroll_to_newest_later(&self) {
            glib::idle_add_local_once(clone!(
                #[weak(rename_to = imp)]
                self,
                move || {
                    let is_chosen = imp.search.borrow().as_ref().is_some_and(|it| 0 < it.ordinal());
                    if !is_chosen && imp.list_view.model().is_some_and(|it| 0 < it.n_items()) {
                        // It fails only outside a list.
                        let newest = 0_u32.to_variant();
                        let _ = imp.list_view.activate_action("list.scroll-to-item", Some(&newest));
                    }
                }
            ));
        }

        pub(super) fn set_search(&self, search: &Search) {
            self.given.set_model(Some(&search.results()));
            self.selection.replace(Some(CurrentResult::new(search, &self.given)));
            self.search.replace(Some(search.clone()));
            search.connect_notify_local(
                None,
                clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |search, property| {
                        if property.name() == "is-searching" {
                            imp.is_sent_away.set(false);
                            imp.is_fresh.set(true);
                        }
                        if property.name() == "ordinal"
                            && let Some(selection) = &*imp.selection.borrow()
                        {
                            selection.tell_change();
                        }
                        if property.name() == "current" && search.current().is_some() {
                            imp.show_current();
                        }
                        imp.show();
                        if property.name() == "is-busy" && !search.is_busy() {
                            imp.is_fresh.set(false);
                        }
                    }
                ),
            );
            self.show();
        }

        /// Shows which result is being looked at.
        pub(super) fn show_current(&self) {
            let Some(selection) = self.selection.borrow().clone() else { return };
            let Some(position) = selection.current() else { return };
            if self.list_view.model().is_some() {
                self.given.set_size(self.given.size().max(position + STEP_RESULTS));
                // It fails only outside a list.
                let _ = self
                    .list_view
                    .activate_action("list.scroll-to-item", Some(&position.to_variant()));
            }
        }

        /// Gives the list more where less than a page of it is left. It may be being laid out.
        fn give_more_later(&self) {
            glib::idle_add_local_once(clone!(
                #[weak(rename_to = imp)]
                self,
                move || {
                    let adjustment = imp.scrolled_window.vadjustment();
                    let end = adjustment.value() + 2.0 * adjustment.page_size();
                    if end < adjustment.upper() || imp.list_view.model().is_none() {
                        return;
                    }
                    if imp.given.n_items() == imp.given.size() {
                        imp.given.set_size(imp.given.size() + STEP_RESULTS);
                    } else if 0.0 < adjustment.value() {
                        imp.on_more();
                    }
                }
            ));
        }

        #[template_callback]
        fn on_activate(&self, position: u32) {
            let Some(search) = self.search.borrow().clone() else { return };
            self.is_sent_away.set(true);
            search.go_to(position);
        }

        #[template_callback]
        fn on_more(&self) {
            if let Some(search) = &*self.search.borrow() {
                search.find_more();
            }
        }
    }
}

glib::wrapper! {
    /// The list of what a search has found.
    pub struct ResultsPane(ObjectSubclass<imp::ResultsPane>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl ResultsPane {
    /// Lists from now on what `search` finds.
    pub fn list(&self, search: &Search) {
        self.imp().set_search(search);
    }

    /// Takes in that it is the flap of `flap`.
    pub fn set_flap(&self, flap: &adw::Flap) {
        let _ = self.imp().flap.set(flap.clone()); // It is told once.
        flap.connect_folded_notify(clone!(
            #[weak(rename_to = pane)]
            self,
            move |_| {
                pane.imp().show();
                pane.imp().show_current();
            }
        ));
        people_flap::hide_while_closed(flap);
    }

    /// Shows the results, wherever there is room, and gives them the keyboard.
    pub fn focus_results(&self) {
        self.imp().is_sent_away.set(false);
        self.imp().show();
        self.imp().list_view.grab_focus();
    }
}
