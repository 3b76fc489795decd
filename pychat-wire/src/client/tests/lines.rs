//! Lines that break, fall silent, or are closed with a reason; when to come back.

use super::*;

#[test]
fn a_broken_line_is_made_again_at_once_and_then_ever_later() {
    let mut stage = Stage::joined(0);
    stage.client.disconnected(0);
    assert_told(&stage.told(), &["offline Lost Some(0)", "connect"]);
    for expected_ms in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000] {
        stage.client.disconnected(stage.now);
        let told = stage.told();
        let [Event::Offline { cause: Cause::Unreachable, retry_at_ms: Some(at) }] = told[..] else {
            panic!("{told:?}")
        };
        let delay_ms = at - stage.now;
        assert!((expected_ms * 3 / 4..=expected_ms * 5 / 4).contains(&delay_ms), "{delay_ms}");
        assert_eq!(stage.pass(delay_ms - 1), []);
        assert_told(&stage.pass(1), &["connect"]);
    }
}

#[test]
fn what_was_not_written_goes_with_its_line() {
    let mut stage = Stage::joined(0);
    stage.written();
    stage.say("раз");
    stage.client.disconnected(0);
    assert!(stage.written().is_empty());
    assert_eq!(stage.enter(EPOCH, 0).len(), 2, "a hello, and the text once");
}

#[test]
fn clients_do_not_come_back_in_step() {
    let delay = |seed| {
        let client = Client::new(anna(), Saved::default(), [seed; 32]).persistent();
        let mut stage = Stage::of(client);
        stage.client.disconnected(0);
        stage.client.next_deadline().unwrap()
    };
    let delays: std::collections::HashSet<_> = (0..20).map(delay).collect();
    assert!(15 < delays.len(), "{delays:?}");
}

#[test]
fn who_was_in_the_room_for_a_while_begins_anew() {
    let pong = [ServerMessage::Pong];
    for (stay_ms, at_once) in [(STEADY_MS - 1, false), (STEADY_MS, true)] {
        let mut stage = Stage::joined(0);
        stage.cut();
        stage.client.disconnected(0); // At once was of no use.
        stage.pass(1_250);
        stage.enter(EPOCH, 0);
        stage.pass(stay_ms / 2);
        stage.hear(&pong);
        stage.pass(stay_ms.div_ceil(2));
        stage.client.disconnected(stage.now);
        assert_eq!(stage.told().contains(&Event::Connect), at_once, "{stay_ms}");
    }
}

#[test]
fn a_first_attempt_that_fails_is_told_and_not_repeated() {
    let mut stage = Stage::new();
    stage.client.disconnected(0);
    assert_told(&stage.told(), &["connect", "offline Unreachable None"]);
    assert_eq!(stage.client.next_deadline(), None);
    stage.client.wake(5);
    assert_eq!(stage.told(), []);
    stage.client.reconnect();
    stage.client.connected(6);
    stage.client.disconnected(7);
    assert_told(&stage.told(), &["connect", "offline CutShort None"]);
}

#[test]
fn waking_comes_back_at_once() {
    let mut stage = Stage::joined(0);
    stage.cut();
    stage.client.disconnected(0);
    stage.told();
    stage.client.wake(1);
    assert_told(&stage.told(), &["connect"]);
    stage.client.wake(2);
    assert_eq!(stage.told(), [], "one line at a time");
}

