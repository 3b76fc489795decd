//! Says, at the top of what somebody says, who it is and when they began.

use gtk::{glib, prelude::*, subclass::prelude::*};

use crate::{
    name_color::name_color,
    times::{self, Reading},
};

mod imp {
    use std::cell::Cell;

    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/message_heading.ui")]
    pub struct Heading {
        #[template_child]
        pub(super) author: TemplateChild<gtk::Label>,
        #[template_child]
        pub(super) time: TemplateChild<gtk::Label>,
        /// The minute that is shown, and how: most headings that follow one another are of the same.
        pub(super) minute: Cell<Option<(i64, Reading)>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Heading {
        const NAME: &'static str = "PychatMessageHeading";
        type Type = super::Heading;
        type ParentType = gtk::Box;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for Heading {}

    impl WidgetImpl for Heading {}

    impl BoxImpl for Heading {}
}

glib::wrapper! {
    /// Says who speaks, and when they began.
    pub struct Heading(ObjectSubclass<imp::Heading>)
        @extends gtk::Box, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Orientable;
}

impl Default for Heading {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Heading {
    /// Names `author`, if they are to be named, and the time.
    pub(super) fn show(&self, author: Option<&str>, time_ms: i64) {
        let imp = self.imp();
        if let Some(author) = author
            && imp.author.label() != author
        {
            imp.author.set_label(author);
            imp.author.set_css_classes(&["caption-heading", "author", &name_color(author)]);
        }
        imp.author.set_visible(author.is_some());
        let minute = Some((time_ms.div_euclid(60_000), times::reading(time_ms)));
        if imp.minute.replace(minute) != minute {
            imp.time.set_label(&times::clock(time_ms));
        }
    }
}
