//! Announcements: people are announced once they have stayed, or said something.

use std::time::Instant;

use super::{Chat, CloseReason, Effect, Phase};
use crate::core::{admission::Act, id::ConnectionId};

/// The most people who are announced at once, so that the others can read of some before they are
/// sent more.
pub const ANNOUNCED_AT_ONCE_MAX: usize = 128;

/// The most announcements of people who stayed in the time that one of them has to stay: each costs
/// a write to everybody, and with a crowd that comes within a second each tick would bring a few.
const ANNOUNCEMENTS_PER_STAY_MAX: u32 = 20;

impl Chat {
    /// Returns until when nothing is to be read from somebody in the room, as all connections of
    /// their address together have said too much.
    pub fn held_until(&self, now: Instant, id: ConnectionId) -> Option<Instant> {
        let peer = self.peers.get(&id)?;
        let is_joined = matches!(peer.phase, Phase::Joined(_));
        is_joined.then(|| self.admission.full_until(now, peer.origin, Act::Text)).flatten()
    }

    /// Announces those who have stayed long enough by `now`, or the first of them.
    pub(super) fn announce_due(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.next_announcement().is_none_or(|next| now < next) {
            return;
        }
        let mut people = Vec::new();
        while people.len() < ANNOUNCED_AT_ONCE_MAX
            && let Some(id) = self.unannounced.pop_due(now)
        {
            people.extend(self.roster.name(id).cloned().zip(self.roster.join_index(id)));
        }
        people.sort_unstable_by_key(|(_, index)| *index);
        self.announced_at = Some(now);
        effects.push(Effect::Joined { people });
    }

    /// Returns when somebody is to be announced, if anybody is.
    pub(super) fn next_announcement(&self) -> Option<Instant> {
        let stayed = self.unannounced.next()?;
        let interval = self.rules.announce_after / ANNOUNCEMENTS_PER_STAY_MAX;
        Some(self.announced_at.map_or(stayed, |last| stayed.max(last + interval)))
    }

    /// Announces everybody who has not been announced yet.
    pub fn announce_all(&mut self, effects: &mut Vec<Effect>) {
        while let Some(id) = self.unannounced.first() {
            self.announce(id, effects);
        }
    }

    /// The others hear only now that somebody left, whatever it was that closed the connection.
    pub(super) fn on_closed(
        &mut self,
        now: Instant,
        id: ConnectionId,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        self.leave(now, id, reason, effects);
        self.deadlines.clear(id);
        self.peers.remove(&id);
    }

    /// Takes somebody off the roster. Those who were never told that they came are not told that they
    /// went, unless they knew by their own welcome.
    pub(super) fn leave(
        &mut self,
        now: Instant,
        id: ConnectionId,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        let (index, next) = (self.roster.join_index(id), self.roster.next_join_index());
        let Some((name, index)) = self.roster.leave(id).zip(index) else { return };
        let bucket = self.peers.get(&id).map(|peer| peer.bucket).unwrap_or_default();
        if !bucket.is_empty(now) {
            self.recovering_sweep.run(&mut self.recovering, |bucket| !bucket.is_empty(now));
            self.recovering.insert(name.clone(), bucket);
        }
        let is_announced = self.unannounced.of(id).is_none();
        self.unannounced.clear(id);
        let known_to = (!is_announced).then_some(index + 1..next);
        if known_to.as_ref().is_none_or(|known_to| !known_to.is_empty()) {
            effects.push(Effect::Left { name, reason, known_to });
        }
    }

    /// Tells the others now of somebody who joined, if they have not been told.
    pub(super) fn announce(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        if self.unannounced.of(id).is_some() {
            self.unannounced.clear(id);
            let person = self.roster.name(id).cloned().zip(self.roster.join_index(id));
            effects.push(Effect::Joined { people: person.into_iter().collect() });
        }
    }
}
