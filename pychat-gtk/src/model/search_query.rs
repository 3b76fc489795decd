//! The query of a search, as somebody writes it: words, and the name of an author.

use std::ops::Range;

use pychat_wire::{
    message::SEARCH_QUERY_BYTES_MAX,
    search::{Query, folded_name},
};

use crate::text::{fold, has_word};

/// The keywords that the beginning of an author's name follows. The first is understood in every language.
const AUTHOR_KEYWORDS: [&str; 2] = ["from:", "от:"];

/// The words of a search, and the author.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SearchQuery {
    /// The words, as a server is asked for them.
    words: String,
    /// The same, as they are looked for.
    query: Query,
    /// The beginnings of words of the author's name.
    authors: Vec<String>,
    /// The name of the only author, [folded](folded_name), once it is known.
    name: Option<String>,
}

impl SearchQuery {
    /// Reads what is written; returns `None` if that is nothing. `from:name` in it asks for messages of
    /// an author; a name with blanks is between quotation marks.
    pub fn new(written: &str) -> Option<Self> {
        let end = (0..=written.len().min(SEARCH_QUERY_BYTES_MAX)).rev();
        let end = end.into_iter().find(|at| written.is_char_boundary(*at)).unwrap_or_default();
        let (mut words, mut authors, mut rest) = (String::new(), Vec::new(), &written[..end]);
        while let Some((before, author, after)) = split_author(rest) {
            words.push_str(before);
            authors.push(author.to_owned());
            rest = after;
        }
        words.push_str(rest);
        let words = words.trim().to_owned();
        let query = Query::new(&words, None);
        let is_blank = words.is_empty() && authors.is_empty();
        (!is_blank).then_some(Self { words, query, authors, name: None })
    }

    /// Returns the words, as a server is asked for them; empty if any may do.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Returns true if somebody is asked for.
    pub fn has_author(&self) -> bool {
        !self.authors.is_empty()
    }

    /// Finds out who is asked for, among people with these names: the one who is called so, or the only one
    /// whose name may be meant. Returns the name for a server, if there is one alone.
    pub fn settle_author<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        let asked = self.authors.first().filter(|_| self.authors.len() == 1).cloned();
        let folded = asked.as_deref().map(folded_name);
        let mut meant: Vec<(String, &str)> = Vec::new();
        for name in names.into_iter().filter(|name| self.is_by(name)) {
            let key = folded_name(name);
            if folded.as_ref() == Some(&key) {
                meant = vec![(key, name)];
                break;
            }
            if meant.iter().all(|(known, _)| *known != key) {
                meant.push((key, name));
            }
        }
        let name = match meant.as_slice() {
            [(_, name)] => Some((*name).to_owned()),
            [] => asked,
            _ => None,
        };
        self.name = name.as_deref().map(folded_name);
        name
    }

    /// Returns true if `author` is one who is asked for; everybody is if nobody is asked for.
    pub fn is_by(&self, author: &str) -> bool {
        match &self.name {
            Some(name) => folded_name(author) == *name,
            None => self.authors.iter().all(|begun| has_word(author, &fold(begun))),
        }
    }

    /// Returns where a message has what is searched for, in bytes and in order: nowhere, if only an author
    /// is; `None` if it is not what is searched for.
    pub fn find(&self, author: &str, text: &str) -> Option<Vec<Range<usize>>> {
        let is_by_author_alone = self.words.is_empty() && self.has_author();
        let is_found = self.is_by(author) && (is_by_author_alone || self.query.finds(author, text));
        is_found.then(|| self.query.places(text))
    }
}

