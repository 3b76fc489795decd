//! Gives a server a name that has none of its own.

use adw::prelude::*;
use gtk::{glib, glib::clone};

use super::question::{self, DO_IT};
use crate::text::{
    i18n::{gettext, gettext_f},
    names::left_to_right,
};

/// The longest name, in characters.
const NAME_CHARS_MAX: i32 = 64;

/// Asks above `parent` how the server at `address`, which is called `name` or nothing yet, is to be
/// called; calls `f` with that, which is empty if it is to have no name.
pub fn ask(parent: &impl IsA<gtk::Window>, address: &str, name: &str, f: impl Fn(&str) + 'static) {
    let body = gettext_f(
        "Only you see this name. Without one, the server is called {address}.",
        &[("address", &left_to_right(address))],
    );
    let heading = gettext("Name This Server");
    let (dialog, content) =
        question::dialog(parent.upcast_ref(), &heading, &body, &gettext("_Save"));
    let entry =
        gtk::Entry::builder().activates_default(true).max_length(NAME_CHARS_MAX).text(name).build();
    entry.update_property(&[gtk::accessible::Property::Label(&gettext("Name"))]);
    content.append(&entry);
    dialog.set_response_appearance(DO_IT, adw::ResponseAppearance::Suggested);
    dialog.set_default_response(Some(DO_IT));
    dialog.connect_response(
        Some(DO_IT),
        clone!(
            #[weak]
            entry,
            move |_, _| f(entry.text().trim())
        ),
    );
    dialog.present();
    entry.grab_focus();
}
