//! Bounds on what is taken from a peer, from a server above all.
//!
//! [`ServerMessage::parse`](super::ServerMessage::parse) and, for a label,
//! [`ClientMessage::parse`](super::ClientMessage::parse) enforce them, so code that shows or stores a
//! message need not. They are far above what servers of this project send.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::name::NAME_CHARS_MAX;

/// The most bytes of an epoch. A longer one counts as missing.
pub const EPOCH_BYTES_MAX: usize = 256;

/// The most characters of the name of a device or a server. A longer one is cut, and ends in `…`.
pub const LABEL_CHARS_MAX: usize = 64;

/// The most devices of one person that are listed; any beyond are left out.
pub const DEVICES_MAX: usize = 64;

/// The most invites that are listed; any beyond are left out.
pub const INVITES_MAX: usize = 1_000;

/// The most people that are listed as present; any beyond are left out.
pub const MEMBERS_MAX: usize = 20_000;

/// The most bytes of one message's content. A longer one is cut, and ends in `…`.
pub const CONTENT_BYTES_MAX: usize = 1 << 20;

/// The most characters of a sentence that the server has people read. A longer one is cut, and ends
/// in `…`.
pub const SENTENCE_CHARS_MAX: usize = 500;

/// The longest wait that a server can ask for, in milliseconds.
pub const RETRY_MS_MAX: u64 = 600_000;

/// The longest time for which a code can be good, in milliseconds: a day.
pub const EXPIRES_MS_MAX: u64 = 86_400_000;

/// The last millisecond of the year 9999, in UTC since 1970. A later time is lowered to it.
pub const TIME_MS_MAX: u64 = 253_402_300_799_999;

/// The end of a text that was cut.
const ELLIPSIS: &str = "…";

/// Cuts a name to [`NAME_CHARS_MAX`] characters: servers of the original let any name in.
pub(crate) fn name<'a>(name: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    chars(name.into(), NAME_CHARS_MAX)
}

/// Cuts the name of a device or a server to [`LABEL_CHARS_MAX`] characters, without what cannot be
/// seen of it, or turns the text around it.
pub fn label<'a>(label: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let label = label.into();
    let is_clean = label.trim().len() == label.len() && !label.contains(is_unseen);
    if is_clean {
        return chars(label, LABEL_CHARS_MAX);
    }
    chars(label.replace(is_unseen, "").trim().to_owned().into(), LABEL_CHARS_MAX)
}

fn is_unseen(character: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned,
    };
    matches!(
        character.general_category(),
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Unassigned
    )
}

/// Cuts a sentence to [`SENTENCE_CHARS_MAX`] characters.
pub(crate) fn sentence<'a>(sentence: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    chars(sentence.into(), SENTENCE_CHARS_MAX)
}

/// Cuts a content to [`CONTENT_BYTES_MAX`] bytes.
pub(super) fn content(content: Cow<'_, str>) -> Cow<'_, str> {
    if content.len() <= CONTENT_BYTES_MAX {
        return content;
    }
    let end = content.floor_char_boundary(CONTENT_BYTES_MAX - ELLIPSIS.len());
    cut(&content, end)
}

fn chars(text: Cow<'_, str>, chars_max: usize) -> Cow<'_, str> {
    if text.len() <= chars_max || text.chars().nth(chars_max).is_none() {
        return text;
    }
    let end = text.char_indices().nth(chars_max - 1).map_or(0, |(end, _)| end);
    cut(&text, end)
}

fn cut<'a>(text: &str, end: usize) -> Cow<'a, str> {
    Cow::Owned([&text[..end], ELLIPSIS].concat())
}
