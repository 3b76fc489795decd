//! Words: how texts are cut into them, and what a search finds. Servers and clients follow the same rule,
//! so what a server finds a client finds as well in what it has.
//!
//! A word is letters and digits, in lower case; Latin and Greek letters without their diacritics, and
//! `ё` is `е`. A change of these rules needs a migration of the server's that begins its index anew.

use std::ops::Range;

use unicode_normalization::char::decompose_canonical;

/// The most words of one message that can be found.
pub const WORDS_MAX: usize = 1_000;

/// The most characters of a word that count.
const WORD_CHARS_MAX: usize = 32;

/// The most words of a query that count.
const QUERY_WORDS_MAX: usize = 16;

/// The fewest characters that can be the beginning of a word that goes on.
pub const BEGINNING_CHARS_MIN: usize = 2;

/// Returns the words of a text, in order.
///
/// # Examples
///
/// ```
/// assert_eq!(pychat_wire::search::words("Ещё café?"), ["еще", "cafe"]);
/// ```
pub fn words(text: &str) -> Vec<String> {
    words_in_place(text).into_iter().map(|(word, _)| word).collect()
}

/// Returns the words of a text, in order, and where each stands there, in bytes.
fn words_in_place(text: &str) -> Vec<(String, Range<usize>)> {
    let (mut words, mut word, mut n_chars) = (Vec::new(), String::new(), 0);
    let mut place = 0..0;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        if character.is_alphanumeric() {
            for lower in character.to_lowercase().filter(|lower| !is_mark(*lower)) {
                if n_chars < WORD_CHARS_MAX {
                    if n_chars == 0 {
                        place.start = at;
                    }
                    word.push(base(lower));
                    n_chars += 1;
                }
            }
            place.end = end;
        } else if is_mark(character) {
            // The only letter of ours that another one and a mark make.
            if character == '\u{306}' && word.ends_with('и') {
                word.pop();
                word.push('й');
            }
            place.end = end;
        } else if !word.is_empty() && character != '\u{ad}' {
            words.push((std::mem::take(&mut word), place.clone()));
            n_chars = 0;
            if words.len() == WORDS_MAX {
                return words;
            }
        }
    }
    if !word.is_empty() {
        words.push((word, place));
    }
    words
}

/// Returns a name as it is compared: its words, or all of it if it has none.
pub fn folded_name(name: &str) -> String {
    let words = words(name);
    if words.is_empty() { name.trim().to_owned() } else { words.join(" ") }
}

fn is_mark(character: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&character)
}

/// Returns a letter without its diacritics.
fn base(letter: char) -> char {
    match letter {
        'ё' => 'е',
        '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{3ff}' | '\u{1e00}'..='\u{1fff}' => {
            let mut base = None;
            decompose_canonical(letter, |part| {
                base.get_or_insert(part);
            });
            base.unwrap_or(letter)
        }
        letter => letter,
    }
}

/// The words that somebody searches for, and the author.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query {
    parts: Vec<Part>,
    author: Option<String>,
}

/// The way in which a message fits a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// It is found.
    Whole,
    /// It has all the words, but not in a row where they have to be.
    Words,
    /// It has not all the words, or is by somebody else.
    Not,
}

/// Words that have to stand in a row.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Part {
    words: Vec<String>,
    /// The last of them need only be how a word begins.
    is_open: bool,
}

impl Query {
    /// Reads a query: words, of which a message has to have all. Those in double quotes have to stand in a row;
    /// one that ends in `*`, and the last one outside quotes, need only be how a word begins.
    pub fn new(text: &str, author: Option<&str>) -> Self {
        let mut query = Self { parts: Vec::new(), author: author.map(folded_name) };
        let mut n_left = QUERY_WORDS_MAX;
        let mut segments = text.split('"').zip([false, true].into_iter().cycle()).peekable();
        while let Some((segment, is_phrase)) = segments.next() {
            let is_last = segments.peek().is_none();
            if is_phrase {
                query.push(words(segment), is_last, &mut n_left);
                continue;
            }
            let mut chunks = segment.split_whitespace().peekable();
            while let Some(chunk) = chunks.next() {
                let is_open = chunk.ends_with('*') || is_last && chunks.peek().is_none();
                let mut words = words(chunk).into_iter().peekable();
                while let Some(word) = words.next() {
                    let is_open = is_open && words.peek().is_none();
                    query.push(vec![word], is_open, &mut n_left);
                }
            }
        }
        query
    }

