//! Slow mode: each person says one text in so long. One that comes too soon is refused, and nothing of
//! its author's connection waits for it: a client of protocol 2 sends it again.
//!
//! The texts that a client says after a refused one are refused too until that one came again: else
//! one that happens to come in time would overtake it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pychat_wire::message::ErrorCode;

use super::{Chat, Complaint, Effect, complain};
use crate::core::id::{ConnectionId, RoomId};

/// The time after which a text that may be sent again, and is not, is waited for no more; and half of
/// it, the time after which one that waits behind it should be sent again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A text of protocol 2 that came too soon.
#[derive(Debug)]
pub(super) struct TooSoon {
    id: Arc<str>,
    room: RoomId,
    /// When what is said after it may come before it.
    until: Instant,
}

impl Chat {
    /// Returns when a peer in the room may say a text with this id in slow mode, if not at `now`.
    /// Operators always may.
    pub(super) fn slow_until(
        &self,
        now: Instant,
        id: ConnectionId,
        message_id: Option<&str>,
    ) -> Option<Instant> {
        if self.person_at(id).is_some_and(|person| self.people.is_operator(person)) {
            return None;
        }
        let of_speaker = self.buckets.slow_until(now, &self.speaker(id)?);
        let first = self.peers.get(&id)?.too_soon.as_ref().filter(|first| now < first.until);
        let is_behind = first.is_some_and(|first| message_id != Some(&*first.id));
        of_speaker.max(is_behind.then_some(now + PATIENCE / 2))
    }

    /// Notes a text of a peer in the room that is accepted.
    pub(super) fn charge_slow(&mut self, now: Instant, id: ConnectionId) {
        if let Some(interval) = self.people.moderation().slow()
            && let Some(speaker) = self.speaker(id)
        {
            self.buckets.hold_slow(now, speaker, now + interval);
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.too_soon = None;
        }
    }

    /// Notes a refusal: what its author says next waits for the text, if that came too soon.
    pub(super) fn note_too_soon(
        &mut self,
        now: Instant,
        id: ConnectionId,
        room: RoomId,
        refusal: &Complaint,
    ) {
        let (Some(peer), Some(retry_ms), Some(reference)) =
            (self.peers.get_mut(&id), refusal.retry_ms, &refusal.reference)
        else {
            return;
        };
        let is_other = |first: &TooSoon| now < first.until && first.id != *reference;
        if !peer.too_soon.as_ref().is_some_and(is_other) {
            let until = now + Duration::from_millis(retry_ms) + PATIENCE;
            peer.too_soon = Some(TooSoon { id: Arc::clone(reference), room, until });
        }
    }

    /// Returns the reason why a peer may not change a room at `now`, if there is one: a text that it said
    /// there before came too soon, and has not come again.
    pub(super) fn wait_for_text(
        &self,
        now: Instant,
        id: ConnectionId,
        room: RoomId,
    ) -> Option<Complaint> {
        let first = self.peers.get(&id)?.too_soon.as_ref()?;
        (now < first.until && first.room == room).then(|| too_soon(now, now + PATIENCE / 2))
    }

    /// Lets these say the next thing at once, and tells those whose texts came too soon.
    pub(super) fn end_slow(
        &mut self,
        now: Instant,
        mut ids: Vec<ConnectionId>,
        effects: &mut Vec<Effect>,
    ) {
        ids.sort_unstable();
        for id in ids {
            if let Some(speaker) = self.speaker(id) {
                self.buckets.forget_slow(&speaker);
            }
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            if let Some(first) = peer.too_soon.as_mut().filter(|first| now < first.until) {
                first.until = now + PATIENCE;
                let complaint = Complaint {
                    reference: Some(Arc::clone(&first.id)),
                    retry_ms: Some(0),
                    ..Complaint::new(ErrorCode::SlowDown, "The next message can be sent now")
                };
                complain(id, complaint, effects);
            }
        }
    }
}

/// Returns the answer to a text that may be sent at `until`.
pub(super) fn too_soon(now: Instant, until: Instant) -> Complaint {
    let left = until.saturating_duration_since(now);
    // Rounded up, so that what is sent again then is not too soon once more.
    let retry_ms = u64::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    let seconds = retry_ms.div_ceil(1_000);
    let text = format!("In slow mode, the next message can be sent in {seconds} s");
    Complaint { retry_ms: Some(retry_ms), ..Complaint::new(ErrorCode::SlowDown, &text) }
}
