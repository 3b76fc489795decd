//! Rooms: requests that make and change them. Each becomes a record of the room's log, and takes
//! effect once the store has that.
//!
//! A request that is refused may be one that was granted before, and whose answer was lost. So the
//! store is asked first whether it has the record of it.

mod answers;
mod ask;
mod change;
mod make;
mod search;
mod views;

use std::{sync::Arc, time::Instant};

use pychat_wire::{
    UserName,
    message::{ErrorCode, MESSAGE_ID_BYTES_MAX, RoomEvent, RoomRequest},
};

pub(super) use self::answers::{Changing, Content, Recalling, Sought, Waiting, tell_conflict};
pub use self::{ask::TYPING_PRESENT_MAX, search::cursor};
use super::{
    Action, Chat, Complaint, Effect, Grant, Phase, Refusal, act, complain, requests::Pending,
};
use crate::core::{
    gate::{self, Asker, Denied, Verb},
    id::{ConnectionId, RoomId},
    record::{Draft, Kind, PersonId, Request, RoomChange},
};

/// The cost of a request that makes a room, beside a text of 1.
const MAKE_COST: u32 = 4;

/// The cost of a request that changes a room.
const CHANGE_COST: u32 = 2;

/// A request about rooms, as it came.
#[derive(Debug)]
pub(super) struct Asked {
    now: Instant,
    from: ConnectionId,
    /// The name of the person who asks.
    author: UserName,
    person: PersonId,
    id: Arc<str>,
}

/// The reason why a request is not carried out, for people to read.
type Why = (ErrorCode, String);

impl Chat {
    /// Somebody in the hall wants a room made or changed.
    pub(super) fn on_change(
        &mut self,
        now: Instant,
        from: ConnectionId,
        request: &RoomRequest<'_>,
        message_id: Option<&str>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(id) = self.take_id(from, "a request", message_id, effects) else { return };
        let Some(peer) = self.peers.get(&from) else { return };
        let (Phase::Joined(author), Some(grant)) = (&peer.phase, peer.grant) else { return };
        let (author, person) = (author.clone(), grant.person);
        let is_new = matches!(request, RoomRequest::CreateRoom { .. } | RoomRequest::Direct { .. });
        let cost = if is_new { MAKE_COST } else { CHANGE_COST };
        let asked = Asked { now, from, author, person, id: id.into() };
        match request {
            RoomRequest::CreateRoom { kind, name, topic } => {
                self.create(&asked, *kind, name, topic, effects);
            }
            RoomRequest::Direct { with } => self.make_direct(&asked, with, effects),
            RoomRequest::JoinRoom { room } => self.join_room(&asked, room, effects),
            RoomRequest::LeaveRoom { room } => self.leave_room(&asked, room, effects),
            RoomRequest::AddMember { room, username } => {
                self.add_member(&asked, room, username, effects);
            }
            RoomRequest::RemoveMember { room, username } => {
                self.remove_member(&asked, room, username, effects);
            }
            RoomRequest::UpdateRoom { room, name, topic } => {
                self.update_room(&asked, room, (name.as_deref(), topic.as_deref()), effects);
            }
        }
        self.pay(now, from, cost, effects);
    }

