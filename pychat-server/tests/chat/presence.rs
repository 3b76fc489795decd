//! Presence: people who stay are announced to the others, and people who come and go are not.

use std::time::Duration;

use pychat_server::core::{
    chat::{ANNOUNCED_AT_ONCE_MAX, CloseReason, Effect, Event, Recipients},
    id::HALL,
    record::Request,
};

use super::{A, ANNOUNCE_AFTER, B, C, ConnectionId, Room, arrive, depart, name};

const MOMENT: Duration = Duration::from_nanos(1);

#[test]
fn who_comes_and_goes_is_heard_by_nobody() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    room.hello(B, "Борис");
    assert_eq!(room.pass(ANNOUNCE_AFTER.saturating_sub(MOMENT)), []);
    assert_eq!(room.closed(B, CloseReason::Quit), []);
    assert_eq!(room.pass(ANNOUNCE_AFTER), []);
    assert_eq!(room.chat.next_deadline(), None);
}

#[test]
fn who_knew_somebody_by_their_welcome_hears_that_they_left() {
    let mut room = Room::with(&[(A, "Анна")]);
    for (id, name) in [(B, "Борис"), (ConnectionId { slot: 7, generation: 0 }, "Вера")] {
        room.connect(id);
        room.hello(id, name);
    }
    let (name, reason) = (name("Борис"), CloseReason::Lost);
    let to = Recipients::JoinedWithin(HALL, 2..3);
    let depart = Effect::Tell { to, event: Event::Left { name, reason } };
    assert_eq!(room.closed(B, reason), [depart], "Вера does, who joined third; Анна does not");
    assert_eq!(room.pass(ANNOUNCE_AFTER), [arrive(&[("Вера", 2)])]);
}

#[test]
fn who_says_something_is_announced_right_before_it_and_once() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(B);
    room.hello(B, "Борис");
    let effects = room.text(B, "x");
    let [first, Effect::Store { request: Request::Append { .. }, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(first, &arrive(&[("Борис", 1)]));
    assert_eq!(room.text(B, "y").len(), 1);
    assert_eq!(room.pass(ANNOUNCE_AFTER), []);
    let reason = CloseReason::Quit;
    assert_eq!(room.closed(B, reason), [depart("Борис", reason)]);
}

#[test]
fn a_crowd_is_announced_in_join_order_and_not_all_at_once() {
    let mut room = Room::new();
    let crowd = u32::try_from(2 * ANNOUNCED_AT_ONCE_MAX + 1).unwrap();
    for slot in (0..crowd).rev() {
        let id = ConnectionId { slot, generation: 0 };
        room.connect(id);
        room.hello(id, &format!("n{slot}"));
    }
    let mut wait = ANNOUNCE_AFTER;
    let mut announced = 0;
    for n_expected in [ANNOUNCED_AT_ONCE_MAX, ANNOUNCED_AT_ONCE_MAX, 1] {
        let moment = Duration::from_millis(1);
        assert_eq!(room.pass(wait.saturating_sub(moment)), []);
        let effects = room.pass(moment);
        let [Effect::Tell { event: Event::Joined { people }, .. }] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert!(people.is_sorted_by_key(|(_, index)| *index));
        assert_eq!(people.len(), n_expected);
        announced += people.len();
        wait = ANNOUNCE_AFTER / 20;
    }
    assert_eq!((announced, room.chat.next_deadline()), (crowd as usize, None));
}

#[test]
fn before_a_restart_everybody_is_announced() {
    let mut room = Room::with(&[(A, "Анна")]);
    room.connect(C);
    room.hello(C, "Вера");
    let mut effects = Vec::new();
    room.chat.announce_all(&mut effects);
    assert_eq!(effects, [arrive(&[("Вера", 1)])]);
    assert_eq!(room.pass(ANNOUNCE_AFTER), []);
}
