//! Joining: a guest's hello, the proof of who it is, the name that it asks for, and its entry into the
//! room.

use std::{fmt::Write, time::Instant};

use pychat_wire::{
    NameError, UserName,
    key::{InviteCode, PublicKey},
    message::{ErrorCode, Hello, PROTOCOL, Positions, Resume},
    notice::Notice,
};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Event, Grant, Phase, Protocol, Refusal,
    Subscribe, act, buckets::Speaker, complain, notify, tell,
};
use crate::core::{
    admission::{Act, WRONG_PROOF_COST},
    id::{ConnectionId, HALL},
    record::{Device, PersonId},
    roster::{FreeName, Participant},
};

/// The most connections of one person at a time, under one name. One more takes the place of the
/// oldest: that may be half dead, and must not lock anybody out.
pub const CONNECTIONS_PER_PERSON_MAX: usize = 16;

/// The wish to join of a device that has proved to be it.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) name: UserName,
    pub(super) device: Device,
    /// The message of the log after which the peer wants to go on.
    pub(super) resume: Option<Resume<'static>>,
    /// The code that lets a newcomer in.
    pub(super) invite: Option<InviteCode>,
}

impl Wish {
    fn new(name: UserName, device: Device, hello: &Hello<'_>) -> Self {
        let own = |resume: &Resume<'_>| {
            let positions = resume.rooms.0.iter();
            Resume {
                epoch: resume.epoch.as_ref().to_owned().into(),
                rooms: Positions(
                    positions.map(|(room, after)| (room.to_string().into(), *after)).collect(),
                ),
                limit: resume.limit,
            }
        };
        Self { name, device, resume: hello.resume.as_ref().map(own), invite: hello.invite }
    }
}

impl Chat {
    /// `Guest` becomes `Joined`, provided the name keeps the rules, and can be had. If not, and its
    /// address has used up its share of hellos, it waits for the next one.
    pub(super) fn on_hello(
        &mut self,
        now: Instant,
        id: ConnectionId,
        hello: &Hello<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let protocol = if hello.protocol < PROTOCOL { Protocol::V1 } else { Protocol::V2 };
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.protocol = protocol;
        if !self.may_join_so(id) {
            return self.refuse_plain(id, effects);
        }
        if protocol == Protocol::V1 && !self.may_join_unproved(id) {
            return self.refuse_unproved(id, effects);
        }
        match UserName::new(&hello.username) {
            Ok(name) if protocol == Protocol::V1 => self.join_as_any(now, id, name, effects),
            Ok(name) => {
                let Some(key) = self.verify(now, id, hello, effects) else { return };
                let label = hello.label.as_deref().unwrap_or_default().into();
                let device = Device { key, label, added_ms: self.wall_clock.utc_ms };
                if !self.refuse_banned(id, key, effects)
                    && self.pair(now, id, &name, &device, hello, effects)
                    && self.is_let_in(now, id, key, hello.invite, effects)
                {
                    self.join_as(now, id, Wish::new(name, device, hello), effects);
                }
            }
            Err(error) => {
                refuse_name(id, protocol, error, effects);
                self.count_bad(id, ErrorCode::NameInvalid, &error, effects);
            }
        }
    }

    /// Returns the key that a hello is signed with; refuses one that is not.
    fn verify(
        &mut self,
        now: Instant,
        id: ConnectionId,
        hello: &Hello<'_>,
        effects: &mut Vec<Effect>,
    ) -> Option<PublicKey> {
        let challenge = self.peers.get(&id)?.challenge;
        let proof = hello.proof.filter(|proof| proof.is_valid(&challenge, &hello.username));
        self.charge_proof(now, id, proof.is_some(), effects);
        if proof.is_none() {
            let text = "the signature is missing, or wrong";
            complain(id, Complaint::new(ErrorCode::BadSignature, text), effects);
            act(id, Action::Log(Refusal::Signature), effects);
            self.count_bad(id, ErrorCode::BadSignature, &Refusal::Signature, effects);
        }
        proof.map(|proof| proof.key)
    }

    /// Adds a device that nobody has to a person, if the hello has their code. Returns false if it has
    /// a wrong one.
    fn pair(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: &UserName,
        device: &Device,
        hello: &Hello<'_>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        // A device that was added knows that only once it was welcomed.
        let Some(code) = hello.pair.filter(|_| self.people.of_key(device.key).is_none()) else {
            return true;
        };
        if let Some(person) = self.people.pair(now, name, code, device.clone()) {
            self.tell_added(id, person, device, effects);
            return true;
        }
        self.charge_proof(now, id, false, effects);
        let text = "this code is not good, or no longer";
        self.forbid(id, text, Refusal::PairCode, effects);
        false
    }

    /// Counts a proof against the share of an address; where that is used up, the peer is not read
    /// for a while.
    pub(super) fn charge_proof(
        &mut self,
        now: Instant,
        id: ConnectionId,
        is_good: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get(&id) else { return };
        let cost = if is_good { 1 } else { WRONG_PROOF_COST };
        let full_until = self.admission.fill(now, peer.origin, Act::Verify, cost);
        if let Some(until) = full_until.filter(|_| !is_good) {
            self.hold_guest(id, until, effects);
        }
    }

