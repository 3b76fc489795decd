//! The chat by script: inputs one by one, whole effects compared, the clock turned by hand.

mod limits;
mod one;
mod owners;
mod presence;
mod two;

use std::time::{Duration, Instant};

use pychat_server::core::{
    admission::Origin,
    chat::{Chat, CloseReason, Effect, Input, Protocol, Refusal, Rules},
    id::ConnectionId,
    record::{Draft, OwnerId, Record},
    tokens::Tokens,
};
use pychat_wire::{ClientMessage, MessageError, UserName};

const HELLO_TIMEOUT: Duration = Duration::from_secs(20);
const NAME_AGE_MAX: Duration = Duration::from_hours(365 * 24);
const ANNOUNCE_AFTER: Duration = Duration::from_secs(2);
const RULES: Rules = Rules {
    hello_timeout: HELLO_TIMEOUT,
    rate_limit: None,
    name_age_max: NAME_AGE_MAX,
    announce_after: ANNOUNCE_AFTER,
    connections_per_address_max: 0,
};

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

    /// Returns a room in which these have joined and been announced.
    fn with(people: &[(ConnectionId, &str)]) -> Self {
        let mut room = Self::new();
        for (id, name) in people {
            room.connect(*id);
            room.hello(*id, name);
        }
        room.pass(ANNOUNCE_AFTER);
        room
    }

    fn connect(&mut self, id: ConnectionId) -> Vec<Effect> {
        self.handle(Input::Connected { id, origin: Origin::v4(0x7f00_0001) })
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
        self.handle(Input::BadMessage { id, error: MessageError::NoType })
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

fn arrive(people: &[(&str, u64)]) -> Effect {
    Effect::Joined { people: people.iter().map(|(who, index)| (name(who), *index)).collect() }
}

fn depart(who: &str, reason: CloseReason) -> Effect {
    Effect::Left { name: name(who), reason, known_to: None }
}

/// Somebody joins: in protocol 2 as an owner.
fn enter(id: ConnectionId, given: &str, owner: Option<OwnerId>, join_index: u64) -> Effect {
    let protocol = if owner.is_some() { Protocol::V2 } else { Protocol::V1 };
    Effect::Subscribe { id, name: name(given), owner, protocol, join_index }
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
    Effect::Log { id, refusal }
}
