//! Slow mode: each person says one thing in so long, and everything else goes on.

use std::time::Duration;

use pychat_server::core::{
    chat::{Action, CloseReason, Complaint, Effect, Event, Rules},
    moderation::Order,
    rate_limit::RateLimit,
    record::StorageError,
};
use pychat_wire::{ClientMessage, message::ErrorCode};

use super::{
    A, B, C, RULES, Room,
    invites::{complaint, requests},
    refused, tell, ticket, told,
    two::text,
};

const SECOND: Duration = Duration::from_secs(1);

fn slow(seconds: u64) -> Order {
    Order::Slow { seconds }
}

/// Returns the answer to a text with this id that comes so much too soon.
fn too_soon(id: &str, retry_ms: u64) -> Complaint {
    let words =
        format!("In slow mode, the next message can be sent in {} s", retry_ms.div_ceil(1_000));
    let (reference, retry_ms) = (Some(id.into()), Some(retry_ms));
    Complaint { reference, retry_ms, ..Complaint::new(ErrorCode::SlowDown, &words) }
}

/// Returns what the author of a text that came too soon is told once it may be said.
fn now_at_last(id: &str) -> Complaint {
    let words = "The next message can be sent now";
    let (reference, retry_ms) = (Some(id.into()), Some(0));
    Complaint { reference, retry_ms, ..Complaint::new(ErrorCode::SlowDown, words) }
}

fn is_taken(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| ticket(effect).is_some())
}

fn is_held(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|it| matches!(it, Effect::Connection { action: Action::PauseRead { .. }, .. }))
}

#[test]
fn who_speaks_too_soon_is_told_when_to_say_it_again_and_is_read_on() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let (said, _) = room.ordered(slow(30));
    assert_eq!(said, "Everybody may say one thing in 30 seconds.");
    let effects = room.receive(A, text("hi", "1"));
    assert!(is_taken(&effects) && !is_held(&effects), "{effects:?}");
    room.now += Duration::from_micros(500);
    for _ in 0..100 {
        assert_eq!(room.receive(A, text("hi", "2")), [refused(A, too_soon("2", 30_000))]);
    }
    assert_eq!(room.chat.limited_until(room.now, A), None);
    assert_eq!(room.receive(A, ClientMessage::Ping), [told(A, Event::Pong)]);
    let page = room.receive(A, ClientMessage::History { room: "".into(), before: 1, limit: 1 });
    assert!(matches!(page[..], [Effect::Connection { action: Action::Page { .. }, .. }]));
    room.now += 29 * SECOND;
    assert_eq!(room.receive(A, text("hi", "2")), [refused(A, too_soon("2", 1_000))]);
    room.now += SECOND;
    assert!(is_taken(&room.receive(A, text("hi", "2"))), "its time has come");
    assert!(!is_taken(&room.receive(A, text("hi", "3"))), "and begins anew");
    let endless = room.refused_order(slow(3_601));
    assert_eq!(endless, "Choose a time of at most 3600 seconds.");
}

#[test]
fn nothing_overtakes_what_came_too_soon() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.ordered(slow(30));
    let said = |room: &mut Room, id| is_taken(&room.receive(A, text("hi", id)));
    assert_eq!(["1", "2"].map(|id| said(&mut room, id)), [true, false]);
    room.now += 30 * SECOND;
    assert_eq!(room.receive(A, text("hi", "3")), [refused(A, too_soon("3", 5_000))]);
    assert_eq!(["2", "3"].map(|id| said(&mut room, id)), [true, false]);
    room.now += 30 * SECOND;
    assert!(!said(&mut room, "4"));
    room.now += 10 * SECOND;
    assert!(said(&mut room, "4"), "nobody waits for ever for a text that does not come again");
}

#[test]
fn a_refusal_comes_after_the_answer_to_what_was_said_before() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.ordered(slow(30));
    room.is_answered = false;
    let effects = room.receive(A, text("hi", "1"));
    let (ticket, _) = requests(&effects)[0];
    assert_eq!(room.receive(A, text("hi", "2")), []);
    let effects = room.answer(ticket, Err(StorageError::Full));
    let codes = effects.iter().filter_map(|effect| match effect {
        Effect::Tell { event: Event::Refused(complaint), .. } => Some(complaint.code),
        _ => None,
    });
    assert_eq!(codes.collect::<Vec<_>>(), [ErrorCode::Storage, ErrorCode::SlowDown]);
}

