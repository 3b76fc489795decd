//! A person in the list of people.

use std::cell::RefCell;

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::{
    model::Person,
    text::{i18n::gettext_f, names::isolated},
    ui::{compat, people::bot_mark},
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/person_row.ui")]
    #[properties(wrapper_type = super::PersonRow)]
    pub struct PersonRow {
        #[template_child]
        avatar: TemplateChild<adw::Avatar>,
        #[template_child]
        name: TemplateChild<gtk::Label>,
        #[template_child]
        bot_mark: TemplateChild<gtk::Label>,
        #[template_child]
        self_mark: TemplateChild<gtk::Label>,
        /// The person shown.
        #[property(get, set = Self::set_person, explicit_notify, nullable)]
        person: RefCell<Option<Person>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for PersonRow {
        const NAME: &'static str = "PychatPersonRow";
        type Type = super::PersonRow;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for PersonRow {}

    impl WidgetImpl for PersonRow {
        fn root(&self) {
            self.parent_root();
            self.name_list_item();
        }

        /// A tooltip that is set looks for the pointer each time, which asks the display server.
        fn query_tooltip(&self, _: i32, _: i32, _: bool, tooltip: &gtk::Tooltip) -> bool {
            let Some(person) = &*self.person.borrow() else { return false };
            let name = person.name();
            // Of oneself it says the name alone, of which there may not be room for all.
            let text = if person.is_self() { name } else { mention_person(&name) };
            tooltip.set_text(Some(&text));
            true
        }
    }

    impl BinImpl for PersonRow {}

    impl PersonRow {
        fn set_person(&self, person: Option<Person>) {
            if *self.person.borrow() == person {
                return;
            }
            let name = person.as_ref().map(Person::name).unwrap_or_default();
            let is_self = person.as_ref().is_some_and(Person::is_self);
            self.avatar.set_text(Some(&name));
            self.name.set_label(&name);
            self.bot_mark.set_visible(person.as_ref().is_some_and(Person::is_bot));
            self.self_mark.set_visible(is_self);
            self.person.replace(person);
            self.name_list_item();
            self.obj().notify_person();
        }

        fn name_list_item(&self) {
            if let Some(person) = &*self.person.borrow() {
                let name = person.name();
                let spoken = if person.is_self() {
                    oneself(&name)
                } else if person.is_bot() {
                    bot_mark::spoken(&name)
                } else {
                    name
                };
                compat::name_list_item(&*self.obj(), &spoken, "");
            }
        }
    }
}

glib::wrapper! {
    /// Somebody in the list of people.
    pub struct PersonRow(ObjectSubclass<imp::PersonRow>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

/// Returns what a click on somebody in the list of people does.
fn mention_person(name: &str) -> String {
    gettext_f("Mention {name}", &[("name", &isolated(name))])
}

/// Returns what the reader is called among those who are here.
fn oneself(name: &str) -> String {
    gettext_f("{name} (you)", &[("name", &isolated(name))])
}
