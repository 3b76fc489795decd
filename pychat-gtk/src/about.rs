//! What the program is, and what somebody who looks into trouble would ask for first.

use adw::prelude::*;
use gtk::{gdk, glib};
use pychat_wire::message::PROTOCOL;

use crate::{
    config::{APP_ID, VERSION},
    i18n::gettext,
};

/// Makes the window that tells.
pub fn window() -> adw::AboutWindow {
    adw::AboutWindow::builder()
        .application_icon(APP_ID)
        .application_name(gettext("Pychat"))
        .comments(gettext("A small chat for the people on your network"))
        .debug_info(debug_info())
        .debug_info_filename("pychat-gtk.txt")
        .license_type(gtk::License::Apache20)
        .version(VERSION)
        .build()
}

/// It is for people who mend programs, so it is not translated.
fn debug_info() -> String {
    let gtk = (gtk::major_version(), gtk::minor_version(), gtk::micro_version());
    let adw = (adw::major_version(), adw::minor_version(), adw::micro_version());
    let version = |(major, minor, micro)| format!("{major}.{minor}.{micro}");
    let display = gdk::Display::default().map_or("none", |display| display.type_().name());
    [
        format!("pychat-gtk {VERSION}"),
        format!("Protocols: 1 and {PROTOCOL}"),
        format!("GTK: {}", version(gtk)),
        format!("libadwaita: {}", version(adw)),
        format!("Display: {display}"),
        format!("Languages: {}", glib::language_names().join(", ")),
    ]
    .join("\n")
}
