//! Marks of what was seen, here and elsewhere, what is new after them, and who is typing.

use super::*;

fn mark(room: &str, seq: u64) -> String {
    format!(r#"{{"type":"read","room":"{room}","seq":{seq}}}"#)
}

fn within_other(
    messages: impl IntoIterator<Item = ServerMessage<'static>>,
) -> Vec<ServerMessage<'static>> {
    messages.into_iter().map(|message| within("r7", message)).collect()
}

#[test]
fn the_server_is_told_what_was_seen_once_a_second_and_room() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&within_other((11..=15).map(live)));
    stage.hear(&[live(1)]);
    stage.client.see(&other(), 11);
    stage.client.see(&other(), 12);
    stage.client.see(&hall(), 1);
    assert!(stage.written().is_empty(), "when it is due");
    stage.pass(0);
    assert_eq!(stage.written(), [r#"{"type":"read","seq":1}"#, &mark("r7", 12)]);
    stage.client.see(&other(), 13);
    stage.client.see(&other(), 14);
    stage.pass(READ_MS_MIN - 1);
    assert!(stage.written().is_empty());
    stage.pass(1);
    assert_eq!(stage.written(), [mark("r7", 14)]);
    stage.client.see(&other(), 14);
    stage.client.see(&other(), 3);
    stage.pass(5_000);
    assert!(stage.written().is_empty(), "it is no news");
    stage.client.see(&other(), 99);
    stage.pass(0);
    assert_eq!(stage.written(), [mark("r7", 15)], "no more than was shown");
}

#[test]
fn what_was_seen_without_a_line_is_told_on_the_next_one() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&within_other([live(11)]));
    stage.cut();
    stage.client.see(&other(), 11);
    let room = || read(described("r7", 11), 10, 1);
    stage.enter_all(0, vec![room()]);
    assert_eq!(stage.client.unread(&other()), 0);
    stage.pass(0);
    assert_eq!(stage.written()[1..], [mark("r7", 11)]);
    let mut stage = stage.killed();
    stage.client = stage.client.beginning(Begin::LastPage(5));
    assert_eq!(stage.client.seen(&other()), 11);
    stage.enter_all(0, vec![room()]);
    stage.pass(0);
    assert_eq!(stage.written()[1..], [mark("r7", 11)], "the last one may have been lost");
}

#[test]
fn who_reads_nothing_tells_nothing() {
    let mut stage = Stage::back(10);
    stage.enter(EPOCH, 12);
    stage.hear(&[replayed(11), replayed(12), live(13)]);
    stage.written();
    stage.pass(5_000);
    assert!(stage.written().is_empty());
    let saved = serde_json::to_value(stage.client.saved()).unwrap();
    assert_eq!(saved["rooms"][""], serde_json::json!({ "seq": 13 }));
}

#[test]
fn what_another_device_has_seen_is_seen() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&within_other((11..=13).map(live)));
    let told = |seq| ServerMessage::Read { room: "r7".into(), seq };
    let events = stage.hear(&[told(12), told(11), told(12), told(99)]);
    let expected = [12, 13].map(|seq| Event::Read { room: other(), seq });
    assert_eq!(events, expected, "no further than there is");
    assert_eq!((stage.client.seen(&other()), stage.client.unread(&other())), (13, 0));
    assert_eq!(stage.client.saved().seen(&other()), 13);
    stage.client.see(&other(), 13);
    stage.pass(5_000);
    assert!(stage.written().is_empty(), "the server knows");
    assert_eq!(stage.hear(&[ServerMessage::Read { room: "r8".into(), seq: 1 }]), []);
}

#[test]
fn what_another_device_has_seen_is_seen_also_where_it_is_yet_to_come_here() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&within_other([live(11)]));
    let events = stage.hear(&[ServerMessage::Read { room: "r7".into(), seq: 13 }]);
    assert_eq!(events, [Event::Read { room: other(), seq: 11 }]);
    for (seq, seen, unread) in [(12, 12, 0), (13, 13, 0), (14, 13, 1)] {
        stage.hear(&within_other([live(seq)]));
        assert_eq!((stage.client.seen(&other()), stage.client.unread(&other())), (seen, unread));
        assert_eq!(stage.client.saved().seen(&other()), seen);
    }
    stage.pass(5_000);
    assert!(stage.written().is_empty(), "the server knows");
}

#[test]
fn a_mark_that_the_server_did_not_keep_is_told_again() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&within_other((11..=13).map(live)));
    stage.client.see(&other(), 13);
    stage.pass(0);
    assert_eq!(stage.written(), [mark("r7", 13)]);
    let kept = |seq| ServerMessage::Read { room: "r7".into(), seq };
    assert_eq!(stage.hear(&[kept(11)]), []);
    stage.pass(READ_MS_MIN - 1);
    assert!(stage.written().is_empty(), "not at once");
    stage.pass(1);
    assert_eq!((stage.written(), stage.client.seen(&other())), (vec![mark("r7", 13)], 13));
    assert_eq!(stage.hear(&[kept(13)]), []);
    stage.pass(5_000);
    assert!(stage.written().is_empty(), "the server knows");
}

