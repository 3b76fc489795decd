//! The chat by script: inputs one by one, whole effects compared, the clock turned by hand.

mod one;
mod owners;
mod two;

use std::time::{Duration, Instant};

use pychat_server::{
    chat::{Chat, CloseReason, Effect, Input, Protocol, Refusal, Rules},
    id::ConnectionId,
    log::{Draft, OwnerId, Record},
    tokens::Tokens,
};
use pychat_wire::{ClientMessage, MessageError, UserName};

const HELLO_TIMEOUT: Duration = Duration::from_secs(20);
const NAME_AGE_MAX: Duration = Duration::from_hours(365 * 24);
const RULES: Rules = Rules { hello_timeout: HELLO_TIMEOUT, pace: None, name_age_max: NAME_AGE_MAX };

const A: ConnectionId = ConnectionId { slot: 0, generation: 0 };
const B: ConnectionId = ConnectionId { slot: 1, generation: 1 };
const C: ConnectionId = ConnectionId { slot: 0, generation: 2 };

struct Room {
    chat: Chat,
    now: Instant,
}

impl Room {
    fn new() -> Self {
        Self { chat: Chat::new(RULES, Tokens::new([7; 32], [], OwnerId(0))), now: Instant::now() }
    }

    fn with(people: &[(ConnectionId, &str)]) -> Self {
        let mut room = Self::new();
        for (id, name) in people {
            room.handle(Input::Connected { id: *id });
            room.hello(*id, name);
        }
        room
    }

    fn handle(&mut self, input: Input<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.chat.handle(self.now, input, &mut effects);
        effects
    }

    fn receive(&mut self, id: ConnectionId, message: ClientMessage<'_>) -> Vec<Effect> {
        self.handle(Input::Received { id, message })
    }

    fn hello(&mut self, id: ConnectionId, name: &str) -> Vec<Effect> {
        self.receive(id, ClientMessage::hello(name))
    }

    fn text(&mut self, id: ConnectionId, content: &str) -> Vec<Effect> {
        self.receive(id, ClientMessage::text(content))
    }

    fn nonsense(&mut self, id: ConnectionId) -> Vec<Effect> {
        self.handle(Input::Misunderstood { id, error: MessageError::NoType })
    }

    fn closed(&mut self, id: ConnectionId, reason: CloseReason) -> Vec<Effect> {
        self.handle(Input::Closed { id, reason })
    }

    fn pass(&mut self, time: Duration) -> Vec<Effect> {
        self.now += time;
        let mut effects = Vec::new();
        self.chat.handle_timeout(self.now, &mut effects);
        effects
    }
}

fn name(name: &str) -> UserName {
    UserName::new(name).expect("a good name")
}

fn tell(to: ConnectionId, content: &str) -> Effect {
    Effect::Tell { to, content: content.into() }
}

fn arrive(who: &str) -> Effect {
    Effect::Arrive { name: name(who) }
}

fn depart(who: &str, reason: CloseReason) -> Effect {
    Effect::Depart { name: name(who), reason }
}

/// Somebody joins: in protocol 2 as an owner.
fn enter(id: ConnectionId, given: &str, owner: Option<OwnerId>) -> Effect {
    let protocol = if owner.is_some() { Protocol::Two } else { Protocol::One };
    Effect::Enter { id, name: name(given), owner, protocol }
}

/// What the log answers when it takes a draft as its first.
fn first_record(draft: &Draft) -> Record {
    let Draft { author, owner, content, id, .. } = draft.clone();
    Record { seq: 1, time_ms: 5, author, owner, content, id }
}

fn close(id: ConnectionId, reason: CloseReason) -> Effect {
    Effect::Close { id, reason }
}

fn report(id: ConnectionId, refusal: Refusal) -> Effect {
    Effect::Report { id, refusal }
}
