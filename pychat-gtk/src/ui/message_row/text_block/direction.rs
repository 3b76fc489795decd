//! The side at which a text stands, and the direction in which it is read.

use gtk::{pango, prelude::*, subclass::prelude::*};

use super::imp::TextBlock;
use crate::text;

impl TextBlock {
    /// A text stands at the side at which it begins; inside, each paragraph sees to itself.
    pub(super) fn set_direction(&self, shown: &str) {
        let is_rtl = self.obj().direction() == gtk::TextDirection::Rtl;
        let is_opposite = |text| match pango::find_base_dir(text) {
            pango::Direction::Rtl => Some(!is_rtl),
            pango::Direction::Ltr => Some(is_rtl),
            _ => None,
        };
        let is_neutral = shown.split(text::is_line_end).all(|line| is_opposite(line).is_none());
        let is_flipped = is_opposite(shown) == Some(true) || is_neutral && is_rtl;
        self.label.set_xalign(if is_flipped { 1.0 } else { 0.0 });
        // A smiley is a smiley in every language.
        self.label.set_direction(if is_neutral {
            gtk::TextDirection::Ltr
        } else {
            gtk::TextDirection::None
        });
        // A paragraph without any letter goes on in the direction of the one before.
        let last = shown.rsplit(text::is_line_end).find_map(is_opposite);
        let is_code = self
            .code_blocks
            .blocks()
            .last()
            .is_some_and(|it| shown[it.range.end..].trim().is_empty());
        self.is_end_taken.set(is_code || last == Some(true));
        self.is_one_line.set(!shown.contains(text::is_line_end));
    }
}