#[test]
fn what_we_say_ourselves_moves_the_mark() {
    let mut stage = Stage::in_two_rooms(10);
    let ours = MessageId::new(Secret::new([1; 32]), 1);
    stage.hear(&within_other([live(11), live(12)]));
    assert_eq!(stage.client.unread(&other()), 2);
    stage.hear(&within_other([copy(13, &ours, false, false), live(14)]));
    assert_eq!((stage.client.seen(&other()), stage.client.unread(&other())), (13, 1));
    assert_eq!(stage.client.saved().seen(&other()), 13);
    stage.pass(5_000);
    assert!(stage.written().is_empty(), "the server knows");
}

#[test]
fn messages_of_others_after_the_mark_are_counted() {
    let mut stage = Stage::window(Saved::default());
    stage.enter_all(0, vec![read(described("r7", 10), 4, 5)]);
    let unread = |stage: &Stage| stage.client.unread(&other());
    assert_eq!(unread(&stage), 5, "one was an event, perhaps");
    let joined = event(11, RoomEvent::Joined, None);
    stage.hear(&within_other([joined, live(12)]));
    assert_eq!(unread(&stage), 6);
    // A page shows which of them there are.
    stage.client.request_history(&other(), 3);
    let page = |before, start| ServerMessage::Page { room: HALL.into(), before, count: 3, start };
    stage.hear(&within_other([replayed(7), replayed(9), replayed(10), page(11, false)]));
    assert_eq!(unread(&stage), 6);
    stage.client.see(&other(), 9);
    assert_eq!(unread(&stage), 2);
    stage.client.see(&other(), 12);
    assert_eq!(unread(&stage), 0);
}

#[test]
fn what_is_replayed_is_counted_once() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&within_other([live(11)]));
    stage.cut();
    stage.enter_all(0, vec![read(described("r7", 14), 10, 3)]);
    let unread = |stage: &Stage| stage.client.unread(&other());
    assert_eq!(unread(&stage), 3);
    for (seq, n_unread) in [(12, 3), (14, 3)] {
        stage.hear(&within_other([replayed(seq)]));
        assert_eq!(unread(&stage), n_unread);
    }
    stage.hear(&within_other([live(15)]));
    assert_eq!(unread(&stage), 4);
    stage.client.see(&other(), 12);
    assert_eq!(unread(&stage), 2);
}

#[test]
fn what_was_skipped_counts_as_the_server_said() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&within_other([live(11)]));
    stage.cut();
    stage.enter_all(0, vec![read(described("r7", 1_000), 10, 80)]);
    let skip = ServerMessage::Skip { room: HALL.into(), from: 12, to: 998 };
    stage.hear(&within_other([skip, replayed(999), replayed(1_000)]));
    assert_eq!(stage.client.unread(&other()), 80);
    stage.client.see(&other(), 999);
    assert_eq!(stage.client.unread(&other()), 1);
}

#[test]
fn nobody_counts_further_than_to_ninety_nine() {
    let mut stage = Stage::in_two_rooms(0);
    stage.hear(&within_other((1..=300).map(live)));
    assert_eq!(stage.client.unread(&other()), UNREAD_MAX);
    stage.client.see(&other(), 150);
    assert_eq!(stage.client.unread(&other()), UNREAD_MAX);
    stage.client.see(&other(), 298);
    assert_eq!(stage.client.unread(&other()), 2);
    let mut stage = Stage::window(Saved::default());
    stage.enter_all(0, vec![read(described("r7", 300), 0, 99)]);
    stage.client.see(&other(), 150);
    assert_eq!(stage.client.unread(&other()), UNREAD_MAX, "there may be as many as numbers");
    stage.client.see(&other(), 290);
    assert_eq!(stage.client.unread(&other()), 10);
}

#[test]
fn typing_is_told_once_in_three_seconds_and_not_late() {
    let typing = r#"{"type":"typing","room":"r7"}"#;
    let mut stage = Stage::in_two_rooms(0);
    stage.client.typing(&other());
    stage.client.typing(&"r8".into());
    stage.client.typing(&other());
    stage.pass(0);
    assert_eq!(stage.written(), [typing]);
    stage.client.typing(&other());
    stage.pass(TYPING_MS_MIN);
    assert!(stage.written().is_empty(), "nothing is sent later than it was meant");
    stage.client.typing(&hall());
    stage.client.typing(&other());
    stage.pass(0);
    assert_eq!(stage.written(), [r#"{"type":"typing"}"#, typing]);
    // What was said is typed no more.
    stage.pass(TYPING_MS_MIN);
    stage.client.typing(&other());
    stage.client.say(&other(), "x").unwrap();
    stage.pass(0);
    assert!(stage.written().iter().all(|payload| !payload.contains("typing")));
    let told = [other(), "r8".into()].map(|room: RoomId| ServerMessage::Typing {
        room: room.as_str().to_owned().into(),
        username: "Борис".into(),
    });
    assert_eq!(stage.hear(&told), [Event::Typing { room: other(), name: "Борис".into() }]);
}
