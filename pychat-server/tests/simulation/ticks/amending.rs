//! Amendments: as either protocol hears of them, live, in what was missed, and in pages.

use pychat_server::core::{
    id::CallId,
    moderation::{ListedMessage, Order, Reply},
};

use super::{
    second::{payloads, resume},
    *,
};

const MINUTE_MS: u64 = 60_000;

/// Returns an amendment of message 1, with these members.
fn amend(kind: &str, id: &str, members: &str) -> String {
    format!(r#"{{"type":"{kind}","id":"{id}","target":1{members}}}"#)
}

/// Returns the frame of a record, as others than its author hear it at minute `minute`.
fn record(members: &str, seq: u64, minute: u64, rest: &str) -> String {
    let time = minute * MINUTE_MS;
    format!(r#"{{{members},"seq":{seq},"time":{time},"username":"a"{rest}}}"#)
}

impl Harness {
    /// Lets the time pass on the wall alone.
    fn minutes_later(&mut self, minutes: u64) {
        self.utc_ms += minutes * MINUTE_MS;
    }
}

#[test]
fn the_original_hears_edits_that_come_soon_and_what_an_answer_is_to() {
    let mut server = Harness::new(10);
    let (a, original) = (server.join_two("a"), server.join("original"));
    let says = |server: &mut Harness, payload: &str| {
        server.send(&a, payload.as_bytes());
        server.settle();
        payloads(&a);
        heard(&original)
    };
    let text = r#"{"type":"text","id":"1","content":"Tea?\nNow?"}"#;
    assert_eq!(says(&mut server, text), ["a: Tea?\nNow?"]);
    let answer = r#"{"type":"text","id":"2","content":"Yes","reply":1}"#;
    assert_eq!(says(&mut server, answer), ["a: > Tea?\nYes"]);
    server.minutes_later(9);
    let edit = amend("edit", "3", r#","content":"Coffee?""#);
    assert_eq!(says(&mut server, &edit), ["a: ✎ Coffee?"]);
    assert_eq!(says(&mut server, &edit), [""; 0], "it was sent again");
    let reaction = amend("react", "4", r#","emoji":"👍""#);
    assert_eq!(says(&mut server, &reaction), [""; 0]);
    server.minutes_later(1);
    assert_eq!(says(&mut server, &amend("edit", "5", r#","content":"Water?""#)), [""; 0]);
    assert_eq!(says(&mut server, &amend("delete", "6", "")), [""; 0]);
    let late = r#"{"type":"text","id":"7","content":"Really","reply":1}"#;
    assert_eq!(says(&mut server, late), ["a: Really"], "there is nothing to show");
    assert_eq!(says(&mut server, r#"{"type":"text","id":"8","content":"Bye"}"#), ["a: Bye"]);
}

#[test]
fn the_original_cannot_amend() {
    let mut server = Harness::new(10);
    let (a, original) = (server.join_two("a"), server.join("original"));
    server.text(&original, "hi");
    server.settle();
    payloads(&a);
    heard(&original);
    server.send(&original, amend("delete", "1", "").as_bytes());
    server.settle();
    let words = "Сервер Чата: Not understood: nobody here knows the type \"delete\".";
    assert_eq!(heard(&original), [words]);
    assert_eq!(payloads(&a), [""; 0]);
}

#[test]
fn those_who_were_away_hear_what_those_heard_who_were_there() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_two("a"), server.join_two("b"));
    let amendments = [
        r#"{"type":"text","id":"1","content":"x"}"#.to_owned(),
        amend("edit", "2", r#","content":"y""#),
        amend("edit", "3", r#","content":"z""#),
        amend("react", "4", r#","emoji":"👍""#),
    ];
    for amendment in &amendments {
        server.minutes_later(1);
        server.send(&a, amendment.as_bytes());
        server.settle();
    }
    let edit = |seq, words: &str, rest| {
        let members = format!(r#""type":"edit","target":1,"content":"{words}""#);
        record(&members, seq, seq, rest)
    };
    let reaction = |rest| record(r#""type":"react","target":1,"emoji":"👍""#, 4, 4, rest);
    let message = record(r#""type":"message""#, 1, 1, r#","content":"x""#);
    assert_eq!(payloads(&b), [message, edit(2, "y", ""), edit(3, "z", ""), reaction("")]);
    let own = payloads(&a);
    let ids = own.iter().filter(|payload| payload.contains(r#""id":""#));
    assert_eq!(ids.count(), 4, "{own:?}");

    // The message is as it is now, and the first edit has the words of the last.
    let c = server.connect();
    server.settle();
    payloads(&c);
    server.send(&c, second::hello(&c, "c", &resume(0)).as_bytes());
    server.settle();
    let replay = r#","replay":true"#;
    let state = format!(r#","edited":{},"reactions":{{"👍":["a"]}}"#, 3 * MINUTE_MS);
    let now = |rest: &str| {
        let rest = format!(r#","content":"z"{rest}{state}"#);
        record(r#""type":"message""#, 1, 1, &rest)
    };
    let heard = payloads(&c);
    let edits = [edit(2, "z", replay), edit(3, "z", replay), reaction(replay)];
    assert_eq!(heard[1..], [&[now(replay)], &edits[..]].concat());

    // A page leaves amendments out, however it ends.
    server.send(&c, br#"{"type":"history","before":5,"limit":2}"#);
    server.settle();
    let page = r#"{"type":"page","before":5,"count":1,"start":true}"#.to_owned();
    assert_eq!(payloads(&c), [now(replay), page]);

    payloads(&b);
    server.send(&a, amend("delete", "5", "").as_bytes());
    server.settle();
    let deletion = record(r#""type":"delete","target":1"#, 5, 4, "");
    assert_eq!(payloads(&b), std::slice::from_ref(&deletion));
    assert_eq!(payloads(&c), [deletion]);
    server.send(&c, br#"{"type":"history","before":9,"limit":9}"#);
    server.settle();
    let gone = r#","content":"","replay":true,"deleted":true"#;
    let page = r#"{"type":"page","before":9,"count":1,"start":true}"#.to_owned();
    assert_eq!(payloads(&c), [record(r#""type":"message""#, 1, 1, gone), page]);
}

/// Returns the numbers of listed messages.
fn numbers(listed: &[ListedMessage]) -> Vec<u64> {
    listed.iter().map(|message| message.number).collect()
}

#[test]
fn everybody_hears_what_an_operator_on_the_machine_removes() {
    let mut server = Harness::new(10);
    let (a, original) = (server.join_two("a"), server.join("original"));
    server.send(&a, br#"{"type":"text","id":"1","content":"x"}"#);
    server.settle();
    payloads(&a);
    heard(&original);
    let order = |server: &mut Harness, order| {
        server.server.order(server.now, CallId(1), "root", order);
        server.settle();
        assert!(matches!(server.server.take_replies()[..], [(_, Reply::Done { .. })]));
        payloads(&a)
    };
    let by_root = |kind: &str, seq: u64, rest: &str| {
        format!(r#"{{"type":"{kind}","target":1{rest},"seq":{seq},"time":0,"username":"root"}}"#)
    };
    let room = String::new;
    let remove = Order::RemoveMessage { room: room(), number: 1 };
    assert_eq!(order(&mut server, remove), [by_root("delete", 2, "")]);
    let listed = server.server.lookup().messages("", 9, None).unwrap().unwrap();
    assert!(listed[0].deleted && listed[0].words.is_empty(), "{listed:?}");
    let restore = Order::RestoreMessage { room: room(), number: 1 };
    assert_eq!(order(&mut server, restore), [by_root("restore", 3, r#","content":"x""#)]);
    assert_eq!(heard(&original), [""; 0]);

    let b = server.connect();
    server.settle();
    payloads(&b);
    server.send(&b, second::hello(&b, "b", &resume(0)).as_bytes());
    server.settle();
    let replayed = payloads(&b);
    assert_eq!(replayed.len(), 4, "{replayed:?}");
    assert!(replayed[3].contains(r#""type":"restore","target":1,"content":"x""#), "{replayed:?}");
}

#[test]
fn the_messages_of_a_room_are_listed_a_page_at_a_time() {
    let mut server = Harness::new(10);
    let a = server.join("a");
    for number in 1..=600 {
        server.text(&a, &format!("{number}"));
        server.tick();
    }
    server.text(&a, &"x".repeat(60 << 10));
    for _ in 0..4 {
        server.text(&a, &"y".repeat(60 << 10));
        server.tick();
    }
    server.settle();
    let mut list =
        |limit, before| server.server.lookup().messages("", limit, before).unwrap().unwrap();
    let range = |range: std::ops::RangeInclusive<u64>| range.collect::<Vec<_>>();
    assert_eq!(numbers(&list(3, Some(600))), [597, 598, 599]);
    assert_eq!(numbers(&list(u64::MAX, Some(601))), range(101..=600), "at most so many");
    assert_eq!(numbers(&list(9, None)), range(602..=605), "at most so much text");
    assert_eq!(numbers(&list(0, Some(u64::MAX))), [605], "one at least");
    assert_eq!(numbers(&list(9, Some(3))), [1, 2]);
    for before in [0, 1] {
        assert_eq!(numbers(&list(9, Some(before))), [] as [u64; 0]);
    }
    let first = list(1, Some(2)).remove(0);
    assert_eq!(
        (&*first.author, &*first.words, first.deleted, first.event),
        ("a", "1", false, None)
    );
    let nowhere = server.server.lookup().messages("r1", 9, None);
    assert_eq!(nowhere, Err("There is no room r1.".to_owned()));
}