    fn push(&mut self, mut words: Vec<String>, is_open: bool, n_left: &mut usize) {
        let is_whole = words.len() <= *n_left;
        words.truncate(*n_left);
        *n_left -= words.len();
        let Some(last) = words.last() else { return };
        let is_open = is_whole && is_open && BEGINNING_CHARS_MIN <= last.chars().count();
        self.parts.push(Part { words, is_open });
    }

    /// Returns true if it looks for nothing, and finds nothing.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.author.is_none()
    }

    /// Returns true if it finds a message by `author` with these words.
    pub fn finds(&self, author: &str, text: &str) -> bool {
        self.fit(author, text) == Fit::Whole
    }

    /// Returns how a message by `author` with these words fits.
    pub fn fit(&self, author: &str, text: &str) -> Fit {
        if self.is_empty() || self.author.as_ref().is_some_and(|it| *it != folded_name(author)) {
            return Fit::Not;
        }
        let words = if self.parts.is_empty() { Vec::new() } else { words(text) };
        if self.parts.iter().all(|part| part.is_in(&words)) {
            return Fit::Whole;
        }
        let has = |(wanted, is_open): (&str, bool)| {
            words.iter().any(|word| word == wanted || is_open && word.starts_with(wanted))
        };
        if self.words().all(has) { Fit::Words } else { Fit::Not }
    }

    /// Returns where a text has what is searched for, in bytes and in order: each word or row of words, whether
    /// or not all are there.
    ///
    /// # Examples
    ///
    /// ```
    /// let query = pychat_wire::search::Query::new("tea \"at fi", None);
    /// assert_eq!(query.places("Tea at five"), [0..3, 4..11]);
    /// ```
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let (words, places): (Vec<_>, Vec<_>) = words_in_place(text).into_iter().unzip();
        let rows = self.parts.iter().flat_map(|part| {
            let ends = part.rows_in(&words).map(|at| (at, at + part.words.len() - 1));
            ends.map(|(first, last)| places[first].start..places[last].end)
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|row| row.start);
        let mut found: Vec<Range<usize>> = Vec::with_capacity(rows.len());
        for row in rows {
            match found.last_mut().filter(|last| row.start < last.end) {
                Some(last) => last.end = last.end.max(row.end),
                None => found.push(row),
            }
        }
        found
    }

    /// Returns the author, as [`folded_name`] has it.
    pub fn author(&self) -> Option<&str> {
        self.author.as_deref()
    }

    /// Returns each word that a message has to have, and true where it need only be how one begins.
    pub fn words(&self) -> impl Iterator<Item = (&str, bool)> {
        self.parts.iter().flat_map(|Part { words, is_open }| {
            let last = words.len() - 1;
            let each = words.iter().enumerate();
            each.map(move |(index, word)| (word.as_str(), *is_open && index == last))
        })
    }
}

impl Part {
    fn is_in(&self, words: &[String]) -> bool {
        self.rows_in(words).next().is_some()
    }

    /// Returns where among `words` those of this part stand in a row, by the first of them.
    fn rows_in(&self, words: &[String]) -> impl Iterator<Item = usize> {
        let rows = words.windows(self.words.len()).enumerate();
        rows.filter(|(_, row)| self.is_row(row)).map(|(at, _)| at)
    }

