//! The state that outlives the process, in files of any age.

use super::*;

#[test]
fn files_from_before_there_were_rooms_are_those_of_the_hall() {
    for (json, seq, seen) in [
        (r#"{"name":"Анна","epoch":"0f8e","seq":7}"#, 7, 7),
        (r#"{"name":"Анна","epoch":"0f8e","seq":7,"seen":5}"#, 7, 5),
        (r#"{"epoch":null}"#, 0, 0),
    ] {
        let saved: Saved = serde_json::from_str(json).unwrap();
        assert_eq!((saved.seq(&hall()), saved.seen(&hall())), (seq, seen), "{json}");
    }
    let old = r#"{"name":"Анна","is_known":true,"epoch":"0f8e","seq":7,"unacknowledged":[{"id":"a","text":"раз"}]}"#;
    let mut stage = Stage::of(Client::new(anna(), serde_json::from_str(old).unwrap(), [7; 32]));
    let written = stage.enter(EPOCH, 7);
    assert!(written[0].contains(r#""rooms":{"":7}"#), "{written:?}");
    assert_eq!(written[1], r#"{"type":"text","content":"раз","id":"a"}"#);
}

#[test]
fn each_room_is_saved_with_what_was_said_in_it() {
    let mut stage = Stage::in_two_rooms(10);
    let first = stage.client.say(&other(), "раз").unwrap();
    let second = stage.say("два");
    let third = stage.client.say(&other(), "три").unwrap();
    let mut live = within("r7", live(11));
    if let ServerMessage::Record { username, .. } = &mut live {
        *username = "Вера".into();
    }
    stage.hear(&[live]);
    let saved = serde_json::to_value(stage.client.saved()).unwrap();
    assert_eq!(
        saved["rooms"],
        serde_json::json!({
            "": { "seq": 0, "seen": 0 },
            "r7": { "seq": 11, "seen": 10 },
        })
    );
    let texts = serde_json::json!([
        { "room": "r7", "id": first, "text": "раз" },
        { "id": second, "text": "два" },
        { "room": "r7", "id": third, "text": "три" },
    ]);
    assert_eq!(saved["unacknowledged"], texts);
    let mut stage = stage.killed();
    stage.client = stage.client.beginning(Begin::LastPage(5));
    stage.enter_all(0, vec![described("r7", 11)]);
    let written = stage.written();
    let said: Vec<_> = written.iter().filter(|payload| payload.contains("\"text\"")).collect();
    let in_order = [("r7", &first), ("", &second), ("r7", &third)];
    for (payload, (room, id)) in said.iter().zip(in_order) {
        assert!(payload.contains(id.as_str()), "{said:?}");
        assert_eq!(payload.contains(r#""room":"r7""#), room == "r7", "{payload}");
    }
    assert_eq!(said.len(), 3);
    let texts: Vec<_> = stage.client.unacknowledged().map(|it| it.room.clone()).collect();
    assert_eq!(texts, [other(), hall(), other()]);
}

#[test]
fn a_refusal_fails_the_text_that_it_is_about_and_no_other() {
    for code in [ErrorCode::NoRoom, ErrorCode::Forbidden] {
        let mut stage = Stage::in_two_rooms(10);
        let first = stage.client.say(&other(), "раз").unwrap();
        stage.client.say(&other(), "два").unwrap();
        let told = stage.hear(&[error(code, Some(&first), None)]);
        assert_told(&told, &[&format!("r7: refused раз {code:?}")]);
        assert_eq!(stage.client.unacknowledged().count(), 1);
    }
}

#[test]
fn what_waits_is_not_overtaken_from_another_room() {
    let mut stage = Stage::in_two_rooms(0);
    let first = stage.client.say(&other(), "раз").unwrap();
    stage.hear(&[error(ErrorCode::Storage, Some(&first), Some(700))]);
    stage.written();
    stage.say("два");
    assert!(stage.written().is_empty());
    stage.pass(700);
    let written = stage.written();
    assert!(written[0].contains("раз") && written[1].contains("два"), "{written:?}");
    // Nothing waits for a room that is gone.
    stage.hear(&[error(ErrorCode::Storage, Some(&first), Some(60_000))]);
    stage.say("три");
    stage.hear(&[ServerMessage::RoomGone { room: "r7".into() }]);
    stage.pass(0);
    assert!(stage.written().iter().any(|payload| payload.contains("три")));
}

#[test]
fn an_acknowledgement_is_of_the_room_in_which_the_text_was_said() {
    let mut stage = Stage::in_two_rooms(0);
    let id = stage.client.say(&other(), "1").unwrap();
    stage.hear(&[copy(1, &id, false, false)]);
    assert_eq!(stage.client.unacknowledged().count(), 1, "that is another room's");
    let told = stage.hear(&[within("r7", copy(1, &id, true, false))]);
    assert_eq!(told, [Event::Accepted { room: other(), id, seq: 1 }]);
}

#[test]
fn only_the_texts_of_the_room_are_asked_for_whose_answers_a_gap_swallowed() {
    let mut stage = Stage::in_two_rooms(0);
    stage.say("раз");
    stage.client.say(&other(), "два").unwrap();
    stage.written();
    stage.hear(&[within("r7", ServerMessage::Gap { room: HALL.into(), from: 1, to: 2 })]);
    stage.pass(SKIPPED_MS);
    let written = stage.written();
    assert!(written.len() == 1 && written[0].contains("два"), "{written:?}");
}

#[test]
fn another_name_is_in_no_room_of_this_one() {
    let mut stage = Stage::in_two_rooms(10);
    stage.client.say(&other(), "раз").unwrap();
    stage.cut();
    let vera = UserName::new("Вера").unwrap();
    let client = Client::new(vera, stage.client.saved().clone(), [8; 32]);
    let mut stage = Stage::of(client.beginning(Begin::LastPage(5)));
    assert_told(&stage.told(), &["connect", "r7: lost раз"]);
    assert_eq!(stage.client.say(&other(), "x"), Err(SayError::NotJoined));
    assert_told(&stage.enter_all(0, Vec::new()), &["joined", "page [] true"]);
    assert_eq!(stage.client.say(&other(), "x"), Err(SayError::NoRoom));
}
