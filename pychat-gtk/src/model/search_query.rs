//! The words of a search, and their places in a text.
//!
//! Texts are compared folded, as names are. Matches are ranges of bytes of the text as it is, and
//! begin and end between letters as a reader sees them.

use std::ops::Range;

use crate::text::{Folded, fold, has_word};

/// The most characters that are searched for.
const QUERY_CHARS_MAX: usize = 200;

/// The keywords that the beginning of an author's name follows, folded. The first is understood in
/// every language.
const AUTHOR_KEYWORDS: [&str; 2] = ["from:", "от:"];

/// The words of a search, folded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SearchQuery {
    /// The part that the text has, or the author's name unless given below; empty if any may do.
    text: String,
    /// The beginnings of words of the author's name.
    authors: Vec<String>,
}

impl SearchQuery {
    /// Returns the query for `words`; `None` if there is nothing to search for. `from:name` in them
    /// asks for messages of an author; a name with blanks is between quotation marks.
    pub fn new(words: &str) -> Option<Self> {
        let words: String = words.chars().take(QUERY_CHARS_MAX).collect();
        let folded = fold(&words);
        let (mut text, mut authors, mut rest) = (String::new(), Vec::new(), folded.as_str());
        while let Some((before, author, after)) = split_author(rest) {
            text.push_str(before);
            authors.push(author.to_owned());
            rest = after.trim_start(); // One blank of those around it is left, before it.
        }
        text.push_str(rest);
        if authors.is_empty() {
            return (!text.trim().is_empty()).then_some(Self { text, authors });
        }
        Some(Self { text: text.trim().to_owned(), authors })
    }

    /// Returns where the text of a message has what is searched for, in order: nowhere, if it is
    /// found by its author's name; `None` if it is not what is searched for.
    pub fn find(&self, author: &str, text: &str) -> Option<Vec<Range<usize>>> {
        if self.authors.is_empty() {
            let found = self.find_in(text);
            return (!found.is_empty() || fold(author).contains(&self.text)).then_some(found);
        }
        if !self.authors.iter().all(|begun| has_word(author, begun)) {
            return None;
        }
        let found = if self.text.is_empty() { Vec::new() } else { self.find_in(text) };
        (self.text.is_empty() || !found.is_empty()).then_some(found)
    }

    /// Returns the part that a text has to have, folded; empty if any may do.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns true if `author` is one who is asked for; everybody is if nobody is asked for.
    pub fn is_by(&self, author: &str) -> bool {
        self.authors.iter().all(|begun| has_word(author, begun))
    }

    /// Returns the beginning of the author's name that is asked for, folded, if it is one.
    pub fn author(&self) -> Option<&str> {
        if let [author] = self.authors.as_slice() { Some(author) } else { None }
    }

    /// Returns true if somebody is asked for.
    pub fn has_author(&self) -> bool {
        !self.authors.is_empty()
    }

    /// Returns where a text by an author has all the words that are searched for, wherever each stands;
    /// `None` if it does not.
    pub fn find_words(&self, author: &str, text: &str) -> Option<Vec<Range<usize>>> {
        let folded = fold(text);
        let has_all = self.is_by(author) && self.words().all(|word| folded.contains(word));
        has_all.then(|| self.mark_words(text))
    }

    /// Returns where `text` has any of the words, in order.
    pub fn mark_words(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<_> = self.words().flat_map(|word| find_in(word, text)).collect();
        found.sort_by_key(|range| range.start);
        let mut ranges = Vec::with_capacity(found.len());
        for range in found {
            push(&mut ranges, range);
        }
        ranges
    }

    /// Returns the words, without the signs by which a server understands more of them.
    fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.text.split(' ').map(|word| word.trim_matches(['"', '*']));
        words.filter(|word| !word.is_empty())
    }

    /// Returns where `text` has the words as they stand, in order.
    fn find_in(&self, text: &str) -> Vec<Range<usize>> {
        find_in(&self.text, text)
    }
}

/// Returns where `text` has `words`, which are folded, in order.
fn find_in(words: &str, text: &str) -> Vec<Range<usize>> {
    // Nearly all texts do not have it, and to know that takes no places.
    if !fold(text).contains(words) {
        return Vec::new();
    }
    let folded = Folded::new(text);
    let mut ranges = Vec::new();
    for (at, it) in folded.text().match_indices(words) {
        push(&mut ranges, folded.origin(at..at + it.len()));
    }
    ranges
}

/// Adds a range that begins no sooner than those before. Two matches within one letter, like `f` in `ﬀ`,
/// are one to a reader.
fn push(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    match ranges.last_mut().filter(|last| range.start < last.end) {
        Some(last) => last.end = last.end.max(range.end),
        None => ranges.push(range),
    }
}