    fn is_row(&self, row: &[String]) -> bool {
        let (Some((last, before)), Some((end, begin))) =
            (self.words.split_last(), row.split_last())
        else {
            return false;
        };
        begin == before && if self.is_open { end.starts_with(last) } else { end == last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_words() {
        for (text, expected) in [
            ("", ""),
            ("  ?! 🙂 ", ""),
            ("Hello, WORLD", "hello world"),
            ("Ёлка ещё ЕЁ", "елка еще ее"),
            ("ёлка е\u{308}лка", "елка елка"),
            ("мой ЙОД мои\u{306} моих", "мой йод мой моих"),
            ("Café naïve Ångström Ǖber cafe\u{301}", "cafe naive angstrom uber cafe"),
            ("Ώρα Ελλάς", "ωρα ελλας"),
            ("İstanbul ИЇ", "istanbul иї"),
            ("don't foo-bar 3.14 a_b", "don t foo bar 3 14 a b"),
            ("co\u{ad}operate 会話 שלום", "cooperate 会話 שלום"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text:?}");
        }
        assert_eq!(words(&"x".repeat(100))[0].len(), WORD_CHARS_MAX);
        assert_eq!(words(&"x ".repeat(5_000)).len(), WORDS_MAX);
    }

    #[test]
    fn a_query_finds_what_has_all_its_words() {
        let text = "Завтра в час ёлка: Café, обед и про\u{301}гулка";
        for (query, is_found) in [
            ("обед", true),
            ("ОБЕ", true),
            ("обе завтра", false),
            ("обе* завтра", true),
            ("завтра обе", true),
            ("елка", true),
            ("ёлка", true),
            ("cafe прогулка", true),
            ("ужин", false),
            ("обед ужин", false),
            ("\"в час\"", true),
            ("\"час в\"", false),
            ("\"в час ел\"", false),
            ("\"в час ел", true),
            ("\"в час\" обед", true),
            ("\"обе\"", false),
            ("в", true),
            ("з", false),
            ("за", true),
            ("обед*", true),
            ("* обед", true),
            ("", false),
            ("  ", false),
            ("\"\"", false),
            ("?", false),
            ("NOT обед", false),
            ("обед) OR (x", false),
        ] {
            assert_eq!(Query::new(query, None).finds("Анна", text), is_found, "{query:?}");
        }
    }

    #[test]
    fn what_is_found_is_in_its_place() {
        for (query, text, expected) in [
            ("two one", "One, TWO, one", &["One", "TWO", "one"][..]),
            ("one three", "one two", &["one"]),
            ("\"one two\" th", "two one two, three", &["one two", "three"]),
            ("\"one two\" one", "one two one", &["one two", "one"]),
            ("\"a a\"", "a a a", &["a a a"]),
            ("one", "ones one", &["ones", "one"]),
            ("\"one\"", "ones one", &["one"]),
            ("елка", "Ёлка, е\u{308}лка", &["Ёлка", "е\u{308}лка"]),
            ("cafe", "un cafe\u{301}!", &["cafe\u{301}"]),
            ("cooperate", "co\u{ad}operate", &["co\u{ad}operate"]),
            ("?", "?", &[]),
        ] {
            let found = Query::new(query, None).places(text);
            let found: Vec<_> = found.into_iter().map(|place| &text[place]).collect();
            assert_eq!(found, expected, "{query:?} in {text:?}");
        }
    }

    #[test]
    fn an_author_is_found_by_name() {
        for (from, author, is_found) in [
            ("Анна", "Анна", true),
            ("анна", "Анна", true),
            ("Артем", "Артём", true),
            ("Анн", "Анна", false),
            ("Анна", "Анна (2)", false),
            ("анна (2)", "Анна (2)", true),
            ("🙂", "🙂", true),
            ("🙂", "🙃", false),
        ] {
            let query = Query::new("", Some(from));
            assert_eq!(query.finds(author, "x"), is_found, "{from} {author}");
            assert!(!Query::new("y", Some(from)).finds(author, "x"));
        }
    }

    #[test]
    fn a_query_has_so_many_words() {
        let query = Query::new(&"ab ".repeat(100), None);
        assert_eq!(query.words().count(), QUERY_WORDS_MAX);
        assert!(query.words().all(|(_, is_open)| !is_open), "the last one is not there");
        let phrase = Query::new(&format!("\"{}\"", "ab ".repeat(100)), None);
        assert_eq!(phrase.words().count(), QUERY_WORDS_MAX);
    }
}
