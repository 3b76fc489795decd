//! Requests to the store, from when they are made until they are answered.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    mem,
    sync::Arc,
    time::Instant,
};

use pychat_wire::{
    UserName,
    key::{InviteCode, InviteId},
};

use super::{
    Action, Chat, CloseReason, Effect, Phase, act,
    invites::refuse_unstored,
    orders::{Asker, Unanswered},
    rooms::{Changing, Recalling},
};
use crate::core::{
    id::{ConnectionId, Ticket},
    moderation::{AuditEntry, Change},
    people::NewInvite,
    record::{Invite, Outcome, PersonChange, PersonId, ReadMark, Request, Stored},
};

/// The most texts and requests of one connection that the store has not answered; then it is not read.
pub const APPENDS_PER_CONNECTION_MAX: usize = 256;

/// The most texts of all connections that the store has not answered; then who says more is not
/// read.
pub const APPENDS_MAX: usize = 4_096;

/// The requests that the store has not answered.
#[derive(Debug, Default)]
pub(super) struct Requests {
    n_made: u64,
    pending: HashMap<Ticket, Pending>,
    n_appends: usize,
    /// The connections that are not read until the store has answered.
    awaiting: BTreeSet<ConnectionId>,
    /// The server stops when all texts are answered.
    is_stopping: bool,
    /// The guests who wait for what is in flight: their names are held by connections that have
    /// something there, or their person is not let in yet.
    pub(super) claiming: Vec<ConnectionId>,
    /// The orders that wait for the store, by number.
    pub(super) orders: HashMap<u64, Unanswered>,
    pub(super) n_orders: u64,
    /// The newcomers who are let in if the store keeps that.
    admitting: BTreeSet<PersonId>,
}

/// A request that the store has not answered.
#[derive(Debug)]
pub(super) enum Pending {
    Append {
        from: ConnectionId,
        id: Option<Arc<str>>,
    },
    Change(Box<Changing>),
    Recall(Box<Recalling>),
    /// Somebody says how far they have seen a room; `from` need not be told.
    Mark {
        from: ConnectionId,
        mark: ReadMark,
    },
    /// Somebody new has seen all that was said in the hall.
    NewMark,
    ChangePerson {
        by: ConnectionId,
    },
    Order {
        number: u64,
    },
    Admit(Admitted),
    AddInvite(Invited),
    /// An invite or a device is taken away; `by` hears if that is not kept, as it would come back.
    Removal {
        by: ConnectionId,
    },
}

/// A newcomer who is let in if the store keeps that.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) id: ConnectionId,
    pub(super) person: PersonId,
    /// The name that is reserved for them.
    pub(super) name: UserName,
    /// The invite that a use was taken of.
    pub(super) invite: InviteId,
}

/// An invite that is good if the store keeps it.
#[derive(Debug)]
pub(super) struct Invited {
    /// The one who is told its code.
    pub(super) to: Option<Asker>,
    pub(super) code: InviteCode,
    pub(super) invite: Invite,
}

/// The texts of one connection that the store has not answered, and what follows on the answers.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// The answers that the peer will be given, in the order in which it said what they answer.
    answers: VecDeque<Due>,
    n_appends: usize,
    /// The connection is gone for this reason, which the others are told after the last answer.
    pub(super) closed: Option<CloseReason>,
    /// It was told that something could not be stored, and has had no good answer since.
    pub(super) is_told_of_failure: bool,
}

/// Something that a peer will be told.
#[derive(Debug)]
enum Due {
    /// The store's answer to a text.
    Answer,
    /// The answer to something else.
    Effect(Effect),
}

impl InFlight {
    /// Returns true if nothing is in flight.
    pub(super) fn is_empty(&self) -> bool {
        self.n_appends == 0
    }
}

impl Requests {
    /// Has the server stop once all texts are answered; returns false if they are.
    pub(super) fn stop(&mut self) -> bool {
        self.is_stopping = 0 < self.n_appends;
        self.is_stopping
    }

    /// Returns true if the store has yet to keep that this person is let in.
    pub(super) fn is_admitting(&self, person: PersonId) -> bool {
        self.admitting.contains(&person)
    }

    pub(super) fn make(&mut self, pending: Pending, request: Request, effects: &mut Vec<Effect>) {
        self.n_made += 1;
        let ticket = Ticket(self.n_made);
        self.pending.insert(ticket, pending);
        effects.push(Effect::Store { ticket, request });
    }
}

