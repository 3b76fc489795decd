//! Amendments: heard once and in order, applied by one rule, and said until they are accepted.

use super::*;
use crate::message::{EMOJI_MAX, REACTIONS_MAX};

const THUMB: &str = "👍";
const HEART: &str = "❤️";

/// Our own amendment `seq`.
pub(super) fn own(
    seq: u64,
    amendment: Amendment<'static>,
    id: &str,
    (is_dup, is_replayed): (bool, bool),
) -> ServerMessage<'static> {
    ServerMessage::Amended {
        amendment,
        room: HALL.into(),
        seq,
        time: seq,
        username: "Анна".into(),
        id: Some(id.to_owned().into()),
        dup: is_dup,
        replay: is_replayed,
    }
}

/// Returns the payloads of `written` that are amendments or texts, without their ids.
pub(super) fn said(written: &[String]) -> Vec<String> {
    let name = |payload: &String| match ClientMessage::parse(payload.as_bytes()).unwrap() {
        ClientMessage::Text { content, reply, .. } => {
            Some(name_of(&Said::Text { text: content.into_owned(), reply }))
        }
        ClientMessage::Amend { amendment, .. } => {
            Some(name_of(&Said::Amendment(amendment.into_owned())))
        }
        _ => None,
    };
    written.iter().filter_map(name).collect()
}

impl Stage {
    fn amend(&mut self, amendment: Amendment<'_>) -> MessageId {
        self.client.amend(&hall(), amendment).unwrap()
    }
}

#[test]
fn each_is_told_once_and_in_order_with_everything_else() {
    let mut stage = Stage::joined(10);
    let heard = [
        live(11),
        amended(12, edit(11, "x")),
        amended(12, edit(11, "again")),
        amended(3, edit(2, "old")),
        event(13, RoomEvent::Topic, Some("t")),
        amended(14, react(999, Some(THUMB))),
        amended(16, Amendment::Delete { target: 11 }),
        amended(17, Amendment::Edit { target: 11, content: None }),
        amended(18, Amendment::Restore { target: 11, content: Some("11\n".into()) }),
    ];
    let told = stage.hear(&heard);
    assert_told(
        &told,
        &[
            "11",
            "12 edit 11 x",
            "13 Topic t",
            "room \"\"",
            "14 react 999 👍",
            "gap 15-15",
            "16 delete 11",
            "17 edit 11 ?",
            "18 restore 11 11",
        ],
    );
    let [_, Event::Amended(edited), ..] = &told[..] else { panic!("{told:?}") };
    let expected = Amended {
        room: hall(),
        seq: 12,
        time_ms: 12,
        author: "Борис".into(),
        own: false,
        id: None,
        replayed: false,
        amendment: edit(11, "x"),
    };
    assert_eq!(*edited, expected);
    assert_eq!(stage.client.saved().seq(&hall()), 18);
}

#[test]
fn what_is_not_known_counts_and_is_not_shown() {
    let mut stage = Stage::joined(10);
    assert_eq!(stage.hear(&[amended(11, react(3, Some("no emoji")))]), []);
    assert_eq!(stage.client.saved().seq(&hall()), 11);
    let unknown = ServerMessage::UnknownRecord { room: HALL.into(), seq: 12 };
    assert_told(&stage.hear(&[unknown, live(13)]), &["13"]);
}

#[test]
fn those_that_were_missed_come_in_the_rooms_that_are_resumed() {
    let mut stage = Stage::in_two_rooms(10);
    stage.cut();
    stage.enter_all(0, vec![described("r7", 12)]);
    let mut missed = within("r7", amended(12, edit(11, "x")));
    if let ServerMessage::Amended { replay, .. } = &mut missed {
        *replay = true;
    }
    let told = stage.hear(&[within("r7", replayed(11)), missed]);
    assert_told(&told, &["r7: 11", "r7: 12 edit 11 x"]);
    let (Event::Message(message), Event::Amended(amended)) = (&told[0], &told[1]) else { panic!() };
    assert!(amended.replayed);
    let mut message = message.clone();
    assert!(message.amend(amended) && message.state.content == "x");
    assert_eq!(stage.client.saved().seq(&other()), 12);
    // A client that hears the hall alone passes them over elsewhere.
    let mut stage = Stage::joined(0);
    assert_eq!(stage.hear(&[within("r7", self::amended(1, edit(1, "x")))]), []);
}

