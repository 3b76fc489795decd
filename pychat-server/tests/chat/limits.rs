//! Limits: payloads of no use end a connection, and an address may say and try only so much.

use std::time::{Duration, Instant};

use pychat_server::core::{
    chat::{Action, BAD_PAYLOADS_MAX, CloseReason, Effect, Rules},
    rate_limit::RateLimit,
};
use pychat_wire::{ClientMessage, message::Hello};

use super::{A, B, C, ConnectionId, RULES, Room, two};

/// Says one thing to the room, as one connection.
type Say = fn(&mut Room) -> Vec<Effect>;

fn hello(username: &str) -> ClientMessage<'_> {
    two::hello(username, 1)
}

fn has_closed(effects: &[Effect]) -> bool {
    let is_close = |effect: &Effect| {
        matches!(
            effect,
            Effect::Connection { id: A, action: Action::Close { reason: CloseReason::Protocol } }
        )
    };
    effects.iter().any(is_close)
}

/// Returns until when `id` is held, if it is.
fn held_until(effects: &[Effect], held: ConnectionId) -> Option<Instant> {
    effects.iter().find_map(|effect| match effect {
        Effect::Connection { id, action: Action::PauseRead { until } } if *id == held => {
            Some(*until)
        }
        _ => None,
    })
}

#[test]
fn whatever_is_of_no_use_ends_a_connection_in_the_end() {
    let from_a_guest: [Say; 7] = [
        |room| room.hello(A, "Вы"),
        |room| room.receive(A, hello("")),
        |room| room.receive(A, hello("Борис")),
        |room| room.text(A, "early"),
        |room| room.receive(A, ClientMessage::Hello(Hello::new("Анна", 2))),
        |room| room.receive(A, ClientMessage::Pair),
        Room::nonsense_of_a,
    ];
    let from_somebody: [Say; 4] = [
        |room| room.receive(A, hello("Анна")),
        |room| room.text(A, "without an id"),
        |room| room.receive(A, ClientMessage::RemoveDevice { key: two::key(1).public() }),
        Room::nonsense_of_a,
    ];
    let mut cases: Vec<_> = from_a_guest.map(|say| (false, say)).into();
    cases.extend(from_somebody.map(|say| (true, say)));
    for (number, (has_joined, say)) in cases.into_iter().enumerate() {
        let mut room = Room::with(&[(B, "Борис")]);
        room.connect(A);
        if has_joined {
            room.receive(A, hello("Анна"));
        }
        for _ in 1..BAD_PAYLOADS_MAX {
            assert!(!has_closed(&say(&mut room)), "case {number}");
        }
        assert!(has_closed(&say(&mut room)), "case {number}");
        assert!(say(&mut room).is_empty(), "case {number}");
    }
}

#[test]
fn nothing_but_a_text_starts_the_count_again() {
    for (between, is_closed) in [
        (ClientMessage::Ping, true),
        (ClientMessage::Pong, true),
        (ClientMessage::History { room: "".into(), before: 1, limit: 1 }, true),
        (
            ClientMessage::Text {
                room: "".into(),
                content: "x".into(),
                id: Some("1".into()),
                reply: None,
            },
            false,
        ),
    ] {
        let mut room = Room::new();
        room.connect(A);
        room.receive(A, hello("Анна"));
        (1..BAD_PAYLOADS_MAX).for_each(|_| assert!(!has_closed(&room.nonsense(A))));
        room.receive(A, between.clone());
        let closed: Vec<_> = (1..BAD_PAYLOADS_MAX).map(|_| has_closed(&room.nonsense(A))).collect();
        assert_eq!(closed.contains(&true), is_closed, "{between:?}");
    }
}

#[test]
fn a_guest_of_an_address_that_has_joined_too_often_waits() {
    let mut room = Room::new();
    room.chat.set_rules(Rules { connections_per_address_max: 2, ..RULES });
    let id = |slot| ConnectionId { slot, generation: 0 };
    for slot in 0..8 {
        assert_eq!(held_until(&room.connect(id(slot)), id(slot)), None);
        for _ in 0..3 {
            assert_eq!(held_until(&room.hello(id(slot), "Вы"), id(slot)), None, "refused");
        }
    }
    for slot in 0..7 {
        room.hello(id(slot), &format!("n{slot}"));
    }
    assert_eq!(held_until(&room.connect(id(8)), id(8)), None);
    room.hello(id(7), "n7");
    let until = held_until(&room.connect(id(9)), id(9)).expect("eight have joined");
    assert_eq!(until, room.now + Duration::from_secs(32));
    let effects = room.hello(id(9), "Борис");
    assert_eq!(held_until(&effects, id(9)), None, "somebody in the room waits no more");
}

#[test]
fn reconnecting_gives_nobody_more_to_say() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.chat.set_rules(Rules { rate_limit: RateLimit::new(2, 1), ..RULES });
    let long = "x".repeat(10 << 10);
    let until = held_until(&room.text(A, &long), A).expect("eleven units");
    room.closed(A, CloseReason::Quit);
    room.pass(Duration::from_secs(2));
    room.connect(C);
    assert_eq!(held_until(&room.hello(C, "Анна"), C), Some(until));
    let later = held_until(&room.text(C, "x"), C).expect("twelve");
    assert_eq!(later, until + Duration::from_secs(1));
}

#[test]
fn connections_of_one_address_together_say_no_more_than_its_share() {
    let mut room = Room::new();
    let rate_limit = RateLimit::new(10, 5);
    room.chat.set_rules(Rules { rate_limit, connections_per_address_max: 64, ..RULES });
    let mut people: Vec<_> = (0..64).map(|slot| ConnectionId { slot, generation: 0 }).collect();
    for id in &people {
        room.connect(*id);
        room.hello(*id, &format!("n{}", id.slot));
    }
    let begin = room.now;
    let mut held: Vec<_> = people.drain(..).map(|id| (begin, id)).collect();
    let (mut texts, mut bytes) = ([0; 2], [0; 2]);
    // Everybody says one text of the largest size, or the smallest, as soon as they may.
    let content = ["x".to_owned(), "x".repeat(60 << 10)];
    let hour = Duration::from_hours(1);
    let mut number = 0;
    while let Some((at, id)) = held.iter().min().copied()
        && at < begin + hour
    {
        room.now = room.now.max(at);
        let size = number % 2;
        number += 1;
        texts[size] += 1;
        bytes[size] += content[size].len();
        let until = held_until(&room.text(id, &content[size]), id).unwrap_or(room.now);
        held.retain(|(_, other)| *other != id);
        held.push((until, id));
    }
    let units = texts[0] + 61 * texts[1];
    let share = 40 + 20 * 3_600 + 3 * 64 * 61; // And what each may say before it is held.
    assert!(units <= share, "{units} of {share}");
    assert!(bytes.iter().sum::<usize>() <= share << 10);
    assert!(20 * 3_600 <= units, "nor much less: {units}");
    let (last, guest) = (held[0].1, ConnectionId { slot: 64, generation: 0 });
    assert!(room.chat.limited_until(room.now, last).is_some_and(|until| room.now < until));
    room.connect(guest);
    assert_eq!(room.chat.limited_until(room.now, guest), None, "it may say hello");
}

impl Room {
    fn nonsense_of_a(&mut self) -> Vec<Effect> {
        self.nonsense(A)
    }
}
