//! Says, above the entry, that what is written is an answer, or other words for an earlier message.

use std::cell::OnceCell;

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::{
    model::Message,
    session::{Room, room::Composing},
    text::i18n::{gettext, gettext_f},
    ui::message_row::quote,
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/composing_bar.ui")]
    pub struct ComposingBar {
        #[template_child]
        icon: TemplateChild<gtk::Image>,
        #[template_child]
        title: TemplateChild<gtk::Label>,
        #[template_child]
        line: TemplateChild<gtk::Label>,
        /// The signals of the message that it is about.
        signals: OnceCell<glib::SignalGroup>,
        room: glib::WeakRef<Room>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ComposingBar {
        const NAME: &'static str = "PychatComposingBar";
        type Type = super::ComposingBar;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for ComposingBar {}

    impl WidgetImpl for ComposingBar {}

    impl BinImpl for ComposingBar {}

    impl ComposingBar {
        pub(super) fn show(&self, room: Option<&Room>) {
            self.room.set(room);
            let signals = self.signals.get_or_init(|| self.signals());
            signals.set_target(
                match room.map(Room::composing).unwrap_or_default() {
                    Composing::New => None,
                    Composing::Reply(message) | Composing::Edit(message) => Some(message),
                }
                .as_ref(),
            );
            self.update();
        }

        fn signals(&self) -> glib::SignalGroup {
            let signals = glib::SignalGroup::new::<Message>();
            signals.connect_closure(
                "changed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Message| imp.update()
                ),
            );
            signals
        }

        fn update(&self) {
            let composing = self.room.upgrade().map(|room| room.composing()).unwrap_or_default();
            let (icon, title, message) = match &composing {
                Composing::New => return self.obj().set_visible(false),
                Composing::Reply(message) => {
                    let name = quote::author(message);
                    let values = [("name", name.as_str())];
                    // Translators: above the entry, before the first line of what is answered.
                    let title = gettext_f("Replying to {name}", &values);
                    ("mail-reply-sender-symbolic", title, message)
                }
                Composing::Edit(message) => {
                    ("document-edit-symbolic", gettext("Editing message"), message)
                }
            };
            self.icon.set_icon_name(Some(icon));
            self.title.set_label(&title);
            self.line.set_label(&quote::first_line(message));
            self.obj().set_visible(true);
        }
    }
}

glib::wrapper! {
    /// Says what kind of text is being written.
    pub struct ComposingBar(ObjectSubclass<imp::ComposingBar>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl ComposingBar {
    /// Says what is written in `room`.
    pub(super) fn show(&self, room: Option<&Room>) {
        self.imp().show(room);
    }
}