impl Chat {
    /// Asks the store for something that connection `from` wants, and whose answer its peer is told in
    /// turn. It is not read on if too much of it is in flight.
    pub(super) fn ask(
        &mut self,
        from: ConnectionId,
        pending: Pending,
        request: Request,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        self.requests.make(pending, request, effects);
        self.requests.n_appends += 1;
        peer.in_flight.n_appends += 1;
        peer.in_flight.answers.push_back(Due::Answer);
        if APPENDS_PER_CONNECTION_MAX <= peer.in_flight.n_appends
            || APPENDS_MAX <= self.requests.n_appends
        {
            self.requests.awaiting.insert(from);
            act(from, Action::AwaitStore, effects);
        }
    }

    /// Holds those of the effects from index `begin` on back that answer connection `id`, until the
    /// store has answered what it said before.
    pub(super) fn hold_back(&mut self, id: ConnectionId, begin: usize, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&id).filter(|peer| !peer.in_flight.is_empty()) else {
            return;
        };
        let held = effects.extract_if(begin.., |effect| effect.answers(id));
        peer.in_flight.answers.extend(held.map(Due::Effect));
        if let Phase::Closing = peer.phase {
            act(id, Action::AwaitStore, effects);
        }
    }

    /// Asks the store to keep what has changed of people by what connection `by` said.
    pub(super) fn change_people(&mut self, by: ConnectionId, effects: &mut Vec<Effect>) {
        for change in self.take_changes(effects) {
            let pending = Pending::ChangePerson { by };
            self.requests.make(pending, Request::ChangePerson(change), effects);
        }
        self.mark_newcomers(effects);
    }

    /// Takes what has changed of people; those who are forgotten are in no room any more.
    pub(super) fn take_changes(&mut self, effects: &mut Vec<Effect>) -> Vec<PersonChange> {
        let changes = self.people.take_changes();
        for change in &changes {
            if let PersonChange::Forget(person) = change {
                self.forget_seats(*person, effects);
            }
        }
        changes
    }

    /// Asks the store to keep how far those have seen the hall who are new.
    fn mark_newcomers(&mut self, effects: &mut Vec<Effect>) {
        for mark in self.rooms.take_marks() {
            self.requests.make(Pending::NewMark, Request::Mark(mark), effects);
        }
    }

    /// Asks the store to keep a device no longer, which was removed by connection `by`.
    pub(super) fn remove_device(&mut self, by: ConnectionId, effects: &mut Vec<Effect>) {
        for change in self.take_changes(effects) {
            self.requests.make(Pending::Removal { by }, Request::ChangePerson(change), effects);
        }
    }

    /// Asks the store to keep a newcomer, and what else has changed of people by their coming.
    pub(super) fn admit(&mut self, by: ConnectionId, new: Admitted, effects: &mut Vec<Effect>) {
        let Admitted { person, invite, .. } = new;
        self.requests.admitting.insert(person);
        let mut new = Some(new);
        for change in self.take_changes(effects) {
            let (pending, request) = match (change, new.take()) {
                (PersonChange::Save(saved), Some(new)) if saved.id == person => {
                    (Pending::Admit(new), Request::Admit { person: saved, invite })
                }
                (change, other) => {
                    new = other;
                    (Pending::ChangePerson { by }, Request::ChangePerson(change))
                }
            };
            self.requests.make(pending, request, effects);
        }
        self.mark_newcomers(effects);
    }

    /// Asks the store to keep an invite; connection `to` is told its code then.
    pub(super) fn add_invite(
        &mut self,
        to: Option<Asker>,
        by: &str,
        new: NewInvite,
        effects: &mut Vec<Effect>,
    ) {
        let NewInvite { code, invite, forgotten } = new;
        let id = invite.id();
        let pending = Pending::AddInvite(Invited { to, code, invite: invite.clone() });
        let forgotten = forgotten.map(Change::RevokeInvite);
        let changes = forgotten.into_iter().chain([Change::AddInvite(invite)]).collect();
        let entry = self.entry(by, "invite", id);
        self.requests.make(pending, Request::Moderate { changes, entry }, effects);
    }

    /// Asks the store to keep an invite no longer, which `who` revoked by connection `by`.
    pub(super) fn revoke(
        &mut self,
        by: ConnectionId,
        who: &str,
        invite: InviteId,
        effects: &mut Vec<Effect>,
    ) {
        let changes = vec![Change::RevokeInvite(invite)];
        let entry = self.entry(who, "revoke_invite", invite);
        let request = Request::Moderate { changes, entry };
        self.requests.make(Pending::Removal { by }, request, effects);
    }

    /// Returns the record of what `who` did with an invite.
    fn entry(&self, who: &str, verb: &str, invite: InviteId) -> AuditEntry {
        AuditEntry {
            time_ms: self.wall_clock.utc_ms,
            who: who.to_owned(),
            verb: verb.to_owned(),
            subject: invite.to_string(),
            detail: String::new(),
        }
    }

    /// The store has answered. An answer to a request that was not made changes nothing.
    pub(super) fn on_stored(
        &mut self,
        now: Instant,
        ticket: Ticket,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        match (self.requests.pending.remove(&ticket), outcome) {
            (Some(Pending::Append { from, id }), outcome) => {
                match outcome {
                    Ok(Stored::Appended(appended)) => self.on_appended(from, appended, effects),
                    Ok(Stored::Changed | Stored::Recalled(_)) => (),
                    Err(error) => self.on_append_failed(from, id, &error, effects),
                }
                self.on_answered(now, from, effects);
            }
            (Some(Pending::Change(changing)), outcome) => {
                let from = changing.from();
                self.on_changed(*changing, outcome, effects);
                self.on_answered(now, from, effects);
            }
            (Some(Pending::Recall(recalling)), outcome) => {
                let from = recalling.from();
                self.on_recalled(*recalling, outcome, effects);
                self.on_answered(now, from, effects);
            }
            (Some(Pending::Order { number }), outcome) => {
                self.on_order_stored(number, outcome.err(), effects);
            }
            (Some(Pending::ChangePerson { by }), Err(_)) => self.on_change_failed(by),
            (Some(Pending::Admit(admitted)), outcome) => {
                self.requests.admitting.remove(&admitted.person);
                self.on_admitted(now, &admitted, outcome.err(), effects);
                self.retry_claims(now, effects);
            }
            (Some(Pending::AddInvite(invited)), outcome) => {
                self.on_invited(invited, outcome.err(), effects);
            }
            (Some(Pending::Removal { by }), Err(error)) => {
                refuse_unstored(by, &error, effects);
            }
            (Some(Pending::Mark { from, mark }), Ok(_)) => self.on_marked(from, mark, effects),
            (
                Some(
                    Pending::Mark { .. }
                    | Pending::NewMark
                    | Pending::ChangePerson { .. }
                    | Pending::Removal { .. },
                )
                | None,
                _,
            ) => (),
        }
    }

    /// Lets what a person has last only as long as the connection, as the store does not have it.
    fn on_change_failed(&mut self, by: ConnectionId) {
        if let Some(grant) = self.peers.get_mut(&by).and_then(|peer| peer.grant.as_mut()) {
            grant.is_saved = false;
        }
    }

    /// A text that came by connection `from` was answered; after the last of them comes what waited
    /// for it.
    fn on_answered(&mut self, now: Instant, from: ConnectionId, effects: &mut Vec<Effect>) {
        self.requests.n_appends -= 1;
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.in_flight.n_appends -= 1;
            peer.in_flight.answers.pop_front();
            while let Some(Due::Effect(_)) = peer.in_flight.answers.front()
                && let Some(Due::Effect(effect)) = peer.in_flight.answers.pop_front()
            {
                effects.push(effect);
            }
            if peer.in_flight.is_empty() {
                self.on_all_answered(now, from, effects);
            }
        }
        if self.requests.n_appends == 0 {
            if mem::take(&mut self.requests.is_stopping) {
                return self.on_stopping(effects);
            }
            for id in mem::take(&mut self.requests.awaiting) {
                act(id, Action::ResumeRead, effects);
            }
        }
    }

    /// All texts that came by connection `from` were answered.
    fn on_all_answered(&mut self, now: Instant, from: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let InFlight { closed, .. } = mem::take(&mut peer.in_flight);
        if let Some(reason) = closed {
            self.on_closed(from, reason, effects);
        }
        self.retry_claims(now, effects);
        let may_go_on = self.requests.n_appends < APPENDS_MAX && !self.requests.is_stopping;
        if may_go_on && self.requests.awaiting.remove(&from) {
            act(from, Action::ResumeRead, effects);
        }
    }

    /// Guests ask again for names whose holders had something in flight.
    fn retry_claims(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        for id in mem::take(&mut self.requests.claiming) {
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            if let Phase::Claiming(_) = peer.phase
                && let Phase::Claiming(wish) = mem::replace(&mut peer.phase, Phase::Guest)
            {
                act(id, Action::ResumeRead, effects);
                self.join_as(now, id, wish, effects);
            }
        }
    }
}
