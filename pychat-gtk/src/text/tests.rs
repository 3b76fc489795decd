//! Texts as people write them, and as they would to do harm.

use super::*;

#[test]
fn a_few_emoji_alone_are_told_from_texts() {
    for (text, expected) in [
        ("😀", true),
        ("😀 👍🏽\n❤️", true),
        ("👨‍👩‍👧‍👦", true),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿🇷🇺", true),
        ("☺", true),
        ("😀😀😀😀😀😀", true),
        ("😀😀😀😀😀😀😀", false),
        ("", false),
        (" \n", false),
        ("1", false),
        ("12 #", false),
        ("©", false),
        ("ok 👍", false),
        ("🇷", false),
        ("\u{200D}\u{FE0F}", false),
    ] {
        assert_eq!(is_only_emoji(text), expected, "{text:?}");
    }
}

#[test]
fn an_endless_word_is_one_that_no_line_holds() {
    for (text, expected) in [
        (String::new(), false),
        ("a ".repeat(10_000), false),
        ("ж".repeat(WORD_CHARS_MAX), false),
        ("ж".repeat(WORD_CHARS_MAX + 1), true),
    ] {
        assert_eq!(has_endless_word(&text), expected);
    }
}

#[test]
fn what_cannot_be_seen_is_blank() {
    for text in ["", " \n\t", "\u{200B}\u{2060}", "\u{3164}", "\u{2800} \u{FEFF}", "\u{E0041}\0"] {
        assert!(is_blank(text), "{text:?}");
    }
    for text in ["a", "\u{200B}.", "\u{301}", "👍\u{FE0F}", "␀"] {
        assert!(!is_blank(text), "{text:?}");
    }
}
