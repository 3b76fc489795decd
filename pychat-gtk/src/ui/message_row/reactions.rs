//! The reactions to a message, below it: each emoji with the number of people.

use std::cell::{Cell, RefCell};

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::chip_layout::ChipLayout;
use crate::{
    model::Message,
    text::{
        i18n::{gettext_f, ngettext_f},
        names,
    },
};

/// The most names that a chip lists; the rest are counted.
const NAMES_LISTED_MAX: usize = 20;

/// The reactions to a message, and which of the emoji is the reader's.
type Shown = (Vec<(String, Vec<String>)>, Option<String>);

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct Reactions {
        chips: RefCell<Vec<gtk::ToggleButton>>,
        /// The reactions on show, and the reader's.
        shown: RefCell<Shown>,
        /// True while the chips are being set.
        is_updating: Cell<bool>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Reactions {
        const NAME: &'static str = "PychatReactions";
        type Type = super::Reactions;
        type ParentType = gtk::Box;
    }

    impl ObjectImpl for Reactions {
        fn constructed(&self) {
            self.parent_constructed();
            self.obj().set_layout_manager(Some(ChipLayout::default()));
            self.obj().set_css_classes(&["reactions"]);
        }
    }

    impl WidgetImpl for Reactions {}

    impl BoxImpl for Reactions {}

    impl Reactions {
        pub(super) fn show(&self, reactions: Vec<(String, Vec<String>)>, own: Option<String>) {
            if *self.shown.borrow() == (reactions.clone(), own.clone()) {
                return;
            }
            self.is_updating.set(true);
            let mut chips = self.chips.borrow_mut();
            for n in chips.len()..reactions.len() {
                chips.push(self.add_chip(n));
            }
            for (chip, (emoji, names)) in chips.iter().zip(&reactions) {
                chip.set_active(own.as_ref() == Some(emoji));
                // With a label of its own a button of GTK 4.10 and later is called by that.
                if let Some(label) = chip.child().and_downcast::<gtk::Label>() {
                    label.set_label(&format!("{emoji} {}", names.len()));
                }
                let listed = listed(names);
                chip.set_tooltip_text(Some(&listed));
                let count = names.len().to_string();
                let values = [("emoji", emoji.as_str()), ("count", &count), ("names", &listed)];
                // Translators: a reaction to a message, as it is read out.
                let name = gettext_f("{emoji} {count}, {names}", &values);
                chip.update_property(&[gtk::accessible::Property::Label(&name)]);
            }
            for (n, chip) in chips.iter().enumerate() {
                chip.set_visible(n < reactions.len());
            }
            drop(chips);
            self.shown.replace((reactions, own));
            self.is_updating.set(false);
        }

        fn add_chip(&self, n: usize) -> gtk::ToggleButton {
            let chip = gtk::ToggleButton::builder().child(&gtk::Label::new(None)).build();
            chip.set_css_classes(&["reaction"]);
            chip.connect_toggled(clone!(
                #[weak(rename_to = imp)]
                self,
                move |chip| imp.on_toggled(n, chip)
            ));
            self.obj().append(&chip);
            chip
        }

        /// The chip is pressed once the reaction is the reader's, and not before.
        fn on_toggled(&self, n: usize, chip: &gtk::ToggleButton) {
            if self.is_updating.get() {
                return;
            }
            let Some(emoji) = self.shown.borrow().0.get(n).map(|(emoji, _)| emoji.clone()) else {
                return;
            };
            self.is_updating.set(true);
            chip.set_active(!chip.is_active());
            self.is_updating.set(false);
            // It fails only outside a message.
            let _ = self.obj().activate_action("message.react", Some(&emoji.to_variant()));
        }
    }
}

glib::wrapper! {
    /// Shows the reactions to a message.
    pub struct Reactions(ObjectSubclass<imp::Reactions>)
        @extends gtk::Box, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Orientable;
}

impl Default for Reactions {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Reactions {
    /// Shows these reactions, of which `own` is the reader's.
    pub(super) fn show(&self, reactions: Vec<(String, Vec<String>)>, own: Option<String>) {
        self.imp().show(reactions, own);
    }
}

/// Returns the reactions to `message` as they are read out with it; empty without any.
pub(super) fn spell(message: &Message) -> String {
    let reactions = message.reactions();
    let spelled = reactions.iter().map(|(emoji, names)| format!("{emoji} {}", names.len()));
    spelled.collect::<Vec<_>>().join(", ")
}

fn listed(people: &[String]) -> String {
    let (told, uncounted) = people.split_at(people.len().min(NAMES_LISTED_MAX));
    let names = names::listed(told);
    if uncounted.is_empty() {
        return names;
    }
    ngettext_f(
        "{names} and {count} other",
        "{names} and {count} others",
        uncounted.len(),
        &[("names", &names)],
    )
}
