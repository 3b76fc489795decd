//! Lays out the line of a message: the bubble, which is as wide as its text where there is room, and
//! what stands beside it, in the margin where the line begins.
//!
//! A box would do, but wherever its height is known it asks how narrow a text could be made for
//! that, and finds out by breaking the text into lines a dozen times. Here a width never follows
//! from a height.

use gtk::{glib, prelude::*, subclass::prelude::*};

/// The room between the bubble and what stands beside it, in pixels.
const GAP: i32 = 6;

mod imp {
    use std::cell::Cell;

    use super::*;

    #[derive(Debug, Default)]
    pub struct BubbleLayout {
        /// The widths left free of the bubble at the start and at the end of the line, in pixels.
        pub(super) margins: Cell<(i32, i32)>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for BubbleLayout {
        const NAME: &'static str = "PychatBubbleLayout";
        type Type = super::BubbleLayout;
        type ParentType = gtk::LayoutManager;
    }

    impl ObjectImpl for BubbleLayout {}

    impl LayoutManagerImpl for BubbleLayout {
        fn request_mode(&self, _line: &gtk::Widget) -> gtk::SizeRequestMode {
            gtk::SizeRequestMode::HeightForWidth
        }

        fn measure(
            &self,
            line: &gtk::Widget,
            orientation: gtk::Orientation,
            for_size: i32,
        ) -> (i32, i32, i32, i32) {
            let (mut min, mut natural) = (0, 0);
            let (begin, end) = self.margins.get();
            for (child, is_bubble) in children(line) {
                let (child_min, child_natural) = if orientation == gtk::Orientation::Horizontal {
                    let (child_min, child_natural, ..) = child.measure(orientation, -1);
                    let margins = if is_bubble { begin + end } else { 0 };
                    (child_min + margins, child_natural + margins)
                } else {
                    let room = if is_bubble { for_size - begin - end } else { begin - GAP };
                    let (child_min, child_natural, ..) = child.measure(orientation, room.max(-1));
                    (child_min, child_natural)
                };
                min = min.max(child_min);
                natural = natural.max(child_natural);
            }
            (min, natural, -1, -1)
        }

        fn allocate(&self, line: &gtk::Widget, width: i32, height: i32, _baseline: i32) {
            let is_rtl = line.direction() == gtk::TextDirection::Rtl;
            let (begin, end) = self.margins.get();
            for (child, is_bubble) in children(line) {
                let (start, child_width) =
                    if is_bubble { (begin, width - begin - end) } else { (0, begin - GAP) };
                let x = if is_rtl { width - start - child_width } else { start };
                child.size_allocate(&gtk::Allocation::new(x, 0, child_width, height), -1);
            }
        }
    }

    /// Returns what is on show, each with whether it is the bubble: that comes last.
    fn children(line: &gtk::Widget) -> impl Iterator<Item = (gtk::Widget, bool)> {
        let bubble = line.last_child();
        shown_children(line).map(move |child| {
            let is_bubble = Some(&child) == bubble.as_ref();
            (child, is_bubble)
        })
    }

    fn shown_children(line: &gtk::Widget) -> impl Iterator<Item = gtk::Widget> {
        let children = std::iter::successors(line.first_child(), WidgetExt::next_sibling);
        children.filter(WidgetExt::should_layout)
    }
}

glib::wrapper! {
    /// Lays out the line of a message.
    pub struct BubbleLayout(ObjectSubclass<imp::BubbleLayout>) @extends gtk::LayoutManager;
}

impl BubbleLayout {
    /// Leaves so much free of the bubble where the line begins, and where it ends, in pixels.
    pub(super) fn set_margins(&self, margins: (i32, i32)) {
        if self.imp().margins.replace(margins) != margins {
            self.layout_changed();
        }
    }
}
