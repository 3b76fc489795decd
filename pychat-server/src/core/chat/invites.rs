//! The door: who is let in, and the invites that let others in.
//!
//! Where the server lets in those only who are invited, a newcomer waits until the store has their
//! name and the use of the invite, which are one change. A hello that is sent again finds either both,
//! and needs no invite any more, or none of it.

use std::time::Instant;

use pychat_wire::{
    Link,
    key::{InviteCode, InviteId, PublicKey},
    link::Code,
    message::{Door, ErrorCode},
    notice::Notice,
};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Event, Peer, Refusal, act,
    arrival::Wish,
    complain, notify,
    orders::{Asker, answer, refuse_other},
    requests::{Admitted, Invited},
    tell,
};
use crate::core::{
    admission::Act,
    id::ConnectionId,
    moderation::Reply,
    record::{Invite, InviteTerms, StorageError},
};

/// A request about invites.
#[derive(Clone, Copy, Debug)]
pub(super) enum InviteRequest {
    /// A link by which others can join, for so many uses and milliseconds.
    Link {
        uses: Option<u64>,
        for_ms: Option<u64>,
    },
    List,
    Revoke(InviteId),
}

impl Chat {
    /// Returns the people who are let in: those whom an operator has named, or else the configuration.
    pub fn door(&self) -> Door {
        self.people.moderation().door().unwrap_or(self.rules.admission)
    }

    /// Makes an invite for the first person, for a day and one use, if nobody can get in without:
    /// where invites are needed, and nobody owns a name yet. It is good once the store has it.
    pub fn invite_first(&mut self, effects: &mut Vec<Effect>) -> Option<InviteCode> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

