//! Every message once and in order, whatever the server repeats, skips or forgets.

use super::{super::record::Record, *};

#[test]
fn a_number_is_shown_once_and_in_order() {
    let gap = |from, to| ServerMessage::Gap { room: "".into(), from, to };
    let ours = MessageId::new(Secret::new([1; 32]), 1);
    for (heard, told) in [
        (vec![live(11), live(12)], vec!["11", "12"]),
        (vec![live(11), live(11), live(10), live(12)], vec!["11", "12"]),
        (vec![replayed(11), live(11), replayed(12)], vec!["11", "12"]),
        // A jump without a word is a gap.
        (vec![live(14), live(12), live(15)], vec!["gap 11-13", "14", "15"]),
        (
            vec![live(u64::MAX), live(11)],
            vec!["gap 11-18446744073709551614", "18446744073709551615"],
        ),
        // A gap counts from where we are.
        (vec![gap(11, 13), live(14)], vec!["gap 11-13", "14"]),
        (vec![gap(5, 13), live(13), live(14)], vec!["gap 11-13", "14"]),
        (vec![gap(12, 13), live(14)], vec!["gap 11-13", "14"]),
        (vec![gap(1, 10), gap(11, 10), gap(9, 2), live(11)], vec!["11"]),
        (vec![gap(0, u64::MAX), live(11), live(u64::MAX)], vec!["gap 11-18446744073709551615"]),
        // An answer to a text that was sent twice has its place elsewhere.
        (vec![copy(12, &ours, true, false), replayed(11), replayed(12)], vec!["11", "12"]),
        (vec![copy(3, &ours, true, false), live(11)], vec!["11"]),
        // Nobody asked for a page.
        (
            vec![
                replayed(9),
                ServerMessage::Page { room: "".into(), before: 10, count: 1, start: true },
                live(11),
            ],
            vec!["11"],
        ),
    ] {
        let mut stage = Stage::joined(10);
        assert_told(&stage.hear(&heard), &told);
    }
}

