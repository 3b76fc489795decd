//! The chats that one has been in, the last first: each to be joined again with a click, or to be
//! forgotten.

use std::{
    cell::{OnceCell, RefCell},
    sync::OnceLock,
};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone, glib::subclass::Signal};

use crate::{
    i18n::{gettext, gettext_f},
    settings::Settings,
    wording,
};

/// How many chats make a list; a single one is filled in already.
const LISTED_MIN: usize = 2;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct RecentGroup {
        pub(super) settings: OnceCell<Settings>,
        rows: RefCell<Vec<adw::ActionRow>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RecentGroup {
        const NAME: &'static str = "PychatRecentGroup";
        type Type = super::RecentGroup;
        type ParentType = adw::PreferencesGroup;
    }

    impl ObjectImpl for RecentGroup {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                let chat = [String::static_type(), String::static_type()];
                vec![Signal::builder("chosen").param_types(chat).build()]
            })
        }
    }

    impl WidgetImpl for RecentGroup {}

    impl PreferencesGroupImpl for RecentGroup {}

    impl RecentGroup {
        pub(super) fn refresh(&self) {
            let Some(settings) = self.settings.get() else { return };
            for row in self.rows.take() {
                self.obj().remove(&row);
            }
            let chats = settings.recent();
            self.obj().set_visible(LISTED_MIN <= chats.len());
            let rows = chats.iter().map(|(name, server)| self.row(name, server)).collect();
            self.rows.replace(rows);
        }

        fn row(&self, name: &str, server: &str) -> adw::ActionRow {
            let row = adw::ActionRow::builder()
                .activatable(true)
                .subtitle(glib::markup_escape_text(name))
                .title(glib::markup_escape_text(server))
                .build();
            let chat = wording::chat(name, server);
            row.reset_relation(gtk::AccessibleRelation::LabelledBy); // By its title alone.
            row.update_property(&[gtk::accessible::Property::Label(&chat)]);
            row.add_suffix(&self.forget_button(name, server));
            let (name, server) = (name.to_owned(), server.to_owned());
            row.connect_activated(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.obj().emit_by_name::<()>("chosen", &[&name, &server])
            ));
            self.obj().add(&row);
            row
        }

        fn forget_button(&self, name: &str, server: &str) -> gtk::Button {
            let button = gtk::Button::builder()
                .css_classes(["flat"])
                .icon_name("user-trash-symbolic")
                .tooltip_text(gettext("Remove from List"))
                .valign(gtk::Align::Center)
                .build();
            let label =
                gettext_f("Remove {chat} from List", &[("chat", &wording::chat(name, server))]);
            button.update_property(&[gtk::accessible::Property::Label(&label)]);
            let (name, server) = (name.to_owned(), server.to_owned());
            button.connect_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.forget(&name, &server)
            ));
            button
        }

        /// The keyboard goes to what takes the place of the row.
        fn forget(&self, name: &str, server: &str) {
            let Some(settings) = self.settings.get() else { return };
            let at = settings.recent().iter().position(|it| it.0 == name && it.1 == server);
            settings.forget(name, server);
            self.refresh();
            let rows = self.rows.borrow();
            let next = at.and_then(|at| rows.get(at)).or(rows.last());
            if let Some(row) = next.filter(|_| self.obj().is_visible()) {
                row.grab_focus();
            }
        }
    }
}

glib::wrapper! {
    /// The chats that one has been in; emits `chosen` with the name and the server of one.
    pub struct RecentGroup(ObjectSubclass<imp::RecentGroup>)
        @extends adw::PreferencesGroup, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl RecentGroup {
    /// Shows what is remembered in `settings`.
    pub fn follow(&self, settings: &Settings) {
        self.imp().settings.get_or_init(|| settings.clone());
        self.refresh();
    }

    /// Shows what is remembered by now.
    pub fn refresh(&self) {
        self.imp().refresh();
    }
}
