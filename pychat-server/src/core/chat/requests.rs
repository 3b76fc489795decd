//! Requests to the store, from when they are made until they are answered.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use pychat_wire::{
    UserName,
    key::{InviteCode, InviteId, PairCode},
};
use rustc_hash::FxHashMap;

use super::{
    Chat, CloseReason, Effect, Event,
    invites::refuse_unstored,
    orders::{Asker, OpenOrders, Ordered},
    rooms::{Changing, Recalling, Waiting},
    settling::Open,
    tell_all,
};
use crate::core::{
    id::{ConnectionId, RoomId, Ticket},
    moderation::{AuditEntry, Change},
    people::NewInvite,
    record::{
        Appended, Invite, Outcome, PersonChange, PersonId, Presence, ReadMark, Request,
        StorageError, Stored,
    },
};

/// The requests that the store has not answered.
#[derive(Debug, Default)]
pub(super) struct Requests {
    n_made: u64,
    pending: FxHashMap<Ticket, Pending>,
    pub(super) n_appends: usize,
    /// The connections that are not read until the store has answered.
    pub(super) awaiting: BTreeSet<ConnectionId>,
    /// The server stops when all texts are answered.
    pub(super) is_stopping: bool,
    /// The guests who wait for what is in flight: their names are held by connections that have
    /// something there, or their person is not let in yet.
    pub(super) claiming: Vec<ConnectionId>,
    pub(super) orders: OpenOrders,
    /// Those whose effect is here already, and is undone if the store does not keep it.
    pub(super) open: Open,
    /// The newcomers who are let in if the store keeps that.
    admitting: BTreeSet<PersonId>,
    /// The requests for direct rooms that are being made already.
    pub(super) waiting: FxHashMap<RoomId, Vec<Waiting>>,
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
    /// Somebody has seen a room up to what they said, or came.
    NewMark(ReadMark),
    /// A room is over. If that is not kept, the next start asks for it again.
    EndRoom(RoomId),
    /// A guest has said hello.
    Sync {
        id: ConnectionId,
    },
    /// A guest is to be present.
    Enter {
        id: ConnectionId,
        presence: Presence,
    },
    /// Somebody is to be present no more.
    Leave {
        presence: Presence,
        reason: CloseReason,
    },
    /// A code by which another device can join is told to `by` if all servers know it.
    Offer {
        by: ConnectionId,
        person: PersonId,
        code: PairCode,
    },
    ChangePerson {
        by: ConnectionId,
    },
    Order {
        number: u64,
    },
    Ordered(Box<Ordered>),
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
    /// Its code.
    pub(super) code: Option<InviteCode>,
}

/// An invite that is good if the store keeps it.
#[derive(Debug)]
pub(super) struct Invited {
    /// The one who is told its code.
    pub(super) to: Option<Asker>,
    pub(super) code: InviteCode,
    pub(super) invite: Invite,
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

    /// Returns the ticket of something that will be answered; none is given twice.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.n_made += 1;
        Ticket(self.n_made)
    }

    /// Asks the store for something; its answer will bear the ticket that is returned.
    pub(super) fn make(
        &mut self,
        pending: Pending,
        request: Request,
        effects: &mut Vec<Effect>,
    ) -> Ticket {
        let ticket = self.ticket();
        self.open.note(ticket, &request);
        self.pending.insert(ticket, pending);
        effects.push(Effect::Store { ticket, request });
        ticket
    }
}

impl Chat {
    /// Asks the store to keep what has changed of people by what connection `by` said.
    pub(super) fn change_people(&mut self, by: ConnectionId, effects: &mut Vec<Effect>) {
        for change in self.take_changes(effects) {
            let pending = Pending::ChangePerson { by };
            self.requests.make(pending, Request::ChangePerson(change), effects);
        }
        self.keep_marks(effects);
    }

    /// Takes what has changed of people; those who are forgotten are in no room any more.
    pub(super) fn take_changes(&mut self, effects: &mut Vec<Effect>) -> Vec<PersonChange> {
        let changes = self.people.take_changes();
        for change in &changes {
            if let PersonChange::Forget(person) = change
                && !self.roster.is_shared()
            {
                self.forget_seats(*person, effects);
            }
        }
        if !changes.is_empty() {
            self.tell_bots(effects);
        }
        changes
    }

    /// Tells everybody of the names of bots, if they are others than they were.
    pub(super) fn tell_bots(&mut self, effects: &mut Vec<Effect>) {
        if let Some(names) = self.people.take_bot_news() {
            tell_all(Event::Bots(names), effects);
        }
    }

