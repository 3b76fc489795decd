//! Joining: a guest's hello, the name that it asks for, and its entry into the room.

use std::{fmt::Write, time::Instant};

use pychat_wire::{
    NameError, UserName,
    message::{ErrorCode, PROTOCOL, Resume},
    notice::Notice,
};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Event, Phase, Protocol, Refusal, Subscribe, act,
    complain, notify, recovering::Speaker, tell,
};
use crate::core::{
    admission::Act,
    id::{ConnectionId, HALL},
    record::PersonId,
    tokens::Grant,
};

/// The content of a hello.
#[derive(Debug)]
pub(super) struct Hello<'a> {
    pub(super) username: &'a str,
    pub(super) protocol: u64,
    pub(super) token: Option<&'a str>,
    /// The message of the log after which the peer wants to go on.
    pub(super) resume: Option<&'a Resume<'a>>,
}

/// A hello that waits until the store has answered what an earlier connection of the same person
/// said.
#[derive(Debug)]
pub(super) struct Claim {
    username: String,
    protocol: u64,
    token: Option<String>,
    resume: Option<Resume<'static>>,
}

impl Claim {
    fn new(hello: &Hello<'_>) -> Self {
        let own = |resume: &Resume<'_>| Resume {
            epoch: resume.epoch.as_ref().to_owned().into(),
            after: resume.after,
            limit: resume.limit,
        };
        Self {
            username: hello.username.to_owned(),
            protocol: hello.protocol,
            token: hello.token.map(str::to_owned),
            resume: hello.resume.map(own),
        }
    }

    /// Returns the hello.
    pub(super) fn hello(&self) -> Hello<'_> {
        Hello {
            username: &self.username,
            protocol: self.protocol,
            token: self.token.as_deref(),
            resume: self.resume.as_ref(),
        }
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
        match UserName::new(hello.username) {
            Ok(name) if protocol == Protocol::V1 => self.join_as_any(now, id, name, effects),
            Ok(name) => self.join_as(now, id, name, hello, effects),
            Err(error) => {
                refuse_name(id, protocol, error, effects);
                self.count_bad(id, ErrorCode::NameInvalid, &error, effects);
            }
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
        self.tokens.correct_use(&name, self.name_expiry());
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
        self.roster.join(id, free);
        self.enter(now, id, name, None, effects);
    }

    /// Lets a peer of protocol 2 in under exactly this name; if somebody has or owns it, or one that
    /// looks like it, only with a proof of being its owner. Others who have it are sent away then.
    fn join_as(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: UserName,
        hello: &Hello<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let expiry = self.name_expiry();
        self.tokens.correct_use(&name, expiry);
        let grant = hello.token.and_then(|token| self.proven(&name, token));
        let holders = self.roster.holders(&name);
        let makes_way = |holder: &ConnectionId| {
            grant.is_some_and(|grant| {
                let held = self.peers.get(holder).and_then(|peer| peer.grant);
                grant.is_saved || held.is_some_and(|held| held.person == grant.person)
            })
        };
        let person = grant.map(|grant| grant.person);
        if self.tokens.is_reserved(&name, person, expiry) || !holders.iter().all(makes_way) {
            let complaint = Complaint {
                suggest: Some(self.find_free(name).name().clone()),
                ..Complaint::new(ErrorCode::NameTaken, "somebody else has this name")
            };
            complain(id, complaint, effects);
            act(id, Action::Log(Refusal::NameTaken), effects);
            return self.count_bad(id, ErrorCode::NameTaken, &Refusal::NameTaken, effects);
        }
        if holders.iter().any(|holder| self.is_newer(*holder, id, person)) {
            return self.close(id, CloseReason::Replaced, effects);
        }
        if holders.iter().any(|holder| self.has_in_flight(*holder)) {
            return self.claim(id, hello, effects);
        }
        for holder in holders {
            self.replace(now, holder, effects);
        }
        let grant = grant.or_else(|| self.tokens.take(hello.token?));
        let (token, mut grant) = match (hello.token, grant) {
            (Some(token), Some(grant)) => (token.to_owned(), grant),
            _ => self.tokens.make(),
        };
        if grant.is_saved {
            self.tokens.note_use(grant.person, &name, self.wall_clock.utc_ms);
        } else {
            grant.is_saved = self.reserve(now, id, grant, &name);
        }
        self.change_people(id, effects);
        self.roster.join(id, self.roster.find_free(name.clone(), |_| false));
        let members = self.roster.members().clone();
        tell(id, Event::Welcome { name: name.clone(), token, members }, effects);
        self.enter(now, id, name, Some(grant), effects);
        if let Some(Resume { epoch, after, limit }) = hello.resume {
            let epoch = epoch.as_ref().to_owned();
            let resume = Action::Resume { room: HALL, epoch, after: *after, limit: *limit };
            act(id, resume, effects);
        }
    }

    fn has_in_flight(&self, id: ConnectionId) -> bool {
        self.peers.get(&id).is_some_and(|peer| !peer.in_flight.is_empty())
    }

    /// `Guest` becomes `Claiming`: somebody's leaving, here from another connection, is told after
    /// what they said was answered.
    fn claim(&mut self, id: ConnectionId, hello: &Hello<'_>, effects: &mut Vec<Effect>) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.phase = Phase::Claiming(Claim::new(hello));
            self.requests.claiming.push(id);
            act(id, Action::AwaitStore, effects);
        }
    }

    /// Reserves a name for its owner, unless their address has done so too often; returns true if it
    /// is reserved.
    pub(super) fn reserve(
        &mut self,
        now: Instant,
        id: ConnectionId,
        grant: Grant,
        name: &UserName,
    ) -> bool {
        let (expiry, utc_ms) = (self.name_expiry(), self.wall_clock.utc_ms);
        let Some(peer) = self.peers.get(&id) else { return false };
        self.admission.try_fill(now, peer.origin, Act::Reserve)
            && self.tokens.reserve(grant, name, utc_ms, expiry)
    }

    /// Returns the grant of `name` that `token` proves. Where the name could not be reserved, only
    /// the connection that has it knows the token.
    fn proven(&self, name: &UserName, token: &str) -> Option<Grant> {
        let held = |holder| self.peers.get(&holder).and_then(|peer| peer.grant);
        self.tokens.prove(name, token).or_else(|| {
            let holders = self.roster.holders(name).into_iter();
            let grant = holders.filter_map(held).find(|grant| grant.is_proven_by(token))?;
            Some(Grant { is_saved: false, ..grant })
        })
    }

    /// Returns true if the owner of a name holds it by a newer connection than `id`, whose hello was
    /// long under way: its sender has given this line up.
    fn is_newer(&self, holder: ConnectionId, id: ConnectionId, person: Option<PersonId>) -> bool {
        let grant = self.peers.get(&holder).and_then(|peer| peer.grant);
        grant.map(|grant| grant.person) == person && id.is_older_than(holder)
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
        self.deadlines.clear(id);
        self.announcements.due.set(id, now + self.rules.announce_after);
        let (person, protocol) = (grant.map(|grant| grant.person), self.protocol(id));
        let (Some(peer), Some(join_index)) = (self.peers.get_mut(&id), self.roster.join_index(id))
        else {
            return;
        };
        self.admission.fill(now, peer.origin, Act::Join, 1);
        peer.phase = Phase::Joined(name.clone());
        peer.grant = grant;
        peer.bucket = self.recovering.take(&Speaker::new(&name, person));
        let full_until = self.rules.rate_limit.and_then(|limit| peer.bucket.full_until(now, limit));
        let full_until = full_until.max(self.admission.full_until(now, peer.origin, Act::Text));
        let subscribe = Subscribe { room: HALL, name, person, protocol, join_index };
        act(id, Action::Subscribe(subscribe), effects);
        if let Some(until) = full_until {
            act(id, Action::PauseRead { until }, effects);
        }
    }

    /// Sends somebody away whose name is taken over; the others hear of that here, not when the
    /// connection is gone.
    fn replace(&mut self, now: Instant, holder: ConnectionId, effects: &mut Vec<Effect>) {
        self.close(holder, CloseReason::Replaced, effects);
        self.leave(now, holder, CloseReason::Replaced, effects);
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
