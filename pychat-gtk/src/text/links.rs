//! Links in a text: addresses of the web and of mail.

use std::ops::Range;

use super::is_invisible;

/// The schemes of links, each with the text that has to follow it. Anything else that looks like a
/// link could start any program.
const SCHEMES: [(&str, &str); 3] = [("http", "://"), ("https", "://"), (MAIL, ":")];

/// The scheme of an address of mail, which is one only if it has an `@`.
const MAIL: &str = "mailto";

/// The first part of a host's name, before its first dot, that makes it an address without a
/// scheme.
const WEB_HOST: &str = "www";

/// The characters that quote a link, and end it as blanks do.
const QUOTES: [char; 11] = ['"', '<', '>', '`', '«', '»', '“', '”', '„', '‘', '’'];

/// The punctuation that may stand in a link, but at its end belongs to the sentence around it.
const PUNCTUATION: [char; 9] = ['.', ',', ':', ';', '!', '?', '\'', '*', '…'];

/// The brackets; a closing one at the end of a link whose opening one is not in the link belongs to
/// the sentence.
const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// A link in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// Where it leads.
    pub target: String,
}

/// Returns what leads somewhere in `text`, in order: parts that are addresses of the web or of mail.
///
/// Link finders at hand take no host in letters of other scripts, and Russian quotes for a part of
/// it.
pub fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut looked_at = 0;
    for (at, sign) in text.match_indices([':', '.']) {
        let start = match sign {
            ":" => link_start(text, looked_at, at),
            _ => web_host_start(text, looked_at, at),
        };
        let Some((start, rest, scheme)) = start else { continue };
        looked_at = text[rest..].find(is_link_end).map_or(text.len(), |size| rest + size);
        let mut end = rest + link_size(&text[rest..looked_at]);
        if scheme == MAIL {
            // What follows would have a mail filled in, with files too.
            end = text[rest..end].find('?').map_or(end, |size| rest + size);
        }
        let address = &text[start..end];
        let target = match scheme {
            MAIL if !address.contains('@') => continue,
            WEB_HOST if !text[rest..end].contains('.') => continue,
            WEB_HOST => format!("http://{address}"),
            _ => address.to_owned(),
        };
        if rest < end {
            links.push(Link { range: start..end, target });
        }
    }
    links
}

/// Returns where the scheme that ends with this colon starts, where what follows it does, and which
/// it is.
fn link_start(text: &str, from: usize, colon: usize) -> Option<(usize, usize, &'static str)> {
    let before = text.get(from..colon)?;
    let is_letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
    let name = &before[before.trim_end_matches(is_letter).len()..];
    let (scheme, sign) = SCHEMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    let rest = text[colon..].strip_prefix(sign)?;
    let begins = rest.starts_with(|it: char| it.is_alphanumeric() || it == '[');
    begins.then_some((colon - name.len(), colon + sign.len(), scheme))
}

/// Returns the same for a host's name whose first part ends with this dot.
fn web_host_start(text: &str, from: usize, dot: usize) -> Option<(usize, usize, &'static str)> {
    let start = dot.checked_sub(WEB_HOST.len())?;
    let name = text.get(start.max(from)..dot)?;
    let before = text[..start].chars().next_back();
    let is_joined = |it: char| it.is_alphanumeric() || "_-./@:".contains(it);
    let begins = name.eq_ignore_ascii_case(WEB_HOST) && !before.is_some_and(is_joined);
    let goes_on = text[dot + 1..].starts_with(char::is_alphanumeric);
    (begins && goes_on).then_some((start, dot + 1, WEB_HOST))
}

fn is_link_end(character: char) -> bool {
    character.is_whitespace()
        || is_invisible(character)
        || QUOTES.contains(&character)
        || is_sentence_sign(character)
}

/// Returns true for signs that stand between words and never in an address: dashes, and the
/// punctuation of scripts that have their own.
fn is_sentence_sign(character: char) -> bool {
    matches!(
        character,
        '\u{2012}'..='\u{2015}' | '\u{2E3A}' | '\u{2E3B}' // Dashes.
            | '\u{58A}' | '\u{589}' | '\u{5BE}' | '\u{5C3}' // Armenian and Hebrew.
            | '\u{60C}' | '\u{61B}' | '\u{61F}' | '\u{6D4}' // Arabic.
            | '\u{964}' | '\u{965}' | '\u{1362}'..='\u{1368}' // Indic and Ethiopic.
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301F}'
            | '\u{FE10}'..='\u{FE19}' | '\u{FE30}'..='\u{FE44}' | '\u{FE50}'..='\u{FE5E}'
            | '！' | '＂' | '＇' | '（' | '）' | '，' | '．' | '：' | '；' | '＜' | '＞' | '？'
            | '［' | '］' | '｛' | '｝' | '\u{FF5F}'..='\u{FF65}'
    )
}