#[test]
fn waking_makes_the_line_prove_itself() {
    let mut stage = Stage::joined(0);
    stage.written();
    stage.client.wake(0);
    assert_eq!(stage.written(), [r#"{"type":"ping"}"#]);
    assert_eq!(stage.pass(WAKE_PONG_MS_MAX - 1), []);
    assert_told(&stage.pass(1), &["disconnect", "offline Silent Some(5000)", "connect"]);
}

#[test]
fn a_silent_server_is_asked_and_then_given_up() {
    let mut stage = Stage::joined(0);
    stage.written();
    assert_eq!(stage.pass(PING_MS - 1), []);
    assert!(stage.written().is_empty());
    stage.pass(1);
    assert_eq!(stage.written(), [r#"{"type":"ping"}"#]);
    stage.pass(PONG_MS_MAX - 1);
    stage.hear(&[ServerMessage::Pong]);
    assert_eq!(stage.pass(PING_MS + PONG_MS_MAX - 1), []);
    let told = stage.pass(1);
    assert!(matches!(told[1], Event::Offline { cause: Cause::Silent, .. }), "{told:?}");
}

#[test]
fn a_server_that_asks_is_answered() {
    let mut stage = Stage::joined(0);
    stage.written();
    stage.hear(&[ServerMessage::Ping]);
    assert_eq!(stage.written(), [r#"{"type":"pong"}"#]);
}

#[test]
fn a_server_that_does_not_let_us_in_is_given_up() {
    let greeting = greeting(EPOCH);
    for heard in [vec![], vec![greeting]] {
        let mut stage = Stage::new();
        stage.client.connected(0);
        stage.hear(&heard);
        assert_eq!(stage.pass(HELLO_MS_MAX - 1), []);
        assert_told(&stage.pass(1), &["disconnect", "offline Silent None"]);
    }
}

#[test]
fn goodbye_says_when_to_come_back() {
    for (retry_ms, range) in [(0, 0..=0), (8_000, 8_000..=10_000), (u64::MAX, 600_000..=750_000)] {
        let mut stage = Stage::joined(0);
        let bye = ServerMessage::bye(Reason::Shutdown, retry_ms);
        let told = stage.hear(&[bye, live(1)]);
        let cause = Cause::Bye { reason: Reason::Shutdown };
        let [Event::Disconnect, Event::Offline { cause: why, retry_at_ms: Some(at) }, ..] =
            &told[..]
        else {
            panic!("{told:?}")
        };
        assert!(*why == cause && range.contains(at), "{told:?}");
        assert!(
            !told.iter().any(|event| matches!(event, Event::Message(_))),
            "it was the last word"
        );
    }
}

#[test]
fn a_client_that_was_sent_away_stays_away() {
    let mut stage = Stage::joined(0);
    let told = stage.hear(&[ServerMessage::bye(Reason::Removed, 0)]);
    assert_told(&told, &["disconnect", "offline Bye { reason: Removed } None"]);
    stage.client.reconnect();
    stage.told();
    stage.enter(EPOCH, 0);
    let told = stage.hear(&[ServerMessage::bye(Reason::Kicked, 0)]);
    assert_told(&told, &["disconnect", "offline Bye { reason: Kicked } None"]);
    stage.client.wake(0);
    assert_eq!(stage.pass(3_600_000), []);
    stage.say("later");
    stage.client.reconnect();
    assert_told(&stage.told(), &["connect"]);
    assert_eq!(stage.enter(EPOCH, 0).len(), 2);
}

#[test]
fn who_leaves_does_not_come_back() {
    let mut stage = Stage::joined(0);
    stage.written();
    stage.say("раз");
    stage.client.leave();
    assert_told(&stage.told(), &["disconnect"]);
    assert_eq!(stage.written().len(), 1, "the last word is still written");
    stage.client.disconnected(1);
    stage.client.receive(1, b"x");
    assert_eq!(stage.pass(3_600_000), []);
    assert_eq!(stage.client.saved().n_unacknowledged(), 1);
}

#[test]
fn a_line_that_comes_too_late_is_closed() {
    let mut stage = Stage::new();
    stage.client.leave();
    stage.client.connected(1);
    assert_told(&stage.told(), &["connect", "disconnect", "disconnect"]);
}

#[test]
fn what_is_no_stream_of_frames_ends_the_line() {
    let mut stage = Stage::joined(0);
    stage.client.receive(0, b"x2:{}");
    let cause = "offline Garbled(BadPrefix { byte: 120 }) Some(0)";
    assert_told(&stage.told(), &["disconnect", cause, "connect"]);
    stage.client.receive(0, b"x");
    assert_eq!(stage.told(), []);
}

#[test]
fn who_meets_the_same_garble_again_does_not_go_round_in_circles() {
    let huge = format!("{}:", SERVER_PAYLOAD_BYTES_MAX + 1);
    let mut stage = Stage::joined(0);
    let meet = |stage: &mut Stage| {
        stage.client.receive(stage.now, huge.as_bytes());
        stage.told()
    };
    let cause = Cause::Garbled(FrameError::TooLarge { limit: SERVER_PAYLOAD_BYTES_MAX });
    let offline = |at| Event::Offline { cause: cause.clone(), retry_at_ms: at };
    assert_eq!(meet(&mut stage), [Event::Disconnect, offline(Some(0)), Event::Connect]);
    // Nobody answers for a moment, which is no progress.
    stage.client.disconnected(0);
    stage.pass(60_000);
    stage.enter(EPOCH, 0);
    assert_eq!(meet(&mut stage), [Event::Disconnect, offline(None)]);
    stage.client.wake(stage.now);
    assert_eq!(stage.pass(3_600_000), [], "it waits for somebody who wants to come back");

    stage.client.reconnect();
    stage.enter(EPOCH, 0);
    assert!(matches!(meet(&mut stage)[1], Event::Offline { retry_at_ms: Some(_), .. }));
    stage.pass(RECONNECT_MS_MAX * 2);
    stage.enter(EPOCH, 0);
    stage.now += STEADY_MS;
    assert!(matches!(meet(&mut stage)[1], Event::Offline { retry_at_ms: Some(_), .. }), "steady");
}

#[test]
fn what_it_does_not_understand_is_passed_over() {
    let mut stage = Stage::joined(0);
    stage.client.receive(0, b"0:2:{}1:x{\"type\":\"typing\"}{\"type\":\"gap\",\"from\":-1}");
    assert_eq!(stage.told(), []);
    let mut endless = welcome(EPOCH, 5);
    if let ServerMessage::Welcome { epoch, .. } = &mut endless {
        *epoch = "x".repeat(1_000).into();
    }
    assert_eq!(stage.hear(&[endless]), []);
    assert_told(&stage.hear(&[live(1)]), &["1"]);
}