#[test]
fn a_person_says_no_more_by_more_connections_or_by_coming_back() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.join(B, "Анна", 1);
    room.join(C, "Борис", 2);
    room.ordered(slow(30));
    assert!(is_taken(&room.receive(A, text("hi", "1"))));
    assert_eq!(room.receive(B, text("hi", "2")), [refused(B, too_soon("2", 30_000))]);
    assert!(is_taken(&room.receive(C, text("hi", "1"))), "somebody else may speak");
    for id in [A, B] {
        room.closed(id, CloseReason::Quit);
    }
    room.join(A, "Анна", 1); // Which takes two seconds.
    assert_eq!(complaint(&room.receive(A, text("hi", "2")), A), &too_soon("2", 28_000));
}

#[test]
fn another_time_or_none_counts_from_now_on_for_everybody() {
    for seconds in [0, 5] {
        let mut room = Room::new();
        room.join(A, "Анна", 1);
        room.ordered(slow(3_600));
        assert!(is_taken(&room.receive(A, text("hi", "1"))));
        room.receive(A, text("hi", "2"));
        let (_, effects) = room.ordered(slow(seconds));
        assert_eq!(effects, [refused(A, now_at_last("2"))]);
        assert!(is_taken(&room.receive(A, text("hi", "2"))), "nobody waits for the old time");
        assert_eq!(is_taken(&room.receive(A, text("hi", "3"))), seconds == 0);
    }
}

#[test]
fn operators_are_not_slowed_down_from_when_they_are_to_when_they_are_not() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.ordered(slow(3_600));
    let mut ids = (1..).map(|number: u32| number.to_string());
    let mut speak = |room: &mut Room| is_taken(&room.receive(A, text("hi", &ids.next().unwrap())));
    assert_eq!([speak(&mut room), speak(&mut room)], [true, false]);
    let (_, effects) = room.ordered(Order::AddOperator { name: "Анна".to_owned() });
    assert_eq!(effects[..2], [refused(A, now_at_last("2")), told(A, Event::Operator(true))]);
    assert_eq!([speak(&mut room), speak(&mut room)], [true, true]);
    room.ordered(Order::RemoveOperator { name: "Анна".to_owned() });
    assert_eq!([speak(&mut room), speak(&mut room)], [true, false]);
}

#[test]
fn a_guest_of_protocol_1_is_told_in_a_sentence_and_can_leave_at_once() {
    let mut room = Room::with(&[(A, "Борис")]);
    room.ordered(slow(30));
    assert!(is_taken(&room.text(A, "hi")));
    room.now += Duration::from_millis(10_500);
    let sentence = "Not sent. In slow mode, the next message can be sent in 20 s.";
    assert_eq!(room.text(A, "hi"), [tell(A, sentence)]);
    assert_eq!(room.chat.limited_until(room.now, A), None);
    room.now += 20 * SECOND;
    assert!(is_taken(&room.text(A, "hi")));
}

#[test]
fn what_is_refused_costs_what_it_would_have_cost() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let rate_limit = RateLimit::new(3, 1);
    room.chat.set_rules(Rules { rate_limit, ..RULES });
    room.ordered(slow(30));
    for (id, is_slowed) in [("1", false), ("2", false), ("3", true)] {
        assert_eq!(is_held(&room.receive(A, text("hi", id))), is_slowed, "{id}");
    }
}

#[test]
fn who_has_just_spoken_waits_over_a_restart_too() {
    for (seconds, retry_ms) in [(30, Some(20_000)), (5, Some(5_000)), (0, None)] {
        let mut room = Room::new();
        room.join(A, "Анна", 1);
        room.ordered(slow(30));
        assert!(is_taken(&room.receive(A, text("hi", "1"))));
        room.now += 10 * SECOND;
        let saved = room.chat.saved(room.now, A).expect("it is here");
        let mut next = Room::new();
        next.ordered(slow(seconds));
        assert!(next.chat.restore(next.now, A, saved));
        let expected = retry_ms.map(|retry_ms| refused(A, too_soon("2", retry_ms)));
        let effects = next.receive(A, text("hi", "2"));
        assert_eq!(is_taken(&effects), expected.is_none());
        assert!(expected.is_none_or(|expected| effects == [expected]));
    }
}
