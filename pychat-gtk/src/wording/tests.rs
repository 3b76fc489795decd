//! The sentences, in the language that needs no translation.

use std::collections::BTreeSet;

use pychat_wire::{client::FailReason, message::ErrorCode};

use super::*;
use crate::session::ending::Ending;

/// Returns `sentence` without what isolates the names in it.
fn plain(sentence: &str) -> String {
    sentence.replace(['\u{2068}', '\u{2069}'], "")
}

#[test]
fn a_name_moves_nothing_around_it() {
    let passage = Passage { name: "שרה".to_owned(), turn: Turn::Joined, time_ms: 0 };
    assert_eq!(super::passage(&passage), "\u{2068}שרה\u{2069} joined the chat.");
    assert_eq!(
        welcome("a", &["b".to_owned(), "c".to_owned()]),
        "Welcome, \u{2068}a\u{2069}. Already here: \u{2068}b\u{2069}, \u{2068}c\u{2069}."
    );
}

#[test]
fn a_welcome_lists_names_and_counts_the_rest() {
    let others: Vec<_> = (1..=NAMES_LISTED_MAX + 3).map(|n| n.to_string()).collect();
    for (n_others, expected) in [
        (0, "Welcome, {Анна}. Nobody else is here yet."),
        (1, "Welcome, {Анна}. Already here: 1."),
        (3, "Welcome, {Анна}. Already here: 1, 2, 3."),
    ] {
        assert_eq!(plain(&welcome("{Анна}", &others[..n_others])), expected);
    }
    assert!(plain(&welcome("Анна", &others[..NAMES_LISTED_MAX])).ends_with(": 1, 2, 3."));
    assert!(plain(&welcome("Анна", &others)).ends_with(": 1, 2, 3 and 3 others."));
}

#[test]
fn a_notification_is_one_short_line() {
    let body = |text: &str| news(1, "Анна", text, "host").1;
    for (text, expected) in
        [("tea", "tea"), (" tea\n\n and\tcake ", "tea and cake"), ("<b>tea</b> &", "<b>tea</b> &")]
    {
        assert_eq!(body(text), expected);
    }
    let long = "я".repeat(EXCERPT_CHARS_MAX);
    assert_eq!(body(&long), long);
    assert_eq!(body(&format!("{long}я")), format!("{long}…"));
    assert_eq!(body(&"о ".repeat(65_536)).chars().count(), EXCERPT_CHARS_MAX + 1);
}

#[test]
fn a_notification_says_who_speaks_and_where() {
    for ((title, body), expected) in [
        (news(1, "Анна", "tea", "host"), ("Анна · host", "tea")),
        (news(2, "Анна", "tea", "host"), ("2 new messages · host", "Анна: tea")),
        (mention("Анна", "@Борис", "host"), ("Анна mentioned you · host", "@Борис")),
    ] {
        assert_eq!((plain(&title).as_str(), plain(&body).as_str()), expected);
    }
}

#[test]
fn room_is_told_in_characters_as_large_as_those_of_the_text() {
    for (bytes, text, expected) in [
        (54, "я", "About 27 characters left"),
        (1, "я", "About 0 characters left"),
        (1, "a", "About 1 character left"),
        (5, "", "About 0 characters left"),
        (-1, "я", "The message is about 1 character too long"),
        (-100, "🎉🎉", "The message is about 25 characters too long"),
    ] {
        assert_eq!(room_left(bytes, text), expected, "{bytes} bytes after {text:?}");
    }
}

#[test]
fn many_who_come_and_go_are_one_sentence() {
    let said = |story: &str| {
        let passages = story.split(' ').map(|it| {
            let turn = if it.starts_with('+') { Turn::Joined } else { Turn::Left };
            Passage { name: it[1..].to_owned(), turn, time_ms: 0 }
        });
        presence(&passages.collect())
    };
    for (story, expected) in [
        ("+A", "A joined the chat."),
        ("+A -A", "A joined the chat.\nA left the chat."),
        ("+A +B +C", "A, B and C joined the chat."),
        ("+A +B +C +D", "A, B and 2 others joined the chat."),
        ("+A +B -C", "A and B joined the chat. C left the chat."),
        ("+A -A +B -B", "2 people came and left."),
        ("-A -B -C -D +E", "E joined the chat. A, B and 2 others left the chat."),
    ] {
        assert_eq!(plain(&said(story)), expected);
    }
}

#[test]
fn every_refusal_has_words_of_its_own() {
    let codes = [
        "already_joined",
        "bad_frame",
        "bad_payload",
        "full",
        "id_reused",
        "name_invalid",
        "name_taken",
        "not_joined",
        "slow_down",
        "storage",
        "timeout",
        "too_large",
        "unknown_type",
    ];
    let mut said = BTreeSet::new();
    for code in codes {
        let code: ErrorCode = serde_json::from_value(code.into()).expect("a code");
        let text = "what the server says".to_owned();
        let rejected = Ending::Rejected { code: Some(code), reason: text.clone() };
        for sentence in
            [ending(&rejected, "host"), fail_reason(&FailReason::Refused { code, text })]
        {
            assert!(!sentence.contains("what the server says"), "{code:?}: {sentence}");
            assert!(said.insert(sentence.clone()), "{code:?}: {sentence}");
        }
    }
}
