//! Joining: the name under which a guest joins, and its entry into the hall.

use std::{fmt::Write, time::Instant};

use pychat_wire::{UserName, key::PublicKey, message::ErrorCode, notice::Notice};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Event, Grant, Phase, Refusal, Subscribe, act,
    arrival::Wish, buckets::Speaker, complain, tell,
};
use crate::core::{
    admission::Act,
    id::{ConnectionId, HALL},
    record::{Device, PersonId, Presence},
    roster::{FreeName, Participant},
};

/// The most connections of one person at a time, under one name. One more takes the place of the
/// oldest: that may be half dead, and must not lock anybody out.
pub const CONNECTIONS_PER_PERSON_MAX: usize = 16;

impl Chat {
    /// Lets a peer of protocol 1 in under the name, or under that name and a number.
    pub(super) fn join_as_any(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: UserName,
        effects: &mut Vec<Effect>,
    ) {
        self.people.correct_use(&name, self.name_expiry());
        self.change_people(id, effects);
        let free = self.find_free(name.clone());
        if self.roster.is_shared() {
            let presence = Presence { name: free.name().clone(), person: None, key: None };
            return self.ask_to_enter(id, Wish::unproved(name), presence, effects);
        }
        let name = free.name().clone();
        self.welcome_any(id, &name, effects);
        self.roster.join(id, free, None);
        self.enter(now, id, name, None, effects);
    }

    /// Welcomes a peer of protocol 1 that is not on the roster yet.
    pub(super) fn welcome_any(
        &mut self,
        id: ConnectionId,
        name: &UserName,
        effects: &mut Vec<Effect>,
    ) {
        // The list of people is a long text in a large room. Its memory comes in sizes that will be
        // asked for again: a little more for each newcomer would leave a hole for each.
        let (online, names) = (self.roster.len(), self.roster.listing());
        let mut content = String::with_capacity((256 + names.len()).next_power_of_two());
        let welcome = Notice::Welcome { name: name.as_str(), online, names };
        write!(content, "{welcome}").ok(); // A String takes it all.
        tell(id, Event::Notice(content), effects);
    }

    /// Lets a peer in that was a guest until now. One of protocol 2 joins under exactly this name, or as
    /// its person is present. If somebody else owns it, or one that looks like it, it is refused; if they
    /// only have it, they are sent away for its owner.
    pub(super) fn join_as(
        &mut self,
        now: Instant,
        id: ConnectionId,
        wish: Wish,
        effects: &mut Vec<Effect>,
    ) {
        let Some(key) = wish.device.as_ref().map(|device| device.key) else {
            return self.join_as_any(now, id, wish.name, effects);
        };
        // Also of a person whose device it has just become, or who was banned while it waited.
        if self.refuse_banned(id, key, effects) {
            return;
        }
        let (name, expiry) = (&wish.name, self.name_expiry());
        self.people.correct_use(name, expiry);
        let person = self.person_of(name, key);
        let is_awaited = person.is_some_and(|person| self.requests.is_admitting(person));
        if is_awaited || self.roster.is_held(name) {
            return self.claim(id, wish, effects);
        }
        let is_me = |holder: &&Participant| person.is_some() && holder.person() == person;
        let me = self.roster.holders(name).find(is_me);
        if let Some((name, connections)) =
            me.map(|me| (me.name().clone(), me.connections().to_vec()))
        {
            return self.join_again(
                now,
                id,
                (Wish { name, ..wish }, person),
                &connections,
                effects,
            );
        }
        let is_owner = person.is_some_and(|person| self.people.owns(person, name));
        let is_taken = self.roster.holders(name).next().is_some();
        if self.people.is_reserved(name, person, expiry) || is_taken && !is_owner {
            return self.refuse_taken(id, name.clone(), effects);
        }
        let holders: Vec<_> =
            self.roster.holders(name).flat_map(Participant::connections).copied().collect();
        if holders.iter().any(|holder| self.has_in_flight(*holder)) {
            return self.claim(id, wish, effects);
        }
        if self.needs_invite(key) {
            return self.redeem(now, id, wish, effects);
        }
        let person = person.unwrap_or_else(|| self.people.stranger());
        if self.roster.is_shared() {
            return self.ask_to_enter_as(id, wish, person, effects);
        }
        for holder in holders {
            self.displace(holder, effects);
        }
        let free = self.roster.find_free(wish.name.clone(), |_| false);
        self.roster.join(id, free, Some(person));
        self.welcome(now, id, wish, person, effects);
    }

    /// Lets another connection of a person in who is present by these `connections`, or on another server
    /// alone.
    fn join_again(
        &mut self,
        now: Instant,
        id: ConnectionId,
        (wish, person): (Wish, Option<PersonId>),
        connections: &[ConnectionId],
        effects: &mut Vec<Effect>,
    ) {
        let (Some(person), Some(device)) = (person, &wish.device) else { return };
        let Some(present) = connections.last() else {
            return self.ask_to_enter_as(id, wish, person, effects);
        };
        self.roster.join_again(id, *present);
        if CONNECTIONS_PER_PERSON_MAX <= connections.len() {
            let key = |id: &ConnectionId| self.peers.get(id)?.grant.map(|grant| grant.key);
            let same = connections.iter().find(|other| key(other) == Some(device.key));
            if let Some(oldest) = same.or(connections.first()) {
                self.displace(*oldest, effects);
            }
        }
        self.welcome(now, id, wish, person, effects);
    }

