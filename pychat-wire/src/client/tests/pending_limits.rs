//! Changes of texts that wait: those that cannot be made.

use super::{amendments::said, pending::*, *};

#[test]
fn only_texts_that_wait_are_pending() {
    let (mut stage, id) = written("раз");
    let changed = stage.client.amend(&hall(), edit(2, "x")).unwrap();
    assert_eq!(stage.client.edit_pending(&id, " \n"), Err(SayError::Blank));
    stage.hear(&[accepted(4, id.as_str(), "раз", (false, false))]);
    for id in [&id, &changed, &MessageId::heard("x")] {
        assert_eq!(stage.client.edit_pending(id, "x"), Err(SayError::NotPending));
        assert_eq!(stage.client.delete_pending(id), Err(SayError::NotPending));
    }
    assert_eq!(stage.pending(), ["edit 2 x"]);
}

#[test]
fn in_protocol_1_what_was_said_was_said() {
    let mut stage = Stage::new();
    stage.client.connected(0);
    let online = Notice::Welcome { name: "Анна", online: 1, names: "b" };
    stage.hear(&[notice(Notice::Greeting), notice(online)]);
    let id = stage.say("раз");
    assert_eq!(stage.client.edit_pending(&id, "два"), Err(SayError::NotSupported));
    assert_eq!(stage.client.delete_pending(&id), Err(SayError::NotSupported));
    assert_eq!(stage.pending(), ["раз"]);
}

#[test]
fn a_change_that_does_not_fit_changes_nothing() {
    let long = "x".repeat(PAYLOAD_BYTES_MAX);
    let is_too_large = |result| matches!(result, Err(SayError::TooLarge { .. }));
    let mut stage = Stage::back(3);
    let id = stage.say("раз");
    assert!(is_too_large(stage.client.edit_pending(&id, &long)));
    stage.enter(EPOCH, 3);
    assert!(is_too_large(stage.client.edit_pending(&id, &long)));
    assert_eq!(stage.pending(), ["раз"]);
    stage.client.edit_pending(&id, "два").unwrap();
    assert!(is_too_large(stage.client.edit_pending(&id, &long)));
    assert_eq!(stage.pending(), ["раз", "+ edit 0 два"]);
    // There is room for whatever number it gets.
    let frame = r#"{"type":"edit","target":18446744073709551615,"content":"","id":""}"#;
    let fits = "x".repeat(PAYLOAD_BYTES_MAX - frame.len() - id.as_str().len());
    assert!(is_too_large(stage.client.edit_pending(&id, &(fits.clone() + "x"))));
    stage.client.edit_pending(&id, &fits).unwrap();
    let second = stage.say("x");
    while stage.client.unacknowledged().count() < UNACKNOWLEDGED_MAX {
        stage.say("x");
    }
    let full = Err(SayError::Full { limit: UNACKNOWLEDGED_MAX });
    assert_eq!(stage.client.edit_pending(&second, "y"), full);
    assert_eq!(stage.client.delete_pending(&second), full);
    assert_eq!(stage.client.delete_pending(&id), Ok(()), "it takes the place of the edit");
}

#[test]
fn an_edit_that_a_smaller_server_would_choke_on_is_given_back() {
    let (mut stage, id) = written("раз");
    stage.client.edit_pending(&id, &"x".repeat(300)).unwrap();
    stage.cut();
    stage.client.connected(0);
    let mut small = greeting(EPOCH);
    if let ServerMessage::Greeting { limits, .. } = &mut small {
        limits.payload = 200;
    }
    let told = summary(&stage.hear(&[small, welcome(EPOCH, 3)]));
    assert_eq!(told, ["back".to_owned(), format!("refused edit 0 {} TooLarge", "x".repeat(300))]);
    assert_eq!(stage.pending(), ["раз"]);
}

#[test]
fn nothing_waits_for_ever_for_a_text_that_a_file_does_not_have() {
    let mut saved = serde_json::to_value(saved(3)).unwrap();
    saved["unacknowledged"] = serde_json::json!([
        { "id": "a", "of": "x", "type": "edit", "target": 0, "content": "раз" },
        { "id": "b", "of": "b", "type": "delete", "target": 0 },
        { "id": "c", "text": "два" },
        { "id": "d", "of": "c", "type": "delete", "target": 0 },
    ]);
    let saved: Saved = serde_json::from_value(saved).unwrap();
    let mut stage = Stage::of(Client::new(anna(), saved, [7; 32]));
    assert_eq!(stage.pending(), ["два", "+ delete 0"]);
    assert_eq!(said(&stage.enter(EPOCH, 3)), ["два"]);
}
