//! Operators and people at random, with a store that answers late, refuses, and a clock that steps: the
//! room keeps its invariants, which it checks itself, and nobody who is banned comes in.

use std::{collections::BTreeSet, time::Duration};

use fastrand::Rng;
use pychat_server::core::{
    chat::{Action, CloseReason, Effect, Event, Input, Recipients, Rules},
    id::{CallId, ConnectionId, Ticket},
    moderation::{Change, Measure, Order, Subject, Whom},
    rate_limit::RateLimit,
    record::{Appended, Draft, Request, StorageError, Stored},
};
use pychat_wire::{
    ClientMessage,
    key::{InviteCode, PairCode, PublicKey},
    message::{Door, Hello, OperatorRequest},
};

use super::{CHALLENGE, RULES, Room, first_record, two::key};

const NAMES: [&str; 5] = ["Анна", "анна", "Борис", "Вера", "192.0.2.7"];

/// The room, and what was asked of its store.
struct Disorder {
    room: Room,
    rng: Rng,
    lines: Vec<(ConnectionId, u8)>,
    n_lines: u32,
    asked: Vec<(Ticket, Option<Draft>)>,
    banned: BTreeSet<[u8; 32]>,
    invites: Vec<InviteCode>,
    codes: Vec<PairCode>,
    utc_ms: u64,
}

