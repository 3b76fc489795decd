//! The marking of a text: links as markup, all else as attributes.

use std::ops::Range;

use gtk::{glib, pango};

use crate::text::{self, Code};

thread_local! {
    /// The attributes of every text; one list for all rows.
    static PLAIN: pango::AttrList = plain();
}

/// The opacity of the backticks around code in a line, of 65 535; they have the colour of the text.
const TICKS_ALPHA: u16 = 40_000;

/// The same around a block, which can be seen to be one without them. Pango takes 0 for opaque.
const FENCE_ALPHA: u16 = 1;

/// Returns `text` with its links as markup; `None` if it has no link.
pub(super) fn markup(text: &str) -> Option<String> {
    let links = text::links(text);
    let mut markup = String::new();
    let mut end = 0;
    for link in &links {
        let target = glib::markup_escape_text(&link.target);
        let address = glib::markup_escape_text(&text[link.range.clone()]);
        markup += &glib::markup_escape_text(&text[end..link.range.start]);
        markup.extend(["<a href=\"", &target, "\">", &address, "</a>"]);
        end = link.range.end;
    }
    markup += &glib::markup_escape_text(&text[end..]);
    (!links.is_empty()).then_some(markup)
}

/// Returns what marks `mentions` and `code` in `text`, and what somebody else wants marked.
pub(super) fn attributes(
    text: &str,
    mentions: &[Range<usize>],
    code: &[Code],
    marks: Option<&pango::AttrList>,
) -> pango::AttrList {
    if mentions.is_empty() && code.is_empty() && marks.is_none() {
        return PLAIN.with(pango::AttrList::clone);
    }
    let attributes = plain();
    for mention in mentions {
        insert(&attributes, mention, pango::AttrInt::new_weight(pango::Weight::Bold));
    }
    for Code { range, inner, is_block } in code {
        insert(&attributes, inner, pango::AttrString::new_family("monospace"));
        let alpha = if *is_block { FENCE_ALPHA } else { TICKS_ALPHA };
        for ticks in [range.start..inner.start, inner.end..range.end] {
            insert(&attributes, &ticks, pango::AttrInt::new_foreground_alpha(alpha));
        }
        for indentation in indentations(text, inner) {
            insert(&attributes, &indentation, pango::AttrInt::new_allow_breaks(false));
        }
    }
    for mark in marks.iter().flat_map(|marks| marks.attributes()) {
        attributes.insert(mark);
    }
    attributes
}

/// Returns where the lines of `code` in `text` are indented, each with its first letter: a line that
/// is broken there would leave an empty one.
fn indentations(text: &str, code: &Range<usize>) -> Vec<Range<usize>> {
    let mut indentations = Vec::new();
    let mut start = code.start;
    for line in text[code.clone()].split_inclusive(text::is_line_end) {
        let letters = line.trim_start_matches([' ', '\t']);
        let first = letters.chars().next().map_or(0, char::len_utf8);
        let size = line.len() - letters.len();
        if 0 < size {
            indentations.push(start..start + size + first);
        }
        start += line.len();
    }
    indentations
}

/// Lets `attributes` have `attribute` at `range`.
fn insert(
    attributes: &pango::AttrList,
    range: &Range<usize>,
    attribute: impl Into<pango::Attribute>,
) {
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    let mut attribute = attribute.into();
    attribute.set_start_index(place(range.start));
    attribute.set_end_index(place(range.end));
    attributes.insert(attribute);
}

/// Returns what every text has: what is said is broken where it must be, and nothing is put into
/// it, or a link would seem to have a hyphen.
fn plain() -> pango::AttrList {
    let attributes = pango::AttrList::new();
    attributes.insert(pango::AttrInt::new_insert_hyphens(false));
    attributes
}
