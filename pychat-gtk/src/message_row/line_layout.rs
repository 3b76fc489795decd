//! Lays out the line of a message: what stands beside the bubble, and the bubble, which is as wide
//! as its text where there is room.
//!
//! A box would do, but wherever its height is known it asks how narrow a text could be made for
//! that, and finds out by breaking the text into lines a dozen times. Here a width never follows
//! from a height.

use gtk::{glib, prelude::*, subclass::prelude::*};

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct LineLayout;

    #[glib::object_subclass]
    impl ObjectSubclass for LineLayout {
        const NAME: &'static str = "PychatLineLayout";
        type Type = super::LineLayout;
        type ParentType = gtk::LayoutManager;
    }

    impl ObjectImpl for LineLayout {}

    impl LayoutManagerImpl for LineLayout {
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
            if orientation == gtk::Orientation::Horizontal {
                for child in shown_children(line) {
                    let (child_min, child_natural, ..) = child.measure(orientation, -1);
                    min += child_min;
                    natural += child_natural;
                }
            } else {
                for (child, width) in widths(line, for_size) {
                    let (child_min, child_natural, ..) = child.measure(orientation, width);
                    min = min.max(child_min);
                    natural = natural.max(child_natural);
                }
            }
            (min, natural, -1, -1)
        }

        fn allocate(&self, line: &gtk::Widget, width: i32, height: i32, _baseline: i32) {
            let is_rtl = line.direction() == gtk::TextDirection::Rtl;
            let mut start = 0;
            for (child, child_width) in widths(line, width) {
                let x = if is_rtl { width - start - child_width } else { start };
                child.size_allocate(&gtk::Allocation::new(x, 0, child_width, height), -1);
                start += child_width;
            }
        }
    }

    /// Returns what is on show with its width: what comes last gets what the others leave of
    /// `width`, if that is known.
    fn widths(line: &gtk::Widget, width: i32) -> Vec<(gtk::Widget, i32)> {
        let mut widths: Vec<_> = shown_children(line)
            .map(|child| {
                let (_, natural, ..) = child.measure(gtk::Orientation::Horizontal, -1);
                (child, natural)
            })
            .collect();
        if 0 <= width
            && let Some(((_, last), others)) = widths.split_last_mut()
        {
            *last = width - others.iter().map(|(_, width)| width).sum::<i32>();
        }
        widths
    }

    fn shown_children(line: &gtk::Widget) -> impl Iterator<Item = gtk::Widget> {
        let children = std::iter::successors(line.first_child(), WidgetExt::next_sibling);
        children.filter(WidgetExt::should_layout)
    }
}

glib::wrapper! {
    /// Lays out the line of a message.
    pub struct LineLayout(ObjectSubclass<imp::LineLayout>) @extends gtk::LayoutManager;
}
