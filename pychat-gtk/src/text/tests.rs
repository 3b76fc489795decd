//! Texts as people write them, and as they would to do harm.

use super::*;

#[test]
fn a_few_emoji_alone_are_told_from_texts() {
    use EmojiSize::{Big, Huge, Large};
    for (text, expected) in [
        ("😀", Some(Huge)),
        ("😀 👍🏽\n❤️", Some(Huge)),
        ("👨‍👩‍👧‍👦", Some(Huge)),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿🇷🇺", Some(Huge)),
        ("☺", Some(Huge)),
        ("😀😀😀😀", Some(Large)),
        ("😀😀😀😀😀😀", Some(Large)),
        ("😀😀😀😀😀😀😀", Some(Big)),
        ("", None),
        (" \n", None),
        ("1", None),
        ("12 #", None),
        ("©", None),
        ("ok 👍", None),
        ("🇷", None),
        ("\u{200D}\u{FE0F}", None),
    ] {
        assert_eq!(emoji_size(text), expected, "{text:?}");
    }
    assert_eq!(emoji_size(&"😀".repeat(EMOJI_MAX)), Some(Big));
    assert_eq!(emoji_size(&"😀".repeat(EMOJI_MAX + 1)), None);
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
