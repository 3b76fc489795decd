//! Mentions: where a text calls somebody by name.

use std::{cell::OnceCell, ops::Range};

use super::{
    code::code,
    fold::{Folded, fold},
    is_word,
    links::links,
};

/// The shortest name, in characters, that calls somebody without an `@`: shorter ones are words.
const PLAIN_NAME_CHARS_MIN: usize = 2;

/// The most places of a text that are looked at: nobody is called more often.
const PLACES_MAX: usize = 100;

/// The reader of a room, who may be called in it, beside others.
#[derive(Debug, Default)]
pub struct MentionTarget {
    name: Name,
    /// Those of the others whose names have the reader's in them, or are the same when compared;
    /// found out when they are needed first.
    namesakes: OnceCell<Vec<Name>>,
}

/// A name, and how it is compared.
#[derive(Debug, Default)]
struct Name {
    name: String,
    folded: String,
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), folded: fold(name) }
    }
}

impl MentionTarget {
    /// Makes a reader called `name`, for as long as the same people are there.
    pub fn new(name: &str) -> Self {
        Self { name: Name::from(name), namesakes: OnceCell::new() }
    }

    /// Returns where `text` calls the reader, who is there with `others`, in bytes: as `@name`, or
    /// by the name as words of their own. The longest name of somebody there is the one that is
    /// meant at a place, and one that is spelled exactly so before one that is only alike. Nothing
    /// in a link or in code calls anybody.
    pub fn mentions<'a>(
        &self,
        text: &str,
        others: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Range<usize>> {
        let wanted = &self.name.folded;
        // Nearly all texts do not have it, and to know that takes no places.
        if wanted.is_empty() || !fold(text).contains(wanted) {
            return Vec::new();
        }
        let folded = Folded::new(text);
        let linked: Vec<_> = links(text).into_iter().map(|it| it.range).collect();
        let coded: Vec<_> = code(text).into_iter().map(|it| it.range).collect();
        let is_silent = |at: &Range<usize>| touches(&linked, at) || touches(&coded, at);
        let namesakes = self.namesakes.get_or_init(|| {
            let is_namesake =
                |it: &Name| it.name != self.name.name && it.folded.contains(&self.name.folded);
            others.into_iter().map(Name::from).filter(is_namesake).collect()
        });
        let is_meant = |at| !namesakes.iter().any(|it| self.is_outdone(it, text, &folded, at));
        let found = folded.text().match_indices(wanted).take(PLACES_MAX).filter_map(|(at, _)| {
            let range = folded.whole_letters(at..at + wanted.len())?;
            let call = call(text, range).filter(|call| !is_silent(call))?;
            is_meant(at).then_some(call)
        });
        found.collect()
    }

    /// Returns true if at `at` of the folded text it is `other` who is called.
    fn is_outdone(&self, other: &Name, text: &str, folded: &Folded, at: usize) -> bool {
        let (wanted, other_wanted) = (&self.name.folded, &other.folded);
        other_wanted.match_indices(wanted).any(|(offset, _)| {
            let Some(begin) = at.checked_sub(offset) else { return false };
            let end = begin + other_wanted.len();
            let is_there = folded.text().get(begin..end) == Some(other_wanted.as_str());
            let range = is_there.then(|| folded.whole_letters(begin..end)).flatten();
            range.is_some_and(|range| {
                let spelled = &text[range.clone()];
                let is_better = wanted.len() < other_wanted.len()
                    || spelled == other.name && spelled != self.name.name;
                is_better && call(text, range).is_some()
            })
        })
    }
}

/// Returns true if one of `ranges`, which are in order and do not overlap, has a part of `at`.
fn touches(ranges: &[Range<usize>], at: &Range<usize>) -> bool {
    let next = ranges.partition_point(|range| range.end <= at.start);
    ranges.get(next).is_some_and(|range| range.start < at.end)
}

/// Returns what calls somebody whose name is at `range` of `text`: the name with its sign, if there
/// is one. `None` if it is part of a word, of an address or of a path.
fn call(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let (name, after) = (&text[range.clone()], &text[range.end..]);
    if after.starts_with(is_word) {
        return None;
    }
    if text[..range.start].ends_with('@') {
        let start = range.start - 1;
        return is_mention_begin(&text[..start]).then_some(start..range.end);
    }
    let begins = is_mention_begin(&text[..range.start]) && !text[..range.start].ends_with('-');
    let joins = |it: char| matches!(it, '@' | '-' | '.' | '/');
    let is_joined = after.strip_prefix(joins).is_some_and(|rest| rest.starts_with(is_word));
    let is_name = PLAIN_NAME_CHARS_MIN <= name.chars().count();
    (begins && !is_joined && is_name).then_some(range)
}

