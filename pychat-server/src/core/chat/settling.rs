//! Changes of people and rules where servers share the store. They are in effect here before the store
//! has answered, and undone if it does not keep them, as another server was faster.

use std::{collections::BTreeMap, time::Instant};

use super::{Chat, Effect, Event, Phase, requests::Requests, tell};
use crate::core::{
    id::{RoomId, Ticket},
    moderation::Change,
    people::Replaced,
    record::{Device, Person, PersonChange, PersonId, ReadMark, Request},
};

/// The requests that the store has not answered and whose effect is here already, in order; none is noted
/// unless servers share the store.
#[derive(Debug, Default)]
pub(super) struct Open(Option<BTreeMap<Ticket, Request>>);

impl Open {
    /// Notes a request that is made.
    pub(super) fn note(&mut self, ticket: Ticket, request: &Request) {
        if let Some(open) = &mut self.0
            && let Request::ChangePerson(_) | Request::Admit { .. } | Request::Moderate { .. } =
                request
        {
            open.insert(ticket, request.clone());
        }
    }

    fn take(&mut self, ticket: Ticket) -> Option<Request> {
        self.0.as_mut()?.remove(&ticket)
    }

    /// Returns the changes of rules that are not answered.
    fn rules(&self) -> impl Iterator<Item = &Change> {
        let requests = self.0.iter().flat_map(BTreeMap::values);
        let changes = requests.flat_map(|request| match request {
            Request::Moderate { changes, .. } => changes.as_slice(),
            _ => &[],
        });
        changes.filter(|change| is_rule(change))
    }

    /// Forgets the changes of rules: none of them will be kept.
    pub(super) fn forget_rules(&mut self) {
        let is_ruling = |request: &Request| match request {
            Request::Moderate { changes, .. } => changes.iter().any(is_rule),
            _ => false,
        };
        self.0.iter_mut().for_each(|open| open.retain(|_, request| !is_ruling(request)));
    }
}

/// Returns true if a change is one of the rules for all.
pub(super) fn is_rule(change: &Change) -> bool {
    match change {
        Change::Impose(_) | Change::Lift(_) | Change::Slow(_) | Change::Door(_) => true,
        Change::AddInvite(_) | Change::RevokeInvite(_) => false,
    }
}

impl Requests {
    /// Has it live with other servers.
    pub(super) fn share(&mut self) {
        self.open = Open(Some(BTreeMap::new()));
    }
}

impl Chat {
    /// The store has answered a request; if its effect was here before, that is for good now, or undone.
    pub(super) fn settle(
        &mut self,
        now: Instant,
        ticket: Ticket,
        is_kept: bool,
        effects: &mut Vec<Effect>,
    ) {
        match self.requests.open.take(ticket) {
            Some(Request::ChangePerson(change)) => {
                self.settle_person(now, &change, is_kept, effects);
            }
            Some(Request::Admit { person, .. }) => {
                self.settle_person(now, &PersonChange::Save(person), is_kept, effects);
            }
            Some(Request::Moderate { changes, .. }) => self.settle_rules(&changes, is_kept),
            _ => (),
        }
    }

    fn settle_person(
        &mut self,
        now: Instant,
        change: &PersonChange,
        is_kept: bool,
        effects: &mut Vec<Effect>,
    ) {
        let replaced = self.people.answered(change, is_kept);
        if let PersonChange::Forget(person) = change
            && is_kept
        {
            self.forget_seats(*person, effects);
        }
        if let Some(replaced) = replaced {
            self.show_replaced(now, &replaced, effects);
        }
    }

    fn settle_rules(&mut self, changes: &[Change], is_kept: bool) {
        for change in changes {
            match change {
                Change::RevokeInvite(invite) => {
                    self.people.invites_mut().revoke_answered(*invite, is_kept);
                }
                change if is_kept && is_rule(change) => {
                    let n_open = self.requests.open.rules().count();
                    self.people.rules_kept(change, n_open);
                }
                _ => (),
            }
        }
        if !is_kept && changes.iter().any(is_rule) {
            self.people.put_rules_back(self.requests.open.rules());
        }
    }

    /// A person is as the store has them: their connections are told of what is different, and those of
    /// devices that are not theirs end.
    pub(super) fn show_replaced(
        &mut self,
        now: Instant,
        Replaced { id, before, after }: &Replaced,
        effects: &mut Vec<Effect>,
    ) {
        if let (Some(before), Some(after)) = (before, after) {
            for gone in missing(before, after) {
                self.send_away(*id, gone.key, effects);
            }
            for new in missing(after, before) {
                for connection in self.joined_of(*id) {
                    tell(connection, Event::DeviceAdded(new.clone()), effects);
                }
            }
        }
        let is_operator =
            |person: &Option<Person>| person.as_ref().is_some_and(|it| it.is_operator);
        if is_operator(before) != is_operator(after) {
            self.show_operator(now, *id, is_operator(after), effects);
        }
        self.note_saved(*id);
        self.tell_bots(effects);
    }

    /// Tells a person that they are an operator, or one no longer.
    pub(super) fn show_operator(
        &mut self,
        now: Instant,
        person: PersonId,
        is_operator: bool,
        effects: &mut Vec<Effect>,
    ) {
        let connections = self.connections_of(person);
        self.end_slow(now, connections.clone(), effects);
        for id in connections.into_iter().filter(|id| self.is_open(*id)) {
            tell(id, Event::Operator(is_operator), effects);
        }
        self.show_rights(person, effects);
    }

    /// Notes of the connections of a person whether their name is theirs when they are away.
    fn note_saved(&mut self, person: PersonId) {
        for id in self.connections_of(person) {
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            if let (Phase::Joined(name), Some(grant)) = (&peer.phase, &mut peer.grant) {
                grant.is_saved = self.people.owns(person, name);
            }
        }
    }

    /// The store has answered how far somebody has seen a room who did not say so. If it could not keep that,
    /// it is asked again with the next. If it did, they may have been forgotten between.
    pub(super) fn on_new_mark(&mut self, mark: ReadMark, is_kept: bool) {
        match (self.roster.is_shared(), is_kept) {
            (true, true) => {
                self.rooms.raise_mark(mark.person, mark.room, mark.seq);
            }
            (true, false) => self.rooms.keep_mark(mark),
            (false, _) => (),
        }
    }

    /// The store keeps a room no longer.
    pub(super) fn on_room_over(&mut self, room: RoomId, effects: &mut Vec<Effect>) {
        if self.roster.is_shared() && self.rooms.end(room) {
            effects.push(Effect::EndRoom(room));
        }
    }
}

/// Returns the devices of a person that they do not have as `other`.
fn missing<'a>(person: &'a Person, other: &'a Person) -> impl Iterator<Item = &'a Device> {
    let is_there = |key| other.devices.iter().any(|device| device.key == key);
    person.devices.iter().filter(move |device| !is_there(device.key))
}