    /// Lets a peer of protocol 1 in under the name, or under that name and a number.
    fn join_as_any(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: UserName,
        effects: &mut Vec<Effect>,
    ) {
        self.people.correct_use(&name, self.name_expiry());
        self.change_people(id, effects);
        let free = self.find_free(name);
        let name = free.name().clone();
        // The list of people is a long text in a large room. Its memory comes in sizes that will be
        // asked for again: a little more for each newcomer would leave a hole for each.
        let (online, names) = (self.roster.len(), self.roster.listing());
        let mut content = String::with_capacity((256 + names.len()).next_power_of_two());
        let welcome = Notice::Welcome { name: name.as_str(), online, names };
        write!(content, "{welcome}").ok(); // A String takes it all.
        tell(id, Event::Notice(content), effects);
        self.roster.join(id, free, None);
        self.enter(now, id, name, None, effects);
    }

    /// Lets a peer of protocol 2 in under exactly this name, or as its person is present. If somebody
    /// else owns it, or one that looks like it, it is refused; if they only have it, they are sent
    /// away for its owner.
    pub(super) fn join_as(
        &mut self,
        now: Instant,
        id: ConnectionId,
        wish: Wish,
        effects: &mut Vec<Effect>,
    ) {
        // Also of a person whose device it has just become, or who was banned while it waited.
        if self.refuse_banned(id, wish.device.key, effects) {
            return;
        }
        let (name, expiry) = (&wish.name, self.name_expiry());
        self.people.correct_use(name, expiry);
        let person = self.person_of(name, wish.device.key);
        if person.is_some_and(|person| self.requests.is_admitting(person)) {
            return self.claim(id, wish, effects);
        }
        let is_me = |holder: &&Participant| person.is_some() && holder.person() == person;
        let me = self.roster.holders(name).find(is_me);
        if let Some((name, connections)) =
            me.map(|me| (me.name().clone(), me.connections().to_vec()))
        {
            return self.join_again(now, id, Wish { name, ..wish }, &connections, effects);
        }
        let is_owner = person.is_some_and(|person| self.people.owns(person, name));
        let holders: Vec<_> =
            self.roster.holders(name).flat_map(Participant::connections).copied().collect();
        if self.people.is_reserved(name, person, expiry) || !(holders.is_empty() || is_owner) {
            return self.refuse_taken(id, name.clone(), effects);
        }
        if holders.iter().any(|holder| self.has_in_flight(*holder)) {
            return self.claim(id, wish, effects);
        }
        if self.needs_invite(wish.device.key) {
            return self.redeem(now, id, wish, effects);
        }
        for holder in holders {
            self.displace(holder, effects);
        }
        let person = person.unwrap_or_else(|| self.people.stranger());
        let free = self.roster.find_free(wish.name.clone(), |_| false);
        self.roster.join(id, free, Some(person));
        self.welcome(now, id, wish, person, effects);
    }

    /// Lets another connection of a person in who is present by these `connections`.
    fn join_again(
        &mut self,
        now: Instant,
        id: ConnectionId,
        wish: Wish,
        connections: &[ConnectionId],
        effects: &mut Vec<Effect>,
    ) {
        let Some(person) = connections.first().and_then(|first| self.person_at(*first)) else {
            return;
        };
        let Some(present) = connections.last() else { return };
        self.roster.join_again(id, *present);
        if CONNECTIONS_PER_PERSON_MAX <= connections.len() {
            let key = |id: &ConnectionId| self.peers.get(id)?.grant.map(|grant| grant.key);
            let same = connections.iter().find(|other| key(other) == Some(wish.device.key));
            if let Some(oldest) = same.or(connections.first()) {
                self.displace(*oldest, effects);
            }
        }
        self.welcome(now, id, wish, person, effects);
    }

    /// Welcomes a peer that is on the roster by now.
    fn welcome(
        &mut self,
        now: Instant,
        id: ConnectionId,
        wish: Wish,
        person: PersonId,
        effects: &mut Vec<Effect>,
    ) {
        let Wish { name, device, resume, invite: _ } = wish;
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
    fn claim(&mut self, id: ConnectionId, wish: Wish, effects: &mut Vec<Effect>) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.phase = Phase::Claiming(wish);
            self.requests.claiming.push(id);
            act(id, Action::AwaitStore, effects);
        }
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

    /// Returns the person who has this key. Where they own no name, only their connections tell.
    fn person_of(&self, name: &UserName, key: PublicKey) -> Option<PersonId> {
        let grant = |id: &ConnectionId| self.peers.get(id)?.grant;
        self.people.of_key(key).or_else(|| {
            let connections = self.roster.holders(name).flat_map(Participant::connections);
            connections.filter_map(grant).find(|grant| grant.key == key).map(|grant| grant.person)
        })
    }

    /// Returns the person at a connection, if its peer proved who it is.
    pub(super) fn person_at(&self, id: ConnectionId) -> Option<PersonId> {
        self.peers.get(&id)?.grant.map(|grant| grant.person)
    }

    /// Somebody is in the room. What they or their address said lately counts: reconnecting gives
    /// nobody more to say.
    fn enter(
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
            self.timers.announcements.due.set(id, now + self.rules.announce_after);
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

fn refuse_name(id: ConnectionId, protocol: Protocol, error: NameError, effects: &mut Vec<Effect>) {
    act(id, Action::Log(Refusal::Name(error)), effects);
    match (protocol, error) {
        (Protocol::V2, _) => {
            complain(id, Complaint::new(ErrorCode::NameInvalid, &error.to_string()), effects);
        }
        // The original's answer to an empty name; it knows no other bad ones.
        (Protocol::V1, NameError::Empty) => notify(id, Notice::StillWaiting, effects),
        (Protocol::V1, _) => {
            notify(id, Notice::Other(&format!("Choose another name: {error}.")), effects);
        }
    }
}
