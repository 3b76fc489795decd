//! Amendments that are heard: once and in order, and applied by one rule.

use super::*;
use crate::message::{EMOJI_MAX, REACTIONS_MAX};

pub(super) const THUMB: &str = "👍";
pub(super) const HEART: &str = "❤️";

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
    pub(super) fn amend(&mut self, amendment: Amendment<'_>) -> MessageId {
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
fn a_page_that_is_on_its_way_is_amended() {
    let mut stage = Stage::joined(10);
    assert!(stage.client.request_history(&hall(), 5));
    stage.hear(&[replayed(7), replayed(8), replayed(9)]);
    let amendments = [
        amended(11, edit(7, "x")),
        amended(12, Amendment::Delete { target: 8 }),
        amended(13, react(9, Some(THUMB))),
        amended(14, edit(10, "of a message that has not come")),
    ];
    assert_eq!(stage.hear(&amendments).len(), 4, "they are told all the same");
    let page = ServerMessage::Page { room: "".into(), before: 11, count: 4, start: false };
    let told = stage.hear(&[replayed(10), page]);
    let [Event::Page(page)] = &told[..] else { panic!("{told:?}") };
    let states = page.messages.iter().map(|message| message.state.clone()).collect::<Vec<_>>();
    let nine = MessageState::new("9".to_owned());
    let expected = [
        MessageState { edited_ms: Some(11), ..MessageState::new("x".to_owned()) },
        MessageState { is_deleted: true, ..MessageState::default() },
        MessageState { reactions: vec![(THUMB.to_owned(), vec!["Борис".to_owned()])], ..nine },
        MessageState::new("10".to_owned()),
    ];
    assert_eq!(states, expected);
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
fn a_deleted_message_that_was_counted_by_the_server_alone_is_new_no_more() {
    let mut stage = Stage::window(Saved::default());
    stage.enter_all(0, vec![read(described("r7", 10), 5, 3)]);
    let deletions = [(11, 9, 2), (12, 5, 2), (13, 11, 2), (14, 6, 1)];
    for (seq, target, unread) in deletions {
        stage.hear(&[within("r7", amended(seq, Amendment::Delete { target }))]);
        assert_eq!(stage.client.unread(&other()), unread, "without {target}");
    }
}
