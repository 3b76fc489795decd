//! Changes of our own texts that are not accepted yet, in each phase of a text.

use super::{
    amendments::{own, said},
    *,
};

/// A client that comes back with a text that was written to a line, and its id.
pub(super) fn written(words: &str) -> (Stage, MessageId) {
    let mut stage = Stage::joined(3);
    let id = stage.say(words);
    assert_eq!(said(&stage.written()), [words]);
    (stage, id)
}

/// Our own text as record `seq`, which has the words of a test.
pub(super) fn accepted(
    seq: u64,
    id: &str,
    content: &'static str,
    (dup, replay): (bool, bool),
) -> ServerMessage<'static> {
    let mut message = copy(seq, &MessageId::heard(id), dup, replay);
    if let ServerMessage::Record { content: words, .. } = &mut message {
        *words = content.into();
    }
    message
}

impl Stage {
    /// Returns in words what is not acknowledged; what waits for a number comes after a `+`.
    pub(super) fn pending(&self) -> Vec<String> {
        let name = |it: Pending<'_>| {
            if it.of.is_some() { "+ ".to_owned() + &name_of(it.said) } else { name_of(it.said) }
        };
        self.client.unacknowledged().map(name).collect()
    }

    pub(super) fn said(&mut self) -> Vec<String> {
        said(&self.written())
    }
}

#[test]
fn a_text_that_was_never_sent_has_its_words_changed() {
    for is_killed in [false, true] {
        let mut stage = Stage::back(3);
        let first = stage.say("раз");
        let second = stage.client.reply(&hall(), 2, "два").unwrap();
        stage.client.take_saved();
        assert_eq!(stage.client.edit_pending(&first, "один \n"), Ok(()));
        assert_eq!(stage.client.edit_pending(&second, "двое"), Ok(()));
        assert!(stage.client.take_saved().is_some());
        if is_killed {
            stage = stage.killed();
            assert_eq!(stage.client.edit_pending(&first, "один"), Ok(()), "nobody has it still");
        }
        assert_eq!(stage.pending(), ["один", "двое to 2"]);
        let written = stage.enter(EPOCH, 3);
        assert_eq!(said(&written), ["один", "двое to 2"]);
        assert!(written[1].contains(first.as_str()) && written[2].contains(second.as_str()));
    }
}

#[test]
fn what_was_sent_is_saved_before_it_is_written() {
    let mut stage = Stage::back(3);
    let id = stage.say("раз");
    let json = |stage: &Stage| serde_json::to_value(stage.client.saved()).unwrap();
    let expected = serde_json::json!([{ "id": id, "text": "раз", "is_unsent": true }]);
    assert_eq!(json(&stage)["unacknowledged"], expected);
    stage.client.connected(0);
    stage.hear(&[greeting(EPOCH)]);
    stage.client.take_outgoing();
    stage.client.take_saved();
    stage.hear(&[welcome(EPOCH, 3)]);
    let saved = serde_json::to_value(stage.client.take_saved()).unwrap();
    assert_eq!(saved["unacknowledged"], serde_json::json!([{ "id": id, "text": "раз" }]));
    // The same for what waited behind another.
    stage.hear(&[error(ErrorCode::Storage, Some(&id), Some(700))]);
    stage.say("два");
    assert_eq!(json(&stage)["unacknowledged"][1]["is_unsent"], true);
    stage.client.take_saved();
    stage.pass(700);
    let saved = serde_json::to_value(stage.client.take_saved()).unwrap();
    assert_eq!(saved["unacknowledged"][1].get("is_unsent"), None);
}

#[test]
fn texts_of_older_files_may_have_been_sent() {
    let mut saved = serde_json::to_value(saved(3)).unwrap();
    saved["unacknowledged"] = serde_json::json!([{ "id": "a", "text": "раз" }]);
    let saved: Saved = serde_json::from_value(saved).unwrap();
    let mut stage = Stage::of(Client::new(anna(), saved, [7; 32]));
    stage.client.edit_pending(&MessageId::heard("a"), "один").unwrap();
    assert_eq!(stage.pending(), ["раз", "+ edit 0 один"]);
    assert_eq!(said(&stage.enter(EPOCH, 3)), ["раз"]);
}

