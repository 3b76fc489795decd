//! Links by which others can join.

use std::cell::{Cell, RefCell};

use gtk::glib::{prelude::*, subclass::prelude::*};
use pychat_wire::{link::Link, message::ErrorCode};

use super::{Session, error_text};

/// The answer of a server that was asked for an invite.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Invite {
    /// A link.
    Offered {
        /// The link.
        link: Link,
        /// The number of people whom it can let in; any number if `None`.
        uses: Option<u64>,
        /// The time for which it is good, in milliseconds from now; `None` if there is no end.
        expires_ms: Option<u64>,
    },
    /// The reason why there is none.
    Refused(String),
}

/// The last answer to a request for an invite, and true while one is asked for.
#[derive(Debug, Default)]
pub(super) struct Invites {
    answer: RefCell<Option<Invite>>,
    is_asked: Cell<bool>,
}

impl Session {
    /// Asks the server for a link by which others can join; `invite-changed` follows. Returns false
    /// without a connection.
    pub fn request_invite(&self) -> bool {
        let is_asked = self.ask_server(|client| client.request_invite(None, None));
        self.imp().invites.is_asked.set(is_asked);
        is_asked
    }

    /// Returns what the server last answered.
    pub fn invite(&self) -> Option<Invite> {
        self.imp().invites.answer.borrow().clone()
    }

    /// A server that names no address can be reached where we reach it, as far as is known.
    pub(super) fn on_invite(&self, mut invite: Invite) {
        if let Invite::Offered { link, .. } = &mut invite
            && link.addresses.is_empty()
            && let Some(account) = self.account()
        {
            link.addresses.extend(account.server().to_link_address());
        }
        self.imp().invites.is_asked.set(false);
        self.imp().invites.answer.replace(Some(invite));
        self.emit_by_name::<()>("invite-changed", &[]);
    }

    /// Forgets a request that was made over a connection that is gone: it is not answered.
    pub(super) fn forget_invite_request(&self) {
        self.imp().invites.is_asked.set(false);
    }

    /// The server refused what was asked of it: an invite, if that was asked for.
    pub(super) fn on_denied(&self, code: ErrorCode, text: &str) {
        if self.imp().invites.is_asked.get() {
            self.on_invite(Invite::Refused(error_text::invite_denial(code, text)));
        } else {
            self.room().note(None, &error_text::denial(code, text));
        }
    }
}