    /// Asks the store to keep how far people have seen rooms who did not say so: newcomers, and authors.
    pub(super) fn keep_marks(&mut self, effects: &mut Vec<Effect>) {
        for mark in self.rooms.take_marks() {
            self.requests.make(Pending::NewMark(mark), Request::Mark(mark), effects);
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
        self.keep_marks(effects);
    }

    /// Asks the store to keep an invite; connection `to` is told its code then.
    pub(super) fn add_invite(
        &mut self,
        to: Option<Asker>,
        who: &str,
        new: NewInvite,
        effects: &mut Vec<Effect>,
    ) {
        let NewInvite { code, invite, forgotten } = new;
        let id = invite.id();
        let by = to.as_ref().and_then(|asker| self.asking(asker));
        let pending = Pending::AddInvite(Invited { to, code, invite: invite.clone() });
        let forgotten = forgotten.map(Change::RevokeInvite);
        let changes = forgotten.into_iter().chain([Change::AddInvite(invite)]).collect();
        let entry = self.entry(who, "invite", id);
        self.requests.make(pending, Request::Moderate { changes, entry, by }, effects);
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
        let request = Request::Moderate { changes, entry, by: self.person_at(by) };
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
        self.settle(now, ticket, outcome.is_ok(), effects);
        match self.requests.pending.remove(&ticket) {
            Some(Pending::Append { from, id }) => {
                match outcome {
                    Ok(Stored::Appended(appended)) => self.on_appended(from, id, appended, effects),
                    Ok(Stored::Changed | Stored::Recalled(_)) => (),
                    Err(error) => self.on_append_failed(from, id, &error, effects),
                }
                self.on_answered(now, (from, ticket), effects);
            }
            Some(Pending::Change(changing)) => {
                let (from, room) = (changing.from, changing.room);
                let record = match &outcome {
                    Ok(Stored::Appended(Appended::New(record))) => Some(record.clone()),
                    _ => None,
                };
                self.on_changed(*changing, outcome, effects);
                self.on_answered(now, (from, ticket), effects);
                self.answer_waiting(now, room, record.as_ref(), effects);
            }
            Some(Pending::Recall(recalling)) => {
                let from = recalling.from();
                self.on_recalled(*recalling, outcome, effects);
                self.on_answered(now, (from, ticket), effects);
            }
            Some(Pending::Ordered(ordered)) => self.on_ordered(*ordered, outcome, effects),
            Some(pending) => self.on_answer(now, pending, outcome.err(), effects),
            None => (),
        }
        self.end_rooms(effects);
    }

    /// The store has answered something of which it keeps no record.
    fn on_answer(
        &mut self,
        now: Instant,
        pending: Pending,
        error: Option<StorageError>,
        effects: &mut Vec<Effect>,
    ) {
        match (pending, error) {
            (Pending::Order { number }, error) => self.on_order_stored(now, number, error, effects),
            (Pending::ChangePerson { by }, Some(_)) => self.on_change_failed(by),
            (Pending::Admit(admitted), error) => {
                self.requests.admitting.remove(&admitted.person);
                self.on_admitted(now, &admitted, error, effects);
                self.retry_claims(now, effects);
            }
            (Pending::AddInvite(invited), error) => self.on_invited(invited, error, effects),
            (Pending::Removal { by }, Some(error)) => refuse_unstored(by, &error, effects),
            (Pending::Mark { from, mark }, None) => self.on_marked(Some(from), mark, effects),
            (Pending::Mark { from, mark }, Some(_)) => self.on_mark_failed(from, mark, effects),
            (Pending::NewMark(mark), error) => self.on_new_mark(mark, error.is_none()),
            (Pending::EndRoom(room), error) => {
                self.rooms.end_answered(room);
                if error.is_none() {
                    self.on_room_over(room, effects);
                }
            }
            (Pending::Sync { id }, error) => self.on_synced(now, id, error.as_ref(), effects),
            (Pending::Enter { id, presence }, error) => {
                self.on_entered(now, id, &presence, error.as_ref(), effects);
            }
            (Pending::Leave { presence, reason }, error) => {
                self.on_left(now, presence, reason, error.is_none(), effects);
            }
            (Pending::Offer { by, person, code }, error) => {
                self.on_offered(by, person, code, error.as_ref(), effects);
            }
            (
                Pending::ChangePerson { .. }
                | Pending::Removal { .. }
                // Answered by `on_stored`.
                | Pending::Append { .. }
                | Pending::Change(_)
                | Pending::Recall(_)
                | Pending::Ordered(_),
                _,
            ) => (),
        }
    }

    /// Ends the rooms that are over.
    fn end_rooms(&mut self, effects: &mut Vec<Effect>) {
        for room in self.rooms.take_over() {
            if self.roster.is_shared() {
                self.rooms.begin_end(room);
            } else {
                effects.push(Effect::EndRoom(room));
            }
            self.requests.make(Pending::EndRoom(room), Request::EndRoom(room), effects);
        }
    }

    /// Lets what a person has last only as long as the connection, as the store does not have it.
    fn on_change_failed(&mut self, by: ConnectionId) {
        let Some(grant) = self.peers.get_mut(&by).and_then(|peer| peer.grant.as_mut()) else {
            return;
        };
        if !self.roster.is_shared() {
            grant.is_saved = false;
        }
    }
}