#[test]
fn no_page_has_any() {
    let mut stage = Stage::joined(10);
    assert!(stage.client.request_history(&hall(), 5));
    let mut stray = amended(9, edit(8, "x"));
    if let ServerMessage::Amended { replay, .. } = &mut stray {
        *replay = true;
    }
    let page = ServerMessage::Page { room: "".into(), before: 11, count: 2, start: false };
    let told = stage.hear(&[replayed(8), stray, replayed(10), page]);
    assert_told(&told, &["page [8 10] false"]);
}

#[test]
fn a_message_shows_what_it_is_by_now() {
    let mut stage = Stage::joined(0);
    let shown = |message: ServerMessage<'static>, stage: &mut Stage| {
        let told = stage.hear(&[message]);
        let [Event::Message(message)] = &told[..] else { panic!("{told:?}") };
        (message.state.clone(), message.reply)
    };
    let mut heard = live(1);
    if let ServerMessage::Record { edited, reactions, reply, .. } = &mut heard {
        (*edited, *reply) = (Some(5), Some(7));
        *reactions = Reactions(vec![(THUMB.into(), vec!["a".into(), "b".into()])]);
    }
    let expected = MessageState {
        content: "1".into(),
        edited_ms: Some(5),
        is_deleted: false,
        reactions: vec![(THUMB.into(), vec!["a".into(), "b".into()])],
    };
    assert_eq!(shown(heard.clone(), &mut stage), (expected, Some(7)));
    if let ServerMessage::Record { seq, deleted, .. } = &mut heard {
        (*seq, *deleted) = (2, true);
    }
    let expected = MessageState { is_deleted: true, ..MessageState::default() };
    assert_eq!(shown(heard, &mut stage).0, expected, "nothing is left of it");
}

#[test]
fn an_amendment_is_of_one_message_before_it() {
    let mut stage = Stage::joined(0);
    let told = stage.hear(&[live(1), live(2), amended(3, edit(1, "x"))]);
    let [Event::Message(first), Event::Message(second), Event::Amended(amended)] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(first.clone().amend(amended));
    assert!(!second.clone().amend(amended));
    assert!(!Message { room: other(), ..first.clone() }.amend(amended));
    assert!(!Message { seq: None, ..first.clone() }.amend(amended));
    assert!(!first.clone().amend(&Amended { seq: 1, ..amended.clone() }));
}

#[test]
fn the_rule_says_what_amendments_make_of_a_message() {
    let delete = || Amendment::Delete { target: 1 };
    let restore = |content: Option<&'static str>| Amendment::Restore {
        target: 1,
        content: content.map(Into::into),
    };
    let no_words = || Amendment::Edit { target: 1, content: None };
    for (steps, words, edited_ms) in [
        (vec![(5, edit(1, "x"), true)], "x", Some(5)),
        (vec![(5, edit(1, "x"), true), (5, edit(1, "x"), false)], "x", Some(5)),
        (vec![(5, edit(1, "x"), true), (4, edit(1, "y"), false)], "x", Some(5)),
        (vec![(5, edit(1, "x"), true), (5, edit(1, "y"), true)], "y", Some(5)),
        (vec![(5, edit(1, "x"), true), (6, edit(1, "x"), true)], "x", Some(6)),
        (vec![(5, no_words(), false), (6, restore(Some("y")), false)], "1", None),
        (vec![(5, delete(), true), (6, delete(), false), (7, edit(1, "x"), false)], "-", None),
        (vec![(5, delete(), true), (6, restore(None), false)], "-", None),
        (
            vec![(5, edit(1, "x"), true), (6, delete(), true), (7, restore(Some("y")), true)],
            "y",
            None,
        ),
    ] {
        let mut state = MessageState::new("1".to_owned());
        for (time_ms, amendment, changes) in &steps {
            assert_eq!(state.amend("Борис", *time_ms, amendment), *changes, "{steps:?}");
        }
        let shown = if state.is_deleted { "-" } else { &state.content };
        assert_eq!((shown, state.edited_ms), (words, edited_ms), "{steps:?}");
        assert!(!state.is_deleted || state.content.is_empty());
    }
}

#[test]
fn each_person_has_one_reaction_to_a_message() {
    let mut state = MessageState::new("1".to_owned());
    for (author, emoji, changes, shown) in [
        ("a", None, false, ""),
        ("a", Some(THUMB), true, "👍a"),
        ("a", Some(THUMB), false, "👍a"),
        ("b", Some(THUMB), true, "👍ab"),
        ("a", Some(HEART), true, "👍b ❤️a"),
        ("c", Some("ok"), false, "👍b ❤️a"),
        ("c", Some(""), false, "👍b ❤️a"),
        ("c", Some("👍👍"), false, "👍b ❤️a"),
        ("b", Some(HEART), true, "❤️ab"),
        ("b", Some(HEART), false, "❤️ab"),
        ("a", Some(HEART), true, "❤️ba"),
        ("b", None, true, "❤️a"),
        ("b", None, false, "❤️a"),
    ] {
        assert_eq!(state.amend(author, 5, &react(1, emoji)), changes, "{author} {emoji:?}");
        let reactions =
            state.reactions.iter().map(|(emoji, names)| emoji.clone() + &names.concat());
        assert_eq!(reactions.collect::<Vec<_>>().join(" "), shown, "{author} {emoji:?}");
    }
    assert!(state.amend("c", 6, &Amendment::Delete { target: 1 }));
    assert!(!state.amend("a", 7, &react(1, Some(THUMB))) && state.reactions.is_empty());
}

