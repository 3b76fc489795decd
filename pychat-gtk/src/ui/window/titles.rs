//! The titles of a window, and the name of its server, which the reader may choose where it has none.

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::imp::Window;
use crate::{
    session::{Account, SessionState},
    text::{i18n::gettext, names},
    ui::{dialogs::name_server, people::people_pane::people_here},
};

impl Window {
    /// Shows, in the window itself, the server, the number of people there or the state of the
    /// connection, and the user's name; in the title of the window the server and the name.
    pub(super) fn show_titles(&self) {
        if !self.session.has_conversation() {
            self.title.set_title(&gettext("Pychat"));
            self.title.set_subtitle("");
            self.obj().set_title(Some(&gettext("Pychat")));
            return;
        }
        let (name, server) = (self.session.name(), self.session.title());
        let state = match self.session.state() {
            SessionState::Joined => people_here(self.session.room().people().n_items()),
            SessionState::Connecting | SessionState::Joining => gettext("Reconnecting…"),
            _ => gettext("Offline"),
        };
        self.title.set_title(&server);
        self.title.set_subtitle(&format!("{state} · {}", names::isolated(&name)));
        self.obj().set_title(Some(&names::window_title(&name, &server)));
    }

    /// Remembers who joined and where: as it was asked for, not as the server calls it.
    pub(super) fn remember(&self) {
        if let (Some(settings), Some(account)) = (self.settings.get(), self.session.account()) {
            settings.remember(account, &self.session.title());
        }
    }

    /// Calls the server of `account` as the reader has called it before.
    pub(super) fn recall_name(&self, account: &Account) {
        let name = self.settings.get().and_then(|it| it.server_name(account.server()));
        self.session.set_alias(&name.unwrap_or_default());
    }

    /// Offers to name the server, if there is one that has no name.
    pub(super) fn offer_name(&self) {
        let is_unnamed = self.session.has_conversation() && !self.session.has_server_name();
        self.obj().action_set_enabled("win.name-server", is_unnamed);
    }

    /// Asks how the server is to be called.
    pub(super) fn ask_for_name(&self) {
        let Some(account) = self.session.account() else { return };
        let known = self.settings.get().and_then(|it| it.server_name(account.server()));
        let set_name = clone!(
            #[weak(rename_to = imp)]
            self,
            move |name: &str| {
                imp.session.set_alias(name);
                imp.remember();
                imp.show_titles();
            }
        );
        let address = account.server().brief();
        name_server::ask(&*self.obj(), &address, &known.unwrap_or_default(), set_name);
    }
}
