//! Amendments that are said, until they are accepted.

use super::{amendments::*, *};

#[test]
fn what_was_said_is_sent_in_order_until_it_is_acknowledged() {
    let mut stage = Stage::back(3);
    let text = stage.say("раз");
    let changed = stage.amend(edit(2, "два  \n"));
    let answer = stage.client.reply(&hall(), 2, "три ").unwrap();
    let liked = stage.amend(react(2, Some(THUMB)));
    let deleted = stage.amend(Amendment::Delete { target: 1 });
    let pending: Vec<_> = stage.client.unacknowledged().map(|it| it.id.clone()).collect();
    assert_eq!(pending, [&text, &changed, &answer, &liked, &deleted].map(Clone::clone));
    let written = stage.enter(EPOCH, 3);
    let in_order = ["раз", "edit 2 два", "три to 2", "react 2 👍", "delete 1"];
    assert_eq!(said(&written), in_order);
    let expected = format!(r#"{{"type":"edit","target":2,"content":"два","id":"{changed}"}}"#);
    assert_eq!(written[2], expected);
    let expected = format!(r#"{{"type":"text","content":"три","id":"{answer}","reply":2}}"#);
    assert_eq!(written[3], expected);
    stage.hear(&[other_text(4, text.as_str(), "раз")]);
    let told = stage.hear(&[own(5, edit(2, "два"), changed.as_str(), (false, false))]);
    let [Event::Amended(amended)] = &told[..] else { panic!("{told:?}") };
    assert!(amended.own && amended.id.as_ref() == Some(&changed));
    for is_killed in [false, true] {
        if is_killed {
            stage = stage.killed();
        } else {
            stage.cut();
        }
        let again = stage.enter(EPOCH, 5);
        assert_eq!(said(&again), in_order[2..]);
        assert_eq!(again[2..], written[4..], "under the same ids");
    }
    // Its record comes in its place, or has come.
    let told = stage.hear(&[
        own(7, react(2, Some(THUMB)), liked.as_str(), (true, false)),
        own(3, Amendment::Delete { target: 1 }, deleted.as_str(), (true, false)),
    ]);
    let accepted = |id: &MessageId, seq| Event::Accepted { room: hall(), id: id.clone(), seq };
    assert_eq!(told, [accepted(&liked, 7), accepted(&deleted, 3)]);
    assert_eq!(stage.client.unacknowledged().count(), 1);
}

/// Our own message `seq`.
fn other_text(seq: u64, id: &str, content: &'static str) -> ServerMessage<'static> {
    let mut message = copy(seq, &MessageId::heard(id), false, false);
    if let ServerMessage::Record { content: words, .. } = &mut message {
        *words = content.into();
    }
    message
}

#[test]
fn a_replayed_copy_acknowledges_too() {
    let mut stage = Stage::joined(3);
    let id = stage.amend(edit(2, "x"));
    stage.cut();
    stage.enter(EPOCH, 4);
    let told = stage.hear(&[own(4, edit(2, "x"), id.as_str(), (false, true))]);
    let [Event::Amended(amended)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(amended.id.as_ref(), Some(&id));
    assert_eq!(stage.client.unacknowledged().count(), 0);
}

#[test]
fn an_edit_is_acknowledged_by_whatever_words_the_message_has_by_now() {
    let erased = Amendment::Edit { target: 2, content: None };
    for answer in [erased, edit(2, "edited again")] {
        let mut stage = Stage::joined(3);
        let id = stage.amend(edit(2, "x"));
        let told = stage.hear(&[own(3, answer, id.as_str(), (true, false))]);
        assert_eq!(told, [Event::Accepted { room: hall(), id, seq: 3 }]);
        assert_eq!(stage.client.unacknowledged().count(), 0);
    }
}

#[test]
fn something_else_under_its_id_acknowledges_nothing() {
    for answer in [edit(1, "x"), react(2, None), Amendment::Delete { target: 2 }] {
        let mut stage = Stage::joined(3);
        let id = stage.amend(edit(2, "x"));
        let first = stage.written();
        assert_eq!(stage.hear(&[own(3, answer, id.as_str(), (true, false))]), []);
        stage.pass(SKIPPED_MS);
        let written = stage.written();
        assert_eq!(said(&written), ["edit 2 x"]);
        assert_ne!(written, first, "under another id");
        assert_eq!(stage.client.unacknowledged().next().unwrap().id, &id);
    }
    // A message is no amendment, and an amendment no message, repeated or not.
    for is_dup in [false, true] {
        let mut stage = Stage::joined(3);
        let (text, changed) = (stage.say("x"), stage.amend(edit(2, "x")));
        stage.hear(&[
            own(4, edit(2, "x"), text.as_str(), (is_dup, false)),
            copy(5, &changed, is_dup, false),
        ]);
        assert_eq!(stage.client.unacknowledged().count(), 2);
        stage.pass(SKIPPED_MS);
        assert_eq!(said(&stage.written())[2..], ["x", "edit 2 x"]);
    }
}

#[test]
fn a_text_that_was_amended_meanwhile_is_acknowledged_by_its_copy() {
    for (is_edited, is_dup) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut stage = Stage::joined(3);
        let id = stage.say("раз");
        stage.cut();
        stage.enter(EPOCH, 4);
        let mut message = copy(4, &id, is_dup, !is_dup);
        if let ServerMessage::Record { edited, deleted, .. } = &mut message {
            (*edited, *deleted) = (is_edited.then_some(9), !is_edited);
        }
        let told = stage.hear(&[message]);
        assert_told(&told, if is_dup { &["accepted 4"] } else { &["4"] });
        assert_eq!(stage.client.unacknowledged().count(), 0);
    }
}

#[test]
fn what_the_server_will_never_take_is_told() {
    for code in [ErrorCode::NoMessage, ErrorCode::Forbidden, ErrorCode::NoRoom] {
        let mut stage = Stage::joined(3);
        let id = stage.amend(edit(2, "x"));
        let reason = FailReason::Refused { code, text: "no".into() };
        let said = Said::Amendment(edit(2, "x"));
        let failed = Event::Failed { room: hall(), id: id.clone(), said, reason };
        assert_eq!(stage.hear(&[error(code, Some(&id), None)]), [failed]);
        assert_eq!(stage.client.unacknowledged().count(), 0);
    }
}

#[test]
fn what_the_server_cannot_keep_now_is_sent_again_in_order() {
    let mut stage = Stage::joined(3);
    let (changed, text) = (stage.amend(edit(2, "x")), stage.say("раз"));
    stage.written();
    stage.hear(&[error(ErrorCode::Storage, Some(&changed), Some(700))]);
    stage.amend(react(2, Some(THUMB)));
    stage.hear(&[error(ErrorCode::SlowDown, Some(&text), Some(700))]);
    assert!(stage.written().is_empty());
    stage.pass(700);
    assert_eq!(said(&stage.written()), ["edit 2 x"], "one by one");
    stage.hear(&[own(4, edit(2, "x"), changed.as_str(), (false, false))]);
    stage.pass(0);
    assert_eq!(said(&stage.written()), ["раз"]);
    stage.hear(&[other_text(5, text.as_str(), "раз")]);
    stage.pass(0);
    assert_eq!(said(&stage.written()), ["react 2 👍"]);
}

#[test]
fn what_cannot_be_sent_is_not_taken() {
    let mut stage = Stage::new();
    let delete = || Amendment::Delete { target: 2 };
    assert_eq!(stage.client.amend(&hall(), delete()), Err(SayError::NotJoined));
    stage.enter(EPOCH, 3);
    let no_words = Amendment::Edit { target: 2, content: None };
    for (amendment, error) in [
        (edit(2, " \n"), SayError::Blank),
        (no_words, SayError::Blank),
        (react(2, Some("ok")), SayError::NotAnEmoji),
        (react(2, Some("")), SayError::NotAnEmoji),
    ] {
        assert_eq!(stage.client.amend(&hall(), amendment), Err(error));
    }
    assert_eq!(stage.client.amend(&other(), delete()), Err(SayError::NoRoom));
    assert_eq!(stage.client.reply(&hall(), 2, " "), Err(SayError::Blank));
    let id = MessageId::new(Secret::new([7; 32]), 0);
    let begin = format!(r#"{{"type":"edit","target":2,"content":"","id":"{id}"}}"#);
    let fits = "x".repeat(PAYLOAD_BYTES_MAX - begin.len());
    let change = |words: String| Amendment::Edit { target: 2, content: Some(words.into()) };
    let too_large = SayError::TooLarge { bytes: PAYLOAD_BYTES_MAX + 1, limit: PAYLOAD_BYTES_MAX };
    assert_eq!(stage.client.amend(&hall(), change(fits.clone() + "x")), Err(too_large));
    assert!(stage.written().is_empty());
    assert_eq!(stage.client.amend(&hall(), change(fits)), Ok(id));
    for _ in 1..UNACKNOWLEDGED_MAX {
        stage.amend(react(2, None));
    }
    let full = Err(SayError::Full { limit: UNACKNOWLEDGED_MAX });
    assert_eq!(stage.client.amend(&hall(), delete()), full);
    assert_eq!(stage.client.say(&hall(), "x"), full);
}

#[test]
fn who_restores_a_message_need_not_know_its_words() {
    let mut stage = Stage::joined(3);
    stage.amend(Amendment::Restore { target: 2, content: Some("x".into()) });
    assert_eq!(said(&stage.written()), ["restore 2 ?"]);
}

#[test]
fn numbers_of_another_log_are_not_amended() {
    for is_killed in [false, true] {
        let mut stage = Stage::joined(3);
        stage.amend(edit(2, "x"));
        stage.client.reply(&hall(), 2, "раз").unwrap();
        if is_killed {
            stage = stage.killed();
            stage.told();
        } else {
            stage.cut();
        }
        stage.client.connected(stage.now);
        let told = summary(&stage.hear(&[greeting("new"), welcome("new", 3)]));
        assert!(told.contains(&"refused edit 2 x NoMessage".to_owned()), "{told:?}");
        assert_eq!(said(&stage.written()), ["раз"], "an answer to nothing");
        stage.amend(edit(2, "y"));
        stage.cut();
        stage.client.wake(stage.now);
        assert_eq!(said(&stage.enter("new", 3)), ["раз", "edit 2 y"]);
    }
}

#[test]
fn numbers_that_a_log_has_lost_are_not_amended() {
    let mut stage = Stage::joined(10);
    stage.amend(edit(8, "x"));
    stage.amend(edit(7, "y"));
    stage.client.reply(&hall(), 8, "раз").unwrap();
    stage.client.reply(&hall(), 7, "два").unwrap();
    stage.cut();
    stage.client.connected(0);
    let told = stage.hear(&[greeting(EPOCH), welcome(EPOCH, 7)]);
    assert_told(&told, &["back", "refused edit 8 x NoMessage", "gap 8-10"]);
    assert_eq!(said(&stage.written()), ["edit 7 y", "раз", "два to 7"]);
}

#[test]
fn nothing_is_amended_in_a_room_that_is_gone() {
    let mut stage = Stage::in_two_rooms(10);
    stage.client.amend(&other(), edit(2, "x")).unwrap();
    let told = stage.hear(&[ServerMessage::RoomGone { room: "r7".into() }]);
    assert_told(&told, &["r7: refused edit 2 x NoRoom", "r7: gone"]);
}

#[test]
fn protocol_1_knows_no_amendments() {
    let mut stage = Stage::joined(0);
    stage.amend(edit(2, "x"));
    stage.cut();
    stage.client.connected(0);
    let online = Notice::Welcome { name: "Анна", online: 1, names: "b" };
    let told = stage.hear(&[notice(Notice::Greeting), notice(online)]);
    assert_told(&told, &["back", "lost edit 2 x"]);
    stage.written();
    let refused = stage.client.amend(&hall(), Amendment::Delete { target: 2 });
    assert_eq!(refused, Err(SayError::NotSupported));
    let id = stage.client.reply(&hall(), 2, "раз").unwrap();
    assert_eq!(stage.written(), [r#"{"type":"text","content":"раз"}"#]);
    let pending: Vec<_> = stage.client.unacknowledged().collect();
    assert_eq!(pending, [Pending { room: &hall(), id: &id, said: &plain("раз"), of: None }]);
}

#[test]
fn amendments_are_saved_beside_texts() {
    let mut stage = Stage::joined(0);
    let changed = stage.amend(edit(2, "x"));
    let answer = stage.client.reply(&hall(), 7, "раз").unwrap();
    let liked = stage.amend(react(2, None));
    let saved = serde_json::to_value(stage.client.saved()).unwrap();
    let expected = serde_json::json!([
        { "id": changed, "type": "edit", "target": 2, "content": "x" },
        { "id": answer, "text": "раз", "reply": 7 },
        { "id": liked, "type": "react", "target": 2 },
    ]);
    assert_eq!(saved["unacknowledged"], expected);
    assert_eq!(serde_json::from_value::<Saved>(saved).unwrap(), *stage.client.saved());
}
