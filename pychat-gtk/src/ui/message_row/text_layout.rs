//! Lays out the text of a message: its time stands at the end of the last line where there is room,
//! else below; code has its ground behind it, and long texts have their buttons underneath.
//!
//! The width of the last line is known only to a text that has been broken into lines. Its label
//! has mostly just done that for the same width, and is asked.

use std::ops::Range;

use gtk::{glib, pango, prelude::*, subclass::prelude::*};

use super::{code_blocks::CodeFrame, text_block::TextBlock};
use crate::text;

/// The least room between the last line and the time, in pixels.
const TIME_GAP: i32 = 8;

/// The width by which the ground of code extends beyond the text on each side, in pixels.
const GROUND_MARGIN: i32 = 6;

/// The height by which a line with nothing but a fence lies outside the ground, in pixels. The rest
/// of that line is the margin of the code.
const FENCE_INSET: i32 = 5;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct TextLayout;

    #[glib::object_subclass]
    impl ObjectSubclass for TextLayout {
        const NAME: &'static str = "PychatTextLayout";
        type Type = super::TextLayout;
        type ParentType = gtk::LayoutManager;
    }

    impl ObjectImpl for TextLayout {}

    impl LayoutManagerImpl for TextLayout {
        fn request_mode(&self, _block: &gtk::Widget) -> gtk::SizeRequestMode {
            gtk::SizeRequestMode::HeightForWidth
        }

        fn measure(
            &self,
            block: &gtk::Widget,
            orientation: gtk::Orientation,
            for_size: i32,
        ) -> (i32, i32, i32, i32) {
            let Some(parts) = parts(block) else { return (0, 0, -1, -1) };
            let (min, natural) = if orientation == gtk::Orientation::Horizontal {
                parts.width()
            } else {
                let width = if for_size < 0 { parts.width().1 } else { for_size };
                let height = Arrangement::new(&parts, width).height;
                (height, height)
            };
            (min, natural, -1, -1)
        }

        fn allocate(&self, block: &gtk::Widget, width: i32, _height: i32, _baseline: i32) {
            let Some(parts) = parts(block) else { return };
            let is_rtl = block.direction() == gtk::TextDirection::Rtl;
            let place = |widget: &gtk::Widget, x: i32, y: i32, its_width: i32, height: i32| {
                let x = if is_rtl { width - x - its_width } else { x };
                widget.size_allocate(&gtk::Allocation::new(x, y, its_width, height), -1);
            };
            let it = Arrangement::new(&parts, width);
            place(parts.label.upcast_ref(), 0, 0, it.label_width, it.label_height);
            let mut time_width = 0;
            if let Some(time) = &parts.time {
                let (its_width, height) = natural_size(time);
                place(time.upcast_ref(), width - its_width, it.time_y, its_width, height);
                time_width = its_width + TIME_GAP;
            }
            if let Some(buttons) = &parts.buttons {
                let height = natural_size(buttons).1;
                place(buttons.upcast_ref(), 0, it.label_height, width - time_width, height);
            }
            for ((_, frame), lines) in parts.code.iter().zip(parts.code_lines()) {
                let (x, its_width) = (-GROUND_MARGIN, width + 2 * GROUND_MARGIN);
                let (button_width, button_height) = natural_size(&frame.copy_button);
                let y = lines.start;
                place(frame.ground.upcast_ref(), x, y, its_width, lines.end - y);
                let x = width + GROUND_MARGIN - button_width;
                place(frame.copy_button.upcast_ref(), x, y, button_width, button_height);
            }
        }
    }

    fn parts(block: &gtk::Widget) -> Option<Parts> {
        block.downcast_ref::<TextBlock>().map(TextBlock::parts)
    }
}

glib::wrapper! {
    /// Lays out the text of a message.
    pub struct TextLayout(ObjectSubclass<imp::TextLayout>) @extends gtk::LayoutManager;
}

impl Default for TextLayout {
    fn default() -> Self {
        glib::Object::new()
    }
}

/// The widgets on show for a text: its label, and those around that.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) label: gtk::Label,
    pub(super) time: Option<gtk::Label>,
    pub(super) buttons: Option<gtk::Box>,
    /// The range of each block of code, in bytes, and the widgets around it.
    pub(super) code: Vec<(Range<usize>, CodeFrame)>,
    /// True if the time cannot stand beside the last line: that is code, or is read towards where
    /// the lines of this language begin.
    pub(super) is_end_taken: bool,
    /// True if the text has one line, as long as there is room for it.
    pub(super) is_one_line: bool,
}

