//! Says above the composer who is writing, in a line that is always there, so that nothing moves.

use std::cell::{OnceCell, RefCell};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, pango};

use crate::{
    session::Room,
    text::{
        i18n::{gettext, gettext_f},
        names::isolated,
    },
};

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::TypingLine)]
    pub struct TypingLine {
        label: gtk::Label,
        /// The room in which they write.
        #[property(get, set = Self::set_room, nullable)]
        room: RefCell<Option<Room>>,
        signals: OnceCell<glib::SignalGroup>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for TypingLine {
        const NAME: &'static str = "PychatTypingLine";
        type Type = super::TypingLine;
        type ParentType = adw::Bin;
    }

    #[glib::derived_properties]
    impl ObjectImpl for TypingLine {
        fn constructed(&self) {
            self.parent_constructed();
            self.obj().add_css_class("typing");
            self.label.set_css_classes(&["caption", "dim-label"]);
            self.label.set_ellipsize(pango::EllipsizeMode::End);
            self.label.set_xalign(0.0);
            self.label.set_visible(false);
            self.obj().set_child(Some(&self.label));
        }
    }

    impl WidgetImpl for TypingLine {}

    impl BinImpl for TypingLine {}

    impl TypingLine {
        fn set_room(&self, room: Option<Room>) {
            self.room.replace(room);
            let signals = self.signals.get_or_init(|| {
                let signals = glib::SignalGroup::new::<Room>();
                let weak = self.downgrade();
                signals.connect_notify_local(Some("typing"), move |_, _| {
                    if let Some(imp) = weak.upgrade() {
                        imp.show();
                    }
                });
                signals
            });
            signals.set_target(self.room.borrow().as_ref());
            self.show();
        }

        fn show(&self) {
            let names = self.room.borrow().as_ref().map(Room::typing).unwrap_or_default();
            self.label.set_label(&sentence(&names));
            self.label.set_visible(!names.is_empty());
        }
    }
}

glib::wrapper! {
    /// A line that says who is writing.
    pub struct TypingLine(ObjectSubclass<imp::TypingLine>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

/// Returns who is writing; nothing if nobody is.
fn sentence(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => gettext_f("{name} is typing…", &[("name", &isolated(one))]),
        [one, other] => {
            let values = [("name", &*isolated(one)), ("other", &*isolated(other))];
            gettext_f("{name} and {other} are typing…", &values)
        }
        _ => gettext("Several people are typing…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_to_two_people_are_named() {
        for (names, expected) in [
            (&[][..], ""),
            (&["Анна"], "Анна is typing…"),
            (&["Анна", "Борис"], "Анна and Борис are typing…"),
            (&["Анна", "Борис", "Вера"], "Several people are typing…"),
        ] {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            let sentence = sentence(&names).replace(['\u{2068}', '\u{2069}'], "");
            assert_eq!(sentence, expected);
        }
    }
}