#[test]
fn what_was_missed_comes_on_the_next_line() {
    let mut stage = Stage::joined(10);
    stage.hear(&[live(11)]);
    stage.cut();
    let written = stage.enter(EPOCH, 13);
    assert!(written[0].contains(r#""rooms":{"":11}}"#), "{written:?}");
    let events = stage.hear(&[replayed(12), replayed(13), live(14)]);
    assert_told(&events, &["12", "13", "14"]);
    let [Event::Message(twelve), _, Event::Message(fourteen)] = &events[..] else { panic!() };
    assert!(twelve.replayed && !fourteen.replayed);
    assert_eq!((twelve.time_ms, twelve.author.as_str()), (Some(12), "Борис"));
}

#[test]
fn another_log_is_shown_from_its_beginning() {
    let gap = |from, to| ServerMessage::Gap { room: "".into(), from, to };
    for (first, told) in [
        (vec![gap(1, 10)], vec!["1", "2", "3"]),
        (vec![gap(1, 10), gap(1, 1)], vec!["gap 1-1", "2", "3"]),
        // One gap and the other look alike: the first is of the old log.
        (vec![gap(1, 10), gap(1, 10)], vec!["gap 1-10"]),
    ] {
        let mut stage = Stage::joined(10);
        stage.cut();
        stage.client.connected(0);
        let events = stage.hear(&[greeting("new"), welcome("new", 3)]);
        assert_told(&events, &["back", "new epoch"]);
        let heard = [first, vec![replayed(1), replayed(2), live(3)]].concat();
        assert_told(&stage.hear(&heard), &told);
        assert!(!stage.client.request_history(&hall(), 10), "all of it was shown");
    }
}

#[test]
fn a_log_that_lost_its_end_goes_on_from_there() {
    let mut stage = Stage::joined(10);
    stage.cut();
    stage.client.connected(0);
    let events = stage.hear(&[greeting(EPOCH), welcome(EPOCH, 7)]);
    assert_told(&events, &["back", "gap 8-10"]);
    let gap = ServerMessage::Gap { room: "".into(), from: 8, to: 10 };
    assert_told(&stage.hear(&[gap, live(8), live(9)]), &["8", "9"]);
    assert_eq!(stage.client.saved().seq(&hall()), 9);
}

#[test]
fn only_what_was_taken_counts_as_shown() {
    let mut stage = Stage::joined(10);
    stage.client.take_saved();
    let mut wire = Vec::new();
    live(11).encode(&mut wire);
    live(12).encode(&mut wire);
    stage.client.receive(0, &wire);
    assert_eq!(stage.client.take_saved(), None);
    assert!(matches!(stage.client.next_event(), Some(Event::Message(_))));
    assert_eq!(stage.client.take_saved().map(|saved| saved.seq(&hall())), Some(11));
    assert_eq!(stage.client.take_saved(), None);
    let mut stage = stage.killed();
    assert!(stage.enter(EPOCH, 12)[0].contains(r#""rooms":{"":11}}"#));
    assert_told(&stage.hear(&[replayed(12)]), &["12"]);
}

#[test]
fn older_messages_come_a_page_at_a_time() {
    let page = |before, start| ServerMessage::Page { room: "".into(), before, count: 2, start };
    let mut stage = Stage::joined(10);
    stage.written();
    assert_eq!(stage.client.past(&hall()), Past::Kept);
    assert!(stage.client.request_history(&hall(), 2));
    assert_eq!(stage.client.past(&hall()), Past::Asked);
    assert!(!stage.client.request_history(&hall(), 2), "one at a time");
    assert_eq!(stage.written(), [r#"{"type":"history","before":11,"limit":2}"#]);
    let events =
        stage.hear(&[replayed(9), page(9, false), live(11), replayed(10), page(11, false)]);
    assert_told(&events, &["11", "page [9 10] false"]);

    assert!(stage.client.request_history(&hall(), 1_000));
    assert_eq!(stage.written(), [r#"{"type":"history","before":9,"limit":500}"#]);
    stage.hear(&[replayed(7)]);
    stage.cut();
    assert_eq!(stage.client.past(&hall()), Past::None, "not in the room");
    assert_eq!(stage.enter(EPOCH, 12)[1], r#"{"type":"history","before":9,"limit":500}"#);
    // What came of it on the line that broke is not part of it: 7 is no longer kept.
    let events = stage.hear(&[replayed(12), replayed(8), page(9, true)]);
    assert_told(&events, &["12", "page [8] true"]);
    assert_eq!(stage.client.past(&hall()), Past::None, "nothing older exists");
    assert!(!stage.client.request_history(&hall(), 2));
}

#[test]
fn what_is_shown_no_more_can_be_asked_for_again() {
    let page = |before, start| ServerMessage::Page { room: "".into(), before, count: 2, start };
    let mut stage = Stage::joined(10);
    stage.client.request_history(&hall(), 2);
    stage.hear(&[replayed(1), page(11, true)]);
    assert_eq!(stage.client.past(&hall()), Past::None, "all of it was shown");
    stage.client.forget_before(&hall(), 13);
    assert_eq!(stage.client.past(&hall()), Past::None, "there is no 12 yet");
    stage.hear(&[live(11), live(12), live(13)]);
    stage.client.forget_before(&hall(), 12);
    assert_eq!(stage.client.past(&hall()), Past::Kept);
    stage.written();
    assert!(stage.client.request_history(&hall(), 2));
    assert_eq!(stage.written(), [r#"{"type":"history","before":12,"limit":2}"#]);

    // The page that is on its way would leave a hole.
    stage.client.forget_before(&hall(), 13);
    assert!(stage.client.request_history(&hall(), 2));
    assert_eq!(stage.written(), [r#"{"type":"history","before":13,"limit":2}"#]);
    stage.client.forget_before(&hall(), 13); // It ends there as it is.
    let heard = [replayed(10), replayed(11), page(12, false)];
    let wanted = [replayed(11), replayed(12), page(13, false)];
    assert_told(&stage.hear(&[heard, wanted].concat()), &["page [11 12] false"]);
}

#[test]
fn pages_go_on_from_wherever_one_was_asked_for() {
    let page = |before, start| ServerMessage::Page { room: "".into(), before, count: 2, start };
    let mut stage = Stage::joined(100);
    assert!(!stage.client.request_history_before(&hall(), 102, 2), "there is no 101 yet");
    stage.written();
    assert!(stage.client.request_history_before(&hall(), 41, 2));
    assert!(!stage.client.request_history_before(&hall(), 61, 2), "one at a time");
    assert_eq!(stage.written(), [r#"{"type":"history","before":41,"limit":2}"#]);
    let told = stage.hear(&[replayed(39), replayed(40), live(101), page(41, false)]);
    assert_told(&told, &["101", "page [39 40] false"]);
    // What comes after that leaves the way back as it is.
    assert!(stage.client.request_history_before(&hall(), 43, 2));
    assert_told(
        &stage.hear(&[replayed(41), replayed(42), page(43, false)]),
        &["page [41 42] false"],
    );
    stage.written();
    stage.client.request_history(&hall(), 2);
    assert_eq!(stage.written(), [r#"{"type":"history","before":39,"limit":2}"#]);
    stage.hear(&[replayed(1), page(39, true)]);
    assert_eq!(stage.client.past(&hall()), Past::None);
    stage.client.forget_before(&hall(), 101);
    stage.written();
    stage.client.request_history(&hall(), 2);
    assert_eq!(stage.written(), [r#"{"type":"history","before":101,"limit":2}"#]);
    // Where nothing is kept there, it is as if that had not been asked for.
    stage.hear(&[replayed(100), page(101, false)]);
    stage.client.request_history_before(&hall(), 3, 2);
    stage.hear(&[page(3, true)]);
    stage.written();
    stage.client.request_history(&hall(), 2);
    assert_eq!(stage.written(), [r#"{"type":"history","before":100,"limit":2}"#]);
}

#[test]
fn a_window_that_missed_too_much_is_sent_the_last_of_it_and_may_ask_for_the_rest() {
    let page = |before, start| ServerMessage::Page { room: "".into(), before, count: 2, start };
    let mut stage = Stage::window(saved(10));
    stage.enter(EPOCH, 10);
    stage.hear(&[page(11, false)]);
    stage.cut();
    let written = stage.enter(EPOCH, 1_013);
    assert!(written[0].contains(r#""rooms":{"":10},"limit":500}"#), "{written:?}");
    let skip = ServerMessage::Skip { room: "".into(), from: 11, to: 1_010 };
    let told = stage.hear(&[skip, replayed(1_011), replayed(1_012), live(1_013)]);
    assert_told(&told, &["skipped 11-1010", "1011", "1012", "1013"]);
    assert_eq!(
        (stage.client.saved().seq(&hall()), stage.client.saved().seen(&hall())),
        (1_013, 10)
    );
    // Unasked, it is no more than a gap.
    let skip = ServerMessage::Skip { room: "".into(), from: 1_014, to: 1_020 };
    assert_told(&stage.hear(&[skip]), &["gap 1014-1020"]);
    stage.client.forget_before(&hall(), 1_011);
    stage.client.request_history(&hall(), 2);
    assert_eq!(stage.written(), [r#"{"type":"history","before":1011,"limit":2}"#]);
}

#[test]
fn what_was_seen_is_known_apart_from_what_was_shown() {
    let mut stage = Stage::window(saved(10));
    stage.enter(EPOCH, 10);
    stage.hear(&[live(11), live(12)]);
    assert_eq!(
        stage.client.saved().seen(&hall()),
        10,
        "before this was known, what was shown was seen"
    );
    stage.client.take_saved();
    for (seq, seen) in [(11, Some(11)), (11, None), (5, None), (99, Some(12))] {
        stage.client.see(&hall(), seq);
        assert_eq!(stage.client.take_saved().map(|saved| saved.seen(&hall())), seen, "up to {seq}");
    }
    stage.hear(&[live(13), live(14)]);
    let mut stage = stage.killed();
    stage.client = stage.client.beginning(Begin::LastPage(3));
    stage.enter(EPOCH, 15);
    assert_eq!((stage.client.saved().seen(&hall()), stage.client.welcomed_at(&hall())), (12, 15));

    // A log that lost its end, another one meanwhile, another one after a restart.
    stage.cut();
    stage.enter(EPOCH, 11);
    assert_eq!(stage.client.saved().seen(&hall()), 11);
    stage.cut();
    stage.pass(2_000);
    stage.enter("new", 7);
    assert_eq!(stage.client.saved().seen(&hall()), 0);
    let mut stage = Stage::window(saved(10));
    stage.enter("new", 7);
    assert_eq!(stage.client.saved().seen(&hall()), 0, "it belonged to the other one");
}

#[test]
fn the_first_page_goes_back_to_what_was_not_seen_if_it_can() {
    for (here, elsewhere, seq, limit) in [
        (100, 0, 100, 50),
        (80, 0, 100, 50),
        (40, 0, 100, 85),
        (0, 40, 100, 85),
        (40, 100, 100, 50),
        (0, 0, 501, 50),
    ] {
        let mut stage = Stage::window(saved(here));
        stage.client.connected(0);
        let mut welcome = welcome(EPOCH, seq);
        if let ServerMessage::Welcome { rooms, .. } = &mut welcome {
            rooms.0[0].read = elsewhere;
        }
        stage.hear(&[greeting(EPOCH), welcome]);
        let asked = format!(r#"{{"type":"history","before":{},"limit":{limit}}}"#, seq + 1);
        assert_eq!(stage.written()[1], asked, "seen {here} and {elsewhere} of {seq}");
    }
}

#[test]
fn a_page_takes_what_was_asked_for_and_no_more() {
    let end = ServerMessage::Page { room: "".into(), before: 11, count: 2, start: false };
    for (heard, told) in [
        (vec![8, 9, 10], "page [8 9] false"),
        (vec![9, 8, 9, 10], "page [9 10] false"),
        (vec![10, 10], "page [10] false"),
        (vec![], "page [] false"),
    ] {
        let mut stage = Stage::joined(10);
        stage.client.request_history(&hall(), 2);
        let mut heard: Vec<_> = heard.into_iter().map(replayed).collect();
        heard.push(end.clone());
        assert_told(&stage.hear(&heard), &[told]);
    }
}

#[test]
fn pages_that_never_end_are_cut_off_all_together() {
    let mut stage = Stage::window(saved(10));
    stage.enter_all(10, vec![described("r7", 10)]);
    let r7 = RoomId::from("r7");
    stage.client.request_history(&r7, 500);
    let message = |room: &RoomId, seq| {
        Record::Message(Message {
            room: room.clone(),
            seq: Some(seq),
            time_ms: None,
            author: String::new(),
            state: MessageState::new("x".repeat(PAGE_BYTES_MAX / 5 - 1_000)),
            reply: None,
            own: false,
            id: None,
            replayed: true,
        })
    };
    let rooms = &mut stage.client.rooms;
    for seq in 1..=3 {
        for room in [&hall(), &r7] {
            assert!(rooms.place(room, seq, message(room, seq)).is_none());
        }
    }
    let page = rooms.on_page(&hall(), 11, false).unwrap();
    assert_eq!(page.messages.len(), 3);
    for seq in 4..=10 {
        rooms.place(&r7, seq, message(&r7, seq));
    }
    assert_eq!(rooms.on_page(&r7, 11, false).unwrap().messages.len(), 5);
}

#[test]
fn a_page_that_is_amended_on_its_way_does_not_grow_without_a_limit() {
    let mut stage = Stage::window(saved(10));
    stage.enter_all(10, Vec::new());
    stage.client.request_history(&hall(), 50);
    for seq in 1..=6 {
        stage.hear(&[replayed(seq)]);
    }
    let words = "x".repeat(PAGE_BYTES_MAX / 4);
    for (seq, target) in (11..).zip([1, 2, 3, 4, 1, 5]) {
        let amended = Amended {
            room: hall(),
            seq,
            time_ms: seq,
            author: String::new(),
            own: false,
            id: None,
            replayed: false,
            amendment: Amendment::Edit { target, content: Some(words.as_str().into()) }
                .into_owned(),
        };
        assert!(stage.client.rooms.place(&hall(), seq, Record::Amended(amended)).is_some());
    }
    let page = stage.client.rooms.on_page(&hall(), 11, false).unwrap();
    let sizes = page.messages.iter().map(|it| (it.seq.unwrap(), it.state.content.len()));
    let long = words.len();
    assert_eq!(sizes.collect::<Vec<_>>(), [(1, long), (2, long), (3, long), (6, 1)]);
}
