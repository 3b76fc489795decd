//! The words of a search, and their places in a text.
//!
//! Texts are compared folded, as names are. Matches are ranges of bytes of the text as it is, and
//! begin and end between letters as a reader sees them.

use std::ops::Range;

use crate::text::{Folded, fold};

/// The most characters that are searched for.
const QUERY_CHARS_MAX: usize = 200;

/// The words of a search, folded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Query {
    folded: String,
}

impl Query {
    /// Returns the query for `words`; `None` if there is nothing to search for.
    pub fn new(words: &str) -> Option<Self> {
        let words: String = words.chars().take(QUERY_CHARS_MAX).collect();
        let folded = fold(&words);
        (!folded.trim().is_empty()).then_some(Self { folded })
    }

    /// Returns true if what is searched for is in the name of `author`.
    pub fn names(&self, author: &str) -> bool {
        fold(author).contains(&self.folded)
    }

    /// Returns where `text` has what is searched for, in order.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        // Nearly all texts do not have it, and to know that takes no places.
        if !fold(text).contains(&self.folded) {
            return Vec::new();
        }
        let folded = Folded::new(text);
        let found = folded.text().match_indices(&self.folded);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (at, it) in found {
            let range = folded.origin(at..at + it.len());
            // Two matches within one letter, like `f` in `ﬀ`, are one to a reader.
            match ranges.last_mut().filter(|last| range.start < last.end) {
                Some(last) => last.end = range.end,
                None => ranges.push(range),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;

    #[track_caller]
    fn check(words: &str, text: &str, expected: &[&str]) {
        let found = Query::new(words).expect("something to search for").find(text);
        let found: Vec<_> = found.into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{words:?} in {text:?}");
    }

    #[test]
    fn nothing_is_not_searched_for() {
        for words in ["", " ", "\u{A0}\n"] {
            assert_eq!(Query::new(words), None, "{words:?}");
        }
    }

    #[test]
    fn texts_are_found_whatever_their_case_and_width() {
        for (words, text, expected) in [
            ("b", "", &[][..]),
            ("b", "a", &[]),
            ("ab", "ab Ab AB aB abab", &["ab", "Ab", "AB", "aB", "ab", "ab"]),
            ("ПРИВЕТ", "Привет, привет", &["Привет", "привет"]),
            ("ёлка", "Елка и ёлка", &["Елка", "ёлка"]),
            ("елка", "Ёлка", &["Ёлка"]),
            ("strasse", "Straße STRASSE", &["Straße", "STRASSE"]),
            ("σας", "ΣΑΣ", &["ΣΑΣ"]),
            ("abc 1", "ａｂｃ\u{3000}１", &["ａｂｃ\u{3000}１"]),
            ("ｗｉｄｅ", "wide", &["wide"]),
            (
                "two words",
                "two\nwords two\u{A0}words two  words",
                &["two\nwords", "two\u{A0}words"],
            ),
            (" b", "a b", &[" b"]),
        ] {
            check(words, text, expected);
        }
    }

    #[test]
    fn authors_are_found_by_any_part_of_their_names() {
        for (words, author, expected) in [
            ("мари", "Мария", true),
            ("рия", "МАРИЯ", true),
            ("федор", "Фёдор (2)", true),
            ("Мария!", "Мария", false),
        ] {
            let query = Query::new(words).expect("something to search for");
            assert_eq!(query.names(author), expected, "{words:?} in {author:?}");
        }
    }

    #[test]
    fn a_letter_is_one_however_it_is_stored() {
        for (words, text, expected) in [
            ("й", "и\u{306}", &["и\u{306}"][..]),
            ("и\u{306}", "Й", &["Й"]),
            ("и", "йи\u{306}и", &["и"]),
            ("é", "cafe\u{301}s", &["e\u{301}"]),
            ("e", "e\u{301}", &[]),
            ("한", "\u{1112}\u{1161}\u{11AB}", &["\u{1112}\u{1161}\u{11AB}"]),
            // What is within a letter is marked as that letter.
            ("x", "ax\u{302}b", &["x\u{302}"]),
            ("f", "oﬀer", &["ﬀ"]),
            ("fi", "ﬁn", &["ﬁ"]),
            ("👨", "a👨‍👩‍👧b", &["👨‍👩‍👧"]),
            ("½", "1/2 1⁄2", &["1⁄2"]),
        ] {
            check(words, text, expected);
        }
    }

    #[test]
    fn what_is_found_can_be_cut_out() {
        let text = "aé\u{301}й👨‍👩‍👧ß ﬀ\u{3000}한ё".repeat(3);
        for letter in text.graphemes(true) {
            let Some(query) = Query::new(letter) else { continue };
            let found = query.find(&text);
            assert!(3 <= found.len(), "{letter:?}");
            let mut end = 0;
            for range in found {
                assert!(end <= range.start && range.start < range.end, "{letter:?}");
                assert!(text.get(range.clone()).is_some(), "{letter:?}");
                end = range.end;
            }
        }
    }
}
