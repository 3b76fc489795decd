//! Amendments: as either protocol hears of them, live, in what was missed, and in pages.

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
