//! Texts, from their authors to everybody in the room.

use std::{mem, time::Instant};

use pychat_wire::{
    ClientMessage, UserName,
    message::{ErrorCode, MESSAGE_ID_BYTES_MAX},
    notice::Notice,
};

use super::{
    Chat, Complaint, Effect, Phase, Protocol, Refusal, arrival::change_owners, complain, tell,
};
use crate::core::{
    admission::Act,
    id::ConnectionId,
    record::{Appended, Draft, StorageError},
    tokens::Grant,
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
        let Phase::Joined(author) = &peer.phase else { return };
        let message_id = match (peer.protocol, message_id) {
            (Protocol::V1, _) => None,
            (Protocol::V2, Some(id)) if (1..=MESSAGE_ID_BYTES_MAX).contains(&id.len()) => Some(id),
            (Protocol::V2, _) => {
                let text = format!("a text needs an id of 1 to {MESSAGE_ID_BYTES_MAX} bytes");
                complain(from, Complaint::new(ErrorCode::BadPayload, &text), effects);
                let refusal = Refusal::MessageId;
                self.count_bad(from, ErrorCode::BadPayload, &refusal, effects);
                return effects.push(Effect::Log { id: from, refusal });
            }
        };
        peer.bad_payloads = 0;
        let author = author.clone();
        let cost = text_cost(content);
        let (origin, grant) = (peer.origin, peer.grant);
        peer.is_told_to_slow_down &= !peer.bucket.is_empty(now);
        let held = self.rules.rate_limit.and_then(|limit| peer.bucket.fill(now, limit, cost));
        let held = held.max(self.admission.fill(now, origin, Act::Text, cost));
        self.announce(from, effects);
        effects.push(Effect::Append(Draft {
            from,
            author: author.clone(),
            owner: grant.map(|grant| grant.owner),
            content: content.into(),
            id: message_id.map(Into::into),
        }));
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
            effects.push(Effect::PauseRead { id: from, until });
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
            && self.reserve(now, id, grant, name)
            && let Some(peer) = self.peers.get_mut(&id)
        {
            peer.grant = Some(Grant { is_saved: true, ..grant });
        }
        self.tokens.note_text(grant.owner);
        change_owners(&mut self.tokens, effects);
    }

    /// A guest says something else than a hello.
    pub(super) fn on_early(
        &mut self,
        id: ConnectionId,
        message: &ClientMessage<'_>,
        effects: &mut Vec<Effect>,
    ) {
        effects.push(Effect::Log { id, refusal: Refusal::NotJoined });
        match (self.protocol(id), message) {
            (Protocol::V1, _) => tell(id, Notice::StillWaiting, effects),
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

    /// A text that could not be kept is shown to nobody; its author is told so.
    pub(super) fn on_append_failed(
        &mut self,
        draft: &Draft,
        error: &StorageError,
        effects: &mut Vec<Effect>,
    ) {
        if !self.is_open(draft.from) {
            return;
        }
        if let Some(grant) = self.peers.get_mut(&draft.from).and_then(|peer| peer.grant.as_mut()) {
            grant.is_saved = false; // What was to be kept with the text is not kept either.
        }
        let why = error.in_short();
        let text = format!("Not kept, so not sent: the server cannot store messages now ({why}).");
        match self.protocol(draft.from) {
            Protocol::V1 => tell(draft.from, Notice::Other(&text), effects),
            Protocol::V2 => {
                let complaint = Complaint {
                    reference: draft.id.clone(),
                    retry_ms: Some(STORAGE_RETRY_MS),
                    ..Complaint::new(ErrorCode::Storage, &text)
                };
                complain(draft.from, complaint, effects);
            }
        }
    }

    /// A text that was accepted is published, even if its author has left.
    pub(super) fn on_appended(
        &mut self,
        from: ConnectionId,
        appended: Appended,
        effects: &mut Vec<Effect>,
    ) {
        match appended {
            Appended::New(record) => effects.push(Effect::Publish { from, record }),
            Appended::Known(record) => effects.push(Effect::Acknowledge { to: from, record }),
            Appended::Conflict { id } if self.is_open(from) => {
                let text = "you said something else under this id; this was not sent";
                let complaint =
                    Complaint { reference: Some(id), ..Complaint::new(ErrorCode::IdReused, text) };
                complain(from, complaint, effects);
                effects.push(Effect::Log { id: from, refusal: Refusal::IdReused });
            }
            Appended::Conflict { .. } => (),
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
