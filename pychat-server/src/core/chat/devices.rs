//! The devices of a person: another one joins by a code, and each can be removed by any other.

use std::time::Instant;

use pychat_wire::{
    key::{PairCode, PublicKey},
    message::ErrorCode,
};

use super::{
    Action, Chat, CloseReason, Complaint, Effect, Event, Refusal, act, complain,
    invites::refuse_unstored, requests::Pending, tell,
};
use crate::core::{
    id::ConnectionId,
    people::offer,
    record::{Device, PersonId, Request, StorageError},
};

/// A request about one's own devices.
#[derive(Clone, Copy, Debug)]
pub(super) enum DeviceRequest {
    /// A code for another one.
    Pair,
    List,
    Remove(PublicKey),
}

impl Chat {
    /// Somebody in the room asks something about their devices. That costs like a text.
    pub(super) fn on_device_request(
        &mut self,
        now: Instant,
        id: ConnectionId,
        request: DeviceRequest,
        effects: &mut Vec<Effect>,
    ) {
        let Some(grant) = self.peers.get(&id).and_then(|peer| peer.grant) else { return };
        match request {
            DeviceRequest::Pair => self.make_code(now, id, grant.person, effects),
            DeviceRequest::List => self.list_devices(id, grant.person, effects),
            DeviceRequest::Remove(key) if key == grant.key => {
                let text = "a device cannot remove itself";
                self.forbid(id, text, Refusal::Device, effects);
            }
            DeviceRequest::Remove(key) => {
                if self.people.remove_device(grant.person, key) {
                    self.send_away(grant.person, key, effects);
                    self.remove_device(id, effects);
                }
                self.list_devices(id, grant.person, effects);
            }
        }
        if let Some(until) = self.charge(now, id, 1) {
            act(id, Action::PauseRead { until }, effects);
        }
    }

    fn make_code(
        &mut self,
        now: Instant,
        id: ConnectionId,
        person: PersonId,
        effects: &mut Vec<Effect>,
    ) {
        if self.is_muted(id) {
            let text = "whoever is muted cannot add a device";
            complain(id, Complaint::new(ErrorCode::Muted, text), effects);
            act(id, Action::Log(Refusal::Muted), effects);
        } else if let Some(code) = self.people.make_code(now, person) {
            self.offer_code(id, person, code, effects);
        } else {
            let text = "this name has no room for another device";
            self.forbid(id, text, Refusal::Device, effects);
        }
    }

    /// Tells a code to the peer that asked for it; where servers share the store, once all know it.
    fn offer_code(
        &mut self,
        id: ConnectionId,
        person: PersonId,
        code: PairCode,
        effects: &mut Vec<Effect>,
    ) {
        if !self.roster.is_shared() {
            return tell(id, Event::PairCode(code), effects);
        }
        let offer = offer(person, code);
        let pending = Pending::Offer { by: id, person, code };
        self.requests.make(pending, Request::Offer(offer), effects);
    }

    /// The store has answered whether all servers know a code.
    pub(super) fn on_offered(
        &mut self,
        by: ConnectionId,
        person: PersonId,
        code: PairCode,
        error: Option<&StorageError>,
        effects: &mut Vec<Effect>,
    ) {
        match error {
            None => tell(by, Event::PairCode(code), effects),
            Some(error) => {
                self.people.forget_code(person);
                refuse_unstored(by, error, effects);
            }
        }
    }

    fn list_devices(&self, id: ConnectionId, person: PersonId, effects: &mut Vec<Effect>) {
        tell(id, Event::Devices(self.people.devices(person).to_vec()), effects);
    }

    /// Ends the connections of a device that was removed.
    pub(super) fn send_away(
        &mut self,
        person: PersonId,
        key: PublicKey,
        effects: &mut Vec<Effect>,
    ) {
        let is_its = |grant: super::Grant| grant.person == person && grant.key == key;
        let peers = self.peers.iter().filter(|(_, peer)| peer.grant.is_some_and(is_its));
        let mut ids: Vec<_> = peers.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        for id in ids {
            self.close(id, CloseReason::Removed, effects);
        }
    }

    /// Tells a person's connections, but for `newcomer`, that another device has joined them.
    pub(super) fn tell_added(
        &self,
        newcomer: ConnectionId,
        person: PersonId,
        device: &Device,
        effects: &mut Vec<Effect>,
    ) {
        for id in self.joined_of(person).into_iter().filter(|id| *id != newcomer) {
            tell(id, Event::DeviceAdded(device.clone()), effects);
        }
    }

    /// Refuses something that is not for this peer to do.
    pub(super) fn forbid(
        &mut self,
        id: ConnectionId,
        text: &str,
        refusal: Refusal,
        effects: &mut Vec<Effect>,
    ) {
        complain(id, Complaint::new(ErrorCode::Forbidden, text), effects);
        self.count_bad(id, ErrorCode::Forbidden, &refusal, effects);
        act(id, Action::Log(refusal), effects);
    }
}