/// Returns how many bytes of `rest` still belong to the link.
fn link_size(rest: &str) -> usize {
    let mut open = BRACKETS.map(|(open, close)| {
        let count = |bracket| rest.matches::<char>(bracket).count();
        count(open).cast_signed() - count(close).cast_signed()
    });
    let mut kept = rest;
    while let Some(last) = kept.chars().next_back() {
        let bracket = BRACKETS.iter().position(|(_, close)| *close == last);
        match bracket {
            Some(n) if open[n] < 0 => open[n] += 1,
            None if PUNCTUATION.contains(&last) => (),
            _ => break,
        }
        kept = &kept[..kept.len() - last.len_utf8()];
    }
    kept.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links_of(text: &str) -> Vec<&str> {
        links(text).into_iter().map(|link| &text[link.range]).collect()
    }

    #[test]
    fn links_are_found_without_what_stands_around_them() {
        for (text, expected) in [
            ("", &[][..]),
            ("no link, 10:30, a/b, e.g.this", &[]),
            ("http://a.b", &["http://a.b"]),
            ("see https://a.b/c?d=1&e=2#f.", &["https://a.b/c?d=1&e=2#f"]),
            ("(https://a.b/c_(d)), https://a.b/!", &["https://a.b/c_(d)", "https://a.b/"]),
            ("[https://a.b/x]… https://a.b?!", &["https://a.b/x", "https://a.b"]),
            ("«https://пример.рф/путь», “https://a.b”", &["https://пример.рф/путь", "https://a.b"]),
            ("HTTPS://A.B", &["HTTPS://A.B"]),
            ("https://a.b:80/\nhttp://[::1]/", &["https://a.b:80/", "http://[::1]/"]),
            ("<a href=\"https://a.b\">x</a>", &["https://a.b"]),
            ("тут:https://localhost:8080", &["https://localhost:8080"]),
            ("https://a.b/https://c.d", &["https://a.b/https://c.d"]),
            ("https:// https: http//a.b :// http://. https://)", &[]),
        ] {
            assert_eq!(links_of(text), expected, "{text:?}");
        }
    }

    #[test]
    fn links_end_before_the_punctuation_of_every_script() {
        for end in [
            "。ok",
            "，ok",
            "（x）",
            "！",
            "」",
            "、",
            "：x",
            "؟ نعم",
            "، ثم",
            "؛",
            "۔",
            "—и",
            "–x",
            "।",
        ] {
            assert_eq!(links_of(&format!("https://a.b/c{end}")), ["https://a.b/c"], "{end:?}");
        }
        assert_eq!(links_of("（https://a.b）和【www.a.b】"), ["https://a.b", "www.a.b"]);
    }

    #[test]
    fn nothing_invisible_is_part_of_a_link() {
        for sign in [
            '\u{202E}',
            '\u{200B}',
            '\u{200D}',
            '\u{2066}',
            '\u{AD}',
            '\u{FEFF}',
            '\u{34F}',
            '\u{E0041}',
            '\u{3164}',
            '\u{7F}',
        ] {
            let text = format!("https://e.vil/{sign}moc.knab//:sptth");
            assert_eq!(links_of(&text), ["https://e.vil/"], "{sign:?}");
        }
    }

    #[test]
    fn hosts_of_the_web_are_links_without_a_scheme() {
        for (text, expected) in [
            ("www.example.org/a.", &["www.example.org/a"][..]),
            ("(WWW.Example.org)", &["WWW.Example.org"]),
            ("www.пример.рф", &["www.пример.рф"]),
            ("www.example www. www..a.b awww.a.b a.www.b.c x@www.a.b", &[]),
            ("http://www.a.b", &["http://www.a.b"]),
            ("status.example.org", &[]),
        ] {
            assert_eq!(links_of(text), expected, "{text:?}");
        }
        assert_eq!(links("www.a.b:80/c")[0].target, "http://www.a.b:80/c");
    }

    #[test]
    fn nothing_but_the_web_and_mail_is_followed() {
        for text in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "javascript://a.b/%0aalert(1)",
            "ftp://a.b/",
            "ssh://a.b",
            "data:text/html,x",
            "xhttp://a.b",
            "view-source+http://a.b",
        ] {
            assert_eq!(links_of(text), [""; 0], "{text:?}");
        }
    }

    #[test]
    fn addresses_for_mail_are_links_where_they_say_so() {
        for (text, expected) in [
            ("write to mailto:a@b.org.", &["mailto:a@b.org"][..]),
            ("(MAILTO:анна@b.org?subject=x&attach=/etc/passwd)", &["MAILTO:анна@b.org"]),
            ("mailto:?to=a@b.org", &[]),
            ("mailto: a@b.org", &[]),
            ("mailto:nobody", &[]),
            ("mailto:nobody?cc=a@b.org", &[]),
            ("a@b.org", &[]),
        ] {
            assert_eq!(links_of(text), expected, "{text:?}");
        }
    }
}