#[test]
fn a_text_that_may_have_been_accepted_is_edited_once_its_number_is_known() {
    for (dup, replay) in [(false, false), (true, false), (false, true), (true, true)] {
        for is_killed in [false, true] {
            let (mut stage, id) = written("раз");
            stage.client.edit_pending(&id, "два").unwrap();
            stage.client.edit_pending(&id, "три").unwrap();
            assert_eq!(stage.pending(), ["раз", "+ edit 0 три"], "one edit is enough");
            assert_eq!(stage.client.unacknowledged().nth(1).unwrap().of, Some(&id));
            assert!(stage.said().is_empty());
            let later = stage.say("пять");
            assert_eq!(stage.said(), ["пять"], "nothing waits for the number of another text");
            if is_killed {
                stage = stage.killed();
            } else {
                stage.cut();
            }
            assert_eq!(said(&stage.enter(EPOCH, 4)), ["раз", "пять"], "with the words that it had");
            stage.client.take_saved();
            stage.hear(&[accepted(4, id.as_str(), "раз", (dup, replay))]);
            assert!(stage.client.take_saved().is_some());
            let edited = stage.written();
            assert_eq!(said(&edited), ["edit 4 три"]);
            assert_eq!(stage.pending(), ["edit 4 три", "пять"]);
            let edit_id = stage.client.unacknowledged().next().unwrap().id.clone();
            stage.cut();
            stage.client.wake(stage.now);
            let again = stage.enter(EPOCH, 4);
            assert_eq!(said(&again), ["edit 4 три", "пять"]);
            assert_eq!(again[1], edited[0], "under the same id");
            stage.hear(&[own(5, edit(4, "три"), edit_id.as_str(), (true, false))]);
            stage.hear(&[accepted(6, later.as_str(), "пять", (true, false))]);
            assert!(stage.pending().is_empty());
        }
    }
}

#[test]
fn the_number_may_come_with_an_older_page() {
    let client = Client::new(anna(), saved(0), [7; 32]).beginning(Begin::LastPage(5));
    let mut stage = Stage::of(client);
    let id = stage.say("раз");
    stage.enter(EPOCH, 1);
    stage.client.edit_pending(&id, "два").unwrap();
    let page = ServerMessage::Page { room: "".into(), before: 2, count: 1, start: true };
    let told = stage.hear(&[accepted(1, id.as_str(), "раз", (false, true)), page]);
    assert_told(&told, &["accepted 1", "page [1] true"]);
    assert_eq!(stage.said(), ["edit 1 два"]);
}

#[test]
fn words_that_are_said_already_need_no_edit() {
    let (mut stage, id) = written("раз");
    stage.client.edit_pending(&id, "раз ").unwrap();
    assert_eq!(stage.pending(), ["раз"]);
    stage.client.edit_pending(&id, "два").unwrap();
    stage.client.edit_pending(&id, "раз").unwrap();
    assert_eq!(stage.pending(), ["раз"]);
}

#[test]
fn a_text_that_was_never_sent_is_withdrawn() {
    let mut stage = Stage::back(3);
    let (first, second) = (stage.say("раз"), stage.say("два"));
    stage.told();
    stage.client.take_saved();
    assert_eq!(stage.client.delete_pending(&first), Ok(()));
    assert_eq!(stage.told(), [Event::Withdrawn { room: hall(), id: first.clone() }]);
    assert!(stage.client.take_saved().is_some());
    assert_eq!(stage.client.delete_pending(&first), Err(SayError::NotPending));
    let written = stage.enter(EPOCH, 3);
    assert_eq!(said(&written), ["два"]);
    // The same for one that waits behind another, and nothing waits for it.
    stage.hear(&[error(ErrorCode::Storage, Some(&second), Some(700))]);
    let third = stage.say("три");
    stage.say("четыре");
    stage.client.delete_pending(&third).unwrap();
    stage.pass(700);
    assert_eq!(stage.said(), ["два", "четыре"]);
}

