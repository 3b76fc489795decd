//! Texts under ids that the shell chose.

use super::*;

fn chosen() -> MessageId {
    MessageId::chosen("backup 7").unwrap()
}

#[test]
fn an_id_has_a_size_and_no_control_characters() {
    for (id, is_good) in [("7", true), (&"7".repeat(64), true), (&"7".repeat(65), false)] {
        assert_eq!(MessageId::chosen(id).is_some(), is_good, "{id}");
    }
    for id in ["", "a\nb", "\u{9b}"] {
        assert_eq!(MessageId::chosen(id), None, "{id:?}");
    }
}

#[test]
fn a_text_is_said_under_the_id_that_was_chosen_and_again_by_the_next_process() {
    let mut stage = Stage::joined(0);
    stage.client.say_as(&chosen(), &hall(), plain("1 ")).unwrap();
    let text = r#"{"type":"text","content":"1","id":"backup 7"}"#;
    assert_eq!(stage.written(), [text]);
    assert_eq!(stage.client.say_as(&chosen(), &hall(), plain("1")), Err(SayError::IdInUse));
    let mut stage = stage.killed();
    assert!(stage.enter(EPOCH, 1).contains(&text.to_owned()));
    assert_told(&stage.hear(&[copy(1, &chosen(), true, false)]), &["accepted 1"]);
    assert_eq!(stage.client.unacknowledged().count(), 0);
}

#[test]
fn other_words_under_a_chosen_id_are_refused_and_never_said_under_another() {
    let mut known = copy(2, &chosen(), true, false);
    if let ServerMessage::Record { content, .. } = &mut known {
        *content = "другое".into();
    }
    for answer in [error(ErrorCode::IdReused, Some(&chosen()), None), known] {
        let mut stage = Stage::joined(0);
        stage.client.say_as(&chosen(), &hall(), plain("раз")).unwrap();
        stage.written();
        assert_told(&stage.hear(&[answer]), &["refused раз IdReused"]);
        stage.pass(SKIPPED_MS);
        assert!(stage.written().iter().all(|payload| !payload.contains("раз")));
    }
}

#[test]
fn an_edit_has_words() {
    let mut stage = Stage::joined(3);
    stage.written();
    let edit = |words| Said::Amendment(edit(3, words));
    assert_eq!(stage.client.say_as(&chosen(), &hall(), edit(" ")), Err(SayError::Blank));
    stage.client.say_as(&chosen(), &hall(), edit("два ")).unwrap();
    let text = r#"{"type":"edit","target":3,"content":"два","id":"backup 7"}"#;
    assert_eq!(stage.written(), [text]);
}