/// Splits folded `words` at the first author that is asked for: what is before and after, and what
/// the name begins with.
fn split_author(words: &str) -> Option<(&str, &str, &str)> {
    let begins_word = |at: usize| at == 0 || words[..at].ends_with(' ');
    let mut places: Vec<_> = AUTHOR_KEYWORDS
        .iter()
        .flat_map(|keyword| words.match_indices(keyword))
        .filter(|(at, _)| begins_word(*at))
        .collect();
    places.sort_unstable();
    places.into_iter().find_map(|(at, keyword)| {
        let value = &words[at + keyword.len()..];
        // A quotation that is being typed has no end yet.
        let (author, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value.split_at(value.find(' ').unwrap_or(value.len())),
        };
        (!author.trim().is_empty()).then_some((&words[..at], author.trim(), after))
    })
}

#[cfg(test)]
mod tests {
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;

    #[track_caller]
    fn check(words: &str, text: &str, expected: &[&str]) {
        let query = SearchQuery::new(words).expect("something to search for");
        let found = query.find("", text).unwrap_or_default();
        let found: Vec<_> = found.into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{words:?} in {text:?}");
    }

    #[test]
    fn nothing_is_not_searched_for() {
        for words in ["", " ", "\u{A0}\n"] {
            assert_eq!(SearchQuery::new(words), None, "{words:?}");
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
            let query = SearchQuery::new(words).expect("something to search for");
            let found = query.find(author, "");
            assert_eq!(found.is_some(), expected, "{words:?} in {author:?}");
        }
    }

    #[test]
    fn an_author_is_asked_for_anywhere_in_a_query() {
        let text = "Большая ёлка";
        for (words, author, expected) in [
            ("from:мари", "Мария Петрова", Some(&[][..])),
            ("from:петр", "Мария Петрова", Some(&[])),
            ("from:ария", "Мария Петрова", None),
            ("from:мари", "Борис", None),
            ("from:мари ЁЛКА", "Мария", Some(&["ёлка"])),
            ("ЁЛКА from:мари", "Мария", Some(&["ёлка"])),
            ("большая From:мари елка", "Мария", Some(&["Большая ёлка"])),
            ("большая from:мари от:пет елка", "Мария Петрова", Some(&["Большая ёлка"])),
            ("from:мари from:пет", "Мария", None),
            ("от:мари елка", "Борис", None),
            ("ОТ:МАРИ пальма", "Мария", None),
            ("from:\"Мария Петрова\"", "Мария Петрова", Some(&[])),
            ("from:\"Мария Петрова\" елка", "Мария Петрова", Some(&["ёлка"])),
            ("from:\"Мария Пет", "Мария Петрова", Some(&[])),
            ("from:\"Мария Петрова\"", "Мария", None),
            // A name in the text is not an author.
            ("from:боль", "Мария", None),
        ] {
            let query = SearchQuery::new(words).expect("something to search for");
            let found = query.find(author, text);
            let found =
                found.map(|ranges| ranges.into_iter().map(|it| &text[it]).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{words:?} by {author:?}");
        }
    }

    #[test]
    fn words_are_found_in_any_order() {
        for (words, text, expected) in [
            ("two one", "One, TWO, one", Some(&["One", "TWO", "one"][..])),
            ("one three", "one two", None),
            ("\"one two\" th*", "two one three", Some(&["two", "one", "th"])),
            ("ana an", "ananas", Some(&["anan"])),
            ("from:мар one", "one", Some(&["one"])),
            ("from:бор one", "one", None),
            ("from:мар", "one", Some(&[])),
        ] {
            let query = SearchQuery::new(words).expect("something to search for");
            let found = query.find_words("Мария", text);
            let found =
                found.map(|ranges| ranges.into_iter().map(|it| &text[it]).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{words:?} in {text:?}");
        }
        let query = SearchQuery::new("one three").expect("something to search for");
        assert_eq!(query.mark_words("one two, one"), [0..3, 9..12]);
        assert_eq!((query.author(), query.has_author(), query.text()), (None, false, "one three"));
    }

    #[test]
    fn what_asks_for_nobody_is_searched_for_as_it_is() {
        for (words, text, expected) in [
            ("from:", "away from: here", &["from:"][..]),
            ("from: here", "away from: here", &["from: here"]),
            ("from:\"\"", "from:\"\"", &["from:\"\""]),
            ("ivefrom:a", "Ivefrom:a", &["Ivefrom:a"]),
            ("(from:a", "(from:a)", &["(from:a"]),
            ("от: всех", "от: всех", &["от: всех"]),
        ] {
            check(words, text, expected);
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
            let Some(query) = SearchQuery::new(letter) else { continue };
            let found = query.find("", &text).unwrap_or_default();
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
