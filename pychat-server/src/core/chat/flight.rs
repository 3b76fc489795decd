//! Texts and requests in flight: said, and not answered yet by the store. What a peer is told in answer
//! comes in the order in which it said it.

use std::{collections::VecDeque, mem, time::Instant};

use super::{Action, Chat, CloseReason, Effect, Phase, act, arrival::Wish, requests::Pending};
use crate::core::{
    id::{ConnectionId, Ticket},
    record::Request,
};

/// The most texts and requests of one connection that the store has not answered; then it is not read.
pub const APPENDS_PER_CONNECTION_MAX: usize = 256;

/// The most texts of all connections that the store has not answered; then who says more is not
/// read.
pub const APPENDS_MAX: usize = 4_096;

/// The texts of one connection that the store has not answered, and what follows on the answers.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// The answers that the peer will be given, in the order in which it said what they answer.
    answers: VecDeque<Due>,
    n_appends: usize,
    /// The connection is gone for this reason, which the others are told after the last answer.
    pub(super) closed: Option<CloseReason>,
    /// It was told that something could not be stored, and has had no good answer since.
    pub(super) is_told_of_failure: bool,
}

/// Something that a peer will be told.
#[derive(Debug)]
enum Due {
    /// The store's answer to a text or request.
    Answer(Ticket),
    /// The answer to something else.
    Effect(Box<Effect>),
}

impl InFlight {
    /// Returns true if nothing is in flight.
    pub(super) fn is_empty(&self) -> bool {
        self.n_appends == 0
    }
}

impl Chat {
    /// Asks the store for something that connection `from` wants, and whose answer its peer is told in
    /// turn. It is not read on if too much of it is in flight.
    pub(super) fn ask(
        &mut self,
        from: ConnectionId,
        pending: Pending,
        request: Request,
        effects: &mut Vec<Effect>,
    ) {
        if self.peers.contains_key(&from) {
            let ticket = self.requests.make(pending, request, effects);
            self.owe_answer(from, ticket, effects);
        }
    }

    /// Notes that the peer at connection `from` will be answered under a ticket.
    pub(super) fn owe_answer(
        &mut self,
        from: ConnectionId,
        ticket: Ticket,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        self.requests.n_appends += 1;
        peer.in_flight.n_appends += 1;
        peer.in_flight.answers.push_back(Due::Answer(ticket));
        if APPENDS_PER_CONNECTION_MAX <= peer.in_flight.n_appends
            || APPENDS_MAX <= self.requests.n_appends
        {
            self.requests.awaiting.insert(from);
            act(from, Action::AwaitStore, effects);
        }
    }

    /// Holds those of the effects from index `begin` on back that answer connection `id`, until the
    /// store has answered what it said before.
    pub(super) fn hold_back(&mut self, id: ConnectionId, begin: usize, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&id).filter(|peer| !peer.in_flight.is_empty()) else {
            return;
        };
        let held = effects.extract_if(begin.., |effect| effect.answers(id));
        peer.in_flight.answers.extend(held.map(|effect| Due::Effect(Box::new(effect))));
        if let Phase::Closing = peer.phase {
            act(id, Action::AwaitStore, effects);
        }
    }

    /// A text or request that came by connection `from` was answered under a ticket; after the last of
    /// them comes what waited for it. Answers about several rooms come in any order.
    pub(super) fn on_answered(
        &mut self,
        now: Instant,
        (from, ticket): (ConnectionId, Ticket),
        effects: &mut Vec<Effect>,
    ) {
        self.requests.n_appends -= 1;
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.in_flight.n_appends -= 1;
            let is_it = |due: &Due| matches!(due, Due::Answer(other) if *other == ticket);
            if let Some(place) = peer.in_flight.answers.iter().position(is_it) {
                peer.in_flight.answers.remove(place);
            }
            while let Some(Due::Effect(_)) = peer.in_flight.answers.front()
                && let Some(Due::Effect(effect)) = peer.in_flight.answers.pop_front()
            {
                effects.push(*effect);
            }
            if peer.in_flight.is_empty() {
                self.on_all_answered(now, from, effects);
            }
        }
        if self.requests.n_appends == 0 {
            if mem::take(&mut self.requests.is_stopping) {
                return self.on_stopping(effects);
            }
            for id in mem::take(&mut self.requests.awaiting) {
                act(id, Action::ResumeRead, effects);
            }
        }
    }

    /// All texts that came by connection `from` were answered.
    fn on_all_answered(&mut self, now: Instant, from: ConnectionId, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let InFlight { closed, .. } = mem::take(&mut peer.in_flight);
        if let Some(reason) = closed {
            self.on_closed(from, reason, effects);
        }
        self.retry_claims(now, effects);
        let may_go_on = self.requests.n_appends < APPENDS_MAX && !self.requests.is_stopping;
        if may_go_on && self.requests.awaiting.remove(&from) {
            act(from, Action::ResumeRead, effects);
        }
    }

    /// Guests ask again for names whose holders had something in flight.
    pub(super) fn retry_claims(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        for id in mem::take(&mut self.requests.claiming) {
            if let Some(wish) = self.take_wish(id, effects) {
                self.join_as(now, id, wish, effects);
            }
        }
    }

    /// `Guest` becomes `Claiming`: it is not read until the store has answered.
    pub(super) fn wait_with(&mut self, id: ConnectionId, wish: Wish, effects: &mut Vec<Effect>) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.phase = Phase::Claiming(wish);
            act(id, Action::AwaitStore, effects);
        }
    }

    /// `Claiming` becomes `Guest`, whose wish is returned; `None` if it is gone, or closing.
    pub(super) fn take_wish(
        &mut self,
        id: ConnectionId,
        effects: &mut Vec<Effect>,
    ) -> Option<Wish> {
        let peer = self.peers.get_mut(&id)?;
        let phase = mem::replace(&mut peer.phase, Phase::Guest);
        match phase {
            Phase::Claiming(wish) => {
                act(id, Action::ResumeRead, effects);
                Some(wish)
            }
            other => {
                peer.phase = other;
                None
            }
        }
    }
}
