//! Lays out chips in lines, as many in each as there is room for.

use gtk::{glib, prelude::*, subclass::prelude::*};

/// The room between two chips, and between two lines, in pixels.
const GAP: i32 = 4;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct ChipLayout;

    #[glib::object_subclass]
    impl ObjectSubclass for ChipLayout {
        const NAME: &'static str = "PychatChipLayout";
        type Type = super::ChipLayout;
        type ParentType = gtk::LayoutManager;
    }

    impl ObjectImpl for ChipLayout {}

    impl LayoutManagerImpl for ChipLayout {
        fn request_mode(&self, _widget: &gtk::Widget) -> gtk::SizeRequestMode {
            gtk::SizeRequestMode::HeightForWidth
        }

        fn measure(
            &self,
            widget: &gtk::Widget,
            orientation: gtk::Orientation,
            for_size: i32,
        ) -> (i32, i32, i32, i32) {
            let sizes: Vec<_> = children(widget).map(|child| size(&child)).collect();
            let width: i32 = sizes.iter().map(|(width, _)| width + GAP).sum();
            if orientation == gtk::Orientation::Horizontal {
                let min = sizes.iter().map(|(width, _)| *width).max().unwrap_or_default();
                return (min, (width - GAP).max(0), -1, -1);
            }
            let room = if for_size < 0 { width } else { for_size };
            let height = lines(&sizes, room).1;
            (height, height, -1, -1)
        }

        fn allocate(&self, widget: &gtk::Widget, width: i32, _height: i32, _baseline: i32) {
            let is_rtl = widget.direction() == gtk::TextDirection::Rtl;
            let sizes: Vec<_> = children(widget).map(|child| size(&child)).collect();
            let places = lines(&sizes, width).0;
            for ((child, (x, y)), size) in children(widget).zip(places).zip(sizes) {
                let x = if is_rtl { width - x - size.0 } else { x };
                child.size_allocate(&gtk::Allocation::new(x, y, size.0, size.1), -1);
            }
        }
    }

    /// Returns where what has these sizes stands in lines of this width, and how high all are.
    fn lines(sizes: &[(i32, i32)], width: i32) -> (Vec<(i32, i32)>, i32) {
        let (mut x, mut y, mut line_height) = (0, 0, 0);
        let mut places = Vec::with_capacity(sizes.len());
        for (its_width, its_height) in sizes {
            if 0 < x && width < x + its_width {
                (x, y, line_height) = (0, y + line_height + GAP, 0);
            }
            places.push((x, y));
            x += its_width + GAP;
            line_height = line_height.max(*its_height);
        }
        (places, y + line_height)
    }

    fn size(child: &gtk::Widget) -> (i32, i32) {
        let natural = |orientation| child.measure(orientation, -1).1;
        (natural(gtk::Orientation::Horizontal), natural(gtk::Orientation::Vertical))
    }

    fn children(widget: &gtk::Widget) -> impl Iterator<Item = gtk::Widget> {
        let children = std::iter::successors(widget.first_child(), WidgetExt::next_sibling);
        children.filter(WidgetExt::should_layout)
    }
}

glib::wrapper! {
    /// Lays out chips in lines.
    pub struct ChipLayout(ObjectSubclass<imp::ChipLayout>) @extends gtk::LayoutManager;
}

impl Default for ChipLayout {
    fn default() -> Self {
        glib::Object::new()
    }
}