#[test]
fn a_text_that_may_have_been_accepted_is_deleted_once_its_number_is_known() {
    for is_edited in [false, true] {
        let (mut stage, id) = written("раз");
        if is_edited {
            stage.client.edit_pending(&id, "два").unwrap();
        }
        stage.client.delete_pending(&id).unwrap();
        stage.client.delete_pending(&id).unwrap();
        assert_eq!(stage.client.edit_pending(&id, "три"), Err(SayError::NotPending));
        assert_eq!(stage.pending(), ["раз", "+ delete 0"]);
        assert_told(&stage.hear(&[accepted(4, id.as_str(), "раз", (false, false))]), &["4"]);
        assert_eq!(stage.said(), ["delete 4"]);
    }
}

#[test]
fn what_fails_is_handed_back_with_its_newest_words() {
    let refused = [ErrorCode::TooLarge, ErrorCode::Muted, ErrorCode::Forbidden];
    for code in refused {
        let (mut stage, id) = written("раз");
        stage.client.edit_pending(&id, "два").unwrap();
        let told = stage.hear(&[error(code, Some(&id), None)]);
        assert_told(&told, &[&format!("refused два {code:?}")]);
        assert!(stage.pending().is_empty());
        let (mut stage, id) = written("раз");
        stage.client.edit_pending(&id, "два").unwrap();
        stage.client.delete_pending(&id).unwrap();
        let told = stage.hear(&[error(code, Some(&id), None)]);
        assert_eq!(told, [Event::Withdrawn { room: hall(), id }]);
        assert!(stage.pending().is_empty());
    }
}

#[test]
fn nothing_waits_for_a_text_of_a_room_that_is_gone() {
    for is_listed in [false, true] {
        let mut stage = Stage::in_two_rooms(10);
        let [edited, deleted] = ["раз", "два"].map(|it| stage.client.say(&other(), it).unwrap());
        stage.client.edit_pending(&edited, "три").unwrap();
        stage.client.delete_pending(&deleted).unwrap();
        stage.say("четыре");
        let told = if is_listed {
            stage.hear(&[ServerMessage::RoomGone { room: "r7".into() }])
        } else {
            stage.cut();
            stage.enter_all(0, Vec::new())
        };
        let told = summary(&told);
        let expected = ["r7: refused три NoRoom", "r7: withdrawn", "r7: gone"];
        assert!(told.ends_with(&expected.map(ToOwned::to_owned)), "{told:?}");
        assert_eq!(stage.pending(), ["четыре"]);
    }
}

#[test]
fn under_another_name_nobody_knows_what_became_of_it() {
    let (mut stage, first) = written("раз");
    let second = stage.say("два");
    stage.client.edit_pending(&first, "три").unwrap();
    stage.client.delete_pending(&second).unwrap();
    let vera = UserName::new("Вера").unwrap();
    let mut stage = Stage::of(Client::new(vera, stage.client.saved().clone(), [8; 32]));
    assert_told(&stage.told(), &["connect", "lost три", "lost два"]);
    assert!(stage.pending().is_empty());
}

#[test]
fn a_text_under_another_id_is_edited_all_the_same() {
    let (mut stage, id) = written("раз");
    stage.client.edit_pending(&id, "два").unwrap();
    stage.hear(&[error(ErrorCode::IdReused, Some(&id), None)]);
    stage.pass(SKIPPED_MS);
    let again = stage.written();
    assert_eq!(said(&again), ["раз"]);
    stage.client.edit_pending(&id, "три").unwrap();
    let Ok(ClientMessage::Text { id: Some(renewed), .. }) =
        ClientMessage::parse(again[0].as_bytes())
    else {
        panic!("{again:?}")
    };
    stage.hear(&[accepted(4, &renewed, "раз", (false, false))]);
    assert_eq!(stage.said(), ["edit 4 три"]);
}

