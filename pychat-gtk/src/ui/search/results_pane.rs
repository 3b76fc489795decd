//! The results of a search, the newest first: beside the conversation, where there is room for
//! both.
//!
//! A list view makes rows for some two hundred items around those in view, all at once. So it is given
//! a few at first, which come soon after each key, and more as it is scrolled; and none while the pane
//! is not shown.

mod row;
mod selection;

use std::cell::OnceCell;

use adw::subclass::prelude::*;
use gtk::{glib, glib::clone, prelude::*};

use self::{row::ResultRow, selection::CurrentResult};
use super::everywhere_pane::EverywherePane;
use crate::{session::search::Search, ui::people::people_flap};

/// The number of results that are given to the list at first, and each time its end is near.
const STEP_RESULTS: u32 = 40;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/results_pane.ui")]
    pub struct ResultsPane {
        #[template_child]
        scrolled_window: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        list_view: TemplateChild<gtk::ListView>,
        #[template_child]
        here: TemplateChild<gtk::Box>,
        #[template_child]
        everywhere: TemplateChild<EverywherePane>,
        #[template_child]
        more_button: TemplateChild<gtk::Button>,
        pub(super) search: OnceCell<Search>,
        /// The results that the list is given.
        given: gtk::SliceListModel,
        selection: OnceCell<CurrentResult>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ResultsPane {
        const NAME: &'static str = "PychatResultsPane";
        type Type = super::ResultsPane;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            EverywherePane::ensure_type();
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
        /// Shows the list if there are results and `flap` has room for it. As long as it is not
        /// known what other words lead to, it stays.
        pub(super) fn show(&self, search: &Search, flap: &adw::Flap) {
            if self.is_everywhere() {
                return;
            }
            let is_kept = flap.reveals_flap() && search.is_searching() && search.is_busy();
            let is_shown = !flap.is_folded() && (0 < search.n_found() || is_kept);
            if !is_shown {
                self.given.set_size(STEP_RESULTS);
            }
            let selection = self.selection.get_or_init(|| {
                self.given.set_model(Some(&search.results()));
                CurrentResult::new(&search.results(), &self.given)
            });
            self.list_view.set_model(is_shown.then_some(selection));
            let has_more = search.has_more();
            if !has_more && self.more_button.has_focus() {
                self.list_view.grab_focus();
            }
            self.more_button.set_visible(has_more);
            flap.set_reveal_flap(is_shown);
        }

        pub(super) fn is_everywhere(&self) -> bool {
            self.everywhere.get_visible()
        }

        pub(super) fn set_everywhere(&self, is_everywhere: bool) {
            // What is only covered would be read out still.
            self.here.set_visible(!is_everywhere);
            self.everywhere.set_visible(is_everywhere);
        }

        pub(super) fn everywhere(&self) -> EverywherePane {
            self.everywhere.get()
        }

        /// Shows which result is being looked at.
        pub(super) fn show_current(&self) {
            let Some(selection) = self.selection.get() else { return };
            selection.tell_change();
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
                    let has_more = imp.given.n_items() == imp.given.size();
                    if has_more && adjustment.upper() < end {
                        imp.given.set_size(imp.given.size() + STEP_RESULTS);
                    }
                }
            ));
        }

        #[template_callback]
        fn on_activate(&self, position: u32) {
            if let Some(search) = self.search.get() {
                search.go_to(position);
            }
        }

        #[template_callback]
        fn on_more(&self) {
            if let Some(search) = self.search.get() {
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
    /// Returns the list of what was found in all rooms.
    pub fn everywhere(&self) -> EverywherePane {
        self.imp().everywhere()
    }

    /// Shows what was found in all rooms, if `is_everywhere`, or only in the one that is shown.
    pub fn set_everywhere(&self, is_everywhere: bool) {
        self.imp().set_everywhere(is_everywhere);
    }

    /// Lists from now on what `search` finds, while `flap`, whose flap this is, has room for it beside
    /// its content.
    pub fn list(&self, search: &Search, flap: &adw::Flap) {
        self.imp().search.get_or_init(|| search.clone());
        search.connect_notify_local(
            None,
            clone!(
                #[weak(rename_to = pane)]
                self,
                #[weak]
                flap,
                move |search, _| pane.imp().show(search, &flap)
            ),
        );
        search.connect_current_notify(clone!(
            #[weak(rename_to = pane)]
            self,
            move |_| pane.imp().show_current()
        ));
        flap.connect_folded_notify(clone!(
            #[weak(rename_to = pane)]
            self,
            #[weak]
            search,
            move |flap| {
                pane.imp().show(&search, flap);
                pane.imp().show_current();
            }
        ));
        people_flap::hide_while_closed(flap);
    }
}

/// Lets templates know the rows of results.
pub(super) fn ensure_rows() {
    ResultRow::ensure_type();
}
