//! Leads to the first message that is new, where that is further back than what is here.

use std::cell::Cell;

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::{text::i18n::gettext, ui::unread_count};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/unread_bar.ui")]
    #[properties(wrapper_type = super::UnreadBar)]
    pub struct UnreadBar {
        #[template_child]
        button: TemplateChild<gtk::Button>,
        #[template_child]
        count: TemplateChild<gtk::Label>,
        /// The number of messages that are new to the reader.
        #[property(get, set = Self::set_n_unread)]
        n_unread: Cell<u32>,
        /// True while some of these have yet to be fetched.
        #[property(get, set = Self::set_is_behind)]
        is_behind: Cell<bool>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for UnreadBar {
        const NAME: &'static str = "PychatUnreadBar";
        type Type = super::UnreadBar;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for UnreadBar {}

    impl WidgetImpl for UnreadBar {}

    impl BinImpl for UnreadBar {}

    impl UnreadBar {
        fn set_n_unread(&self, n_unread: u32) {
            self.n_unread.set(n_unread);
            self.show();
        }

        fn set_is_behind(&self, is_behind: bool) {
            self.is_behind.set(is_behind);
            self.show();
        }

        fn show(&self) {
            let n_unread = self.n_unread.get();
            let name =
                unread_count::way_with_count(&gettext("Jump to First New Message"), n_unread);
            self.count.set_label(&unread_count::new_messages(n_unread as usize));
            self.button.set_tooltip_text(Some(&name));
            self.button.update_property(&[gtk::accessible::Property::Label(&name)]);
            self.obj().set_visible(self.is_behind.get() && 0 < n_unread);
        }
    }
}

glib::wrapper! {
    /// Leads to the first message that is new: activates `conversation.go-to-unread`, or
    /// `conversation.mark-as-read`, which takes it for read.
    pub struct UnreadBar(ObjectSubclass<imp::UnreadBar>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}