        if self.door() == Door::Open || !self.people.is_empty() {
            return None;
        }
        let utc_ms = self.wall_clock.utc_ms;
        let expires_ms = Some(utc_ms.saturating_add(DAY_MS));
        let terms = InviteTerms { uses: Some(1), expires_ms };
        let new = self.people.invite(terms, None, utc_ms)?;
        let code = new.code;
        self.add_invite(None, "pychat-server", new, effects);
        Some(code)
    }

    /// Returns true if this is the code of an invite that lets somebody in.
    pub fn is_invite(&self, code: InviteCode) -> bool {
        self.people.invites().is_good(code, self.wall_clock.utc_ms)
    }

    /// Returns true if a guest may join without any proof of who it is.
    pub(super) fn may_join_unproved(&self, id: ConnectionId) -> bool {
        let is_guest = |peer: &Peer| self.rules.guests_from.contain(peer.origin.network());
        self.door() == Door::Open || self.peers.get(&id).is_some_and(is_guest)
    }

    /// Tells a guest that nobody is let in without proof, and closes the connection.
    pub(super) fn refuse_unproved(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        act(id, Action::Log(Refusal::Uninvited), effects);
        let text = "This server lets in only people who are invited, by a newer client. Bye!\n";
        notify(id, Notice::Other(text), effects);
        self.close(id, CloseReason::Protocol, effects);
    }

    /// Returns true if a guest with this key is let in: whoever owns a name, and whoever has an invite
    /// where one is needed. Refuses others; nothing about names has been looked at then.
    pub(super) fn is_let_in(
        &mut self,
        now: Instant,
        id: ConnectionId,
        key: PublicKey,
        code: Option<InviteCode>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        if !self.needs_invite(key) || code.is_some_and(|code| self.is_invite(code)) {
            return true;
        }
        if code.is_some() {
            self.charge_proof(now, id, false, effects);
        }
        self.refuse_uninvited(id, code, effects);
        false
    }

    /// Returns true if a newcomer with this key takes a use of an invite.
    pub(super) fn needs_invite(&self, key: PublicKey) -> bool {
        self.door() == Door::Invite && self.people.of_key(key).is_none()
    }

    fn refuse_uninvited(
        &mut self,
        id: ConnectionId,
        code: Option<InviteCode>,
        effects: &mut Vec<Effect>,
    ) {
        let (text, refusal) = match code {
            None => ("this server lets in only people who are invited", Refusal::Uninvited),
            Some(_) => ("this invite is not good, or no longer", Refusal::InviteCode),
        };
        complain(id, Complaint::new(ErrorCode::NotAdmitted, text), effects);
        self.count_bad(id, ErrorCode::NotAdmitted, &refusal, effects);
        act(id, Action::Log(refusal), effects);
    }

    /// Takes a use of an invite for a newcomer, and reserves the name, which is free. It joins once the
    /// store has both.
    pub(super) fn redeem(
        &mut self,
        now: Instant,
        id: ConnectionId,
        wish: Wish,
        effects: &mut Vec<Effect>,
    ) {
        let (code, utc_ms) = (wish.invite, self.wall_clock.utc_ms);
        let taken = code.and_then(|code| self.people.invites_mut().take_use(code, utc_ms));
        let Some(invite) = taken else { return self.refuse_uninvited(id, code, effects) };
        let person = self.people.stranger();
        let device = wish.device.clone();
        if !device.is_some_and(|device| self.reserve(now, id, person, &device, &wish.name)) {
            self.people.invites_mut().give_back(invite);
            return self.refuse_unreserved(now, id, effects);
        }
        self.admit(id, Admitted { id, person, name: wish.name.clone(), invite, code }, effects);
        self.wait_with(id, Wish { invite: None, ..wish }, effects);
    }

    /// There is no room for another name for now; a newcomer without one would need another invite to
    /// come back.
    fn refuse_unreserved(&mut self, now: Instant, id: ConnectionId, effects: &mut Vec<Effect>) {
        let full_until = self
            .peers
            .get(&id)
            .and_then(|peer| self.admission.full_until(now, peer.origin, Act::Reserve));
        let left = full_until.map(|until| until.saturating_duration_since(now).as_millis());
        let complaint = Complaint {
            retry_ms: left.and_then(|left| left.try_into().ok()),
            ..Complaint::new(ErrorCode::Full, "there is no room for another name for now")
        };
        complain(id, complaint, effects);
        self.count_bad(id, ErrorCode::Full, &Refusal::NoRoom, effects);
        act(id, Action::Log(Refusal::NoRoom), effects);
    }

    /// The store has answered whether a newcomer is let in: if so, they join.
    pub(super) fn on_admitted(
        &mut self,
        now: Instant,
        admitted: &Admitted,
        error: Option<StorageError>,
        effects: &mut Vec<Effect>,
    ) {
        let Admitted { id, person, ref name, invite, code } = *admitted;
        let invites = self.people.invites_mut();
        if error.is_some() {
            invites.give_back(invite);
            self.people.disown(person, name);
        } else {
            invites.keep_use(invite);
        }
        let Some(wish) = self.take_wish(id, effects) else { return };
        match error {
            None => self.join_as(now, id, wish, effects),
            Some(StorageError::Overtaken) => {
                self.join_as(now, id, Wish { invite: code, ..wish }, effects);
            }
            Some(error) => refuse_unstored(id, &error, effects),
        }
    }

    /// Somebody in the room asks something about invites. That costs like a text.
    pub(super) fn on_invite_request(
        &mut self,
        now: Instant,
        id: ConnectionId,
        request: InviteRequest,
        effects: &mut Vec<Effect>,
    ) {
        let Some(person) = self.person_at(id) else { return };
        let is_operator = self.people.is_operator(person);
        match request {
            InviteRequest::Link { .. } if self.door() == Door::Open => {
                let terms = InviteTerms::default();
                tell(id, Event::InviteLink { code: None, terms }, effects);
            }
            _ if !is_operator => refuse_other(id, None, effects),
            InviteRequest::Link { uses, for_ms } => {
                let utc_ms = self.wall_clock.utc_ms;
                let expires_ms = for_ms.map(|for_ms| utc_ms.saturating_add(for_ms));
                let terms = InviteTerms { uses: uses.map(|uses| uses.max(1)), expires_ms };
                self.make_invite(id, terms, effects);
            }
            InviteRequest::List => self.list_invites(id, effects),
            InviteRequest::Revoke(invite) => {
                if self.people.invites_mut().revoke(invite) {
                    let by = self.roster.name(id).map(ToString::to_string).unwrap_or_default();
                    self.revoke(id, &by, invite, effects);
                }
                self.list_invites(id, effects);
            }
        }
        if let Some(until) = self.charge(now, id, 1) {
            act(id, Action::PauseRead { until }, effects);
        }
    }

    fn make_invite(&mut self, id: ConnectionId, terms: InviteTerms, effects: &mut Vec<Effect>) {
        let by = self.roster.name(id).map(ToString::to_string).unwrap_or_default();
        if let Some(new) = self.people.invite(terms, Some(&by), self.wall_clock.utc_ms) {
            self.add_invite(Some(Asker::Peer { id, reference: None }), &by, new, effects);
        } else {
            let text = "there are too many invites; revoke some";
            complain(id, Complaint::new(ErrorCode::Full, text), effects);
        }
    }

    /// The store has answered whether an invite is kept: only then is its code told.
    pub(super) fn on_invited(
        &mut self,
        invited: Invited,
        error: Option<StorageError>,
        effects: &mut Vec<Effect>,
    ) {
        let Invited { to, code, invite } = invited;
        if error.is_some() {
            self.people.invites_mut().remove(invite.id());
        }
        let terms = invite.terms;
        match (to, error) {
            (None, _) => (),
            (Some(Asker::Peer { id, .. }), None) => {
                tell(id, Event::InviteLink { code: Some(code), terms }, effects);
            }
            (Some(Asker::Peer { id, .. }), Some(error)) => refuse_unstored(id, &error, effects),
            (Some(asker), None) => {
                let link = Link { code: Some(Code::Invite(code)), ..Link::default() };
                let InviteTerms { uses, expires_ms: until_ms } = terms;
                answer(asker, Reply::Invited { link, uses, until_ms }, effects);
            }
            (Some(asker), Some(error)) => {
                let text = format!("The invite could not be stored: {}.", error.in_short());
                answer(asker, Reply::Failed { text }, effects);
            }
        }
    }

    fn list_invites(&self, id: ConnectionId, effects: &mut Vec<Effect>) {
        let good = self.people.invites().good(self.wall_clock.utc_ms);
        let invites: Vec<Invite> = good.cloned().collect();
        tell(id, Event::Invites(invites), effects);
    }
}

pub(super) fn refuse_unstored(id: ConnectionId, error: &StorageError, effects: &mut Vec<Effect>) {
    let text = format!("the server cannot store this: {}", error.in_short());
    complain(id, Complaint::storage(None, error, &text), effects);
}
