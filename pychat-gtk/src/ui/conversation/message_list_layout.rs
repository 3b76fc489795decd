//! Lays out the messages and the button that leads to the latest of them, which covers none: it
//! stands in the margin of a wide window, and below the messages in any other.

use gtk::{glib, prelude::*, subclass::prelude::*};

/// The greatest width of the messages, in pixels.
const MESSAGES_WIDTH: i32 = 720;

/// The room around the button, in pixels.
const GAP: i32 = 6;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct MessageListLayout;

    #[glib::object_subclass]
    impl ObjectSubclass for MessageListLayout {
        const NAME: &'static str = "PychatMessageListLayout";
        type Type = super::MessageListLayout;
        type ParentType = gtk::LayoutManager;
    }

    impl ObjectImpl for MessageListLayout {}

    impl LayoutManagerImpl for MessageListLayout {
        fn measure(
            &self,
            talk: &gtk::Widget,
            orientation: gtk::Orientation,
            for_size: i32,
        ) -> (i32, i32, i32, i32) {
            let Some(messages) = talk.first_child() else { return (0, 0, -1, -1) };
            let (min, natural, ..) = messages.measure(orientation, for_size);
            (min, natural, -1, -1)
        }

        fn allocate(&self, talk: &gtk::Widget, width: i32, height: i32, _baseline: i32) {
            let Some(messages) = talk.first_child() else { return };
            let Some(button) = messages.next_sibling() else { return };
            let Some(line) = talk.last_child() else { return };
            line.set_child_visible(false);
            if !button.should_layout() {
                messages.size_allocate(&gtk::Allocation::new(0, 0, width, height), -1);
                return;
            }
            let natural = |orientation| button.measure(orientation, -1).1;
            let button_width = natural(gtk::Orientation::Horizontal);
            let button_height = natural(gtk::Orientation::Vertical);
            let margin = (width - MESSAGES_WIDTH) / 2;
            let is_beside = button_width + 2 * GAP <= margin;
            let row_height = button_height + 2 * GAP;
            let messages_height = if is_beside { height } else { (height - row_height).max(0) };
            messages.size_allocate(&gtk::Allocation::new(0, 0, width, messages_height), -1);
            line.set_child_visible(!is_beside);
            let thickness = line.measure(gtk::Orientation::Vertical, -1).1;
            line.size_allocate(&gtk::Allocation::new(0, messages_height, width, thickness), -1);
            let x = if is_beside { width - margin + GAP } else { (width - button_width) / 2 };
            let is_rtl = talk.direction() == gtk::TextDirection::Rtl;
            let x = if is_rtl { width - x - button_width } else { x };
            let y = height - button_height - GAP;
            button.size_allocate(&gtk::Allocation::new(x, y, button_width, button_height), -1);
        }
    }
}

glib::wrapper! {
    /// Lays out three widgets: messages, the button that leads to the latest of them, and the line
    /// between both.
    pub struct MessageListLayout(ObjectSubclass<imp::MessageListLayout>) @extends gtk::LayoutManager;
}
