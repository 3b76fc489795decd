//! The list of rooms beside the conversation: people one talks to, then all other rooms.
//!
//! The row of the room that is shown is marked. Keys move the focus alone, so that nothing counts as
//! read on the way: a room is opened by a click or by Enter.

use std::{
    cell::{Cell, OnceCell, RefCell},
    sync::OnceLock,
};

use adw::subclass::prelude::*;
use gtk::{glib, glib::subclass::Signal, prelude::*};

use super::room_row::RoomRow;
use crate::{
    model::HeadModel,
    session::{Room, Session, room::RoomSection},
    text::i18n::gettext,
    ui::{compat, encryption_button::EncryptionButton},
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/rooms_pane.ui")]
    #[properties(wrapper_type = super::RoomsPane)]
    pub struct RoomsPane {
        #[template_child]
        add_button: TemplateChild<gtk::MenuButton>,
        #[template_child]
        pub(super) list: TemplateChild<gtk::ListBox>,
        /// The session whose rooms they are.
        #[property(get, set = Self::set_session, nullable)]
        session: RefCell<Option<Session>>,
        /// The room that the window shows.
        #[property(get, set = Self::set_room, nullable)]
        room: RefCell<Option<Room>>,
        /// True while there is nothing beside it.
        #[property(get, set)]
        is_alone: Cell<bool>,
        /// The room whose row has the keyboard, while rows change.
        focused: RefCell<Option<Room>>,
        /// Follow the rooms before and after the list does.
        signals: OnceCell<[glib::SignalGroup; 2]>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RoomsPane {
        const NAME: &'static str = "PychatRoomsPane";
        type Type = super::RoomsPane;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            EncryptionButton::ensure_type();
            klass.set_accessible_role(gtk::AccessibleRole::Region);
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for RoomsPane {
        fn constructed(&self) {
            self.parent_constructed();
            if let Some(menu) = self.add_button.popover() {
                compat::name_menu_items(&menu);
            }
            self.list.set_header_func(|row, before| {
                let section = |row: &gtk::ListBoxRow| {
                    row.downcast_ref::<RoomRow>()?.room().map(|room| room.kind().section())
                };
                let of_row = section(row);
                let header = of_row.filter(|_| before.and_then(section) != of_row);
                row.set_header(header.map(heading).as_ref());
            });
        }

        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                vec![Signal::builder("chosen").param_types([Room::static_type()]).build()]
            })
        }
    }

    impl WidgetImpl for RoomsPane {}

    impl BinImpl for RoomsPane {}

    #[gtk::template_callbacks]
    impl RoomsPane {
        /// Rows that move are made anew, so the keyboard would lose its place.
        fn set_session(&self, session: Option<Session>) {
            let rooms = session.as_ref().map(|session| HeadModel::new(&session.rooms()));
            let [before, after] = self.signals.get_or_init(|| {
                let signals = |f: fn(&Self)| {
                    let signals = glib::SignalGroup::new::<HeadModel>();
                    let weak = self.downgrade();
                    signals.connect_local("items-changed", false, move |_| {
                        if let Some(imp) = weak.upgrade() {
                            f(&imp);
                        }
                        None
                    });
                    signals
                };
                [signals(Self::before_change), signals(Self::after_change)]
            });
            before.set_target(rooms.as_ref());
            self.list.bind_model(rooms.as_ref(), |room| match room.downcast_ref::<Room>() {
                Some(room) => RoomRow::new(room).upcast(),
                None => gtk::ListBoxRow::new().upcast(),
            });
            after.set_target(rooms.as_ref());
            self.session.replace(session);
            self.mark_shown();
        }

        fn before_change(&self) {
            let row = self.list.focus_child().and_downcast::<RoomRow>();
            self.focused.replace(row.and_then(|row| row.room()));
        }

        fn after_change(&self) {
            self.mark_shown();
            let focused = self.focused.take();
            if let Some(row) = focused.and_then(|room| self.row_of(&room)) {
                row.grab_focus();
            }
        }

        fn set_room(&self, room: Option<Room>) {
            self.room.replace(room);
            self.mark_shown();
        }

        /// Marks the row of the room that is shown.
        fn mark_shown(&self) {
            let shown = self.room.borrow();
            for row in self.rows() {
                row.set_is_shown(row.room() == *shown);
            }
        }

        fn rows(&self) -> impl Iterator<Item = RoomRow> {
            let first = self.list.first_child();
            let children = std::iter::successors(first, WidgetExt::next_sibling);
            children.filter_map(|child| child.downcast().ok())
        }

        pub(super) fn row_of(&self, room: &Room) -> Option<RoomRow> {
            self.rows().find(|row| row.room().as_ref() == Some(room))
        }

        #[template_callback]
        fn on_row_activated(&self, row: &gtk::ListBoxRow) {
            if let Some(room) = row.downcast_ref::<RoomRow>().and_then(RoomRow::room) {
                self.obj().emit_by_name::<()>("chosen", &[&room]);
            }
        }
    }
}

glib::wrapper! {
    /// The list of rooms.
    ///
    /// Emits `chosen` with the room that was picked out.
    pub struct RoomsPane(ObjectSubclass<imp::RoomsPane>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl RoomsPane {
    /// Gives the keyboard to the room that is shown.
    pub fn focus_shown(&self) {
        let row = self.room().and_then(|room| self.imp().row_of(&room));
        match row {
            Some(row) => drop(row.grab_focus()),
            None => drop(self.imp().list.child_focus(gtk::DirectionType::TabForward)),
        }
    }

    /// Returns the room that is `step` places below the one that is shown, or above it.
    pub fn room_beside(&self, step: i32) -> Option<Room> {
        let (rooms, shown) = (self.session()?.rooms(), self.room()?);
        let at = rooms.iter::<Room>().flatten().position(|room| room == shown)?;
        let at = i32::try_from(at).ok()?.checked_add(step)?;
        rooms.room_at(u32::try_from(at).ok()?)
    }
}

/// Returns the heading of a section.
fn heading(section: RoomSection) -> gtk::Label {
    let label = match section {
        RoomSection::People => gettext("People"),
        RoomSection::Rooms => gettext("Rooms"),
    };
    gtk::Label::builder()
        .css_classes(["caption-heading", "dim-label", "rooms-heading"])
        .label(label)
        .xalign(0.0)
        .build()
}
