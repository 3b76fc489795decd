//! The rules that operators have made, kept: who is banned or muted is refused.

use std::time::Instant;

use pychat_wire::{key::PublicKey, message::ErrorCode, notice::Notice};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Phase, Protocol, Refusal, act, complain, notify,
    slow::too_soon,
};
use crate::core::{
    admission::Origin,
    id::{ConnectionId, RoomId},
    moderation::Measure,
    networks::Network,
    roster::Participant,
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

    /// Returns true if somebody may not say anything who is on other servers alone.
    pub(super) fn is_muted_elsewhere(&self, participant: &Participant) -> bool {
        let Some(person) = participant.person() else {
            let (moderation, utc_ms) = (self.people.moderation(), self.wall_clock.utc_ms);
            let name = Some(participant.name());
            return moderation.against_person(Measure::Mute, [], name, utc_ms).is_some();
        };
        let keys = self.people.devices(person).iter().map(|device| device.key);
        keys.chain(participant.key()).any(|key| self.is_against(Measure::Mute, key))
    }

    /// Returns the reason why a peer in the room may not say a text with this id at `now`, if there is
    /// one.
    pub(super) fn text_refusal(
        &self,
        now: Instant,
        id: ConnectionId,
        message_id: Option<&str>,
    ) -> Option<Complaint> {
        let too_soon = |until| too_soon(now, until);
        self.mute_refusal(id).or_else(|| self.slow_until(now, id, message_id).map(too_soon))
    }

    /// Returns the refusal for somebody who is muted.
    pub(super) fn mute_refusal(&self, id: ConnectionId) -> Option<Complaint> {
        let text = "You may not say anything for now: an operator has muted you";
        self.is_muted(id).then(|| Complaint::new(ErrorCode::Muted, text))
    }

    /// Refuses a text. It costs what it would have cost.
    pub(super) fn refuse_text(
        &mut self,
        now: Instant,
        from: ConnectionId,
        (room, complaint): (RoomId, Complaint),
        cost: u32,
        effects: &mut Vec<Effect>,
    ) {
        if complaint.code == ErrorCode::Muted {
            act(from, Action::Log(Refusal::Muted), effects);
        }
        match self.protocol(from) {
            Protocol::V1 => {
                notify(from, Notice::Other(&format!("Not sent. {}.", complaint.text)), effects);
            }
            Protocol::V2 => {
                self.note_too_soon(now, from, room, &complaint);
                complain(from, complaint, effects);
            }
        }
        if let Some(until) = self.charge(now, from, cost) {
            act(from, Action::PauseRead { until }, effects);
        }
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
