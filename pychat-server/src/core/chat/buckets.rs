//! The rates of texts, one for each person: several connections have it together, and it outlives
//! them, so reconnecting gives nobody more to say.

use std::{
    collections::HashMap,
    mem,
    time::{Duration, Instant},
};

use pychat_wire::{UserName, message::ErrorCode};

use super::{Action, Chat, Complaint, Effect, Phase, Protocol, act, complain};
use crate::core::{
    admission::Act,
    id::{ConnectionId, RoomId},
    rate_limit::{Bucket, RateLimit},
    record::PersonId,
    sweep::Sweep,
};

/// The least time between two tellings that a person is writing in a room.
pub const TYPING_PAUSE: Duration = Duration::from_secs(3);

/// Somebody whose texts are limited, as far as they are known.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Speaker {
    Person(PersonId),
    Name(UserName),
}

/// The buckets of those who said something before these had drained.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    flood: HashMap<Speaker, Bucket>,
    flood_sweep: Sweep,
    /// When those may say the next thing who spoke while each person may say one thing in so long.
    slow: HashMap<Speaker, Instant>,
    slow_sweep: Sweep,
    /// When others may be told again that a person is writing in a room.
    typing: HashMap<(PersonId, RoomId), Instant>,
    typing_sweep: Sweep,
}

impl Speaker {
    /// Returns the speaker under `name`: the person, if the peer proved who it is.
    pub(super) fn new(name: &UserName, person: Option<PersonId>) -> Self {
        person.map_or_else(|| Self::Name(name.clone()), Self::Person)
    }
}

impl Buckets {
    /// Adds the cost of a text; returns when there is room for another, if not at `now`.
    pub(super) fn fill(
        &mut self,
        now: Instant,
        speaker: Speaker,
        limit: RateLimit,
        cost: u32,
    ) -> Option<Instant> {
        self.flood_sweep.run(&mut self.flood, |bucket| !bucket.is_empty(now));
        self.flood.entry(speaker).or_default().fill(now, limit, cost)
    }

    /// Returns when there is room for a text, if not at `now`.
    pub(super) fn full_until(
        &self,
        now: Instant,
        speaker: &Speaker,
        limit: RateLimit,
    ) -> Option<Instant> {
        self.flood.get(speaker)?.full_until(now, limit)
    }

    /// Returns when the bucket of a speaker will have drained, if that is not past.
    pub(super) fn empty_at(&self, now: Instant, speaker: &Speaker) -> Option<Instant> {
        self.flood.get(speaker)?.empty_at().filter(|empty_at| now < *empty_at)
    }

    /// Notes that in slow mode a speaker may say the next thing at `until`.
    pub(super) fn hold_slow(&mut self, now: Instant, speaker: Speaker, until: Instant) {
        self.slow_sweep.run(&mut self.slow, |until| now < *until);
        self.slow.insert(speaker, until);
    }

    /// Returns when a speaker may say the next thing in slow mode, if not at `now`.
    pub(super) fn slow_until(&self, now: Instant, speaker: &Speaker) -> Option<Instant> {
        self.slow.get(speaker).copied().filter(|until| now < *until)
    }

    /// Lets a speaker say the next thing in slow mode.
    pub(super) fn forget_slow(&mut self, speaker: &Speaker) {
        self.slow.remove(speaker);
    }

    /// Lets everybody say the next thing in slow mode.
    pub(super) fn clear_slow(&mut self) {
        self.slow.clear();
    }

    /// Returns true if others may be told that a person is writing in a room, and notes that they are.
    pub(super) fn may_type(&mut self, now: Instant, person: PersonId, room: RoomId) -> bool {
        self.typing_sweep.run(&mut self.typing, |until| now < *until);
        let until = self.typing.entry((person, room)).or_insert(now);
        let may_type = *until <= now;
        if may_type {
            *until = now + TYPING_PAUSE;
        }
        may_type
    }

    /// Gives a speaker the bucket that they had in another process, unless it is fuller already.
    pub(super) fn restore(&mut self, speaker: Speaker, empty_at: Instant) {
        let bucket = self.flood.entry(speaker).or_default();
        *bucket =
            Bucket::recovering_until(bucket.empty_at().map_or(empty_at, |at| at.max(empty_at)));
    }
}

impl Chat {
    /// Counts what a peer in the room says. Where that is too much it is not read for a while, and a
    /// client of protocol 2 is told so, once until its share has recovered.
    pub(super) fn pay(
        &mut self,
        now: Instant,
        id: ConnectionId,
        cost: u32,
        effects: &mut Vec<Effect>,
    ) {
        let Some(speaker) = self.speaker(id) else { return };
        let is_recovering = self.buckets.empty_at(now, &speaker).is_some();
        let held = self.charge(now, id, cost);
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.is_told_to_slow_down &= is_recovering;
        let Some(until) = held else { return };
        let was_told = mem::replace(&mut peer.is_told_to_slow_down, true);
        if peer.protocol == Protocol::V2 && !was_told {
            let millis = until.saturating_duration_since(now).as_millis();
            let complaint = Complaint {
                retry_ms: Some(u64::try_from(millis).unwrap_or(u64::MAX)),
                ..Complaint::new(ErrorCode::SlowDown, "too fast; nothing is dropped")
            };
            complain(id, complaint, effects);
        }
        act(id, Action::PauseRead { until }, effects);
    }

    /// Counts what a peer in the room says against its person's share and its address's; returns until
    /// when it is to say nothing more.
    pub(super) fn charge(&mut self, now: Instant, id: ConnectionId, cost: u32) -> Option<Instant> {
        let speaker = self.speaker(id)?;
        let origin = self.peers.get(&id)?.origin;
        let limit = self.rules.rate_limit;
        let held = limit.and_then(|limit| self.buckets.fill(now, speaker, limit, cost));
        held.max(self.admission.fill(now, origin, Act::Text, cost))
    }

    /// Returns whose share a peer in the room has.
    pub(super) fn speaker(&self, id: ConnectionId) -> Option<Speaker> {
        let peer = self.peers.get(&id)?;
        let Phase::Joined(name) = &peer.phase else { return None };
        Some(Speaker::new(name, peer.grant.map(|grant| grant.person)))
    }
}
