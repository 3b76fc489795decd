//! Amendments: changes of messages that were said before, and reactions to them. Each becomes a record
//! of the room's log, and changes its message in the same transaction.
//!
//! The message itself is looked up by the store, which also decides whether it is its author's to change.

use std::{sync::Arc, time::Instant};

use pychat_wire::message::{Amendment, ErrorCode, is_emoji};

use super::{
    Action, Chat, Complaint, Effect, Phase, Refusal, act, complain,
    requests::Pending,
    rooms::{Content, Sought},
    talk::cost_of,
};
use crate::core::{
    gate::Verb,
    id::{ConnectionId, HALL, RoomId},
    moderation::AuditEntry,
    record::{AmendError, Amending, Draft, Kind, Request},
};

/// An amendment, as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amended<'a> {
    /// The room, as its author calls it.
    pub(super) room: &'a str,
    pub(super) amendment: &'a Amendment<'a>,
    /// The author's own id of it.
    pub(super) id: Option<&'a str>,
}

impl Chat {
    /// Somebody changes a message, or reacts to it; that becomes a draft for the log.
    pub(super) fn on_amend(
        &mut self,
        now: Instant,
        from: ConnectionId,
        amended: Amended<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Amended { room, amendment, id } = amended;
        let Some(id) = self.take_id(from, "an amendment", id, effects) else { return };
        let Some(person) = self.person_at(from) else { return };
        let target = amendment.target();
        let (amending, cost) = on_record(amendment);
        if let Amendment::React { emoji: Some(emoji), .. } = amendment
            && !is_emoji(emoji)
        {
            let text = "a reaction is one emoji";
            return self.refuse_payload(from, Some(&id.into()), text, Refusal::Reaction, effects);
        }
        let kind = Kind::Amendment { target, amending };
        let room = match self.may_amend(from, room, amendment) {
            Ok(room) => room,
            Err(complaint) => {
                let content = Content::Amendment(kind);
                let sought = Sought { room: RoomId::of_wire(room), content };
                let complaint = Complaint { reference: Some(id.into()), ..complaint };
                self.recall(from, person, sought, complaint, effects);
                return self.pay(now, from, cost, effects);
            }
        };
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let Phase::Joined(author) = &peer.phase else { return };
        let author = author.clone();
        peer.bad_payloads = 0;
        self.announce(from, effects);
        let entry = self
            .may_moderate(from, room)
            .then(|| self.amendment_entry(author.as_str(), amendment.kind(), (room, target)));
        let draft = Draft {
            author: author.clone(),
            person: Some(person),
            kind,
            id: Some(id.into()),
            reply: None,
        };
        let pending = Pending::Append { from, id: draft.id.clone() };
        self.ask(from, pending, Request::Amend { room, draft, entry }, effects);
        self.note_owner(now, from, &author, effects);
        self.pay(now, from, cost, effects);
    }

    /// Returns the room that somebody calls so, if they may amend messages there. Who is muted may only
    /// take away what they said.
    fn may_amend(
        &self,
        from: ConnectionId,
        room: &str,
        amendment: &Amendment<'_>,
    ) -> Result<RoomId, Complaint> {
        let room = self.may(from, room, Verb::Say)?;
        match amendment {
            Amendment::Restore { .. } if !self.may_moderate(from, room) => {
                let text = "only operators bring messages back";
                Err(Complaint::new(ErrorCode::Forbidden, text))
            }
            Amendment::Delete { .. } | Amendment::Restore { .. } => Ok(room),
            Amendment::Edit { .. } | Amendment::React { .. } => {
                self.mute_refusal(from).map_or(Ok(room), Err)
            }
        }
    }

    /// Returns the record of what `who` does to a message of somebody else, which the store knows.
    pub(super) fn amendment_entry(
        &self,
        who: &str,
        verb: &str,
        (room, target): (RoomId, u64),
    ) -> AuditEntry {
        AuditEntry {
            time_ms: self.wall_clock.utc_ms,
            who: who.to_owned(),
            verb: verb.to_owned(),
            subject: String::new(),
            detail: format!("message {target} in {}", room_name(room)),
        }
    }

    /// Returns true if somebody may remove the messages of others in a room, and bring them back.
    fn may_moderate(&self, id: ConnectionId, room: RoomId) -> bool {
        self.may(id, &room.on_wire(), Verb::Moderate).is_ok()
    }
}

/// Refuses an answer to a message, or an amendment, that cannot be made.
pub(super) fn tell_refused(
    from: ConnectionId,
    id: Option<Arc<str>>,
    error: AmendError,
    effects: &mut Vec<Effect>,
) {
    let (code, refusal) = match error {
        AmendError::NoMessage | AmendError::NothingToRestore => {
            (ErrorCode::NoMessage, Refusal::NoMessage)
        }
        AmendError::NotTheirs => (ErrorCode::Forbidden, Refusal::NotTheirs),
        AmendError::Full => (ErrorCode::NotDone, Refusal::Reaction),
    };
    complain(
        from,
        Complaint { reference: id, ..Complaint::new(code, &error.to_string()) },
        effects,
    );
    act(from, Action::Log(refusal), effects);
}

/// Returns an amendment as a record has it, and its cost.
fn on_record(amendment: &Amendment<'_>) -> (Amending<Arc<str>>, u32) {
    match amendment {
        Amendment::Edit { content, .. } => {
            let content = content.as_deref().unwrap_or_default();
            (Amending::Edit(Some(content.into())), cost_of(content.len()))
        }
        Amendment::Delete { .. } => (Amending::Delete, 1),
        Amendment::React { emoji, .. } => (Amending::React(emoji.as_deref().map(Into::into)), 1),
        Amendment::Restore { .. } => (Amending::Restore(None), 1),
    }
}

/// Returns the words for a room in the records of what operators did.
pub(super) fn room_name(room: RoomId) -> String {
    if room == HALL { "the hall".to_owned() } else { room.to_string() }
}