/// Splits `words` at the first author that is asked for: what is before and after, and what the name
/// begins with.
fn split_author(words: &str) -> Option<(&str, &str, &str)> {
    let begins_word = |at: usize| words[..at].chars().next_back().is_none_or(char::is_whitespace);
    let places = words.char_indices().map(|(at, _)| at).filter(|at| begins_word(*at));
    let mut values = places.flat_map(|at| {
        let values = AUTHOR_KEYWORDS.iter().filter_map(move |it| after_keyword(&words[at..], it));
        values.map(move |value| (at, value))
    });
    values.find_map(|(at, value)| {
        // A quotation that is being typed has no end yet.
        let (author, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        (!author.trim().is_empty()).then_some((&words[..at], author.trim(), after))
    })
}

/// Returns what follows `keyword`, in small or capital letters, if `words` begin with it.
fn after_keyword<'a>(words: &'a str, keyword: &str) -> Option<&'a str> {
    let n_chars = keyword.chars().count();
    let end = words.char_indices().nth(n_chars).map_or(words.len(), |(at, _)| at);
    (words[..end].to_lowercase() == keyword).then(|| &words[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, author: &str, text: &str, expected: Option<&[&str]>) {
        let query = SearchQuery::new(written).expect("something to search for");
        let found = query.find(author, text);
        let found = found.map(|places| places.into_iter().map(|it| &text[it]).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), expected, "{written:?} in {text:?} by {author:?}");
    }

    #[test]
    fn nothing_is_not_searched_for() {
        for written in ["", " ", "\u{A0}\n"] {
            assert_eq!(SearchQuery::new(written), None, "{written:?}");
        }
        check("?", "Мария", "?", None);
    }

    #[test]
    fn an_author_is_asked_for_anywhere() {
        let text = "Большая ёлка";
        for (written, author, expected) in [
            ("from:мари", "Мария Петрова", Some(&[][..])),
            ("from:петр", "Мария Петрова", Some(&[])),
            ("from:ария", "Мария Петрова", None),
            ("from:мари", "Борис", None),
            ("from:мари ЁЛКА", "Мария", Some(&["ёлка"])),
            ("ЁЛКА from:мари", "Мария", Some(&["ёлка"])),
            ("большая From:мари елка", "Мария", Some(&["Большая", "ёлка"])),
            ("большая from:мари от:пет елка", "Мария Петрова", Some(&["Большая", "ёлка"])),
            ("from:мари from:пет", "Мария", None),
            ("от:мари елка", "Борис", None),
            ("ОТ:МАРИ пальма", "Мария", None),
            ("from:\"Мария Петрова\"", "Мария Петрова", Some(&[])),
            ("from:\"Мария Петрова\" елка", "Мария Петрова", Some(&["ёлка"])),
            ("from:\"Мария Пет", "Мария Петрова", Some(&[])),
            ("from:\"Мария Петрова\"", "Мария", None),
            // A name in the text is not an author.
            ("from:боль", "Мария", None),
            ("from:мари ?", "Мария", None),
        ] {
            check(written, author, text, expected);
        }
    }

    #[test]
    fn what_asks_for_nobody_is_words() {
        for (written, text, expected) in [
            ("from:", "away from: here", Some(&["from"][..])),
            ("from: here", "here, away from", Some(&["here", "from"])),
            ("ivefrom:an", "Ivefrom:any", Some(&["Ivefrom", "any"])),
            ("от: всех", "от: всех", Some(&["от", "всех"])),
        ] {
            check(written, "", text, expected);
        }
    }

    #[test]
    fn who_is_asked_for_is_found_out_among_those_who_are_known() {
        let names = ["Вера Петрова", "Мария", "Мария Вебер", "Марк", "вера петрова"];
        for (written, server, is_by) in [
            ("from:вер", Some("Вера Петрова"), &["Вера Петрова", "вера петрова"][..]),
            ("from:мария", Some("Мария"), &["Мария"]),
            ("from:мар", None, &["Мария", "Мария Вебер", "Марк"]),
            ("from:мар from:веб", Some("Мария Вебер"), &["Мария Вебер"]),
            ("from:борис", Some("борис"), &[]),
            ("елка", None, &names),
        ] {
            let mut query = SearchQuery::new(written).expect("something to search for");
            let known = if query.has_author() { &names[..] } else { &[] };
            assert_eq!(query.settle_author(known.iter().copied()).as_deref(), server, "{written}");
            let by: Vec<_> = names.into_iter().filter(|name| query.is_by(name)).collect();
            assert_eq!(by, is_by, "{written}");
        }
        let mut query = SearchQuery::new("from:борис").expect("something to search for");
        query.settle_author([]);
        assert!(query.is_by("Борис") && !query.is_by("Борис Второй"));
    }
}
