//! How a guest becomes somebody in the room.

use std::{fmt::Write, time::Instant};

use pychat_wire::{
    NameError, UserName,
    message::{ErrorCode, PROTOCOL},
    notice::Notice,
};

use super::{Chat, CloseReason, Complaint, Effect, Phase, Protocol, Refusal, complain, tell};
use crate::{admission::Act, id::ConnectionId};

/// What a hello says.
#[derive(Debug)]
pub(super) struct Hello<'a> {
    pub(super) username: &'a str,
    pub(super) protocol: u64,
    pub(super) token: Option<&'a str>,
    /// The epoch and the number after which the peer wants to go on.
    pub(super) resume: Option<(&'a str, u64)>,
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
        let protocol = if hello.protocol < PROTOCOL { Protocol::One } else { Protocol::Two };
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.protocol = protocol;
        let full_until = self.admission.fill(now, peer.origin, Act::Join, 1);
        match UserName::new(hello.username) {
            Ok(name) if protocol == Protocol::One => self.join_as_any(now, id, name, effects),
            Ok(name) => self.join_as(now, id, name, hello, effects),
            Err(error) => {
                refuse_name(id, protocol, error, effects);
                self.count_bad(id, ErrorCode::NameInvalid, &error, effects);
            }
        }
        if let Some(until) = full_until
            && self.peers.get(&id).is_some_and(|peer| matches!(peer.phase, Phase::Guest))
        {
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
        let free = self.roster.find_free(name);
        let name = free.name().clone();
        // Who is there already is a long text in a large room. Its memory comes in sizes that will be
        // asked for again: a little more for each newcomer would leave a hole for each.
        let (online, names) = (self.roster.len(), self.roster.listing());
        let mut content = String::with_capacity((256 + names.len()).next_power_of_two());
        let welcome = Notice::Welcome { name: name.as_str(), online, names };
        write!(content, "{welcome}").ok(); // A String takes it all.
        effects.push(Effect::Tell { to: id, content });
        self.roster.join(id, free);
        self.enter(now, id, name, Protocol::One, effects);
    }

    /// Lets a peer of protocol 2 in under exactly this name; if somebody has it, only whoever proves
    /// that it is theirs.
    fn join_as(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: UserName,
        hello: &Hello<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let proven = hello.token.filter(|token| self.tokens.prove(&name, token));
        if proven.is_some()
            && let Some(holder) = self.roster.holder(&name)
        {
            self.replace(now, holder, effects);
        }
        let free = self.roster.find_free(name.clone());
        if *free.name() != name {
            let complaint = Complaint {
                suggest: Some(free.name().clone()),
                ..Complaint::new(ErrorCode::NameTaken, "somebody here has this name")
            };
            complain(id, complaint, effects);
            effects.push(Effect::Report { id, refusal: Refusal::NameTaken });
            return self.count_bad(id, ErrorCode::NameTaken, &Refusal::NameTaken, effects);
        }
        let token = proven.map_or_else(|| self.tokens.make(), ToOwned::to_owned);
        let hash = self.tokens.grant(&name, &token);
        effects.push(Effect::Remember { name: name.clone(), hash });
        self.roster.join(id, free);
        let members = self.roster.members().clone();
        effects.push(Effect::Welcome { to: id, name: name.clone(), token, members });
        self.enter(now, id, name, Protocol::Two, effects);
        if let Some((epoch, after)) = hello.resume {
            effects.push(Effect::Resume { id, epoch: epoch.to_owned(), after });
        }
    }

    /// Somebody is in the room. What they or their address said lately counts: reconnecting gives
    /// nobody more to say.
    fn enter(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: UserName,
        protocol: Protocol,
        effects: &mut Vec<Effect>,
    ) {
        self.deadlines.clear(id);
        self.unannounced.set(id, now + self.rules.announce_after);
        let (Some(peer), Some(join_index)) = (self.peers.get_mut(&id), self.roster.join_index(id))
        else {
            return;
        };
        peer.phase = Phase::Joined(name.clone());
        peer.bucket = self.recovering.remove(&name).unwrap_or_default();
        let full_until = self.rules.pace.and_then(|pace| peer.bucket.full_until(now, pace));
        let full_until = full_until.max(self.admission.full_until(now, peer.origin, Act::Text));
        effects.push(Effect::Enter { id, name, protocol, join_index });
        if let Some(until) = full_until {
            effects.push(Effect::Hold { id, until });
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
    effects.push(Effect::Report { id, refusal: Refusal::Name(error) });
    match (protocol, error) {
        (Protocol::Two, _) => {
            complain(id, Complaint::new(ErrorCode::NameInvalid, &error.to_string()), effects);
        }
        // The original's answer to an empty name; it knows no other bad ones.
        (Protocol::One, NameError::Empty) => tell(id, Notice::StillWaiting, effects),
        (Protocol::One, _) => {
            tell(id, Notice::Other(&format!("Choose another name: {error}.")), effects);
        }
    }
}
