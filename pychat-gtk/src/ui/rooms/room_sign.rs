//! The picture beside the title of a room: of the person one talks to, or of the kind of the room.

use adw::{prelude::*, subclass::prelude::*};
use gtk::glib;

use crate::session::room::RoomKind;

/// The size of a picture, in pixels.
const SIZE: i32 = 32;

mod imp {
    use std::cell::RefCell;

    use super::*;

    #[derive(Debug, Default)]
    pub struct RoomSign {
        /// The kind and the title that are shown.
        pub(super) shown: RefCell<Option<(RoomKind, String)>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RoomSign {
        const NAME: &'static str = "PychatRoomSign";
        type Type = super::RoomSign;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.set_accessible_role(gtk::AccessibleRole::Presentation);
        }
    }

    impl ObjectImpl for RoomSign {}

    impl WidgetImpl for RoomSign {}

    impl BinImpl for RoomSign {}
}

glib::wrapper! {
    /// The picture of a room. It says nothing that its title does not.
    pub struct RoomSign(ObjectSubclass<imp::RoomSign>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl RoomSign {
    /// Shows a room of this `kind` and `title`.
    pub fn show_room(&self, kind: RoomKind, title: &str) {
        let shown = Some((kind, title.to_owned()));
        if *self.imp().shown.borrow() == shown {
            return;
        }
        self.set_child(Some(&picture(kind, title)));
        self.imp().shown.replace(shown);
    }
}

fn picture(kind: RoomKind, title: &str) -> gtk::Widget {
    match kind {
        RoomKind::Direct => adw::Avatar::builder()
            .accessible_role(gtk::AccessibleRole::Presentation)
            .show_initials(true)
            .size(SIZE)
            .text(title)
            .build()
            .upcast(),
        RoomKind::Hall => icon("user-home-symbolic"),
        RoomKind::Closed => icon("changes-prevent-symbolic"),
        RoomKind::Open => {
            let label = gtk::Label::builder()
                .accessible_role(gtk::AccessibleRole::Presentation)
                .css_classes(["room-sign"])
                .label("#")
                .build();
            sized(&label)
        }
    }
}

fn icon(name: &str) -> gtk::Widget {
    let image = gtk::Image::builder()
        .accessible_role(gtk::AccessibleRole::Presentation)
        .css_classes(["room-sign"])
        .icon_name(name)
        .build();
    sized(&image)
}

fn sized(widget: &impl IsA<gtk::Widget>) -> gtk::Widget {
    widget.set_size_request(SIZE, SIZE);
    widget.set_halign(gtk::Align::Center);
    widget.set_valign(gtk::Align::Center);
    widget.clone().upcast()
}