#[test]
fn reactions_are_bounded() {
    let mut state = MessageState::new(String::new());
    let emoji: Vec<_> = ('🌀'..'🙏').map(String::from).filter(|it| message::is_emoji(it)).collect();
    let react = |state: &mut MessageState, name: usize, emoji: &str| {
        let emoji = Some(emoji.to_owned().into());
        state.amend(&name.to_string(), 0, &Amendment::React { target: 1, emoji })
    };
    for (name, emoji) in emoji[..2 * EMOJI_MAX].iter().enumerate() {
        assert_eq!(react(&mut state, name, emoji), name < EMOJI_MAX);
    }
    for name in EMOJI_MAX..2 * REACTIONS_MAX {
        assert_eq!(react(&mut state, name, &emoji[0]), name < REACTIONS_MAX);
    }
    assert!(react(&mut state, 5, &emoji[0]), "somebody who is among them can have another");
    assert!(react(&mut state, 3, &emoji[99]), "and with it the place of the last one");
    assert!(!react(&mut state, 4_000, &emoji[0]));
    let names = state.reactions.iter().map(|(_, names)| names.len());
    assert_eq!((state.reactions.len(), names.sum::<usize>()), (EMOJI_MAX - 1, REACTIONS_MAX));
}

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
fn words_that_are_known_no_more_acknowledge_an_edit() {
    let erased = Amendment::Edit { target: 2, content: None };
    let mut stage = Stage::joined(3);
    let id = stage.amend(edit(2, "x"));
    let told = stage.hear(&[own(3, erased, id.as_str(), (true, false))]);
    assert_eq!(told, [Event::Accepted { room: hall(), id, seq: 3 }]);
}

#[test]
fn something_else_under_its_id_acknowledges_nothing() {
    for answer in [edit(2, "y"), edit(1, "x"), react(2, None), Amendment::Delete { target: 2 }] {
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
fn only_messages_that_are_there_are_new_to_the_reader() {
    let in_other = |message| within("r7", message);
    let mut stage = Stage::in_two_rooms(10);
    let mut deleted = live(12);
    if let ServerMessage::Record { deleted, .. } = &mut deleted {
        *deleted = true;
    }
    stage.hear(&[
        in_other(live(11)),
        in_other(deleted),
        in_other(live(13)),
        in_other(amended(14, edit(11, "x"))),
        in_other(amended(15, react(11, Some(THUMB)))),
    ]);
    assert_eq!(stage.client.unread(&other()), 2);
    stage.hear(&[in_other(amended(16, Amendment::Delete { target: 13 }))]);
    assert_eq!(stage.client.unread(&other()), 1);
    let stray = [1, 12, 99].map(|target| Amendment::Delete { target });
    let stray = stray.into_iter().zip(17..).map(|(delete, seq)| in_other(amended(seq, delete)));
    stage.hear(&stray.collect::<Vec<_>>());
    assert_eq!(stage.client.unread(&other()), 1);
    // What we amend ourselves, on whatever device, is no sign that we have read.
    stage.hear(&[in_other(own(20, edit(3, "x"), "elsewhere", (false, false)))]);
    assert_eq!((stage.client.seen(&other()), stage.client.unread(&other())), (10, 1));
}

#[test]
fn a_page_has_deleted_messages_that_are_not_new() {
    let mut stage = Stage::window(Saved::default());
    stage.enter_all(0, vec![read(described("r7", 10), 5, 3)]);
    assert!(stage.client.request_history(&other(), 5));
    let of_page = (6..=10).map(|seq| {
        let mut message = within("r7", replayed(seq));
        if let ServerMessage::Record { deleted, .. } = &mut message {
            *deleted = 9 <= seq;
        }
        message
    });
    let page = ServerMessage::Page { room: "r7".into(), before: 11, count: 5, start: false };
    stage.hear(&of_page.chain([page]).collect::<Vec<_>>());
    assert_eq!(stage.client.unread(&other()), 3);
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
