//! Moderation: the requests of operators, the outcomes, the rules that are in force, and who is a bot.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use gtk::glib::{self, prelude::*, subclass::prelude::*};
use pychat_wire::{
    Client,
    message::{Ban, Door, ErrorCode, OperatorRequest, Whom},
};

use super::{Room, Session, SessionState, error_text, notices};

/// The rules that are in force on a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The bans, in the order in which they were made.
    pub bans: Vec<Ban<'static>>,
    /// The mutes, in the same order.
    pub mutes: Vec<Ban<'static>>,
    /// The time from one message of a person to their next, in seconds; 0 if there is no limit.
    pub slow_seconds: u64,
    /// Those who may join.
    pub admission: Door,
}

/// Something that the reader did as an operator.
#[derive(Clone, Debug, Eq, PartialEq, glib::Boxed)]
#[boxed_type(name = "PychatDeed")]
pub struct Deed {
    /// The request.
    pub request: OperatorRequest<'static>,
    /// The name, network or setting that it changed, as the server says.
    pub subject: String,
}

/// The requests that are not answered, and the rules and the bots as the server last told them.
#[derive(Debug, Default)]
pub(super) struct Moderation {
    /// The requests that are not answered, by their ids.
    pending: RefCell<HashMap<String, OperatorRequest<'static>>>,
    rules: RefCell<Option<Rules>>,
    /// The names of the bots, as the server last told them.
    bots: RefCell<BTreeSet<String>>,
    /// True once these may be others, until that is shown.
    are_bots_due: Cell<bool>,
}

impl Deed {
    /// Returns the request that undoes it; `None` if nothing does.
    pub fn undoing(&self) -> Option<OperatorRequest<'static>> {
        match &self.request {
            OperatorRequest::Mute { .. } => {
                Some(OperatorRequest::Unmute { username: self.subject.clone().into() })
            }
            OperatorRequest::Ban { whom: Whom::Person(name), .. } if *name == *self.subject => {
                Some(OperatorRequest::Unban { whom: Whom::Person(name.clone()) })
            }
            OperatorRequest::Ban { .. } => {
                Some(OperatorRequest::Unban { whom: whom(&self.subject) })
            }
            _ => None,
        }
    }

    /// Returns what was done, in words.
    pub fn sentence(&self) -> String {
        notices::deed(&self.request, &self.subject)
    }
}

impl Session {
    /// Asks the server for what only operators may ask for: `moderated` follows, or
    /// `moderation-failed`, or `rules-changed` if the rules were asked for. Returns false without a
    /// connection.
    pub fn moderate(&self, request: OperatorRequest<'static>) -> bool {
        let asked = request.clone();
        let id = self.with_client(|client| client.operate(asked)).flatten();
        let is_asked = id.is_some();
        self.imp().moderation.pending.borrow_mut().extend(id.map(|id| (id, request)));
        self.process_events();
        is_asked
    }

    /// Asks the server for the rules, unless that was asked already; `rules-changed` follows.
    pub fn request_rules(&self) {
        let is_pending = |it: &OperatorRequest<'_>| matches!(it, OperatorRequest::Bans);
        if !self.imp().moderation.pending.borrow().values().any(is_pending) {
            self.moderate(OperatorRequest::Bans);
        }
    }

    /// Returns the rules as the server last told them; `None` until they were asked for.
    pub fn rules(&self) -> Option<Rules> {
        self.imp().moderation.rules.borrow().clone()
    }

    pub(super) fn on_rules(&self, rules: Rules) {
        let moderation = &self.imp().moderation;
        moderation.pending.borrow_mut().retain(|_, it| !matches!(it, OperatorRequest::Bans));
        moderation.rules.replace(Some(rules));
        self.emit_by_name::<()>("rules-changed", &[]);
    }

    /// An operator did something: the reader is told so where they asked for it, and else in the
    /// conversation.
    pub(super) fn on_moderated(
        &self,
        verb: &str,
        by: &str,
        subject: String,
        text: &str,
        id: Option<&str>,
    ) {
        let request = id.and_then(|id| self.imp().moderation.pending.borrow_mut().remove(id));
        match request {
            Some(request) => {
                self.emit_by_name::<()>("moderated", &[&Deed { request, subject }]);
            }
            None if verb.ends_with("_operator") && subject == self.name() => (), // It was told already.
            None => self.room().note(None, &notices::moderated(verb, by, &subject, text)),
        }
        self.emit_by_name::<()>("rules-outdated", &[]);
    }

