//! The rules that operators have made, kept: who is banned or muted is refused, and nobody talks faster
//! than they may.

use std::{sync::Arc, time::Instant};

use pychat_wire::{key::PublicKey, message::ErrorCode, notice::Notice};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Phase, Protocol, Refusal, act, complain, notify,
    talk::slow_down,
};
use crate::core::{
    admission::{Act, Origin},
    id::ConnectionId,
    moderation::Measure,
    networks::Network,
};

/// The sentence for those of protocol 1 who are banned.
const BANNED: &str = "You are banned from this chat. Bye!\n";

impl Chat {
    /// Returns true if nobody may connect from where this is.
    pub fn is_banned(&self, origin: Origin) -> bool {
        let moderation = self.people.moderation();
        moderation.against_network(origin.network(), self.wall_clock.utc_ms).is_some()
    }

    /// Refuses a guest who has proved to be somebody who is banned; returns true if it was refused.
    pub(super) fn refuse_banned(
        &mut self,
        id: ConnectionId,
        key: PublicKey,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let is_banned = self.is_against(Measure::Ban, key);
        if is_banned {
            act(id, Action::Log(Refusal::Banned), effects);
            self.close(id, CloseReason::Banned, effects);
        }
        is_banned
    }

    /// Returns true if this is done against whoever has this key.
    fn is_against(&self, measure: Measure, key: PublicKey) -> bool {
        let person = self.people.of_key(key);
        let devices = person.map_or(&[][..], |person| self.people.devices(person));
        let keys = devices.iter().map(|device| device.key).chain([key]);
        let moderation = self.people.moderation();
        moderation.against_person(measure, keys, None, self.wall_clock.utc_ms).is_some()
    }

    /// Returns true if a peer in the room may not say anything.
    pub(super) fn is_muted(&self, id: ConnectionId) -> bool {
        let Some(peer) = self.peers.get(&id) else { return false };
        let (moderation, utc_ms) = (self.people.moderation(), self.wall_clock.utc_ms);
        match (&peer.phase, peer.grant) {
            (_, Some(grant)) => self.is_against(Measure::Mute, grant.key),
            (Phase::Joined(name), None) => {
                moderation.against_person(Measure::Mute, [], Some(name), utc_ms).is_some()
            }
            _ => false,
        }
    }

    /// Refuses a text of a peer that is muted. It costs what it would have cost.
    pub(super) fn refuse_muted(
        &mut self,
        now: Instant,
        from: ConnectionId,
        message_id: Option<&str>,
        cost: u32,
        effects: &mut Vec<Effect>,
    ) {
        act(from, Action::Log(Refusal::Muted), effects);
        let text = "You may not say anything for now: an operator has muted you";
        match self.protocol(from) {
            Protocol::V1 => notify(from, Notice::Other(&format!("Not sent. {text}.")), effects),
            Protocol::V2 => {
                let reference = message_id.map(Arc::from);
                let complaint = Complaint { reference, ..Complaint::new(ErrorCode::Muted, text) };
                complain(from, complaint, effects);
            }
        }
        if let Some(until) = self.charge(now, from, cost) {
            act(from, Action::PauseRead { until }, effects);
        }
    }

    /// Counts a text of a peer in the room where each person may say one thing in so long; returns
    /// when they may say the next. Operators may talk: they could not undo it while nothing is read
    /// of them.
    pub(super) fn charge_slow(&mut self, now: Instant, id: ConnectionId) -> Option<Instant> {
        let interval = self.people.moderation().slow()?;
        if self.person_at(id).is_some_and(|person| self.people.is_operator(person)) {
            return None;
        }
        let speaker = self.speaker(id)?;
        self.buckets.fill_slow(now, speaker, interval)
    }

    /// Lets everybody say the next thing.
    pub(super) fn end_slow(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let mut ids: Vec<_> = self.peers.keys().copied().collect();
        ids.sort_unstable();
        self.end_slow_of(now, &ids, effects);
        self.buckets.clear_slow(); // Of those too who are not here.
    }

    /// Lets these say the next thing: they are read again, unless they wait for something else. Those
    /// who were told how long they wait are told so anew.
    pub(super) fn end_slow_of(
        &mut self,
        now: Instant,
        ids: &[ConnectionId],
        effects: &mut Vec<Effect>,
    ) {
        let speakers: Vec<_> = ids.iter().filter_map(|id| self.speaker(*id)).collect();
        for &id in ids {
            let Some(speaker) = self.speaker(id) else { continue };
            if self.buckets.slow_until(now, &speaker).is_none() {
                continue;
            }
            let limit = self.rules.rate_limit;
            let full_until = limit.and_then(|limit| self.buckets.full_until(now, &speaker, limit));
            let Some(peer) = self.peers.get(&id) else { continue };
            let of_address = self.admission.full_until(now, peer.origin, Act::Text);
            let until = full_until.max(of_address).unwrap_or(now);
            act(id, Action::PauseRead { until }, effects);
            if peer.protocol == Protocol::V2 && peer.is_told_to_slow_down {
                complain(id, slow_down(now, until, "no longer held by slow mode"), effects);
            }
        }
        self.buckets.forget_slow(&speakers);
    }

    /// Sends away all who are connected from a network that is banned by now; returns how many.
    pub(super) fn send_network_away(
        &mut self,
        network: Network,
        effects: &mut Vec<Effect>,
    ) -> usize {
        let peers = self.peers.iter();
        let from_there = peers.filter(|(_, peer)| network.contains(peer.origin.network()));
        let mut ids: Vec<_> =
            from_there.map(|(id, _)| *id).filter(|id| self.is_open(*id)).collect();
        ids.sort_unstable();
        for id in &ids {
            self.dismiss_for(*id, CloseReason::Banned, BANNED, effects);
        }
        ids.len()
    }

    /// Sends away all whose key, or another one of their person, is banned by now: also those who
    /// are here under a name that was not asked about.
    pub(super) fn send_banned_away(&mut self, effects: &mut Vec<Effect>) {
        let is_banned = |peer: &super::Peer| {
            peer.grant.is_some_and(|grant| self.is_against(Measure::Ban, grant.key))
        };
        let banned = self.peers.iter().filter(|(_, peer)| is_banned(peer));
        let mut ids: Vec<_> = banned.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        for id in ids {
            self.dismiss_for(id, CloseReason::Banned, BANNED, effects);
        }
    }

    /// Closes a connection for something that an operator did; protocol 1 is told in a sentence.
    pub(super) fn dismiss_for(
        &mut self,
        id: ConnectionId,
        reason: CloseReason,
        sentence: &str,
        effects: &mut Vec<Effect>,
    ) {
        if self.is_open(id) && self.protocol(id) == Protocol::V1 {
            notify(id, Notice::Other(sentence), effects);
        }
        self.close(id, reason, effects);
    }
}
