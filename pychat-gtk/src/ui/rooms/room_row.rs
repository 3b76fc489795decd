//! A room in the list of rooms: its title, and how much in it is new.

use std::cell::RefCell;

use gtk::{glib, prelude::*, subclass::prelude::*};

use super::{room_label, room_sign::RoomSign};
use crate::session::Room;

mod imp {
    use std::cell::{Cell, OnceCell};

    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/room_row.ui")]
    #[properties(wrapper_type = super::RoomRow)]
    pub struct RoomRow {
        #[template_child]
        sign: TemplateChild<RoomSign>,
        #[template_child]
        title: TemplateChild<gtk::Label>,
        #[template_child]
        mentions: TemplateChild<gtk::Label>,
        #[template_child]
        unread: TemplateChild<gtk::Label>,
        /// The room.
        #[property(get, set = Self::set_room, construct_only, nullable)]
        room: RefCell<Option<Room>>,
        /// True while the window shows the room.
        #[property(get, set = Self::set_is_shown, explicit_notify)]
        is_shown: Cell<bool>,
        signals: OnceCell<glib::SignalGroup>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RoomRow {
        const NAME: &'static str = "PychatRoomRow";
        type Type = super::RoomRow;
        type ParentType = gtk::ListBoxRow;

        fn class_init(klass: &mut Self::Class) {
            RoomSign::ensure_type();
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for RoomRow {}

    impl WidgetImpl for RoomRow {
        /// A tooltip that is set looks for the pointer each time, which asks the display server.
        fn query_tooltip(&self, _: i32, _: i32, _: bool, tooltip: &gtk::Tooltip) -> bool {
            tooltip.set_text(Some(&self.title.label()));
            true
        }
    }

    impl ListBoxRowImpl for RoomRow {}

    impl RoomRow {
        fn set_room(&self, room: Option<Room>) {
            self.room.replace(room);
            let signals = self.signals.get_or_init(|| {
                let signals = glib::SignalGroup::new::<Room>();
                for property in ["kind", "title", "unread", "mentions", "is-muted"] {
                    let weak = self.downgrade();
                    signals.connect_notify_local(Some(property), move |_, _| {
                        if let Some(imp) = weak.upgrade() {
                            imp.show();
                        }
                    });
                }
                signals
            });
            signals.set_target(self.room.borrow().as_ref());
            self.show();
        }

        fn show(&self) {
            let Some(room) = self.obj().room() else { return };
            let title = room_label::title(&room);
            self.sign.show_room(room.kind(), &title);
            self.title.set_label(&title);
            let (unread, mentions) = (room.unread(), room.mentions());
            self.unread.set_visible(0 < unread);
            self.unread.set_label(&room_label::count(unread));
            self.mentions.set_direction(gtk::TextDirection::Ltr);
            self.mentions.set_visible(0 < mentions);
            self.mentions.set_label(&format!("@{}", room_label::count(mentions)));
            let obj = self.obj();
            set_class(&*obj, "unread-room", 0 < unread);
            set_class(&*obj, "muted", room.is_muted());
            obj.update_property(&[gtk::accessible::Property::Label(&room_label::spoken(&room))]);
        }

        fn set_is_shown(&self, is_shown: bool) {
            if self.is_shown.replace(is_shown) != is_shown {
                let obj = self.obj();
                set_class(&*obj, "shown", is_shown);
                obj.update_state(&[gtk::accessible::State::Selected(Some(is_shown))]);
                obj.notify_is_shown();
            }
        }
    }

    fn set_class(widget: &impl IsA<gtk::Widget>, class: &str, is_set: bool) {
        if is_set {
            widget.add_css_class(class);
        } else {
            widget.remove_css_class(class);
        }
    }
}

glib::wrapper! {
    /// A room in the list of rooms.
    pub struct RoomRow(ObjectSubclass<imp::RoomRow>)
        @extends gtk::ListBoxRow, gtk::Widget,
        @implements gtk::Accessible, gtk::Actionable, gtk::Buildable, gtk::ConstraintTarget;
}

impl RoomRow {
    /// Makes the row of `room`.
    pub fn new(room: &Room) -> Self {
        glib::Object::builder().property("room", room).build()
    }
}
