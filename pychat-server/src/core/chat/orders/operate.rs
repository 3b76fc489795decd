//! Operators in the room: their requests, and what they are told of each other.

use std::time::Instant;

use pychat_wire::message::{self as wire, ErrorCode, MESSAGE_ID_BYTES_MAX, OperatorRequest};

use super::{
    super::{Action, Chat, Complaint, Deed, Effect, Event, Phase, Refusal, act, complain, tell},
    Asker,
};
use crate::core::{
    id::ConnectionId,
    moderation::{Order, Whom},
};

impl Chat {
    /// Somebody in the room asks for what only an operator may do. That costs like a text, and whoever
    /// is none learns nothing by it.
    pub(in super::super) fn on_operate(
        &mut self,
        now: Instant,
        id: ConnectionId,
        request: &OperatorRequest<'_>,
        reference: Option<&str>,
        effects: &mut Vec<Effect>,
    ) {
        let reference = reference.filter(|it| it.len() <= MESSAGE_ID_BYTES_MAX);
        let held = self.charge(now, id, 1);
        if let Some(by) = self.operator_at(id) {
            let asker = Asker::Peer { id, reference: reference.map(ToOwned::to_owned) };
            self.on_order(now, asker, &by, &order(request), effects);
        } else {
            refuse_other(id, reference, effects);
        }
        if let Some(until) = held {
            act(id, Action::PauseRead { until }, effects);
        }
    }

    /// Returns the name of the operator at a connection, if it is one.
    pub(super) fn operator_at(&self, id: ConnectionId) -> Option<String> {
        let peer = self.peers.get(&id)?;
        let Phase::Joined(name) = &peer.phase else { return None };
        let is_operator = peer.grant.is_some_and(|grant| self.people.is_operator(grant.person));
        is_operator.then(|| name.as_str().to_owned())
    }

    /// Tells the operators who are here what another one did.
    pub(in super::super) fn tell_operators(
        &self,
        asker: Option<&Asker>,
        deed: &Deed,
        effects: &mut Vec<Effect>,
    ) {
        let is_asker =
            |id: ConnectionId| matches!(asker, Some(Asker::Peer { id: own, .. }) if *own == id);
        let is_told = |id: &ConnectionId| !is_asker(*id) && self.operator_at(*id).is_some();
        let mut ids: Vec<_> = self.peers.keys().copied().filter(is_told).collect();
        ids.sort_unstable();
        for id in ids {
            tell(id, Event::Done(deed.clone()), effects);
        }
    }
}

/// Refuses a request of somebody who is no operator: in the same way, whatever it is.
pub(in super::super) fn refuse_other(
    id: ConnectionId,
    reference: Option<&str>,
    effects: &mut Vec<Effect>,
) {
    let reference = reference.map(Into::into);
    let text = "this is for operators";
    let complaint = Complaint { reference, ..Complaint::new(ErrorCode::Forbidden, text) };
    complain(id, complaint, effects);
    act(id, Action::Log(Refusal::Operator), effects);
}

fn order(request: &OperatorRequest<'_>) -> Order {
    match request {
        OperatorRequest::Mute { username, for_ms } => {
            Order::Mute { name: username.to_string(), for_ms: *for_ms }
        }
        OperatorRequest::Unmute { username } => Order::Unmute { name: username.to_string() },
        OperatorRequest::Kick { username } => Order::Kick { name: username.to_string() },
        OperatorRequest::Ban { whom, for_ms } => Order::Ban { whom: named(whom), for_ms: *for_ms },
        OperatorRequest::Unban { whom } => Order::Unban { whom: named(whom) },
        OperatorRequest::Slow { seconds } => Order::Slow { seconds: *seconds },
        OperatorRequest::Door { admission } => Order::Door { admission: *admission },
        OperatorRequest::Bans => Order::Bans,
    }
}

fn named(whom: &wire::Whom<'_>) -> Whom {
    match whom {
        wire::Whom::Person(name) => Whom::Name(name.to_string()),
        wire::Whom::Network(text) => Whom::Network(text.to_string()),
    }
}
