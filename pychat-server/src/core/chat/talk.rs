//! Texts, from their authors to everybody in the room.

use std::{mem, sync::Arc, time::Instant};

use pychat_wire::{
    ClientMessage, UserName,
    message::{ErrorCode, MESSAGE_ID_BYTES_MAX},
    notice::Notice,
};

use super::{
    Action, Chat, Complaint, Effect, Event, Grant, Phase, Protocol, Refusal, act, buckets::Speaker,
    complain, notify, tell, tell_all,
};
use crate::core::{
    id::ConnectionId,
    record::{Appended, Device, Draft, Kind, StorageError},
};

/// The time after which an author should send a text again that could not be kept, in milliseconds.
pub const STORAGE_RETRY_MS: u64 = 5_000;

impl Chat {
    /// Somebody in the room says something; it becomes a draft for the log.
    pub(super) fn on_text(
        &mut self,
        now: Instant,
        from: ConnectionId,
        content: &str,
        message_id: Option<&str>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let Phase::Joined(_) = &peer.phase else { return };
        let message_id = match (peer.protocol, message_id) {
            (Protocol::V1, _) => None,
            (Protocol::V2, Some(id)) if (1..=MESSAGE_ID_BYTES_MAX).contains(&id.len()) => Some(id),
            (Protocol::V2, _) => {
                let text = format!("a text needs an id of 1 to {MESSAGE_ID_BYTES_MAX} bytes");
                complain(from, Complaint::new(ErrorCode::BadPayload, &text), effects);
                let refusal = Refusal::MessageId;
                self.count_bad(from, ErrorCode::BadPayload, &refusal, effects);
                return act(from, Action::Log(refusal), effects);
            }
        };
        if let Some(complaint) = self.text_refusal(now, from, message_id) {
            let complaint = Complaint { reference: message_id.map(Arc::from), ..complaint };
            return self.refuse_text(now, from, complaint, text_cost(content), effects);
        }
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let Phase::Joined(author) = &peer.phase else { return };
        peer.bad_payloads = 0;
        let (author, grant) = (author.clone(), peer.grant);
        let speaker = Speaker::new(&author, grant.map(|grant| grant.person));
        peer.is_told_to_slow_down &= self.buckets.empty_at(now, &speaker).is_some();
        self.charge_slow(now, from);
        let held = self.charge(now, from, text_cost(content));
        self.announce(from, effects);
        let draft = Draft {
            author: author.clone(),
            person: grant.map(|grant| grant.person),
            kind: Kind::Text(content.into()),
            id: message_id.map(Into::into),
        };
        self.append(from, draft, effects);
        self.note_owner(now, from, &author, effects);
        let Some(peer) = self.peers.get_mut(&from) else { return };
        if let Some(until) = held {
            let was_told = mem::replace(&mut peer.is_told_to_slow_down, true);
            if peer.protocol == Protocol::V2 && !was_told {
                let millis = until.saturating_duration_since(now).as_millis();
                let complaint = Complaint {
                    retry_ms: Some(u64::try_from(millis).unwrap_or(u64::MAX)),
                    ..Complaint::new(ErrorCode::SlowDown, "too fast; nothing is dropped")
                };
                complain(from, complaint, effects);
            }
            act(from, Action::PauseRead { until }, effects);
        }
    }

    /// Somebody says something under a name that is theirs, which is then kept before others.
    fn note_owner(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: &UserName,
        effects: &mut Vec<Effect>,
    ) {
        let Some(grant) = self.peers.get(&id).and_then(|peer| peer.grant) else { return };
        if !grant.is_saved
            && self.keep(now, id, grant, name)
            && let Some(peer) = self.peers.get_mut(&id)
        {
            peer.grant = Some(Grant { is_saved: true, ..grant });
        }
        self.people.note_text(grant.person, name);
        self.change_people(id, effects);
    }

    /// Reserves a name that could not be reserved when its person joined.
    fn keep(&mut self, now: Instant, id: ConnectionId, grant: Grant, name: &UserName) -> bool {
        let added_ms = self.wall_clock.utc_ms;
        let device = Device { key: grant.key, label: "".into(), added_ms };
        self.reserve(now, id, grant.person, &device, name)
    }

    /// A guest says something else than a hello.
    pub(super) fn on_early(
        &mut self,
        id: ConnectionId,
        message: &ClientMessage<'_>,
        effects: &mut Vec<Effect>,
    ) {
        act(id, Action::Log(Refusal::NotJoined), effects);
        match (self.protocol(id), message) {
            (Protocol::V1, _) => notify(id, Notice::StillWaiting, effects),
            (Protocol::V2, message) => {
                let reference = match message {
                    ClientMessage::Text { id, .. } => id.as_deref().and_then(repeatable),
                    _ => None,
                };
                let complaint = Complaint {
                    reference: reference.map(Into::into),
                    ..Complaint::new(ErrorCode::NotJoined, "say hello first")
                };
                complain(id, complaint, effects);
            }
        }
        self.count_bad(id, ErrorCode::NotJoined, &Refusal::NotJoined, effects);
    }

    /// A text that could not be kept is shown to nobody; its author is told so. An author who gave
    /// it no id could not tell one such answer from another, so is told once.
    pub(super) fn on_append_failed(
        &mut self,
        from: ConnectionId,
        id: Option<Arc<str>>,
        error: &StorageError,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        if mem::replace(&mut peer.in_flight.is_told_of_failure, true) && id.is_none() {
            return;
        }
        let why = error.in_short();
        let text = format!("Not kept, so not sent: the server cannot store messages now ({why}).");
        match peer.protocol {
            Protocol::V1 => notify(from, Notice::Other(&text), effects),
            Protocol::V2 => {
                let complaint = Complaint {
                    reference: id,
                    retry_ms: Some(STORAGE_RETRY_MS),
                    ..Complaint::new(ErrorCode::Storage, &text)
                };
                complain(from, complaint, effects);
            }
        }
    }
}

/// A text that was accepted is published, even if its author has left.
pub(super) fn tell_appended(from: ConnectionId, appended: Appended, effects: &mut Vec<Effect>) {
    match appended {
        Appended::New(record) => tell_all(Event::Recorded { from, record }, effects),
        Appended::Known(record) => tell(from, Event::Duplicate { record }, effects),
        Appended::Conflict { id } => {
            let text = "you said something else under this id; this was not sent";
            let complaint =
                Complaint { reference: Some(id), ..Complaint::new(ErrorCode::IdReused, text) };
            complain(from, complaint, effects);
            act(from, Action::Log(Refusal::IdReused), effects);
        }
    }
}

/// Returns the cost of a text: 1, and 1 more for each KiB.
fn text_cost(content: &str) -> u32 {
    u32::try_from(content.len() >> 10).map_or(u32::MAX, |kib| kib.saturating_add(1))
}

/// Returns `id` unless it is longer than an id may be.
fn repeatable(id: &str) -> Option<&str> {
    (id.len() <= MESSAGE_ID_BYTES_MAX).then_some(id)
}