#[test]
fn a_text_whose_renewals_are_used_up_fails_with_its_edit() {
    let (mut stage, id) = written("раз");
    stage.client.edit_pending(&id, "два").unwrap();
    let mut payload = r#"{"type":"text","content":"","id":""#.to_owned() + id.as_str() + r#""}"#;
    for _ in 0..RENEWALS_MAX {
        let Ok(ClientMessage::Text { id: Some(id), .. }) = ClientMessage::parse(payload.as_bytes())
        else {
            panic!("{payload}")
        };
        stage.hear(&[error(ErrorCode::IdReused, Some(&MessageId::heard(&id)), None)]);
        stage.pass(10 * SKIPPED_MS);
        let mut written = stage.written();
        written.retain(|payload| payload.contains("раз"));
        payload = written.remove(0);
    }
    let Ok(ClientMessage::Text { id: Some(id), .. }) = ClientMessage::parse(payload.as_bytes())
    else {
        panic!("{payload}")
    };
    let told = stage.hear(&[error(ErrorCode::IdReused, Some(&MessageId::heard(&id)), None)]);
    assert_told(&told, &["refused два IdReused"]);
    assert!(stage.pending().is_empty());
}

#[test]
fn an_edit_whose_turn_has_not_come_waits_for_it() {
    // The server keeps nothing for now.
    let (mut stage, first) = written("раз");
    let second = stage.say("два");
    stage.client.edit_pending(&first, "три").unwrap();
    stage.hear(&[error(ErrorCode::Storage, Some(&second), Some(700))]);
    stage.written();
    stage.hear(&[accepted(4, first.as_str(), "раз", (false, false))]);
    assert!(stage.said().is_empty(), "the other waits, too");
    stage.pass(700);
    assert_eq!(stage.said(), ["два", "edit 4 три"]);
    // It takes one thing in so long.
    let (mut stage, first) = written("раз");
    let second = stage.say("два");
    stage.client.edit_pending(&first, "три").unwrap();
    stage.written();
    let too_soon = |id| error(ErrorCode::SlowDown, Some(id), Some(700));
    stage.hear(&[too_soon(&first), too_soon(&second)]);
    stage.pass(700);
    assert_eq!(stage.said(), ["раз"]);
    stage.hear(&[accepted(4, first.as_str(), "раз", (false, false))]);
    stage.pass(0);
    assert_eq!(stage.said(), ["два"]);
    stage.hear(&[accepted(5, second.as_str(), "два", (false, false))]);
    stage.pass(0);
    assert_eq!(stage.said(), ["edit 4 три"]);
    // If nothing else is said, it need not wait.
    let (mut stage, first) = written("раз");
    stage.client.edit_pending(&first, "три").unwrap();
    stage.hear(&[too_soon(&first)]);
    stage.pass(700);
    assert_eq!(stage.said(), ["раз"]);
    stage.hear(&[accepted(4, first.as_str(), "раз", (false, false))]);
    assert_eq!(stage.said(), ["edit 4 три"]);
}

#[test]
fn a_gap_does_not_send_what_has_no_number() {
    let (mut stage, id) = written("раз");
    stage.client.edit_pending(&id, "два").unwrap();
    stage.hear(&[ServerMessage::Gap { room: HALL.into(), from: 4, to: 9 }]);
    stage.pass(SKIPPED_MS);
    assert_eq!(stage.said(), ["раз"]);
    stage.hear(&[accepted(9, id.as_str(), "раз", (true, false))]);
    assert_eq!(stage.said(), ["edit 9 два"]);
}

#[test]
fn another_log_gives_the_text_another_number() {
    let (mut stage, id) = written("раз");
    stage.client.edit_pending(&id, "два").unwrap();
    stage.cut();
    assert_eq!(said(&stage.enter("new", 0)), ["раз"]);
    stage.hear(&[accepted(1, id.as_str(), "раз", (false, false))]);
    assert_eq!(stage.said(), ["edit 1 два"]);
}
