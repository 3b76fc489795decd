//! Our own texts: sent until they are accepted, under one id each, and given back where they cannot
//! be.

use super::*;

fn text(id: &MessageId, content: &str) -> String {
    format!(r#"{{"type":"text","content":"{content}","id":"{id}"}}"#)
}

#[test]
fn what_is_said_without_a_line_is_sent_once_there_is_one() {
    let mut stage = Stage::back(3);
    let first = stage.say("раз  \n");
    let second = stage.say("два");
    assert_eq!(stage.enter(EPOCH, 3)[1..], [text(&first, "раз"), text(&second, "два")]);
    let third = stage.say("три");
    assert_eq!(stage.written(), [text(&third, "три")]);
    let ids: Vec<_> = stage.client.unacknowledged().map(|pending| pending.id.clone()).collect();
    assert_eq!(ids, [first, second, third]);
}

#[test]
fn a_text_is_sent_again_under_its_id_until_it_is_acknowledged() {
    let mut stage = Stage::joined(0);
    let (first, second) = (stage.say("1"), stage.say("3"));
    let events = stage.hear(&[copy(1, &first, false, false)]);
    let [Event::Message(message)] = &events[..] else { panic!("{events:?}") };
    assert!(message.own && message.id.as_ref() == Some(&first));
    stage.cut();
    assert_eq!(stage.enter(EPOCH, 2)[1..], [text(&second, "3")]);
    // The answer comes before the replay has come so far.
    let heard = [copy(3, &second, true, false), replayed(2), copy(3, &second, false, true)];
    assert_told(&stage.hear(&heard), &["accepted 3", "2", "3"]);
    assert_eq!(stage.client.unacknowledged().count(), 0);
}

#[test]
fn a_client_that_was_killed_goes_on_where_it_was() {
    let mut stage = Stage::joined(0);
    let (first, second) = (stage.say("раз"), stage.say("два"));
    stage.hear(&[live(1), copy(2, &first, false, false)]);
    let mut stage = stage.killed();
    let written = stage.enter(EPOCH, 2);
    let resume = r#","resume":{"epoch":"0f8e","rooms":{"":2}}"#;
    assert!(written[0].contains(&(proof(Secret::new([7; 32]).key()) + resume)), "{written:?}");
    assert_eq!(written[1..], [text(&second, "два")]);
    let third = stage.say("три");
    assert!(third != first && third != second);
}

#[test]
fn ids_are_never_used_twice() {
    let mut ids = std::collections::HashSet::new();
    let mut saved = saved(0);
    for seed in [1, 1, 2, u8::MAX] {
        let mut client = Client::new(anna(), saved, [seed; 32]);
        for _ in 0..3 {
            let id = client.say(&hall(), "x").unwrap();
            assert!(id.as_str().len() <= message::MESSAGE_ID_BYTES_MAX);
            assert!(ids.insert(id));
        }
        saved = client.saved().clone();
    }
}

#[test]
fn what_the_server_cannot_keep_now_is_sent_again_and_not_overtaken() {
    for (retry_ms, wait_ms) in [(None, RETRY_MS), (Some(700), 700), (Some(u64::MAX), RETRY_MS_MAX)]
    {
        let mut stage = Stage::joined(0);
        let (first, second) = (stage.say("раз"), stage.say("два"));
        stage.written();
        stage.hear(&[error(ErrorCode::Storage, Some(&first), retry_ms)]);
        let third = stage.say("три");
        stage.hear(&[copy(1, &second, false, false)]);
        stage.hear_until(wait_ms - 1);
        assert!(stage.texts_written().is_empty());
        stage.pass(1);
        assert_eq!(stage.texts_written(), [text(&first, "раз"), text(&third, "три")]);
        let fourth = stage.say("четыре");
        assert_eq!(stage.texts_written(), [text(&fourth, "четыре")], "nothing is held any more");
    }
}

#[test]
fn what_comes_too_soon_in_slow_mode_is_sent_again_one_by_one() {
    let mut stage = Stage::joined(0);
    let (first, second, third) = (stage.say("1"), stage.say("2"), stage.say("3"));
    stage.written();
    let too_soon = |id, retry_ms| error(ErrorCode::SlowDown, Some(id), Some(retry_ms));
    let told = stage.hear(&[copy(1, &first, false, false), too_soon(&second, 4_000)]);
    assert_eq!(told[1..], [Event::SlowDown { retry_ms: Some(4_000) }]);
    stage.hear(&[too_soon(&third, 4_000)]);
    let fourth = stage.say("4");
    stage.hear_until(3_999);
    assert!(stage.texts_written().is_empty());
    stage.pass(1);
    assert_eq!(stage.texts_written(), [text(&second, "2")], "the others would be refused");
    stage.hear_until(60_000);
    assert!(stage.texts_written().is_empty(), "nothing overtakes it");
    stage.hear(&[copy(2, &second, false, false)]);
    stage.pass(0);
    assert_eq!(stage.texts_written(), [text(&third, "3")]);
    stage.hear(&[too_soon(&third, 4_000), too_soon(&third, 0)]);
    stage.pass(0);
    assert_eq!(stage.texts_written(), [text(&third, "3")], "slow mode is over");
    stage.hear(&[copy(3, &third, false, false)]);
    stage.pass(0);
    assert_eq!(stage.texts_written(), [text(&fourth, "4")]);
    let fifth = stage.say("5");
    assert!(stage.texts_written().is_empty());
    stage.hear(&[copy(4, &fourth, false, false)]);
    stage.pass(0);
    assert_eq!(stage.texts_written(), [text(&fifth, "5")]);
    stage.cut();
    assert_eq!(stage.enter(EPOCH, 4)[1..], [text(&fifth, "5")]);
}

#[test]
fn an_answer_that_was_skipped_is_not_waited_for_in_slow_mode() {
    let mut stage = Stage::joined(0);
    let (first, second) = (stage.say("1"), stage.say("2"));
    let too_soon = |id| error(ErrorCode::SlowDown, Some(id), Some(0));
    stage.hear(&[too_soon(&first), too_soon(&second)]);
    stage.pass(0);
    stage.written();
    stage.client.hold_unacknowledged(stage.now, &hall());
    stage.pass(SKIPPED_MS);
    assert_eq!(stage.texts_written(), [text(&first, "1")]);
}

#[test]
fn that_a_text_was_not_kept_is_no_news_once_it_is_there() {
    let mut stage = Stage::joined(0);
    let id = stage.say("раз");
    assert_eq!(stage.hear(&[copy(1, &id, false, false)]).len(), 1);
    for code in [ErrorCode::Storage, ErrorCode::IdReused, ErrorCode::SlowDown] {
        assert_eq!(stage.hear(&[error(code, Some(&id), None)]), []);
    }
}

impl Stage {
    /// Lets time pass on a line that is not silent.
    fn hear_until(&mut self, ms: u64) {
        for _ in 0..ms / 1_000 {
            self.pass(1_000);
            self.hear(&[ServerMessage::Pong]);
        }
        self.pass(ms % 1_000);
        self.hear(&[ServerMessage::Pong]);
    }

    fn texts_written(&mut self) -> Vec<String> {
        let mut payloads = self.written();
        payloads.retain(|payload| payload.starts_with(r#"{"type":"text""#));
        payloads
    }
}

#[test]
fn what_the_server_will_never_take_is_given_back() {
    for code in [ErrorCode::TooLarge, ErrorCode::BadPayload, ErrorCode::Unknown] {
        let mut stage = Stage::joined(0);
        let id = stage.say("раз");
        let reason = FailReason::Refused { code, text: "no".into() };
        let failed = Event::Failed { room: hall(), id: id.clone(), said: plain("раз"), reason };
        assert_eq!(stage.hear(&[error(code, Some(&id), None)]), [failed]);
        assert_eq!(stage.client.unacknowledged().count(), 0);
        stage.cut();
        assert_eq!(stage.enter(EPOCH, 0).len(), 1, "only a hello");
    }
}

#[test]
fn a_refusal_of_something_else_is_told_in_words() {
    let mut stage = Stage::joined(0);
    stage.say("раз");
    for id in [None, Some(MessageId::new(Secret::new([9; 32]), 9))] {
        let events = stage.hear(&[error(ErrorCode::TooLarge, id.as_ref(), None)]);
        let id = id.map(|id| id.as_str().to_owned());
        assert_eq!(events, [Event::Denied { code: ErrorCode::TooLarge, text: "no".into(), id }]);
    }
    let events = stage.hear(&[error(ErrorCode::SlowDown, None, Some(200))]);
    assert_eq!(events, [Event::SlowDown { retry_ms: Some(200) }]);
    assert_eq!(stage.client.unacknowledged().count(), 1, "nothing is lost");
}

#[test]
fn what_cannot_be_sent_is_not_taken() {
    let mut stage = Stage::new();
    assert_eq!(stage.client.say(&hall(), "x"), Err(SayError::NotJoined));
    stage.enter(EPOCH, 0);
    assert_eq!(stage.client.say(&hall(), " \n\t"), Err(SayError::Blank));
    let id = MessageId::new(Secret::new([7; 32]), 0);
    let fits = "x".repeat(PAYLOAD_BYTES_MAX - text(&id, "").len());
    let too_large = SayError::TooLarge { bytes: PAYLOAD_BYTES_MAX + 1, limit: PAYLOAD_BYTES_MAX };
    assert_eq!(
        stage.client.size_of(&hall(), &(fits.clone() + "x")),
        (PAYLOAD_BYTES_MAX + 1, PAYLOAD_BYTES_MAX)
    );
    assert_eq!(stage.client.say(&hall(), &(fits.clone() + "x")), Err(too_large));
    assert_eq!(
        stage.client.size_of(&hall(), &(fits.clone() + " \n")),
        (PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX)
    );
    assert!(stage.written().is_empty());
    assert_eq!(stage.client.say(&hall(), &fits), Ok(id));
    for _ in 1..UNACKNOWLEDGED_MAX {
        stage.say("x");
    }
    assert_eq!(stage.client.say(&hall(), "x"), Err(SayError::Full { limit: UNACKNOWLEDGED_MAX }));
}

#[test]
fn what_a_smaller_server_would_choke_on_is_given_back() {
    let mut stage = Stage::joined(0);
    stage.say(&"x".repeat(300));
    let id = stage.say("y");
    stage.cut();
    stage.client.connected(0);
    let mut small = greeting(EPOCH);
    if let ServerMessage::Greeting { limits, .. } = &mut small {
        limits.payload = 200;
    }
    let told = summary(&stage.hear(&[small, welcome(EPOCH, 0)]));
    assert_eq!(told, ["back".to_owned(), format!("refused {} TooLarge", "x".repeat(300))]);
    assert_eq!(stage.written()[1..], [text(&id, "y")]);
}

#[test]
fn an_older_page_acknowledges_too() {
    let client = Client::new(anna(), saved(0), [7; 32]).beginning(Begin::LastPage(5));
    let mut stage = Stage::of(client);
    let id = stage.say("1");
    stage.enter(EPOCH, 1);
    let page = ServerMessage::Page { room: "".into(), before: 2, count: 1, start: true };
    let events = stage.hear(&[copy(1, &id, false, true), page]);
    assert_told(&events, &["accepted 1", "page [1] true"]);
}

#[test]
fn an_acknowledgement_that_a_gap_swallowed_is_asked_for_again() {
    for (to, n_texts) in [(9, 0), (10, 0), (11, 1), (12, 1)] {
        let mut stage = Stage::back(3);
        let id = stage.say("11");
        stage.enter(EPOCH, 10);
        stage.hear(&[ServerMessage::Gap { room: "".into(), from: 4, to }]);
        let later = stage.say("два");
        let sent_at_once = usize::from(n_texts == 0);
        assert_eq!(stage.texts_written().len(), sent_at_once, "it waits behind the other");
        stage.pass(SKIPPED_MS);
        let expected = [text(&id, "11"), text(&later, "два")];
        let expected = if n_texts == 0 { &[][..] } else { &expected[..] };
        assert_eq!(stage.texts_written(), expected, "a gap up to {to}");
        let told = stage.hear(&[copy(11, &id, true, false)]);
        assert_told(&told, &["accepted 11"]);
    }
}

/// Our own message `seq`, which the server says to have had before.
fn other_words(seq: u64, id: &str, content: &'static str, replay: bool) -> ServerMessage<'static> {
    let id = Some(id.to_owned().into());
    let (username, content) = ("Анна".into(), content.into());
    ServerMessage::Record {
        room: "".into(),
        seq,
        time: seq,
        username,
        content,
        id,
        dup: !replay,
        replay,
        reply: None,
        edited: None,
        deleted: false,
        reactions: Reactions::default(),
    }
}

/// Returns the id under which `content` stands in a payload.
fn id_in(payload: &str, content: &str) -> String {
    let begin = format!(r#"{{"type":"text","content":"{content}","id":""#);
    let rest = payload.strip_prefix(&begin).unwrap_or_else(|| panic!("{payload}"));
    rest.strip_suffix(r#""}"#).unwrap().to_owned()
}

#[test]
fn other_words_under_an_id_acknowledge_nothing() {
    for (answers, told) in
        [("reused", &[][..]), ("dup", &[]), ("replayed", &["4"]), ("replayed dup reused", &["4"])]
    {
        for is_killed in [false, true] {
            let mut stage = Stage::back(3);
            let (first, second) = (stage.say("раз"), stage.say("5"));
            stage.enter(EPOCH, 4);
            let answers = answers.split(' ').map(|answer| match answer {
                "reused" => error(ErrorCode::IdReused, Some(&first), None),
                answer => other_words(4, first.as_str(), "x", answer == "replayed"),
            });
            let events = stage.hear(&answers.collect::<Vec<_>>());
            assert_told(&events, told);
            if let [Event::Message(message)] = &events[..] {
                assert!(message.own && message.id.is_none(), "what we said is still on its way");
            }
            let first_pending = stage.client.unacknowledged().next().unwrap();
            assert_eq!((first_pending.id, first_pending.said), (&first, &plain("раз")));
            let written = if is_killed {
                stage = stage.killed();
                stage.enter(EPOCH, 4)
            } else {
                assert!(stage.texts_written().is_empty());
                stage.pass(SKIPPED_MS);
                stage.texts_written()
            };
            let again = written.iter().find(|payload| payload.contains("раз")).unwrap();
            let id = id_in(again, "раз");
            assert!(id != first.as_str() && id != second.as_str());
            let ours = other_words(6, &id, "раз", true);
            let events = stage.hear(&[copy(5, &second, false, true), ours]);
            let Some(Event::Message(message)) = events.last() else { panic!("{events:?}") };
            assert_eq!(message.id.as_ref(), Some(&first), "the shell knows it by its first id");
            assert_eq!(stage.client.unacknowledged().count(), 0);
        }
    }
}

#[test]
fn a_server_that_knows_other_words_under_any_id_is_not_asked_for_ever() {
    let mut stage = Stage::joined(0);
    let first = stage.say("раз");
    let mut payload = stage.texts_written().remove(0);
    for wait_ms in [SKIPPED_MS, 2 * SKIPPED_MS, 4 * SKIPPED_MS] {
        let id = id_in(&payload, "раз");
        assert_eq!(stage.hear(&[other_words(1, &id, "x", false)]), []);
        stage.hear_until(wait_ms - 1);
        assert!(stage.texts_written().is_empty());
        stage.pass(1);
        payload = stage.texts_written().remove(0);
    }
    let told = stage.hear(&[other_words(1, &id_in(&payload, "раз"), "x", false)]);
    let [Event::Failed { id, said, reason: FailReason::Refused { code, .. }, .. }] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!((id, said, *code), (&first, &plain("раз"), ErrorCode::IdReused));
    assert_eq!(stage.client.unacknowledged().count(), 0);
}

#[test]
fn an_id_tells_nothing_of_the_next_one() {
    let ids = [0, 1, 2].map(|counter| MessageId::new(Secret::new([7; 32]), counter));
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let pairs = ids[one].as_str().bytes().zip(ids[other].as_str().bytes());
        assert!(pairs.filter(|(one, other)| one == other).count() < 16, "{ids:?}");
    }
}
