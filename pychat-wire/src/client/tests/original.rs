//! Protocol 1: as the original's clients, but that it comes back.

use super::*;
use crate::name::YOU;

fn message(username: &'static str, content: &str) -> ServerMessage<'static> {
    ServerMessage::Message { username: username.into(), content: content.to_owned().into() }
}

/// Connects to a server of protocol 1 and is let in as the second `Анна`.
fn enter(stage: &mut Stage) -> Vec<Event> {
    stage.client.connected(stage.now);
    let welcome = Notice::Welcome { name: "Анна (2)", online: 2, names: "a1, Анна" };
    let events = stage.hear(&[notice(Notice::Greeting), notice(welcome)]);
    assert_eq!(stage.written(), [r#"{"type":"hello","username":"Анна"}"#]);
    events
}

fn joined() -> Stage {
    let mut stage = Stage::new();
    stage.told();
    let others = vec!["a1".to_owned(), "Анна".to_owned()];
    let name = "Анна (2)".to_owned();
    assert_eq!(enter(&mut stage), [Event::Joined { name, others, protocol: 1, again: false }]);
    stage
}

fn own(content: &str, id: Option<MessageId>) -> Event {
    Event::Message(Message {
        room: hall(),
        seq: None,
        time_ms: None,
        author: "Анна (2)".into(),
        state: MessageState::new(content.to_owned()),
        reply: None,
        own: true,
        id,
        replayed: false,
    })
}

#[test]
fn what_was_said_is_unacknowledged_until_it_comes_back() {
    let mut stage = joined();
    let first = stage.say("раз  \n");
    let second = stage.say("два\nтри");
    assert_eq!(
        stage.client.unacknowledged().collect::<Vec<_>>(),
        [
            Pending { room: &hall(), id: &first, said: &plain("раз"), of: None },
            Pending { room: &hall(), id: &second, said: &plain("два\nтри"), of: None },
        ]
    );
    assert_eq!(stage.written()[0], r#"{"type":"text","content":"раз"}"#);
    assert_eq!(stage.hear(&[message(YOU, "раз")]), [own("раз", Some(first))]);
    assert_eq!(stage.hear(&[message(YOU, "что?")]), [own("что?", None)]);
    assert_eq!(stage.hear(&[message(YOU, "два\nтри")]), [own("два\nтри", Some(second))]);
    assert_eq!(stage.client.unacknowledged().count(), 0);
}

#[test]
fn what_cannot_be_sent_is_not() {
    let mut stage = joined();
    assert_eq!(stage.client.say(&hall(), " \n\t"), Err(SayError::Blank));
    let fits = "x".repeat(PAYLOAD_BYTES_MAX - r#"{"type":"text","content":""}"#.len());
    let error = SayError::TooLarge { bytes: PAYLOAD_BYTES_MAX + 1, limit: PAYLOAD_BYTES_MAX };
    assert_eq!(stage.client.say(&hall(), &(fits.clone() + "x")), Err(error));
    assert!(stage.written().is_empty());
    assert!(stage.client.say(&hall(), &fits).is_ok());
    assert!(!stage.client.request_history(&hall(), 10), "there is none");
    stage.cut();
    assert_eq!(stage.client.say(&hall(), "x"), Err(SayError::NotJoined));
}

#[test]
fn a_lost_line_gives_back_what_may_have_been_heard() {
    let mut stage = joined();
    stage.say("раз");
    stage.client.disconnected(0);
    assert_told(&stage.told(), &["lost раз", "offline Lost Some(0)", "connect"]);
    assert_told(&enter(&mut stage), &["back"]);
    assert!(stage.written().is_empty());
    stage.say("два");
    stage.client.leave();
    assert_told(&stage.told(), &["disconnect", "lost два"]);
    assert_eq!(stage.client.saved().n_unacknowledged(), 0);
}

#[test]
fn a_server_that_forgot_protocol_2_gets_nothing_twice() {
    let mut stage = Stage::joined(0);
    stage.say("раз");
    stage.cut();
    stage.say("два");
    assert_told(&enter(&mut stage), &["back", "lost раз", "lost два"]);
    assert!(stage.written().is_empty());
}

#[test]
fn one_newline_at_the_end_is_the_originals_and_not_shown() {
    let mut stage = joined();
    for (heard, shown) in [("x\n", "x"), ("\nx\n\n", "\nx\n"), ("", "")] {
        let events = stage.hear(&[message("b", heard)]);
        let [Event::Message(message)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((message.state.content.as_str(), message.author.as_str()), (shown, "b"));
        assert!(!message.own && message.seq.is_none());
    }
}

#[test]
fn the_notices_tell_who_is_present() {
    let mut stage = joined();
    assert_eq!(stage.client.members(), ["a1", "Анна", "Анна (2)"]);
    let heard = [notice(Notice::Joined { name: "b" }), notice(Notice::Left { name: "a1" })];
    let left = Event::MemberLeft { name: "a1".into(), time_ms: None, reason: None };
    assert_eq!(stage.hear(&heard), [Event::MemberJoined { name: "b".into(), time_ms: None }, left]);
    assert_eq!(stage.client.members(), ["Анна", "Анна (2)", "b"]);
    assert_eq!(stage.client.name(), "Анна (2)");
    let other = stage.hear(&[notice(Notice::Other("ой\n"))]);
    assert_eq!(other, [Event::Notice { text: "ой".into() }]);
}

#[test]
fn a_name_that_holds_a_comma_leaves_no_ghost() {
    let cases: [(usize, &str, &[&str], &[&str]); 16] = [
        (1, "Иванов, Пётр", &[], &["Иванов, Пётр"]),
        (1, "Иванов, Пётр", &["Иванов, Пётр"], &[]),
        (2, "Иванов, Пётр, Анна", &[], &["Иванов", "Пётр", "Анна"]),
        (2, "Иванов, Пётр, Анна", &["Анна"], &["Иванов, Пётр"]),
        (2, "Иванов, Пётр, Анна", &["Иванов, Пётр"], &["Анна"]),
        (2, "Иванов, Пётр, Анна", &["Пётр, Анна"], &["Иванов"]),
        (2, "Иванов, Пётр, Анна", &["Пётр, Анна", "Иванов"], &[]),
        // Two names that hold one, and what is left when those between them are gone.
        (4, "a, b, c, d, e, f", &["c", "d"], &["a, b", "e, f"]),
        (4, "a, b, c, d, e, f", &["b, c"], &["a", "d", "e", "f"]),
        (3, "a, b, c, d, e, f", &["e, f", "a, b"], &["c, d"]),
        // It is clear which `b` has left: without the other there would be too many people.
        (2, "a, b, b", &["b"], &["a, b"]),
        // Nobody listed is called that, but one fewer is there.
        (2, "a, b, c", &["x"], &["a, b, c"]),
        (3, "a, b, c, d", &["x", "y", "z"], &[]),
        (2, "a, b, c", &["b"], &[]),
        // Counts that cannot be: nobody, and more than are named.
        (0, "a, b", &[], &[]),
        (3, "a, b", &["a"], &["b"]),
    ];
    for (online, names, left, listed) in cases {
        let mut stage = Stage::new();
        stage.client.connected(0);
        let welcome = Notice::Welcome { name: "Анна (2)", online, names };
        let met = [notice(Notice::Greeting), notice(welcome), notice(Notice::Joined { name: "z" })];
        stage.hear(&met);
        for name in left {
            stage.hear(&[notice(Notice::Left { name })]);
        }
        stage.hear(&[notice(Notice::Left { name: "z" })]);
        let expected = [listed, &["Анна (2)"][..]].concat();
        assert_eq!(stage.client.members(), expected, "{names} of {online} without {left:?}");
    }
}

#[test]
fn everybody_can_leave_whatever_they_are_called() {
    let names = ["a", "b", "a, b", "b, a", "a, b, a"];
    for choice in 0..names.len().pow(4) {
        let people: Vec<_> =
            (0..4).map(|at| names[choice / names.len().pow(at) % names.len()]).collect();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            let mut roster = Roster::default();
            roster.replace_listed(&people.join(", "), 4);
            for at in order {
                roster.remove(people[at]);
            }
            assert!(roster.names().is_empty(), "{people:?} in the order {order:?}: {roster:?}");
        }
    }
}

#[test]
fn what_a_sentence_holds_is_bounded() {
    let long = "ж".repeat(100_000);
    let (name, words) = ("ж".repeat(31) + "…", "ж".repeat(499) + "…");
    let listed = vec!["a"; 20_100].join(", ");
    let mut stage = Stage::new();
    stage.client.connected(0);
    let welcome = Notice::Welcome { name: &long, online: 20_100, names: &listed };
    let events = stage.hear(&[notice(Notice::Greeting), notice(welcome)]);
    let [_, Event::Joined { name: own, others, .. }] = &events[..] else { panic!() };
    assert_eq!((own, others.len()), (&name, 20_000));
    let mut stage = joined();
    let heard =
        [Notice::Joined { name: &long }, Notice::Left { name: &long }, Notice::Other(&long)];
    let events = stage.hear(&heard.map(notice));
    let told = [
        Event::MemberJoined { name: name.clone(), time_ms: None },
        Event::MemberLeft { name, time_ms: None, reason: None },
        Event::Notice { text: words },
    ];
    assert_eq!(events, told);
    assert_eq!(stage.client.members().len(), 3);
}

#[test]
fn a_server_that_stops_has_said_why() {
    let mut stage = joined();
    assert_eq!(stage.hear(&[notice(Notice::Stopping)]), []);
    stage.client.disconnected(0);
    assert_told(&stage.told()[..1], &["offline Bye { reason: Shutdown } Some(0)"]);
}

#[test]
fn a_name_that_is_not_taken_is_said_so() {
    let mut stage = Stage::new();
    stage.client.connected(0);
    let heard = [notice(Notice::Greeting), notice(Notice::Other("no\n"))];
    assert_told(&stage.hear(&heard), &["connect", "disconnect", "not as this name None no"]);
    assert_eq!(stage.client.say(&hall(), "x"), Err(SayError::NotJoined));

    let mut stage = joined();
    stage.cut();
    stage.client.connected(0);
    let told = stage.hear(&heard);
    assert!(matches!(told[1], Event::Offline { retry_at_ms: Some(_), .. }), "it tries again");
}

#[test]
fn who_is_turned_away_at_the_door_hears_why() {
    let mut stage = Stage::new();
    stage.client.connected(0);
    assert_told(
        &stage.hear(&[notice(Notice::Other("The chat is full: 1 connections. Bye!\n"))]),
        &["connect"],
    );
    stage.client.disconnected(0);
    let cause = r#"offline TurnedAway { code: Some(Full), reason: "The chat is full: 1 connections. Bye!" } None"#;
    assert_told(&stage.told(), &[cause]);
}

#[test]
fn silence_is_no_news_in_protocol_1() {
    let mut stage = joined();
    assert_eq!(stage.client.next_deadline(), None);
    stage.client.wake(5);
    assert!(stage.written().is_empty());
}