impl Disorder {
    fn new(seed: u64) -> Self {
        let mut room = Room::new();
        room.is_answered = false;
        room.chat.set_rules(Rules { rate_limit: RateLimit::new(5, 5), ..RULES });
        Self {
            room,
            rng: Rng::with_seed(seed),
            lines: Vec::new(),
            n_lines: 0,
            asked: Vec::new(),
            banned: BTreeSet::new(),
            invites: Vec::new(),
            codes: Vec::new(),
            utc_ms: 1 << 40,
        }
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.rng.usize(..NAMES.len())]
    }

    fn time(&mut self) -> Option<u64> {
        [None, Some(0), Some(1), Some(60_000), Some(u64::MAX)][self.rng.usize(..5)]
    }

    fn order(&mut self) -> Order {
        let (name, for_ms) = (self.name().to_owned(), self.time());
        match self.rng.u8(..19) {
            0 => Order::Who,
            1 => Order::Operators,
            2 | 3 => Order::AddOperator { name },
            4 => Order::RemoveOperator { name },
            5 => Order::FreeName { name },
            6 => Order::Kick { name },
            7 => Order::Mute { name, for_ms },
            8 => Order::Unmute { name },
            9 | 10 => Order::Ban { whom: Whom::Name(name), for_ms },
            11 => Order::Unban { whom: Whom::Name(name) },
            12 => Order::Slow { seconds: self.rng.u64(..20) },
            13 => Order::Door { admission: self.door() },
            14 => Order::Invite { uses: self.time(), for_ms },
            15 => Order::Say { text: name },
            16 => Order::RemoveMessage { room: String::new(), number: self.rng.u64(..3) },
            17 => Order::RestoreMessage { room: String::new(), number: self.rng.u64(..3) },
            _ => Order::Bans,
        }
    }

    fn door(&mut self) -> Door {
        if self.rng.bool() { Door::Open } else { Door::Invite }
    }

    fn message(&mut self, device: u8) -> ClientMessage<'static> {
        let (name, for_ms) = (self.name(), self.time());
        match self.rng.u8(..14) {
            0 => ClientMessage::hello(name),
            1..5 => {
                let proof = Some(key(device).prove(&CHALLENGE, name));
                let invite = self.rng.choice(&self.invites).copied();
                let pair = self.rng.choice(&self.codes).copied().filter(|_| self.rng.bool());
                ClientMessage::Hello(Hello { proof, invite, pair, ..Hello::new(name, 2) })
            }
            5 | 6 => {
                let id = self.rng.u8(..20).to_string();
                ClientMessage::Text {
                    room: "".into(),
                    content: "hi".into(),
                    id: Some(id.into()),
                    reply: None,
                }
            }
            7 => ClientMessage::Pair,
            8 => {
                let key = key(self.rng.u8(1..5)).public();
                ClientMessage::RemoveDevice { key }
            }
            9 => ClientMessage::Invite { uses: for_ms, for_ms },
            10 => ClientMessage::Invites,
            11 => {
                let request = OperatorRequest::Kick { username: name.into() };
                ClientMessage::Operate { request, id: None }
            }
            12 => {
                let whom = pychat_wire::message::Whom::Person(name.into());
                let request = OperatorRequest::Ban { whom, for_ms };
                ClientMessage::Operate { request, id: None }
            }
            _ => ClientMessage::Devices,
        }
    }

    fn step(&mut self) {
        match self.rng.u8(..12) {
            0 => {
                self.n_lines += 1;
                let id = ConnectionId { slot: self.n_lines, generation: self.n_lines };
                let effects = self.room.connect(id);
                let device = self.rng.u8(1..5);
                self.lines.push((id, device));
                self.take_in(effects);
            }
            1 if !self.lines.is_empty() => {
                let (id, _) = self.lines.swap_remove(self.rng.usize(..self.lines.len()));
                let effects = self.room.closed(id, CloseReason::Lost);
                self.take_in(effects);
            }
            2 => {
                let order = self.order();
                let call = CallId(1);
                let effects = self.room.handle(Input::Ordered { call, by: "root", order });
                self.take_in(effects);
            }
            3 => {
                let time = Duration::from_millis(self.rng.u64(..5_000));
                let effects = self.room.pass(time);
                self.utc_ms = match self.rng.u8(..20) {
                    0 => self.rng.u64(..1 << 41),
                    _ => self.utc_ms + 1_000,
                };
                self.room.set_time_ms(self.utc_ms);
                self.take_in(effects);
            }
            4..7 if !self.asked.is_empty() => self.answer(),
            _ => {
                let Some((id, device)) = self.rng.choice(&self.lines).copied() else { return };
                let message = self.message(device);
                let effects = self.room.receive(id, message);
                self.take_in(effects);
            }
        }
    }

    /// The store answers what was asked first.
    fn answer(&mut self) {
        let (ticket, draft) = self.asked.remove(0);
        let outcome = match draft {
            _ if self.rng.u8(..5) == 0 => Err(StorageError::Full),
            Some(draft) => Ok(Stored::Appended(Appended::New(first_record(&draft)))),
            None => Ok(Stored::Changed),
        };
        let effects = self.room.answer(ticket, outcome);
        self.take_in(effects);
    }

    fn take_in(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store { ticket, request } => self.ask(ticket, request),
                Effect::Tell { to: Recipients::One(id), event } => self.told(id, event),
                Effect::Connection { id, action: Action::Close { reason } } => {
                    self.may_end(id, reason);
                }
                _ => (),
            }
        }
    }

    /// A connection that the room closes ends now, or some time.
    fn may_end(&mut self, id: ConnectionId, reason: CloseReason) {
        if self.lines.iter().any(|(other, _)| *other == id) && self.rng.bool() {
            self.lines.retain(|(other, _)| *other != id);
            let effects = self.room.closed(id, reason);
            self.take_in(effects);
        }
    }

    fn ask(&mut self, ticket: Ticket, request: Request) {
        let mut draft = None;
        match request {
            Request::Append { draft: said, .. } | Request::Amend { draft: said, .. } => {
                draft = Some(said);
            }
            Request::Moderate { changes, .. } => {
                self.banned = changes.iter().fold(std::mem::take(&mut self.banned), ban);
                if changes.iter().any(|change| matches!(change, Change::Lift(_))) {
                    self.banned.clear(); // Not worth a model of its own.
                }
            }
            _ => (),
        }
        self.asked.push((ticket, draft));
    }

    fn told(&mut self, id: ConnectionId, event: Event) {
        match event {
            Event::InviteLink { code: Some(code), .. } => self.invites.push(code),
            Event::PairCode(code) => self.codes.push(code),
            Event::Welcome { name, .. } => {
                let device = self.lines.iter().find(|(other, _)| *other == id).map(|(_, it)| *it);
                let is_banned =
                    device.is_some_and(|device| self.banned.contains(&key(device).public().0));
                assert!(!is_banned, "{name} is banned");
            }
            _ => (),
        }
    }
}

/// Adds the keys that a change bans for ever.
fn ban(mut banned: BTreeSet<[u8; 32]>, change: &Change) -> BTreeSet<[u8; 32]> {
    if let Change::Impose(sanction) = change
        && let (Measure::Ban, None) = (sanction.measure, sanction.until_ms)
        && let Subject::Person { keys, .. } = &sanction.subject
    {
        banned.extend(keys.iter().map(|PublicKey(key)| *key));
    }
    banned
}

#[test]
fn whatever_operators_and_people_do_the_room_is_in_order() {
    for seed in 0..300 {
        let mut disorder = Disorder::new(seed);
        for _ in 0..400 {
            disorder.step();
        }
        while !disorder.asked.is_empty() {
            disorder.answer();
        }
    }
}
