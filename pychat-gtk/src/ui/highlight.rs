//! The marks of search matches in a text: attributes, which are never part of it.

use std::ops::Range;

use gtk::pango;

use crate::model::{Mark, Message};

/// The background of matches. The letters on it are black, whatever the theme: both colors are
/// light.
const FOUND: Color = [0xf8, 0xe4, 0x5c];

/// The same for the result being looked at.
const CURRENT: Color = [0xff, 0xa3, 0x48];

/// Red, green and blue.
type Color = [u8; 3];

/// Returns what marks the matches in `message`; `None` without any.
pub fn attributes(message: &Message) -> Option<pango::AttrList> {
    let background = match message.mark() {
        Mark::None => return None,
        Mark::Found => FOUND,
        Mark::Current => CURRENT,
    };
    let list = pango::AttrList::new();
    for range in &message.found() {
        let [red, green, blue] = background.map(widen);
        insert(&list, pango::AttrColor::new_background(red, green, blue), range);
        insert(&list, pango::AttrColor::new_foreground(0, 0, 0), range);
        if message.mark() == Mark::Current {
            insert(&list, pango::AttrInt::new_underline(pango::Underline::Single), range);
        }
    }
    Some(list)
}

/// Returns what sets these parts of a text, in bytes, in bold.
pub fn bold(ranges: &[Range<usize>]) -> pango::AttrList {
    let list = pango::AttrList::new();
    for range in ranges {
        insert(&list, pango::AttrInt::new_weight(pango::Weight::Bold), range);
    }
    list
}

/// Pango counts colors in 16 bits.
fn widen(part: u8) -> u16 {
    u16::from(part) * 0x101
}

fn insert(list: &pango::AttrList, attribute: impl Into<pango::Attribute>, range: &Range<usize>) {
    let mut attribute = attribute.into();
    attribute.set_start_index(u32::try_from(range.start).unwrap_or(u32::MAX));
    attribute.set_end_index(u32::try_from(range.end).unwrap_or(u32::MAX));
    list.insert(attribute);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageKind;

    #[test]
    fn matches_are_marked_by_their_bytes() {
        let message = Message::new(MessageKind::Other, "Анна", "ёж, <b>ёж</b>", 0);
        assert_eq!(attributes(&message), None);
        message.set_found(Some(vec![0..4, 9..13]));
        let ranges = || {
            let list = attributes(&message).expect("something was found");
            let attributes = list.attributes().into_iter();
            attributes.map(|it| (it.start_index(), it.end_index())).collect::<Vec<_>>()
        };
        assert_eq!(ranges(), [(0, 4), (0, 4), (9, 13), (9, 13)]);
        message.set_current(true);
        assert_eq!(ranges(), [(0, 4), (0, 4), (0, 4), (9, 13), (9, 13), (9, 13)]);
    }
}
