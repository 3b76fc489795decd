//! Searches: what is found, by whom, and how a search ends.

use super::*;
use crate::message::FoundMessage;

/// A message that search `id` found.
fn found(id: &str, room: &str, seq: u64) -> ServerMessage<'static> {
    found_words(id, room, seq, "обед в час\n".to_owned())
}

fn found_words(id: &str, room: &str, seq: u64, content: String) -> ServerMessage<'static> {
    let message = FoundMessage {
        room: room.to_owned().into(),
        seq,
        time: seq,
        username: "Борис".into(),
        content: content.into(),
        id: None,
        reply: Some(1),
        edited: Some(seq + 1),
        reactions: Reactions(vec![("👍".into(), vec!["Анна".into()])]),
    };
    ServerMessage::Found { reference: id.to_owned().into(), message }
}

fn found_end(id: &str, before: Option<&'static str>) -> ServerMessage<'static> {
    ServerMessage::FoundEnd { reference: id.to_owned().into(), before: before.map(Into::into) }
}

fn words(query: &str) -> Search<'_> {
    Search { query, limit: 20, ..Search::default() }
}

/// Returns what was found and how searches ended, in few words.
fn heard(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| match event {
        Event::Found { id, message } => {
            format!("{id} {} {}", message.room, message.seq.unwrap_or(0))
        }
        Event::SearchEnded { id, end } => format!("{id} {end:?}"),
        other => format!("{other:?}"),
    };
    events.iter().map(line).collect()
}

#[test]
fn a_search_is_asked_for_answered_and_gone_on_with() {
    let mut stage = Stage::in_two_rooms(5);
    let id = stage.client.search(&words("обед")).unwrap();
    assert_eq!(id, "s-0");
    assert_eq!(stage.written(), [r#"{"type":"search","ref":"s-0","query":"обед","limit":20}"#]);
    let events = stage.hear(&[found("s-0", "r7", 9), found("s-0", "", 3)]);
    assert_eq!(heard(&events), ["s-0 r7 9", "s-0  3"]);
    let Event::Found { message, .. } = &events[0] else { unreachable!() };
    assert_eq!(message.state.content, "обед в час", "the newline at the end is not shown");
    assert_eq!((message.time_ms, message.reply, message.own), (Some(9), Some(1), false));
    assert_eq!(message.state.edited_ms, Some(10));
    assert!(message.replayed);
    let end = SearchEnd::More { before: "c-1".to_owned() };
    assert_eq!(
        stage.hear(&[found_end("s-0", Some("c-1"))]),
        [Event::SearchEnded { id: "s-0".to_owned(), end }]
    );
    let (room, from, before) = (Some(&other()), Some("Борис"), Some("c-1"));
    let all = Search { query: "обед", room, from, before, limit: 1_000 };
    assert_eq!(stage.client.search(&all).as_deref(), Some("s-1"));
    assert_eq!(
        stage.written(),
        [
            r#"{"type":"search","ref":"s-1","query":"обед","room":"r7","from":"Борис","before":"c-1","limit":100}"#
        ]
    );
    assert_eq!(heard(&stage.hear(&[found_end("s-1", None)])), ["s-1 Complete"]);
    assert_eq!(stage.hear(&[found_end("s-1", None)]), [], "it has ended");
}

#[test]
fn what_was_not_asked_for_is_passed_over() {
    let mut stage = Stage::in_two_rooms(5);
    assert_eq!(stage.hear(&[found("s-0", "", 3), found_end("s-0", None)]), []);
    let few = Search { limit: 2, room: Some(&other()), ..words("x") };
    stage.client.search(&few).unwrap();
    let events = stage.hear(&[
        found("s-1", "r7", 3), // Another search.
        found("s-0", "", 3),   // Another room than was asked for.
        found("s-0", "r9", 3), // A room that nobody knows.
        found("s-0", "r7", 3),
        found("s-0", "r7", 3), // Once more.
        found("s-0", "r7", 2), // The limit counts what was not new, too.
        found_end("s-9", None),
        found_end("s-0", None),
    ]);
    assert_eq!(heard(&events), ["s-0 r7 3", "s-0 Complete"]);
}

#[test]
fn what_is_found_is_bounded_in_bytes() {
    let mut stage = Stage::joined(5);
    stage.client.search(&Search { limit: 100, ..words("x") }).unwrap();
    let large = "x".repeat(1 << 20);
    let messages: Vec<_> = (1..=10).map(|seq| found_words("s-0", "", seq, large.clone())).collect();
    assert_eq!(stage.hear(&messages).len(), 3, "four would take more than 4 MiB");
    assert_eq!(heard(&stage.hear(&[found("s-0", "", 11)])), ["s-0  11"]);
}

#[test]
fn a_search_needs_a_line_a_place_and_a_short_query() {
    let mut stage = Stage::new();
    assert_eq!(stage.client.search(&words("x")), None);
    stage.enter(EPOCH, 5);
    let (long, cursor) = ("x".repeat(257), "x".repeat(65));
    for search in [
        words(&long),
        Search { from: Some(&long), ..words("x") },
        Search { before: Some(&cursor), ..words("x") },
    ] {
        assert_eq!(stage.client.search(&search), None);
    }
    for _ in 0..SEARCHES_MAX {
        assert!(stage.client.search(&words(&long[1..])).is_some());
    }
    assert_eq!(stage.client.search(&words("x")), None, "others are to be answered first");
    stage.client.forget_search("s-0");
    assert_eq!(stage.client.search(&words("x")), None, "the server is still about it");
    assert_eq!(stage.hear(&[found("s-0", "", 3), found_end("s-0", None)]), []);
    assert!(stage.client.search(&words("x")).is_some());
}

#[test]
fn a_refusal_or_a_lost_line_ends_a_search() {
    let mut stage = Stage::joined(5);
    for _ in 0..3 {
        stage.client.search(&words("x")).unwrap();
    }
    stage.client.forget_search("s-2");
    let reference = Some("s-0".into());
    let (code, text) = (ErrorCode::NoRoom, "no");
    let error =
        ServerMessage::Error { code, text: text.into(), reference, retry_ms: None, suggest: None };
    let end = SearchEnd::Refused { code, text: text.to_owned() };
    assert_eq!(stage.hear(&[error]), [Event::SearchEnded { id: "s-0".to_owned(), end }]);
    stage.client.disconnected(stage.now);
    let ended = heard(&stage.told()).into_iter().filter(|line| line.starts_with("s-"));
    assert_eq!(ended.collect::<Vec<_>>(), ["s-1 Lost"]);
    stage.enter(EPOCH, 5);
    assert_eq!(stage.hear(&[found("s-1", "", 3)]), [], "the server of this line was not asked");
    assert_eq!(
        stage.client.search(&words("x")).as_deref(),
        Some("s-3"),
        "an id is never given twice"
    );
    stage.client.leave();
    assert!(heard(&stage.told()).contains(&"s-3 Lost".to_owned()));
}