    /// Returns the id of a text or request, if it is a good one; refuses others.
    pub(super) fn take_id<'a>(
        &mut self,
        from: ConnectionId,
        what: &str,
        id: Option<&'a str>,
        effects: &mut Vec<Effect>,
    ) -> Option<&'a str> {
        let good = id.filter(|id| (1..=MESSAGE_ID_BYTES_MAX).contains(&id.len()));
        if good.is_none() {
            let text = format!("{what} needs an id of 1 to {MESSAGE_ID_BYTES_MAX} bytes");
            self.refuse_payload(from, None, &text, Refusal::MessageId, effects);
        }
        good
    }

    /// Refuses a payload that no client should send.
    pub(super) fn refuse_payload(
        &mut self,
        from: ConnectionId,
        reference: Option<&Arc<str>>,
        text: &str,
        refusal: Refusal,
        effects: &mut Vec<Effect>,
    ) {
        let reference = reference.cloned();
        complain(
            from,
            Complaint { reference, ..Complaint::new(ErrorCode::BadPayload, text) },
            effects,
        );
        self.count_bad(from, ErrorCode::BadPayload, &refusal, effects);
        act(from, Action::Log(refusal), effects);
    }

    /// Returns the room that the peer at a connection calls so, if it may do `verb` there.
    pub(super) fn may(
        &self,
        id: ConnectionId,
        room: &str,
        verb: Verb,
    ) -> Result<RoomId, Complaint> {
        let grant = self.peers.get(&id).and_then(|peer| peer.grant);
        let asker = Asker {
            person: grant.map(|grant| grant.person),
            is_kept: grant.is_some_and(|grant| grant.is_saved),
            is_operator: grant.is_some_and(|grant| self.people.is_operator(grant.person)),
        };
        gate::may(asker, RoomId::of_wire(room), verb, &self.rooms).map_err(denied)
    }

    /// Asks the store for a change of a room, and the record of it.
    fn change(
        &mut self,
        asked: &Asked,
        room: RoomId,
        (event, subject): (RoomEvent, Option<&str>),
        change: RoomChange,
        effects: &mut Vec<Effect>,
    ) {
        let Asked { now, from, ref author, person, ref id } = *asked;
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.bad_payloads = 0;
        }
        self.announce(from, effects);
        let draft = Draft {
            author: author.clone(),
            person: Some(person),
            kind: Kind::Event { event, subject: subject.map(Into::into) },
            id: Some(Arc::clone(id)),
            reply: None,
        };
        self.rooms.begin(room, &change, person);
        let request = Request::Append { room, draft, change: Some(change.clone()) };
        let changing = Changing { from, id: Arc::clone(id), room, change };
        self.ask(from, Pending::Change(Box::new(changing)), request, effects);
        self.note_owner(now, from, author, effects);
    }

    /// Refuses a request, unless the store has the record of it.
    fn refuse(&mut self, asked: &Asked, sought: Sought, why: Why, effects: &mut Vec<Effect>) {
        let Asked { from, person, ref id, .. } = *asked;
        let (code, text) = why;
        let reference = Some(Arc::clone(id));
        let complaint = Complaint { reference, ..Complaint::new(code, &text) };
        self.recall(from, person, sought, complaint, effects);
    }

    /// Refuses something under an id, unless the store has the record of it.
    pub(super) fn recall(
        &mut self,
        from: ConnectionId,
        person: PersonId,
        sought: Sought,
        complaint: Complaint,
        effects: &mut Vec<Effect>,
    ) {
        let Some(id) = complaint.reference.clone() else { return };
        let recalling = Recalling::Refused { from, sought, complaint };
        let request = Request::Recall { person, id };
        self.ask(from, Pending::Recall(Box::new(recalling)), request, effects);
    }

    /// Returns true if somebody may change anything of a room, or of none yet; refuses those who are
    /// muted, and who has said a text there that came too soon and has yet to come again.
    fn may_change(
        &mut self,
        asked: &Asked,
        room: Option<RoomId>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Asked { now, from, ref id, .. } = *asked;
        let muted = self.mute_refusal(from);
        let refusal = muted.or_else(|| self.wait_for_text(now, from, room?));
        let Some(complaint) = refusal else { return true };
        if complaint.code == ErrorCode::Muted {
            act(from, Action::Log(Refusal::Muted), effects);
        }
        complain(from, Complaint { reference: Some(Arc::clone(id)), ..complaint }, effects);
        false
    }

    /// Returns true if the peer at a connection owns a name that the store has.
    fn is_kept(&self, id: ConnectionId) -> bool {
        let grant = self.peers.get(&id).and_then(|peer| peer.grant);
        grant.is_some_and(|Grant { is_saved, .. }| is_saved)
    }

    /// Refuses something that bears no id, by the gate.
    pub(super) fn deny(
        &mut self,
        now: Instant,
        from: ConnectionId,
        complaint: Complaint,
        effects: &mut Vec<Effect>,
    ) {
        complain(from, complaint, effects);
        act(from, Action::Log(Refusal::Outsider), effects);
        self.pay(now, from, 1, effects);
    }
}

/// Returns the words for somebody who may not do something.
fn denied(denied: Denied) -> Complaint {
    let (code, text) = match denied {
        Denied::NoRoom => (ErrorCode::NoRoom, "there is no such room, or it is not for you"),
        Denied::Outside => (ErrorCode::Forbidden, "join this room first"),
        Denied::Guest => (ErrorCode::Forbidden, "rooms are for those who own their name"),
        Denied::Never => (ErrorCode::Forbidden, "this cannot be done in this room"),
        Denied::NotTheirs => {
            (ErrorCode::Forbidden, "this is for the maker of the room, and operators")
        }
    };
    Complaint::new(code, text)
}
