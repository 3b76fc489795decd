//! The dividers above a message with which something begins: a day, or what is new to the reader.

use gtk::{glib, prelude::*, subclass::prelude::*};

use crate::{
    model::Placement,
    text::{i18n::gettext, times},
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/message_dividers.ui")]
    pub struct Dividers {
        #[template_child]
        pub(super) day: TemplateChild<gtk::Label>,
        #[template_child]
        pub(super) unread: TemplateChild<gtk::Box>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Dividers {
        const NAME: &'static str = "PychatMessageDividers";
        type Type = super::Dividers;
        type ParentType = gtk::Box;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for Dividers {}

    impl WidgetImpl for Dividers {}

    impl BoxImpl for Dividers {}
}

glib::wrapper! {
    /// Says that a day begins, or what the reader has not seen.
    pub struct Dividers(ObjectSubclass<imp::Dividers>)
        @extends gtk::Box, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Orientable;
}

impl Default for Dividers {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Dividers {
    /// Shows what begins with a message of this time.
    pub(super) fn show(&self, placement: Placement, time_ms: i64) {
        let imp = self.imp();
        if placement.begins_day {
            imp.day.set_label(&times::day_name(time_ms, now_ms()));
        }
        imp.day.set_visible(placement.begins_day);
        imp.unread.set_visible(placement.begins_unread);
    }
}

/// Returns the same as words, to be read out before the message; empty if nothing begins.
pub(super) fn spell(placement: Placement, time_ms: i64) -> String {
    let day = placement.begins_day.then(|| times::day_name(time_ms, now_ms()).into());
    let unread = placement.begins_unread.then(|| gettext("New messages"));
    day.into_iter().chain(unread).flat_map(|it| [it, ". ".to_owned()]).collect()
}

fn now_ms() -> i64 {
    glib::real_time() / 1_000
}
