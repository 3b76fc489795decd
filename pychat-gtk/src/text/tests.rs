//! Texts as people write them, and as they would to do harm.

use super::*;

fn links_of(text: &str) -> Vec<&str> {
    links(text).into_iter().map(|link| &text[link]).collect()
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
        ("(MAILTO:анна@b.org?subject=x)", &["MAILTO:анна@b.org?subject=x"]),
        ("mailto: a@b.org", &[]),
        ("mailto:nobody", &[]),
        ("a@b.org", &[]),
    ] {
        assert_eq!(links_of(text), expected, "{text:?}");
    }
}

#[test]
fn a_name_is_mentioned_as_a_whole_word_after_its_sign() {
    for (text, name, expected) in [
        ("@Анна!", "Анна", &["@Анна"][..]),
        ("(@анна), @АННА", "Анна", &["@анна", "@АННА"]),
        ("Анна", "Анна", &[]),
        ("@Аннабель @Анна_ @Анна2 @Анн", "Анна", &[]),
        ("a@Анна https://x.org/@Анна", "Анна", &[]),
        ("@Анна Мария и", "Анна Мария", &["@Анна Мария"]),
        ("@Jürgen", "JÜRGEN", &["@Jürgen"]),
        ("@@Анна", "Анна", &["@Анна"]),
        ("@", "", &[]),
        ("@ẞ", "ß", &["@ẞ"]),
    ] {
        let found: Vec<_> = mentions(text, name).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{text:?}");
    }
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
fn a_beginning_is_bounded_in_characters_and_lines() {
    for (text, chars_max, lines_max, expected) in [
        ("", 1, 1, ""),
        ("abc", 3, 1, "abc"),
        ("abcd", 3, 1, "abc"),
        ("жжжж", 3, 1, "жжж"),
        ("a\nb", 9, 2, "a\nb"),
        ("a\nb\nc", 9, 2, "a\nb"),
        ("a\nb\nc", 2, 2, "a\n"),
        ("\n\n\n", 9, 1, ""),
    ] {
        assert_eq!(beginning(text, chars_max, lines_max), expected, "{text:?}");
    }
}
