//! The chats that were joined, the last first: each to be joined again with a click, or removed.

use std::{
    cell::{OnceCell, RefCell},
    sync::OnceLock,
};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone, glib::subclass::Signal};

use crate::{
    session::Account,
    settings::Settings,
    text::{
        i18n::{gettext, gettext_f},
        names,
    },
};

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct RecentChats {
        pub(super) settings: OnceCell<Settings>,
        pub(super) rows: RefCell<Vec<(Account, adw::ActionRow)>>,
        /// The chat that is not shown: it is in the form already.
        left_out: RefCell<Option<Account>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RecentChats {
        const NAME: &'static str = "PychatRecentChats";
        type Type = super::RecentChats;
        type ParentType = adw::PreferencesGroup;
    }

    impl ObjectImpl for RecentChats {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                let [account, place] = [Account::static_type(), u32::static_type()];
                vec![
                    Signal::builder("chosen").param_types([account]).build(),
                    Signal::builder("removed").param_types([place, account]).build(),
                ]
            })
        }
    }

    impl WidgetImpl for RecentChats {}

    impl PreferencesGroupImpl for RecentChats {}

    impl RecentChats {
        pub(super) fn refresh(&self) {
            let Some(settings) = self.settings.get() else { return };
            for (_, row) in self.rows.take() {
                self.obj().remove(&row);
            }
            let rows = settings.recent().into_iter().map(|account| {
                let server_name = settings.server_name(account.server());
                (account.clone(), self.row(account, server_name.as_deref()))
            });
            self.rows.replace(rows.collect());
            self.show_rows();
        }

        pub(super) fn leave_out(&self, account: Option<Account>) {
            self.left_out.replace(account);
            self.show_rows();
        }

        fn show_rows(&self) {
            let (rows, left_out) = (self.rows.borrow(), self.left_out.borrow());
            for (chat, row) in &*rows {
                row.set_visible(left_out.as_ref() != Some(chat));
            }
            self.obj().set_visible(rows.iter().any(|(chat, _)| left_out.as_ref() != Some(chat)));
        }

        /// A name is what a server says of itself, so its address stands there too.
        fn row(&self, account: Account, server_name: Option<&str>) -> adw::ActionRow {
            let server = &account.server().to_string();
            let address = names::left_to_right(server);
            let (title, subtitle) = match server_name {
                Some(name) => (
                    names::isolated(name),
                    format!("{} · {address}", names::isolated(account.name())),
                ),
                None => (address, account.name().to_owned()),
            };
            let row = adw::ActionRow::builder()
                .activatable(true)
                .subtitle(glib::markup_escape_text(&subtitle))
                .title(glib::markup_escape_text(&title))
                .title_lines(1)
                .tooltip_text(server)
                .build();
            let chat = names::chat(account.name(), server_name.unwrap_or(server));
            row.reset_relation(gtk::AccessibleRelation::LabelledBy); // By its title alone.
            row.update_property(&[gtk::accessible::Property::Label(&chat)]);
            row.add_suffix(&self.remove_button(&account, &chat));
            row.connect_activated(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.obj().emit_by_name::<()>("chosen", &[&account])
            ));
            self.obj().add(&row);
            row
        }

        fn remove_button(&self, account: &Account, chat: &str) -> gtk::Button {
            let button = gtk::Button::builder()
                .css_classes(["flat"])
                .icon_name("user-trash-symbolic")
                .tooltip_text(gettext("Remove from List"))
                .valign(gtk::Align::Center)
                .build();
            let label = gettext_f("Remove {chat} from List", &[("chat", chat)]);
            button.update_property(&[gtk::accessible::Property::Label(&label)]);
            let account = account.clone();
            button.connect_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.remove(&account)
            ));
            button
        }

        /// The keyboard goes to what takes the place of the row.
        fn remove(&self, account: &Account) {
            let Some(settings) = self.settings.get() else { return };
            let mut chats = settings.recent();
            let Some(at) = chats.iter().position(|it| it == account) else {
                return;
            };
            chats.remove(at);
            settings.set_recent(&chats);
            self.refresh();
            if let Some(row) = self.shown_row(at) {
                row.grab_focus();
            }
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            self.obj().emit_by_name::<()>("removed", &[&at, account]);
        }

        /// Returns the first row that is shown from `at` on, or the last one that is.
        fn shown_row(&self, at: usize) -> Option<adw::ActionRow> {
            let rows = self.rows.borrow();
            let is_shown = |(_, row): &&(Account, adw::ActionRow)| row.is_visible();
            let next = rows.iter().skip(at).find(is_shown);
            next.or_else(|| rows.iter().rfind(is_shown)).map(|(_, row)| row.clone())
        }

        /// Puts a chat back into its place, unless it was joined meanwhile.
        pub(super) fn put_back(&self, at: usize, account: &Account) {
            let Some(settings) = self.settings.get() else { return };
            let mut chats = settings.recent();
            if !chats.contains(account) {
                chats.insert(at.min(chats.len()), account.clone());
                settings.set_recent(&chats);
            }
            self.refresh();
        }
    }
}

glib::wrapper! {
    /// The chats that were joined.
    ///
    /// Emits `chosen` with the account of one, and `removed` with its place before that.
    pub struct RecentChats(ObjectSubclass<imp::RecentChats>)
        @extends adw::PreferencesGroup, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl RecentChats {
    /// Shows what is remembered in `settings`.
    pub fn follow(&self, settings: &Settings) {
        self.imp().settings.get_or_init(|| settings.clone());
        self.refresh();
    }

    /// Does not show the chat of `account`, which is in the form already.
    pub fn leave_out(&self, account: Option<Account>) {
        self.imp().leave_out(account);
    }

    /// Puts the chat of `account`, which was removed, back to its place.
    pub fn put_back(&self, at: u32, account: &Account) {
        self.imp().put_back(usize::try_from(at).unwrap_or(usize::MAX), account);
    }

    /// Returns true if no chat is remembered.
    pub fn is_empty(&self) -> bool {
        self.imp().rows.borrow().is_empty()
    }

    /// Shows what is remembered by now.
    pub fn refresh(&self) {
        self.imp().refresh();
    }
}
