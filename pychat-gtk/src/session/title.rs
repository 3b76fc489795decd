//! The name of a server: its own, or else the one that the reader gave it.

use gtk::glib::subclass::prelude::*;

use super::Session;

impl Session {
    /// Calls the server `alias` as long as it does not say how it is called; by its address if that is
    /// empty.
    pub fn set_alias(&self, alias: &str) {
        self.imp().alias.replace(alias.to_owned());
        self.update_title();
    }

    /// Returns true if the server says how it is called.
    pub fn has_server_name(&self) -> bool {
        self.ask_client(|client| !client.server_name().is_empty()).unwrap_or_default()
    }

    /// Forgets how the server was called.
    pub(super) fn forget_server_name(&self) {
        self.imp().server_name.take();
    }

    /// Takes in how the server is called. Another server of the same chat may be called otherwise, which
    /// changes nothing.
    pub(super) fn update_title(&self) {
        let name = self.ask_client(|client| client.server_name().to_owned()).unwrap_or_default();
        let mut known = self.imp().server_name.borrow_mut();
        let is_new = known.is_empty() || !self.is_elsewhere();
        let name = if name.is_empty() || is_new { name } else { known.clone() };
        if !name.is_empty() {
            known.clone_from(&name);
        }
        drop(known);
        let names = [name, self.imp().alias.borrow().clone()];
        let brief = || self.account().map(|account| account.server().brief());
        let name = names.into_iter().find(|name| !name.is_empty());
        let title = name.or_else(brief).unwrap_or_default();
        if self.imp().title.replace(title.clone()) != title {
            self.notify_title();
            self.room().set_title(title);
        }
    }
}
