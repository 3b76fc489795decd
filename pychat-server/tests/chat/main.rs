//! The chat by script: inputs one by one, whole effects compared, the clock turned by hand.

mod amending;
mod bots;
mod devices;
mod directs;
mod disorder;
mod door;
mod gate;
mod house;
mod invites;
mod limits;
mod marks;
mod one;
mod operating;
mod operators;
mod over;
mod owners;
mod presence;
mod room_limits;
mod rooms;
mod sanctions;
mod secure;
mod slow;
mod turmoil;
mod two;

use std::time::{Duration, Instant};

use pychat_server::core::{
    admission::Origin,
    chat::{
        Action, Chat, CloseReason, Complaint, Effect, Event, Input, Plain, Protocol, Recipients,
        Refusal, Rules, Subscribe,
    },
    id::{ConnectionId, HALL, Ticket},
    networks::Networks,
    people::People,
    record::{Draft, Outcome, PersonId, Record, Request, Stored},
    rooms::Rooms,
    secret::Secret,
};
use pychat_wire::{
    ClientMessage, MessageError, UserName,
    key::{BINDING_BYTES, Challenge, Nonce},
    message::Door,
};

const HELLO_TIMEOUT: Duration = Duration::from_secs(20);
const NAME_AGE_MAX: Duration = Duration::from_hours(365 * 24);
const ANNOUNCE_AFTER: Duration = Duration::from_secs(2);
const RULES: Rules = Rules {
    hello_timeout: HELLO_TIMEOUT,
    rate_limit: None,
    name_age_max: NAME_AGE_MAX,
    announce_after: ANNOUNCE_AFTER,
    connections_per_address_max: 0,
    plain: Plain::Always,
    admission: Door::Open,
    guests_from: Networks::NONE,
};

/// The challenge that every hello signs.
const CHALLENGE: Challenge = Challenge { nonce: Nonce([9; 16]), binding: [0; BINDING_BYTES] };

const A: ConnectionId = ConnectionId { slot: 0, generation: 0 };
const B: ConnectionId = ConnectionId { slot: 1, generation: 1 };
const C: ConnectionId = ConnectionId { slot: 0, generation: 2 };

struct Room {
    chat: Chat,
    now: Instant,
    /// The store answers each request at once, with nothing to tell; otherwise the test answers.
    is_answered: bool,
}

impl Room {
    fn new() -> Self {
        Self::of(People::new(Secret::new([7; 32]), [], PersonId(0)))
    }

    fn of(people: People) -> Self {
        let chat = Chat::new(RULES, people, Rooms::default());
        Self { chat, now: Instant::now(), is_answered: true }
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
        let origin = Origin::v4(0x7f00_0001);
        self.handle(Input::Connected { id, origin, challenge: CHALLENGE })
    }

    fn handle(&mut self, input: Input<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.chat.handle(self.now, input, &mut effects);
        let mut n_seen = 0;
        while self.is_answered && n_seen < effects.len() {
            if let Some(ticket) = ticket(&effects[n_seen]) {
                let outcome = Ok(Stored::Changed);
                self.chat.handle(self.now, Input::Stored { ticket, outcome }, &mut effects);
            }
            n_seen += 1;
        }
        effects
    }

    fn answer(&mut self, ticket: Ticket, outcome: Outcome) -> Vec<Effect> {
        self.handle(Input::Stored { ticket, outcome })
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

fn ticket(effect: &Effect) -> Option<Ticket> {
    match effect {
        Effect::Store { ticket, .. } => Some(*ticket),
        _ => None,
    }
}

/// The request with this number.
fn append(number: u64, draft: Draft) -> Effect {
    Effect::Store {
        ticket: Ticket(number),
        request: Request::Append { room: HALL, draft, change: None },
    }
}

fn told(to: ConnectionId, event: Event) -> Effect {
    Effect::Tell { to: Recipients::One(to), event }
}

fn told_all(event: Event) -> Effect {
    Effect::Tell { to: Recipients::Room(HALL), event }
}

fn act(id: ConnectionId, action: Action) -> Effect {
    Effect::Connection { id, action }
}

fn tell(to: ConnectionId, content: &str) -> Effect {
    told(to, Event::Notice(content.into()))
}

fn refused(to: ConnectionId, complaint: Complaint) -> Effect {
    told(to, Event::Refused(complaint))
}

fn arrive(people: &[(&str, u64)]) -> Effect {
    let people = people.iter().map(|(who, index)| (name(who), *index)).collect();
    told_all(Event::Joined { people })
}

fn depart(who: &str, reason: CloseReason) -> Effect {
    told_all(Event::Left { name: name(who), reason })
}

/// Somebody joins: in protocol 2 as a person.
fn enter(id: ConnectionId, given: &str, person: Option<PersonId>, join_index: u64) -> Effect {
    let protocol = if person.is_some() { Protocol::V2 } else { Protocol::V1 };
    let subscribe = Subscribe { room: HALL, name: name(given), person, protocol, join_index };
    act(id, Action::Subscribe(subscribe))
}

/// Returns the record that the log answers with when it takes a draft as its first.
fn first_record(draft: &Draft) -> Record {
    draft.clone().into_record(HALL, 1, 5)
}

fn close(id: ConnectionId, reason: CloseReason) -> Effect {
    act(id, Action::Close { reason })
}

fn report(id: ConnectionId, refusal: Refusal) -> Effect {
    act(id, Action::Log(refusal))
}
