//! The results of a search through all rooms, the newest first.
//!
//! A list view makes rows for some two hundred items at once. So it is given a few at first, and more as
//! it is scrolled; when it has all that there are, the server is asked for the next page.

use std::cell::OnceCell;

use adw::subclass::prelude::*;
use gtk::{glib, glib::clone, prelude::*};

use crate::session::search::{FoundMessage, SearchEverywhere};

/// The number of results that are given to the list at first, and each time its end is near.
const STEP_RESULTS: u32 = 40;

mod imp {
    use std::sync::OnceLock;

    use glib::subclass::Signal;

    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/everywhere_pane.ui")]
    pub struct EverywherePane {
        #[template_child]
        note: TemplateChild<gtk::Label>,
        #[template_child]
        scrolled_window: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        pub(super) list_view: TemplateChild<gtk::ListView>,
        #[template_child]
        in_vain: TemplateChild<adw::StatusPage>,
        #[template_child]
        more_button: TemplateChild<gtk::Button>,
        pub(super) search: OnceCell<SearchEverywhere>,
        /// The results that the list is given.
        pub(super) given: gtk::SliceListModel,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for EverywherePane {
        const NAME: &'static str = "PychatEverywherePane";
        type Type = super::EverywherePane;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            FoundMessage::ensure_type();
            super::super::results_pane::ensure_rows();
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for EverywherePane {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                let found = FoundMessage::static_type();
                vec![Signal::builder("chosen").param_types([found]).build()]
            })
        }

        fn constructed(&self) {
            self.parent_constructed();
            self.given.set_size(STEP_RESULTS);
            let selection = gtk::NoSelection::new(Some(self.given.clone()));
            self.list_view.set_model(Some(&selection));
            let adjustment = self.scrolled_window.vadjustment();
            adjustment.connect_value_changed(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.give_more_later()
            ));
        }
    }

    impl WidgetImpl for EverywherePane {}

    impl BinImpl for EverywherePane {}

    #[gtk::template_callbacks]
    impl EverywherePane {
        pub(super) fn show(&self, search: &SearchEverywhere) {
            let has_any = 0 < search.results().n_items();
            let note = search.note();
            self.note.set_label(&note);
            self.note.set_visible(!note.is_empty() && search.is_searching());
            let has_more = search.has_more() && !search.is_busy();
            if !has_more && self.more_button.has_focus() {
                self.list_view.grab_focus();
            }
            self.more_button.set_visible(has_more);
            let is_in_vain = search.is_searching() && !search.is_busy() && !has_any && !has_more;
            self.in_vain.set_visible(is_in_vain);
            self.scrolled_window.set_visible(!is_in_vain);
            if !has_any {
                self.given.set_size(STEP_RESULTS);
            }
        }

        /// Gives the list more where less than a page of it is left. It may be being laid out.
        fn give_more_later(&self) {
            glib::idle_add_local_once(clone!(
                #[weak(rename_to = imp)]
                self,
                move || {
                    let adjustment = imp.scrolled_window.vadjustment();
                    if adjustment.value() + 2.0 * adjustment.page_size() <= adjustment.upper() {
                        return;
                    }
                    if imp.given.n_items() == imp.given.size() {
                        imp.given.set_size(imp.given.size() + STEP_RESULTS);
                    } else {
                        imp.on_more();
                    }
                }
            ));
        }

        #[template_callback]
        fn on_activate(&self, position: u32) {
            let found = self.given.item(position).and_downcast::<FoundMessage>();
            if let Some(found) = found {
                self.obj().emit_by_name::<()>("chosen", &[&found]);
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
    /// The list of what a search through all rooms has found.
    ///
    /// Emits `chosen` with the result that is to be gone to.
    pub struct EverywherePane(ObjectSubclass<imp::EverywherePane>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl EverywherePane {
    /// Lists from now on what `search` finds.
    pub fn list(&self, search: &SearchEverywhere) {
        let imp = self.imp();
        imp.search.get_or_init(|| search.clone());
        imp.given.set_model(Some(&search.results()));
        search.connect_notify_local(
            None,
            clone!(
                #[weak(rename_to = pane)]
                self,
                move |search, _| pane.imp().show(search)
            ),
        );
        search.results().connect_items_changed(clone!(
            #[weak(rename_to = pane)]
            self,
            #[weak]
            search,
            move |_, _, _, _| pane.imp().show(&search)
        ));
        imp.show(search);
    }

    /// Gives the keyboard to the results.
    pub fn focus_results(&self) {
        self.imp().list_view.grab_focus();
    }
}
