//! A person on a server: whose conversation it is, wherever that is asked.

use gtk::glib::{self, prelude::*};
use pychat_wire::UserName;

use crate::text::server_address::ServerAddress;

/// The name of a person, and the server where they have it; both in the one spelling they have.
#[derive(Clone, Debug, Eq, PartialEq, glib::Boxed)]
#[boxed_type(name = "PychatAccount")]
pub struct Account {
    name: UserName,
    server: ServerAddress,
}

impl Account {
    /// Returns the account of `name` on `server`.
    pub fn new(name: UserName, server: ServerAddress) -> Self {
        Self { name, server }
    }

    /// Reads an account as it is kept, and as actions are told it; `None` if there can be none like
    /// that.
    pub fn parse((name, server): &(String, String)) -> Option<Self> {
        Some(Self::new(UserName::new(name).ok()?, server.parse().ok()?))
    }

    /// Returns what [`Self::parse`] reads.
    pub fn to_strings(&self) -> (String, String) {
        (self.name.as_str().to_owned(), self.server.to_string())
    }

    /// Returns the account that the target of an action names, and the id of the room there.
    pub fn from_target(target: Option<&glib::Variant>) -> Option<(Self, String)> {
        let (name, server, room) = target?.get()?;
        Some((Self::parse(&(name, server))?, room))
    }

    /// Returns the target of an action that names it, and the room there whose id is `room`.
    pub fn to_target(&self, room: &str) -> glib::Variant {
        let (name, server) = self.to_strings();
        (name, server, room).to_variant()
    }

    /// Returns the person's name, as they ask for it.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns the person's name, to join with.
    pub fn user_name(&self) -> &UserName {
        &self.name
    }

    /// Returns the server.
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// Returns what tells it from all others.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name(), self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, server: &str) -> Option<Account> {
        Account::parse(&(name.to_owned(), server.to_owned()))
    }

    #[test]
    fn one_person_on_one_server_is_one_account_however_it_is_spelled() {
        let anna = account("Анна", "chat.example").expect("both are good");
        for server in ["chat.example:12345", "Chat.Example.", "chat.example 12345"] {
            assert_eq!(account("Анна", server).as_ref(), Some(&anna), "{server}");
        }
        for (name, server) in [("Анна", "chat.example:1"), ("Борис", "chat.example")] {
            assert_ne!(account(name, server).expect("both are good"), anna);
        }
        let target = anna.to_target("r7");
        assert_eq!(Account::from_target(Some(&target)), Some((anna, "r7".to_owned())));
        assert_eq!(account("", "chat.example"), None);
        assert_eq!(account("Анна", ""), None);
    }
}
