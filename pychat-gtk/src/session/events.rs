//! The events of the client: those of the connection are the session's, the others the room's.

use gtk::glib::subclass::prelude::*;
use pychat_wire::{
    Client,
    client::{Cause, Event},
    message::{ErrorCode, Reason},
};

use super::{
    Session, SessionState, disconnect_reason::DisconnectReason, encryption::Encryption,
    invites::Invite, moderation::Rules, notices,
};

/// The number of the protocol that knows no other words than the original.
const ORIGINAL: u64 = 1;

impl Session {
    pub(super) fn on_event(&self, event: Event) {
        let event = self.on_room_event(event).and_then(|event| self.on_room_answer(event));
        let Some(event) = event else { return };
        match event {
            Event::Connect => self.begin_connecting(),
            Event::Disconnect => self.close_line(),
            Event::Joined { name, others, protocol, again } => {
                self.room().update_people();
                self.on_joined(&name, &others, protocol, again);
            }
            Event::Refused { code, reason, suggest } => {
                self.on_end(self.refusal(code, reason, suggest), None);
            }
            Event::Offline { cause, retry_at_ms } => self.on_offline(cause, retry_at_ms),
            Event::Devices(devices) => self.on_devices(devices),
            Event::PairCode { code, expires_ms } => self.on_pair_code(code, expires_ms),
            Event::DeviceAdded { label, .. } => self.on_device_added(&label),
            Event::InviteLink { link, uses, expires_ms } => {
                self.on_invite(Invite::Offered { link, uses, expires_ms });
            }
            Event::Denied { code, text, id } => {
                if !self.on_not_moderated(code, &text, id.as_deref()) {
                    self.on_denied(code, &text);
                }
            }
            Event::OperatorChanged { is_operator } => self.on_operator_changed(is_operator),
            Event::BotsChanged => self.on_bots_changed(),
            Event::Moderated { verb, by, subject, text, id } => {
                self.on_moderated(&verb, &by, subject, &text, id.as_deref());
            }
            Event::Bans { bans, mutes, slow_seconds, admission } => {
                self.on_rules(Rules { bans, mutes, slow_seconds, admission });
            }
            Event::Found { id, message } => {
                self.on_mention_found(&id, &message);
                self.search().on_found(&id, &message);
            }
            Event::SearchEnded { id, end } => {
                self.on_mentions_ended(&id, &end);
                self.search().on_ended(&id, end);
            }
            event => self.room().on_event(event),
        }
    }

    /// `Joining` becomes `Joined`; or the server has come back under the line that there is.
    fn on_joined(&self, name: &str, others: &[String], protocol: u64, again: bool) {
        let imp = self.imp();
        self.set_name(name);
        imp.protocol.set(protocol);
        imp.access.borrow_mut().code = None; // It is good for one use.
        imp.disconnect_reason.take();
        self.update_title();
        self.expect_bots();
        let is_new = !imp.has_conversation.replace(true);
        self.update_rooms(is_new);
        self.room().on_joined(others, is_new, again);
        if let Some(Encryption::Tls { is_new: true, .. }) = self.encryption() {
            self.room().note(None, &notices::first_certificate(&self.server()));
        }
        self.forget_attempts();
        self.set_retry_at(None);
        self.set_state(SessionState::Joined);
        self.show_wanted_room();
        self.move_key();
    }

    /// Returns why the server did not let us in: the code of a link is not good, or there was none and
    /// it takes one. Without encryption that may be what was missing instead.
    fn refusal(
        &self,
        code: Option<ErrorCode>,
        reason: String,
        suggest: Option<String>,
    ) -> DisconnectReason {
        let has_code = self.imp().access.borrow().code.is_some();
        let is_encrypted = matches!(self.encryption(), Some(Encryption::Tls { .. }));
        match code {
            Some(ErrorCode::Forbidden | ErrorCode::NotAdmitted) if has_code => {
                DisconnectReason::CodeRefused
            }
            Some(ErrorCode::NotAdmitted) if is_encrypted => DisconnectReason::InviteNeeded,
            code => DisconnectReason::refused(self.name(), code, reason, suggest),
        }
    }

    fn on_offline(&self, cause: Cause, retry_at_ms: Option<u64>) {
        let is_stopping = cause == Cause::Bye { reason: Reason::Shutdown };
        if is_stopping && self.speaks_original() && self.has_conversation() {
            self.room().note(None, &notices::server_stopping());
        }
        let is_joined = self.state() == SessionState::Joined;
        let failure = self.imp().connecting.failure.take();
        self.on_end(
            failure.unwrap_or_else(|| DisconnectReason::new(cause, is_joined)),
            retry_at_ms,
        );
    }

    fn on_end(&self, reason: DisconnectReason, retry_at_ms: Option<u64>) {
        let reason = self.explained(reason);
        if self.has_conversation() && reason.is_distrust() {
            self.with_client(Client::leave); // Until the reader has decided.
            self.lose(Some(reason), None);
        } else if self.has_conversation() {
            // That nobody answers is less news than why the connection was lost.
            let before = self.disconnect_reason().filter(|_| reason.is_absence());
            self.lose(before.or(Some(reason)), retry_at_ms);
        } else if retry_at_ms.is_some() && reason.may_pass() {
            self.wait(reason, retry_at_ms);
        } else {
            self.give_up(Some(reason));
        }
    }

    /// Returns true if the room was last spoken in by the original protocol.
    pub(super) fn speaks_original(&self) -> bool {
        self.imp().protocol.get() <= ORIGINAL
    }

    /// Returns true if the server was last spoken to in a protocol that knows rooms.
    pub fn has_rooms(&self) -> bool {
        !self.speaks_original()
    }
}
