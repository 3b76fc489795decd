//! Says, under a message, why it is not in the room, and what can be done about that.
//!
//! The buttons only name their actions: the row and the conversation carry them out.

use adw::subclass::prelude::*;
use gtk::glib;

use crate::ui::compat;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/send_error.ui")]
    pub struct SendError {
        #[template_child]
        pub(super) sentence: TemplateChild<gtk::Label>,
        #[template_child]
        more_button: TemplateChild<gtk::MenuButton>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for SendError {
        const NAME: &'static str = "PychatSendError";
        type Type = super::SendError;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for SendError {
        fn constructed(&self) {
            self.parent_constructed();
            if let Some(menu) = self.more_button.popover() {
                compat::name_menu_items(&menu);
            }
        }
    }

    impl WidgetImpl for SendError {}

    impl BinImpl for SendError {}
}

glib::wrapper! {
    /// Says why a message is not in the room, and offers to send it again.
    pub struct SendError(ObjectSubclass<imp::SendError>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl Default for SendError {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl SendError {
    /// Says `reason`.
    pub fn explain(&self, reason: &str) {
        self.imp().sentence.set_label(reason);
    }
}
