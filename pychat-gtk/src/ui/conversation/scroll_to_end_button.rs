//! Leads back to the latest messages, and says how many are new to the reader.

use std::cell::Cell;

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::{text::i18n::gettext, ui::unread_count};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/scroll_to_end_button.ui")]
    #[properties(wrapper_type = super::ScrollToEndButton)]
    pub struct ScrollToEndButton {
        #[template_child]
        button: TemplateChild<gtk::Button>,
        #[template_child]
        count: TemplateChild<gtk::Label>,
        /// The number of messages that are new to the reader.
        #[property(get, set = Self::set_n_unread, explicit_notify)]
        n_unread: Cell<u32>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ScrollToEndButton {
        const NAME: &'static str = "PychatScrollToEndButton";
        type Type = super::ScrollToEndButton;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for ScrollToEndButton {
        fn constructed(&self) {
            self.parent_constructed();
            self.show_count();
        }
    }

    impl WidgetImpl for ScrollToEndButton {}

    impl BinImpl for ScrollToEndButton {}

    impl ScrollToEndButton {
        fn set_n_unread(&self, n_unread: u32) {
            if self.n_unread.replace(n_unread) != n_unread {
                self.show_count();
                self.obj().notify_n_unread();
            }
        }

        fn show_count(&self) {
            let n_unread = self.n_unread.get();
            let way = gettext("Jump to Latest");
            let name = match n_unread {
                0 => way,
                _ => unread_count::way_with_count(&way, n_unread),
            };
            self.count.set_label(&unread_count::n_new(n_unread));
            self.count.set_visible(0 < n_unread);
            self.button.set_tooltip_text(Some(&name));
            self.button.update_property(&[gtk::accessible::Property::Label(&name)]);
        }
    }
}

glib::wrapper! {
    /// Leads back to the latest messages: activates `conversation.go-to-latest`.
    pub struct ScrollToEndButton(ObjectSubclass<imp::ScrollToEndButton>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}
