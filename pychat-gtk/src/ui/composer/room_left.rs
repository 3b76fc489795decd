//! The room left in a message, in words.

use crate::text::i18n::ngettext_f;

/// Returns how much room is left in a message that is nearly full and says `text` so far; fewer
/// bytes than none are too many. It is told in characters as large as those of the text.
pub(super) fn room_left(bytes: isize, text: &str) -> String {
    let n_chars = bytes.unsigned_abs() * text.chars().count();
    let n_bytes = text.len().max(1);
    if bytes < 0 {
        ngettext_f(
            "The message is about {count} character too long",
            "The message is about {count} characters too long",
            n_chars.div_ceil(n_bytes),
            &[],
        )
    } else {
        let count = n_chars / n_bytes;
        ngettext_f("About {count} character left", "About {count} characters left", count, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_told_in_characters_as_large_as_those_of_the_text() {
        for (bytes, text, expected) in [
            (54, "я", "About 27 characters left"),
            (1, "я", "About 0 characters left"),
            (1, "a", "About 1 character left"),
            (5, "", "About 0 characters left"),
            (-1, "я", "The message is about 1 character too long"),
            (-100, "🎉🎉", "The message is about 25 characters too long"),
        ] {
            assert_eq!(room_left(bytes, text), expected, "{bytes} bytes after {text:?}");
        }
    }
}