    /// Welcomes a peer that is on the roster by now.
    pub(super) fn welcome(
        &mut self,
        now: Instant,
        id: ConnectionId,
        wish: Wish,
        person: PersonId,
        effects: &mut Vec<Effect>,
    ) {
        let Wish { name, device: Some(device), resume, .. } = wish else { return };
        let mut grant =
            Grant { person, key: device.key, is_saved: self.people.owns(person, &name) };
        if grant.is_saved {
            self.people.note_use(person, &name, self.wall_clock.utc_ms);
        } else {
            grant.is_saved = self.reserve(now, id, person, &device, &name);
        }
        if grant.is_saved {
            self.rooms.note_arrival(person);
        }
        self.change_people(id, effects);
        let members = self.roster.members().clone();
        let is_operator = self.people.is_operator(person);
        let rooms = self.views(person);
        tell(id, Event::Welcome { name: name.clone(), is_operator, members, rooms }, effects);
        self.enter(now, id, name, Some(grant), effects);
        self.enter_rooms(id, resume, effects);
        let bots = self.people.bot_names();
        if !bots.is_empty() {
            tell(id, Event::Bots(bots), effects);
        }
    }

    /// Returns the name under which somebody who asks for `name` and does not own it can join now.
    fn find_free(&self, name: UserName) -> FreeName {
        let expiry = self.name_expiry();
        self.roster.find_free(name, |name| self.people.is_reserved(name, None, expiry))
    }

    fn refuse_taken(&mut self, id: ConnectionId, name: UserName, effects: &mut Vec<Effect>) {
        let complaint = Complaint {
            suggest: Some(self.find_free(name).name().clone()),
            ..Complaint::new(ErrorCode::NameTaken, "somebody else has this name")
        };
        complain(id, complaint, effects);
        act(id, Action::Log(Refusal::NameTaken), effects);
        self.count_bad(id, ErrorCode::NameTaken, &Refusal::NameTaken, effects);
    }

    fn has_in_flight(&self, id: ConnectionId) -> bool {
        self.peers.get(&id).is_some_and(|peer| !peer.in_flight.is_empty())
    }

    /// `Guest` becomes `Claiming`: somebody's leaving, here to make way, is told after what they said
    /// was answered; and a person joins once the store has them.
    pub(super) fn claim(&mut self, id: ConnectionId, wish: Wish, effects: &mut Vec<Effect>) {
        self.wait_with(id, wish, effects);
        self.requests.claiming.push(id);
    }

    /// Reserves a name for a person, unless their address has done so too often; returns true if it
    /// is reserved.
    pub(super) fn reserve(
        &mut self,
        now: Instant,
        id: ConnectionId,
        person: PersonId,
        device: &Device,
        name: &UserName,
    ) -> bool {
        let (expiry, utc_ms) = (self.name_expiry(), self.wall_clock.utc_ms);
        let Some(peer) = self.peers.get(&id) else { return false };
        self.people.may_own(person, name)
            && self.admission.try_fill(now, peer.origin, Act::Reserve)
            && self.people.reserve(person, device, name, utc_ms, expiry)
    }

    /// Returns the person who has this key. Where they own no name, only their presence tells.
    fn person_of(&self, name: &UserName, key: PublicKey) -> Option<PersonId> {
        let grant = |id: &ConnectionId| self.peers.get(id)?.grant;
        let is_here = |id: &ConnectionId| grant(id).is_some_and(|grant| grant.key == key);
        let is_it =
            |it: &&Participant| it.key() == Some(key) || it.connections().iter().any(is_here);
        let present = || self.roster.holders(name).find(is_it)?.person();
        self.people.of_key(key).or_else(present)
    }

    /// Returns the person at a connection, if its peer proved who it is.
    pub(super) fn person_at(&self, id: ConnectionId) -> Option<PersonId> {
        self.peers.get(&id)?.grant.map(|grant| grant.person)
    }

    /// Somebody is in the room. What they or their address said lately counts: reconnecting gives
    /// nobody more to say.
    pub(super) fn enter(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: UserName,
        grant: Option<Grant>,
        effects: &mut Vec<Effect>,
    ) {
        self.timers.hello.clear(id);
        let (person, protocol) = (grant.map(|grant| grant.person), self.protocol(id));
        let (Some(peer), Some(join_index)) = (self.peers.get_mut(&id), self.roster.join_index(id))
        else {
            return;
        };
        if self.roster.first_index(id) == Some(join_index) {
            self.timers.announcements.due.set(join_index, now + self.rules.announce_after);
        }
        self.admission.fill(now, peer.origin, Act::Join, 1);
        peer.phase = Phase::Joined(name.clone());
        peer.grant = grant;
        let speaker = Speaker::new(&name, person);
        let limit = self.rules.rate_limit;
        let full_until = limit.and_then(|limit| self.buckets.full_until(now, &speaker, limit));
        let full_until = full_until.max(self.admission.full_until(now, peer.origin, Act::Text));
        let subscribe = Subscribe { room: HALL, name, person, protocol, join_index };
        act(id, Action::Subscribe(subscribe), effects);
        if let Some(until) = full_until {
            act(id, Action::PauseRead { until }, effects);
        }
    }

    /// Sends somebody away who has to make way; the others hear of that here, not when the connection
    /// is gone.
    fn displace(&mut self, holder: ConnectionId, effects: &mut Vec<Effect>) {
        self.close(holder, CloseReason::Displaced, effects);
        self.leave(holder, CloseReason::Displaced, effects);
    }
}
