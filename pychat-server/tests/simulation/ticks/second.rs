//! The promises of the loop to those who speak protocol 2.

use pychat_wire::key::Proof;

use super::*;
use crate::kit::keys;

/// Returns a hello of protocol 2 by the device that is called like its person, with these further
/// members, such as `,"resume":{…}`.
pub(super) fn hello(peer: &Peer, name: &str, members: &str) -> String {
    let Proof { key, signature } = keys::key(name).prove(&peer.challenge, name);
    let proof = format!(r#","key":"{key}","signature":"{signature}""#);
    format!(r#"{{"type":"hello","username":"{name}","protocol":2{proof}{members}}}"#)
}

/// Returns the members by which a hello resumes after number `after`.
pub(super) fn resume(after: u64) -> String {
    format!(r#","resume":{{"epoch":"{:032x}","rooms":{{"":{after}}}}}"#, 0)
}

fn text(id: &str, content: &str) -> String {
    format!(r#"{{"type":"text","content":"{content}","id":"{id}"}}"#)
}

/// Returns message `seq` as anybody hears it, with these further members.
fn message(seq: u64, author: &str, content: &str, members: &str) -> String {
    format!(
        r#"{{"type":"message","seq":{seq},"time":0,"username":"{author}","content":"{content}"{members}}}"#
    )
}

fn left(name: &str, reason: &str) -> String {
    format!(r#"{{"type":"left","username":"{name}","time":0,"reason":"{reason}"}}"#)
}

fn bye(reason: &str) -> String {
    format!(r#"{{"type":"bye","reason":"{reason}","retry_ms":1000}}"#)
}

/// Takes the payloads that a peer has heard.
pub(super) fn payloads(peer: &Peer) -> Vec<String> {
    split(&peer.line.take_heard())
}

/// Returns the payloads of whole frames.
pub(super) fn split(bytes: &[u8]) -> Vec<String> {
    let (mut decoder, mut input, mut payloads) = (Decoder::new(usize::MAX), bytes, Vec::new());
    while let Some(payload) = decoder.next_payload(&mut input).expect("frames") {
        payloads.push(String::from_utf8(payload.to_vec()).expect("text"));
    }
    assert_eq!(decoder.pending_bytes(), 0, "whole frames only");
    payloads
}

impl Harness {
    /// Lets somebody join who speaks protocol 2.
    pub(super) fn join_two(&mut self, name: &str) -> Peer {
        let peer = self.connect();
        self.send(&peer, hello(&peer, name, "").as_bytes());
        self.settle();
        assert!(payloads(&peer)[1].contains(r#""type":"welcome""#));
        peer
    }
}

#[test]
fn who_is_too_slow_hears_a_bye_last_and_the_others_why_it_left() {
    let mut server = Harness::new(10);
    let (slow, talker) = (server.join_two("slow"), server.join("talker"));
    let other = server.join_two("other");
    payloads(&slow);
    slow.line.set_room(Some(100));
    let content = "x".repeat(50_000);
    for _ in 0..=(1 << 20) / content.len() {
        server.text(&talker, &content);
        server.settle();
    }
    assert_eq!(payloads(&other).last(), Some(&left("slow", "slow")));
    server.server.stop(server.now);
    server.settle();
    slow.line.set_room(None);
    server.server.set_ready(slow.id, false, true);
    server.settle();
    let heard = payloads(&slow);
    let byes: Vec<_> = heard.iter().filter(|payload| payload.contains("bye")).collect();
    assert_eq!((byes, heard.last()), (vec![&bye("slow")], Some(&bye("slow"))));
    assert!(slow.line.is_ended() && 20 < heard.len(), "and before it all that came before");
}

#[test]
fn a_reader_that_comes_back_slowly_is_waited_for_whatever_the_limit() {
    let payload_bytes_max = 1 << 10;
    let backlog_bytes_max = 8 << 10;
    let limits = Limits { payload_bytes_max, backlog_bytes_max, rules: RULES, ..Limits::default() };
    let mut server = Harness::limited(&limits);
    let talker = server.join("talker");
    for _ in 0..1_000 {
        server.text(&talker, "what was said while somebody was away");
        server.settle();
    }
    let peer = server.connect();
    server.settle();
    peer.line.set_room(Some(0));
    server.send(&peer, hello(&peer, "slow", &resume(0)).as_bytes());
    server.settle();
    let mut bytes = Vec::new();
    while !peer.line.is_ended() && server.server.backlog_bytes() != 0 {
        peer.line.set_room(Some(1_000));
        server.server.set_ready(peer.id, false, true);
        server.settle();
        bytes.extend(peer.line.take_heard());
    }
    assert!(!peer.line.is_ended());
    let heard = String::from_utf8(bytes).unwrap();
    assert_eq!(heard.matches(r#""replay":true"#).count(), 1_000);
}

#[test]
fn a_page_has_the_newest_messages_that_it_has_room_for() {
    let mut server = Harness::new(10);
    let talker = server.join("talker");
    for _ in 0..10 {
        server.text(&talker, &"x".repeat(60_000));
        server.settle();
    }
    let peer = server.join_two("a");
    let mut pages = Vec::new();
    for before in ["9000000000000000000", "7", "3", "1"] {
        let ask = format!(r#"{{"type":"history","before":{before},"limit":500}}"#);
        server.send(&peer, ask.as_bytes());
        server.settle();
        pages.extend(payloads(&peer).pop());
    }
    let page = |before: &str, count: u64, start: bool| {
        format!(r#"{{"type":"page","before":{before},"count":{count},"start":{start}}}"#)
    };
    let last = "9000000000000000000";
    let expected =
        [page(last, 4, false), page("7", 4, false), page("3", 2, true), page("1", 0, true)];
    assert_eq!(pages, expected);
}

#[test]
fn nobody_is_told_anything_after_a_bye() {
    let mut server = Harness::new(10);
    let talker = server.join("talker");
    (0..10).for_each(|n| server.text(&talker, &n.to_string()));
    server.settle();
    let peer = server.connect();
    server.settle();
    payloads(&peer);
    server.send(&peer, format!("{}nonsense", hello(&peer, "a", &resume(0))).as_bytes());
    let newcomer = server.connect();
    server.send(&newcomer, hello(&newcomer, "b", "").as_bytes());
    server.settle();
    let heard = payloads(&peer);
    assert_eq!(heard.last(), Some(&bye("protocol")), "{heard:?}");
}

#[test]
fn several_connections_of_one_person_are_one_to_the_others() {
    let mut server = Harness::new(10);
    let (old, other) = (server.join_two("a"), server.join_two("b"));
    let new = server.connect();
    server.settle();
    payloads(&old);
    server.send(&old, text("1", "said in the same tick").as_bytes());
    let hello = hello(&new, "a", "");
    server.send(&new, format!("{hello}{}", text("2", "in the same breath")).as_bytes());
    server.settle();
    let first = |members| message(1, "a", "said in the same tick", members);
    let second = |members| message(2, "a", "in the same breath", members);
    assert_eq!(payloads(&other), [first(""), second("")]);
    let owns = [first(r#","id":"1""#), second(r#","id":"2""#)];
    assert_eq!(payloads(&old), owns, "the other's words too");
    let heard = payloads(&new);
    let [_, welcome, first, second] = &heard[..] else { panic!("{heard:?}") };
    assert!(welcome.contains(r#""members":["a","b"],"rooms":["#), "{welcome}");
    assert_eq!([first, second], owns.each_ref());
    old.line.reset();
    server.server.set_ready(old.id, true, false);
    server.settle();
    assert_eq!(payloads(&other), Vec::<String>::new(), "it is still there");
    server.send(&new, b"0:");
    server.settle();
    assert_eq!(payloads(&other), [left("a", "quit")]);
}

#[test]
fn who_catches_up_hears_what_their_other_connection_says_as_their_own_and_once() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_two("a"), server.join_two("b"));
    (0..3).for_each(|n| server.send(&b, text(&n.to_string(), "x").as_bytes()));
    server.settle();
    let again = server.connect();
    server.send(&again, hello(&again, "a", &resume(1)).as_bytes());
    server.send(&a, text("1", "meanwhile").as_bytes());
    server.settle();
    let heard = payloads(&again);
    let said: Vec<_> = heard.iter().filter(|payload| payload.contains("meanwhile")).collect();
    assert!(said.len() == 1 && said[0].contains(r#""id":"1""#), "{heard:?}");
}

#[test]
fn everybody_hears_one_order_in_which_each_finds_its_own_under_its_id() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_two("a"), server.join_two("b"));
    let c = server.join("c");
    for peer in [&a, &b, &c] {
        peer.line.take_heard();
    }
    server.send(&a, text("1", "x").as_bytes());
    server.send(&b, text("1", "y").as_bytes());
    server.send(&a, text("2", "z").as_bytes());
    server.text(&c, "o");
    server.tick();
    let expected = |name: &str| {
        let said = [("a", "x", "1"), ("a", "z", "2"), ("b", "y", "1"), ("c", "o", "")];
        let said = (1..).zip(said).map(|(seq, (author, content, id))| {
            let id = format!(r#","id":"{id}""#);
            message(seq, author, content, if author == name { &id } else { "" })
        });
        said.collect::<Vec<_>>()
    };
    assert_eq!((payloads(&a), payloads(&b)), (expected("a"), expected("b")));
    assert_eq!(heard(&c), ["a: x", "a: z", "b: y", "Вы: o"]);
}

#[test]
fn two_texts_under_one_id_in_one_tick_are_one_message() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_two("a"), server.join_two("b"));
    payloads(&a);
    server.send(&a, format!("{}{}", text("1", "x"), text("1", "x")).as_bytes());
    server.send(&b, text("1", "its own").as_bytes());
    server.tick();
    let first = |members: &str| message(1, "a", "x", members);
    let second = |members: &str| message(2, "b", "its own", members);
    let (own, dup) = (r#","id":"1""#, r#","id":"1","dup":true"#);
    assert_eq!(payloads(&a), [first(own), first(dup), second("")]);
    assert_eq!(payloads(&b), [first(""), second(own)]);
    server.send(&a, text("1", "x").as_bytes());
    server.tick();
    assert_eq!((payloads(&a), payloads(&b)), (vec![first(dup)], vec![]));
    server.send(&a, text("1", "another").as_bytes());
    server.tick();
    let refused = r#"{"type":"error","code":"id_reused","text":"you said something else under this id; this was not sent","ref":"1"}"#;
    assert_eq!((payloads(&a), payloads(&b)), (vec![refused.to_owned()], vec![]));
}

#[test]
fn what_is_said_in_the_tick_of_a_hello_is_heard_once() {
    let members = [String::new(), resume(0), resume(1), resume(2)];
    for (is_first, members) in
        [false, true].into_iter().flat_map(|is| members.each_ref().map(|m| (is, m)))
    {
        let mut server = Harness::new(10);
        let talker = server.join("talker");
        server.text(&talker, "before");
        server.settle();
        let peer = server.connect();
        server.settle();
        payloads(&peer);
        if is_first {
            server.text(&talker, "now");
        }
        server.send(&peer, hello(&peer, "a", members).as_bytes());
        if !is_first {
            server.text(&talker, "now");
        }
        server.text(&talker, "and now");
        server.settle();
        server.text(&talker, "later");
        server.settle();
        let heard = payloads(&peer);
        let seqs: Vec<u64> = (1..=4)
            .filter(|seq| {
                heard.iter().any(|payload| payload.contains(&format!(r#"e","seq":{seq},"#)))
            })
            .collect();
        let n_messages = heard.iter().filter(|payload| payload.contains(r#"":"message""#)).count();
        let is_before = heard[0].contains(r#""last":1,"#);
        let expected: &[u64] = match (members.as_str(), is_before) {
            ("", true) => &[2, 3, 4],
            ("", false) => &[4],
            (members, _) if members == resume(0) => &[1, 2, 3, 4],
            (members, _) if members == resume(1) => &[2, 3, 4],
            (_, true) => &[2, 3, 4], // It has a number that is yet to come, and is told so.
            (_, false) => &[3, 4],
        };
        assert_eq!((&seqs[..], n_messages), (expected, expected.len()), "{heard:#?}");
    }
}

#[test]
fn who_wants_no_more_than_so_many_is_told_which_were_skipped() {
    for (after, limit, is_long, expected) in [
        (0, "2", false, &["skip 1-4", "5", "6"][..]),
        (3, "2", false, &["skip 4-4", "5", "6"]),
        (4, "2", false, &["5", "6"]),
        (0, "6", false, &["1", "2", "3", "4", "5", "6"]),
        (0, "0", false, &["skip 1-5", "6"]),
        (0, "-2", false, &["1", "2", "3", "4", "5", "6"]),
        (0, "\"2\"", false, &["1", "2", "3", "4", "5", "6"]),
        // No more than a page has.
        (0, "500", true, &["skip 1-2", "3", "4", "5", "6"]),
    ] {
        let mut server = Harness::new(10);
        let talker = server.join("talker");
        for _ in 0..6 {
            server.text(&talker, &"x".repeat(if is_long { 60_000 } else { 1 }));
        }
        server.settle();
        let peer = server.connect();
        server.settle();
        payloads(&peer);
        let resume = resume(after).replace("}}", &format!(r#"}},"limit":{limit}}}"#));
        server.send(&peer, hello(&peer, "a", &resume).as_bytes());
        server.settle();
        let heard = payloads(&peer).into_iter().skip(1).map(|payload| {
            let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
            match payload["type"].as_str() {
                Some("skip") => format!("skip {}-{}", payload["from"], payload["to"]),
                _ => payload["seq"].to_string(),
            }
        });
        assert_eq!(heard.collect::<Vec<_>>(), expected, "{limit} after {after}");
    }
}

#[test]
fn time_never_goes_back_though_the_clock_does() {
    let mut server = Harness::new(10);
    let a = server.join_two("a");
    for (utc_ms, heard_ms) in [(5_000, 5_000), (4_000, 5_000), (6_000, 6_000)] {
        let name = format!("b{utc_ms}");
        let newcomer = server.connect();
        server.send(&newcomer, hello(&newcomer, &name, "").as_bytes());
        server.send(&a, text(&name, "x").as_bytes());
        server.server.tick(server.now, utc_ms);
        let heard = payloads(&a);
        let time = format!(r#""time":{heard_ms},"#);
        assert_eq!(heard.len(), 2);
        let joined = format!(r#"{{"type":"joined","username":"{name}","time":{heard_ms}}}"#);
        assert!(heard.contains(&joined), "{heard:?}");
        assert!(heard.iter().any(|payload| payload.contains(&time)), "{heard:?}");
        assert!(payloads(&newcomer)[1].contains(&time));
    }
}
