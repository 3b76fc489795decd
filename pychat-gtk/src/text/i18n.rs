//! Words in the reader's language.
//!
//! Sentences with something to fill in name it (`{name}`), so that a translation may put it
//! elsewhere; a person's name or a server's words are put in last and never looked at again.

use std::io;

pub use gettextrs::gettext;
use gettextrs::{bind_textdomain_codeset, bindtextdomain, ngettext, textdomain};

use crate::config::{GETTEXT_DOMAIN, LOCALE_DIR};

/// Makes [`gettext`] and the widgets' templates find the translations.
///
/// GTK itself sets the locale from the environment.
///
/// # Errors
///
/// If the C library has no memory left for it.
pub fn init() -> io::Result<()> {
    bindtextdomain(GETTEXT_DOMAIN, LOCALE_DIR)?;
    bind_textdomain_codeset(GETTEXT_DOMAIN, "UTF-8")?;
    textdomain(GETTEXT_DOMAIN)?;
    Ok(())
}

/// Translates `msgid`, then puts each value in the place of its `{name}`.
pub fn gettext_f(msgid: &str, values: &[(&str, &str)]) -> String {
    fill(&gettext(msgid), values)
}

/// Translates the form of a sentence that goes with `count`, then fills it in; `{count}` is the
/// count itself.
pub fn ngettext_f(one: &str, many: &str, count: usize, values: &[(&str, &str)]) -> String {
    let spelled = count.to_string();
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    fill(&ngettext(one, many, count), &[&[("count", spelled.as_str())], values].concat())
}

/// Fills in `template` in one pass: braces inside a value stay what they are.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after.split_once('}').and_then(|(key, after)| {
            let (_, value) = values.iter().find(|(name, _)| *name == key)?;
            Some((value, after))
        });
        let (value, after) = value.unwrap_or((&"{", after));
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_their_places_and_are_not_looked_at_again() {
        for (template, values, expected) in [
            ("plain", &[][..], "plain"),
            ("{name} left", &[("name", "Анна")][..], "Анна left"),
            ("{a} and {b}", &[("b", "2"), ("a", "1")][..], "1 and 2"),
            ("{a} and {b}", &[("a", "{b}"), ("b", "{a}")][..], "{b} and {a}"),
            ("{unknown} { {a", &[("a", "1")][..], "{unknown} { {a"),
            ("{{a}}", &[("a", "1")][..], "{1}"),
        ] {
            assert_eq!(fill(template, values), expected);
        }
    }
}
