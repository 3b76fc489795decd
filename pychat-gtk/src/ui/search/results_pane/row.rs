//! One result of a search.

use std::cell::RefCell;

use adw::subclass::prelude::*;
use gtk::{glib, glib::clone, pango, prelude::*};

use crate::{
    model::{Message, MessageKind, read_out},
    session::Room,
    text::{
        Excerpt,
        i18n::{gettext, gettext_f},
        times,
    },
    ui::{compat, highlight, rooms::room_label},
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/result_row.ui")]
    #[properties(wrapper_type = super::ResultRow)]
    pub struct ResultRow {
        #[template_child]
        room_title: TemplateChild<gtk::Label>,
        #[template_child]
        author: TemplateChild<gtk::Label>,
        #[template_child]
        time: TemplateChild<gtk::Label>,
        #[template_child]
        excerpt: TemplateChild<gtk::Label>,
        /// The message that was found.
        #[property(get, set = Self::set_message, explicit_notify, nullable)]
        message: RefCell<Option<Message>>,
        /// The room to be named, where the results are of several.
        #[property(get, set = Self::set_room, nullable)]
        room: RefCell<Option<Room>>,
        change_handler: RefCell<Option<glib::SignalHandlerId>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ResultRow {
        const NAME: &'static str = "PychatResultRow";
        type Type = super::ResultRow;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for ResultRow {}

    impl WidgetImpl for ResultRow {
        fn root(&self) {
            self.parent_root();
            if self.message.borrow().is_some() {
                self.name_list_item();
            }
        }
    }

    impl BinImpl for ResultRow {}

    impl ResultRow {
        fn set_room(&self, room: Option<Room>) {
            self.room_title.set_visible(room.is_some());
            self.room_title.set_label(&room.as_ref().map(room_label::title).unwrap_or_default());
            self.room.replace(room);
            if self.message.borrow().is_some() {
                self.name_list_item();
            }
        }

        fn set_message(&self, message: Option<Message>) {
            if *self.message.borrow() == message {
                return;
            }
            let handler = message.as_ref().map(|message| {
                self.show_message(message);
                message.connect_changed(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |message| imp.show_message(message)
                ))
            });
            let before = self.message.replace(message).zip(self.change_handler.replace(handler));
            if let Some((message, handler)) = before {
                message.disconnect(handler);
            }
            self.obj().notify_message();
        }

        fn show_message(&self, message: &Message) {
            let excerpt = Excerpt::new(&message.text(), &message.found());
            match message.kind() {
                MessageKind::Own => self.show(&gettext("You"), message.time_ms(), &excerpt),
                _ => self.show(message.author(), message.time_ms(), &excerpt),
            }
        }

        fn show(&self, author: &str, time_ms: i64, excerpt: &Excerpt) {
            self.author.set_label(author);
            self.time.set_label(&times::moment(time_ms, glib::real_time() / 1_000));
            self.excerpt.set_label(&excerpt.text);
            // It stands at the side at which it begins.
            let is_opposite = match pango::find_base_dir(&excerpt.text) {
                pango::Direction::Rtl => self.obj().direction() != gtk::TextDirection::Rtl,
                pango::Direction::Ltr => self.obj().direction() == gtk::TextDirection::Rtl,
                _ => false,
            };
            self.excerpt.set_xalign(if is_opposite { 1.0 } else { 0.0 });
            self.excerpt.set_attributes(Some(&highlight::bold(&excerpt.found)));
            self.name_list_item();
        }

        /// Sets what a screen reader says of it.
        fn name_list_item(&self) {
            let [author, time, excerpt] =
                [&self.author, &self.time, &self.excerpt].map(|label| label.label());
            let sentence = read_out(&author, &time, &excerpt);
            let room = self.room_title.label();
            let sentence = if room.is_empty() {
                sentence
            } else {
                // Translators: a room, and a message that was found there.
                gettext_f("{room}: {message}", &[("room", &room), ("message", &sentence)])
            };
            compat::name_list_item(&*self.obj(), &sentence, "");
        }
    }
}

glib::wrapper! {
    /// One result of a search.
    pub struct ResultRow(ObjectSubclass<imp::ResultRow>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}