    /// The server refused a request, if it was one of an operator's; returns false otherwise.
    pub(super) fn on_not_moderated(&self, code: ErrorCode, text: &str, id: Option<&str>) -> bool {
        let request = id.and_then(|id| self.imp().moderation.pending.borrow_mut().remove(id));
        if request.is_some() {
            let reason = error_text::denial(code, text);
            self.emit_by_name::<()>("moderation-failed", &[&reason]);
        }
        request.is_some()
    }

    /// The reader is an operator from now on, or one no longer.
    pub(super) fn on_operator_changed(&self, is_operator: bool) {
        self.room().note(None, &notices::operator(is_operator));
        self.update_rights();
    }

    /// Returns true if somebody of this name is a bot; without a connection, if they last were.
    pub fn is_bot(&self, name: &str) -> bool {
        self.imp().moderation.bots.borrow().contains(name)
    }

    /// Takes in that other people than before are bots, to be shown with all that happens at once.
    pub(super) fn on_bots_changed(&self) {
        self.learn_bots();
        self.expect_bots();
    }

    /// Takes in that the server is about to say who is a bot, if anybody is.
    pub(super) fn expect_bots(&self) {
        self.imp().moderation.are_bots_due.set(true);
    }

    /// Shows who is a bot, if others than before may be.
    pub(super) fn show_bots_if_due(&self) {
        if self.imp().moderation.are_bots_due.take() {
            self.learn_bots();
            self.rooms().all().iter().for_each(Room::show_bots);
        }
    }

    fn learn_bots(&self) {
        let bots = self.ask_client(|client| client.bots().clone()).unwrap_or_default();
        self.imp().moderation.bots.replace(bots);
    }

    /// Takes in whether the reader may moderate: as an operator, and over a connection.
    pub(super) fn update_rights(&self) {
        let is_operator = self.ask_client(Client::is_operator).unwrap_or_default();
        let can_moderate = is_operator && self.state() == SessionState::Joined;
        self.rooms().all().iter().for_each(|room| room.set_can_moderate(can_moderate));
    }

    /// Forgets the rules, the requests and the bots of one server, which mean nothing on the next.
    pub(super) fn forget_moderation(&self) {
        self.imp().moderation.rules.take();
        self.imp().moderation.pending.take();
        self.imp().moderation.bots.take();
    }

    /// Fails the requests that were made over a connection that is lost: they are not answered.
    pub(super) fn fail_moderation(&self) {
        let pending = self.imp().moderation.pending.take();
        if pending.values().any(|request| !matches!(request, OperatorRequest::Bans)) {
            let sentence = error_text::unanswered();
            self.emit_by_name::<()>("moderation-failed", &[&sentence]);
        }
    }
}

/// Returns who is meant by the subject of a ban: addresses, if it reads like such.
pub fn whom(subject: &str) -> Whom<'static> {
    let address = subject.split_once('/').map_or(subject, |(address, _)| address);
    if address.parse::<IpAddr>().is_ok() {
        Whom::Network(subject.to_owned().into())
    } else {
        Whom::Person(subject.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_is_undone_by_what_the_server_did() {
        let ban = |subject: &str| Deed {
            request: OperatorRequest::Ban {
                whom: Whom::Person("Борис".into()),
                for_ms: Some(600_000),
            },
            subject: subject.to_owned(),
        };
        for (subject, whom) in [
            ("Борис", Whom::Person("Борис".into())),
            ("192.0.2.7", Whom::Network("192.0.2.7".into())),
            ("192.0.2.0/24", Whom::Network("192.0.2.0/24".into())),
            ("2001:db8::/64", Whom::Network("2001:db8::/64".into())),
        ] {
            assert_eq!(ban(subject).undoing(), Some(OperatorRequest::Unban { whom }));
        }
        let whom = Whom::Person("192.0.2.7".into()); // Somebody may be called so.
        let request = OperatorRequest::Ban { whom: whom.clone(), for_ms: None };
        let ban = Deed { request, subject: "192.0.2.7".to_owned() };
        assert_eq!(ban.undoing(), Some(OperatorRequest::Unban { whom }));
        let username = || "Борис".into();
        let deed = |request| Deed { request, subject: "Борис".to_owned() };
        let muted = deed(OperatorRequest::Mute { username: username(), for_ms: None });
        assert_eq!(muted.undoing(), Some(OperatorRequest::Unmute { username: username() }));
        assert_eq!(deed(OperatorRequest::Kick { username: username() }).undoing(), None);
    }
}