impl Parts {
    /// Returns the least width, and the one at which no line has to be broken.
    fn width(&self) -> (i32, i32) {
        let (label_min, label_natural, ..) = self.label.measure(gtk::Orientation::Horizontal, -1);
        let beside = self.beside();
        let (mut min, mut natural) = (label_min + beside, label_natural + beside);
        let time = self.time.as_ref().map_or(0, |it| natural_size(it).0);
        if let Some(buttons) = &self.buttons {
            let (buttons_min, buttons_natural, ..) =
                buttons.measure(gtk::Orientation::Horizontal, -1);
            min = min.max(buttons_min + TIME_GAP + time);
            natural = natural.max(buttons_natural + TIME_GAP + time);
        } else if self.time.is_some() && !self.is_end_taken {
            let last =
                if self.is_one_line { label_natural } else { last_line(&self.label, None).width };
            natural = natural.max(last + TIME_GAP + time);
        }
        (min.max(time), natural.max(time))
    }

    /// Returns how much is kept free beside the text, for the buttons that copy code.
    fn beside(&self) -> i32 {
        let width = |(_, frame): &(Range<usize>, CodeFrame)| {
            natural_size(&frame.ground);
            natural_size(&frame.copy_button).0 - GROUND_MARGIN
        };
        self.code.iter().map(width).max().unwrap_or(0)
    }

    /// Returns where the lines of each block of code begin and end, in pixels, once the label has
    /// its size.
    fn code_lines(&self) -> impl Iterator<Item = Range<i32>> {
        let layout = self.label.layout();
        let (_, top) = self.label.layout_offsets();
        let place = |at: usize| i32::try_from(at).unwrap_or(i32::MAX);
        let shown = self.label.text();
        let inset = |line: Option<&str>| {
            let is_fence = line.is_some_and(|it| it.trim_matches('`').trim().is_empty());
            if is_fence { FENCE_INSET } else { 0 }
        };
        self.code.iter().map(move |(code, _)| {
            let first = layout.index_to_pos(place(code.start));
            let last = layout.index_to_pos(place(code.end));
            let (start, end) =
                (first.y() / pango::SCALE, (last.y() + last.height()) / pango::SCALE);
            let lines = &shown[code.clone()];
            let above = inset(lines.split(text::is_line_end).next());
            let below = inset(lines.rsplit(text::is_line_end).next());
            top + start + above..top + end - below
        })
    }
}

/// Where everything stands in a text of some width.
struct Arrangement {
    label_width: i32,
    label_height: i32,
    time_y: i32,
    height: i32,
}

impl Arrangement {
    fn new(parts: &Parts, width: i32) -> Self {
        let label_width = (width - parts.beside()).max(0);
        let (label_height, ..) = parts.label.measure(gtk::Orientation::Vertical, label_width);
        let mut it = Self { label_width, label_height, time_y: 0, height: label_height };
        let buttons_height = parts.buttons.as_ref().map(|it| natural_size(it).1);
        it.height += buttons_height.unwrap_or_default();
        let Some(time) = &parts.time else { return it };
        let (time_width, time_height) = natural_size(time);
        it.time_y = match buttons_height {
            Some(height) => label_height + (height - time_height) / 2,
            None if parts.is_end_taken => label_height,
            None => {
                let last = last_line(&parts.label, Some(label_width));
                if last.width + TIME_GAP + time_width <= width {
                    let (.., baseline) = time.measure(gtk::Orientation::Vertical, -1);
                    (last.baseline - baseline.max(0)).max(0)
                } else {
                    label_height
                }
            }
        };
        it.height = it.height.max(it.time_y + time_height);
        it
    }
}

/// The last line of a label, in pixels.
struct LastLine {
    width: i32,
    /// Where its letters stand, from the top of the first line on.
    baseline: i32,
}

/// Returns what the last line of `label` is at `width`; at no width, no line is broken.
fn last_line(label: &gtk::Label, width: Option<i32>) -> LastLine {
    let layout = label.layout();
    let size = width.map_or(-1, |width| width * pango::SCALE);
    let is_room = size < 0 || layout.size().0 <= size;
    let layout = if layout.width() == size || is_room && !layout.is_wrapped() {
        layout
    } else {
        let copy = layout.copy();
        copy.set_width(size);
        copy
    };
    let Some(line) = layout.line_readonly(layout.line_count() - 1) else {
        return LastLine { width: 0, baseline: 0 };
    };
    let (_, logical) = line.extents();
    let baseline = layout.size().1 - logical.height() - logical.y();
    LastLine {
        width: (logical.width() + pango::SCALE - 1) / pango::SCALE,
        baseline: baseline / pango::SCALE,
    }
}

fn natural_size(widget: &impl IsA<gtk::Widget>) -> (i32, i32) {
    let natural = |orientation| widget.measure(orientation, -1).1;
    (natural(gtk::Orientation::Horizontal), natural(gtk::Orientation::Vertical))
}
