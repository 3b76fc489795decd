//! Announcements: people are announced once they have stayed, or said something.

use std::time::Instant;

use pychat_wire::UserName;

use super::{Chat, CloseReason, Effect, Event, Phase, Recipients, tell_all};
use crate::core::{
    admission::Act,
    deadlines::Deadlines,
    id::{ConnectionId, HALL},
    roster::Left,
};

/// The most people who are announced at once, so that the others can read of some before they are
/// sent more.
pub const ANNOUNCED_AT_ONCE_MAX: usize = 128;

/// The most announcements of people who stayed in the time that one of them has to stay: each costs
/// a write to everybody, and with a crowd that comes within a second each tick would bring a few.
const ANNOUNCEMENTS_PER_STAY_MAX: u32 = 20;

/// The announcements that are due.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    /// When people in the room of whom the others have not been told will be announced, by the join index by
    /// which they are listed.
    pub(super) due: Deadlines<u64>,
    /// When people who had stayed were announced last.
    last_at: Option<Instant>,
}

impl Chat {
    /// Returns until when nothing is to be read from somebody in the room: all connections of their
    /// address together have said too much.
    pub fn limited_until(&self, now: Instant, id: ConnectionId) -> Option<Instant> {
        let peer = self.peers.get(&id)?;
        let is_here = matches!(peer.phase, Phase::Joined(_));
        is_here.then(|| self.admission.full_until(now, peer.origin, Act::Text)).flatten()
    }

    /// Announces those who have stayed long enough by `now`, or the first of them.
    pub(super) fn announce_due(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.next_announcement().is_none_or(|next| now < next) {
            return;
        }
        let mut people = Vec::new();
        while people.len() < ANNOUNCED_AT_ONCE_MAX
            && let Some(index) = self.timers.announcements.due.pop_due(now)
        {
            people.extend(self.roster.listed(index).map(|name| (name.clone(), index)));
        }
        people.sort_unstable_by_key(|(_, index)| *index);
        self.timers.announcements.last_at = Some(now);
        tell_all(Event::Joined { people }, effects);
    }

    /// Returns when somebody is to be announced, if anybody is.
    pub(super) fn next_announcement(&self) -> Option<Instant> {
        let stayed = self.timers.announcements.due.next()?;
        let interval = self.rules.announce_after / ANNOUNCEMENTS_PER_STAY_MAX;
        Some(self.timers.announcements.last_at.map_or(stayed, |last| stayed.max(last + interval)))
    }

    /// Announces everybody who has not been announced yet.
    pub fn announce_all(&mut self, effects: &mut Vec<Effect>) {
        while let Some(index) = self.timers.announcements.due.first() {
            self.announce_listed(index, effects);
        }
    }

    /// The others hear only now that somebody left, whatever it was that closed the connection, or
    /// later, once the store has answered what they said.
    pub(super) fn on_closed(
        &mut self,
        id: ConnectionId,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        self.timers.hello.clear(id);
        if let Some(peer) = self.peers.get_mut(&id)
            && !peer.in_flight.is_empty()
        {
            peer.phase = Phase::Closing;
            peer.in_flight.closed = Some(reason);
            return;
        }
        self.leave(id, reason, effects);
        self.peers.remove(&id);
    }

    /// Takes a connection off the roster. Only with a person's last one the others are told; those who
    /// were never told that they came are not told that they went, unless they knew by their own
    /// welcome.
    pub(super) fn leave(
        &mut self,
        id: ConnectionId,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        match self.roster.leave(id) {
            Some(Left::Gone { name, index }) => self.tell_left(name, index, reason, effects),
            Some(Left::Away(presence)) => self.ask_to_leave(presence, reason, effects),
            Some(Left::Present(_)) | None => (),
        }
    }

    /// Tells the others that somebody left who was listed by this join index.
    pub(super) fn tell_left(
        &mut self,
        name: UserName,
        index: u64,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        let due = self.timers.announcements.due.of(index);
        self.timers.announcements.due.clear(index);
        let to = match index + 1..self.roster.next_join_index() {
            _ if due.is_none() => Recipients::Room(HALL),
            later if later.is_empty() => return,
            later => Recipients::JoinedWithin(HALL, later),
        };
        effects.push(Effect::Tell { to, event: Event::Left { name, reason } });
    }

    /// Tells the others now of somebody who joined, if they have not been told.
    pub(super) fn announce(&mut self, id: ConnectionId, effects: &mut Vec<Effect>) {
        if let Some(index) = self.roster.first_index(id) {
            self.announce_listed(index, effects);
        }
    }

    /// Tells the others now of somebody who is listed by this join index, if they have not been told.
    pub(super) fn announce_listed(&mut self, index: u64, effects: &mut Vec<Effect>) {
        if self.timers.announcements.due.of(index).is_some() {
            self.timers.announcements.due.clear(index);
            let people = self.roster.listed(index).map(|name| (name.clone(), index));
            tell_all(Event::Joined { people: people.into_iter().collect() }, effects);
        }
    }
}