/// Returns what there is of a name at the end of `text` that somebody has begun to call: what
/// follows the last `@`.
pub fn begun_mention(text: &str) -> Option<&str> {
    let (before, begun) = text.rsplit_once('@')?;
    let is_over = begun.contains('\n') || begun.ends_with(char::is_whitespace);
    (is_mention_begin(before) && !is_over).then_some(begun)
}

/// Returns true if what follows `text` may call somebody: it is not within a word or a path.
fn is_mention_begin(text: &str) -> bool {
    text.chars().next_back().is_none_or(|it| !is_word(it) && it != '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, others: &[&str], text: &str, expected: &[&str]) {
        let found = MentionTarget::new(name).mentions(text, others.iter().copied());
        let found: Vec<_> = found.into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{name:?} beside {others:?} in {text:?}");
    }

    #[test]
    fn a_name_calls_somebody_as_a_whole_word() {
        for (name, text, expected) in [
            ("Анна", "@Анна!", &["@Анна"][..]),
            ("Анна", "(@анна), @АННА", &["@анна", "@АННА"]),
            ("Анна", "Анна, посмотри; ты тут, анна?", &["Анна", "анна"]),
            ("Анна", "@Аннабель @Анна_ @Анна2 @Анн Жанна", &[]),
            ("Анна", "a@Анна anna@x.org", &[]),
            ("anna", "anna@x.org anna.x.org /home/anna anna/b x-anna anna-b", &[]),
            ("Анна Мария", "@Анна Мария и Анна\u{A0}Мария", &["@Анна Мария", "Анна\u{A0}Мария"]),
            ("JÜRGEN", "@Jürgen", &["@Jürgen"]),
            ("Анна", "@@Анна", &["@Анна"]),
            ("", "@", &[]),
            ("ß", "@ẞ", &["@ẞ"]),
            ("Я", "Я иду, @я", &["@я"]),
        ] {
            check(name, &[], text, expected);
        }
    }

    #[test]
    fn a_name_is_one_however_it_is_spelled() {
        for (name, text, expected) in [
            ("Алёна", "@Алена", &["@Алена"][..]),
            ("Андрей", "@Андре\u{438}\u{306}, тут?", &["@Андре\u{438}\u{306}"]),
            ("Андре\u{438}\u{306}", "андрей", &["андрей"]),
            ("Jose", "@Jose\u{301} and José", &[]),
            ("José", "@Jose\u{301}", &["@Jose\u{301}"]),
            ("Anna", "@Ａｎｎａ", &["@Ａｎｎａ"]),
        ] {
            check(name, &[], text, expected);
        }
    }

    #[test]
    fn the_longest_name_of_somebody_there_is_meant() {
        let others = ["Анна (2)", "Анна Мария", "Эмма Анна"];
        for (text, expected) in [
            ("@Анна (2) тебе", &[][..]),
            ("@Анна Мария тебе", &[]),
            ("Анна Мария тебе", &[]),
            ("спроси @Эмма Анна", &[]),
            ("@Анна (3)", &["@Анна"]),
            ("@Анна Марияна", &["@Анна"]),
            ("@Анна и @Анна (2)", &["@Анна"]),
        ] {
            check("Анна", &others, text, expected);
        }
        check("Анна (2)", &["Анна"], "@Анна (2), @Анна", &["@Анна (2)"]);
    }

    #[test]
    fn an_exact_name_is_meant_before_one_that_is_alike() {
        check("Алёна", &["Алена"], "@Алена @Алёна @алена", &["@Алёна", "@алена"]);
        check("Алена", &["Алёна"], "@Алена @Алёна @алена", &["@Алена", "@алена"]);
    }

    #[test]
    fn nothing_in_a_link_or_in_code_calls_anybody() {
        for text in [
            "https://x.org/@Анна",
            "https://x.org/?q=Анна",
            "http://Анна.рф",
            "www.x.org/(Анна)",
            "`@Анна`",
            "```\nАнна\n```",
        ] {
            check("Анна", &[], text, &[]);
        }
        check("Анна", &[], "https://x.org Анна", &["Анна"]);
    }

    #[test]
    fn a_begun_mention_is_what_follows_the_last_sign() {
        for (text, expected) in [
            ("@", Some("")),
            ("see @Ан", Some("Ан")),
            ("(@Ан", Some("Ан")),
            ("one\n@Ан", Some("Ан")),
            ("@Анна @Бор", Some("Бор")),
            ("@Анна (", Some("Анна (")),
            ("@@Ан", Some("Ан")),
            ("", None),
            ("Ан", None),
            ("@Анна ", None),
            ("@Анна\nи", None),
            ("a@b", None),
            ("https://x.org/@Ан", None),
        ] {
            assert_eq!(begun_mention(text), expected, "{text:?}");
        }
    }
}
