//! A guest's hello: the proof of who it is, and whether it is let in.

use std::time::Instant;

use pychat_wire::{
    NameError, UserName,
    key::{InviteCode, PairCode, PublicKey},
    message::{ErrorCode, Hello, PROTOCOL, Positions, Resume},
    notice::Notice,
};

use super::{Action, Chat, Complaint, Effect, Protocol, Refusal, act, complain, notify};
use crate::core::{
    admission::{Act, WRONG_PROOF_COST},
    id::ConnectionId,
    record::Device,
};

/// The wish to join of a guest.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) name: UserName,
    /// The device that it has proved to be; `None` in protocol 1.
    pub(super) device: Option<Device>,
    /// The message of the log after which the peer wants to go on.
    pub(super) resume: Option<Resume<'static>>,
    /// The code that lets a newcomer in.
    pub(super) invite: Option<InviteCode>,
    /// The code that adds the device to a person.
    pub(super) pair: Option<PairCode>,
}

impl Wish {
    fn new(name: UserName, device: Device, hello: &Hello<'_>) -> Self {
        let own = |resume: &Resume<'_>| {
            let positions = resume.rooms.0.iter();
            Resume {
                epoch: resume.epoch.as_ref().to_owned().into(),
                rooms: Positions(
                    positions.map(|(room, after)| (room.to_string().into(), *after)).collect(),
                ),
                limit: resume.limit,
            }
        };
        let resume = hello.resume.as_ref().map(own);
        Self { name, device: Some(device), resume, invite: hello.invite, pair: hello.pair }
    }

    /// Returns that of a guest of protocol 1.
    pub(super) fn unproved(name: UserName) -> Self {
        Self { name, device: None, resume: None, invite: None, pair: None }
    }
}

impl Chat {
    /// `Guest` becomes `Joined`, provided the name keeps the rules, and can be had. If not, and its
    /// address has used up its share of hellos, it waits for the next one.
    pub(super) fn on_hello(
        &mut self,
        now: Instant,
        id: ConnectionId,
        hello: &Hello<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let protocol = if hello.protocol < PROTOCOL { Protocol::V1 } else { Protocol::V2 };
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.protocol = protocol;
        if !self.may_join_so(id) {
            return self.refuse_plain(id, effects);
        }
        if protocol == Protocol::V1 && !self.may_join_unproved(id) {
            return self.refuse_unproved(id, effects);
        }
        match UserName::new(&hello.username) {
            Ok(name) if protocol == Protocol::V1 => self.join_as_any(now, id, name, effects),
            Ok(name) => {
                let Some(key) = self.verify(now, id, hello, effects) else { return };
                let label = hello.label.as_deref().unwrap_or_default().into();
                let device = Device { key, label, added_ms: self.wall_clock.utc_ms };
                let wish = Wish::new(name, device, hello);
                if self.roster.is_shared() {
                    self.sync_first(id, wish, effects);
                } else {
                    self.on_wish(now, id, wish, effects);
                }
            }
            Err(error) => {
                refuse_name(id, protocol, error, effects);
                self.count_bad(id, ErrorCode::NameInvalid, &error, effects);
            }
        }
    }

    /// Lets a guest of protocol 2 in who has proved who it is, or refuses it, by all that is known.
    pub(super) fn on_wish(
        &mut self,
        now: Instant,
        id: ConnectionId,
        wish: Wish,
        effects: &mut Vec<Effect>,
    ) {
        let Some(device) = &wish.device else { return };
        if !self.refuse_banned(id, device.key, effects)
            && self.pair(now, id, (&wish.name, device), wish.pair, effects)
            && self.is_let_in(now, id, device.key, wish.invite, effects)
        {
            self.join_as(now, id, wish, effects);
        }
    }

    /// Returns the key that a hello is signed with; refuses one that is not.
    fn verify(
        &mut self,
        now: Instant,
        id: ConnectionId,
        hello: &Hello<'_>,
        effects: &mut Vec<Effect>,
    ) -> Option<PublicKey> {
        let challenge = self.peers.get(&id)?.challenge;
        let proof = hello.proof.filter(|proof| proof.is_valid(&challenge, &hello.username));
        self.charge_proof(now, id, proof.is_some(), effects);
        if proof.is_none() {
            let text = "the signature is missing, or wrong";
            complain(id, Complaint::new(ErrorCode::BadSignature, text), effects);
            act(id, Action::Log(Refusal::Signature), effects);
            self.count_bad(id, ErrorCode::BadSignature, &Refusal::Signature, effects);
        }
        proof.map(|proof| proof.key)
    }

    /// Adds a device that nobody has to a person, if the hello has their code. Returns false if it has
    /// a wrong one.
    fn pair(
        &mut self,
        now: Instant,
        id: ConnectionId,
        (name, device): (&UserName, &Device),
        code: Option<PairCode>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        // A device that was added knows that only once it was welcomed.
        let Some(code) = code.filter(|_| self.people.of_key(device.key).is_none()) else {
            return true;
        };
        if let Some(person) = self.people.pair(now, name, code, device.clone()) {
            self.tell_added(id, person, device, effects);
            if self.roster.is_shared() {
                self.change_people(id, effects);
            }
            return true;
        }
        self.charge_proof(now, id, false, effects);
        let text = "this code is not good, or no longer";
        self.forbid(id, text, Refusal::PairCode, effects);
        false
    }

    /// Counts a proof against the share of an address; where that is used up, the peer is not read
    /// for a while.
    pub(super) fn charge_proof(
        &mut self,
        now: Instant,
        id: ConnectionId,
        is_good: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get(&id) else { return };
        let cost = if is_good { 1 } else { WRONG_PROOF_COST };
        let full_until = self.admission.fill(now, peer.origin, Act::Verify, cost);
        if let Some(until) = full_until.filter(|_| !is_good) {
            self.hold_guest(id, until, effects);
        }
    }
}

fn refuse_name(id: ConnectionId, protocol: Protocol, error: NameError, effects: &mut Vec<Effect>) {
    act(id, Action::Log(Refusal::Name(error)), effects);
    match (protocol, error) {
        (Protocol::V2, _) => {
            complain(id, Complaint::new(ErrorCode::NameInvalid, &error.to_string()), effects);
        }
        // The original's answer to an empty name; it knows no other bad ones.
        (Protocol::V1, NameError::Empty) => notify(id, Notice::StillWaiting, effects),
        (Protocol::V1, _) => {
            notify(id, Notice::Other(&format!("Choose another name: {error}.")), effects);
        }
    }
}
