//! The header of a window while messages are selected: how many, and what can be done with them.

use std::cell::Cell;

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::text::i18n::ngettext_f;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/selection_header.ui")]
    #[properties(wrapper_type = super::SelectionHeader)]
    pub struct SelectionHeader {
        #[template_child]
        title: TemplateChild<gtk::Label>,
        /// The number of selected messages; the header is hidden while there are none.
        #[property(get, set = Self::set_n_selected, explicit_notify)]
        n_selected: Cell<u32>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for SelectionHeader {
        const NAME: &'static str = "PychatSelectionHeader";
        type Type = super::SelectionHeader;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for SelectionHeader {}

    impl WidgetImpl for SelectionHeader {}

    impl BinImpl for SelectionHeader {}

    impl SelectionHeader {
        fn set_n_selected(&self, n_selected: u32) {
            if self.n_selected.replace(n_selected) != n_selected {
                self.title.set_label(&title(n_selected));
                self.obj().set_visible(0 < n_selected);
                self.obj().notify_n_selected();
            }
        }
    }
}

glib::wrapper! {
    /// Says how many messages are selected: activates `win.copy-selection` and `win.end-selection`.
    pub struct SelectionHeader(ObjectSubclass<imp::SelectionHeader>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

/// Returns how many messages are selected.
fn title(n_messages: u32) -> String {
    ngettext_f("{count} Selected", "{count} Selected", n_messages as usize, &[])
}
