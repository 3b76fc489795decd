//! The window about the program, with what somebody who looks into trouble would ask for first.

use adw::prelude::*;
use gtk::{gdk, glib};
use pychat_wire::message::PROTOCOL;

use crate::{
    config::{APP_ID, VERSION},
    text::i18n::gettext,
};

/// The project's page, and where to report what does not work, as in the metainfo.
const WEBSITE: &str = "https://github.com/pychat/pychat";
const ISSUES: &str = "https://github.com/pychat/pychat/issues";

/// Makes the window.
pub fn window() -> adw::AboutWindow {
    adw::AboutWindow::builder()
        .application_icon(APP_ID)
        .application_name(gettext("Pychat"))
        .comments(gettext("Chat on your own server"))
        .debug_info(debug_info())
        .debug_info_filename("pychat-gtk.txt")
        .developer_name(gettext("The Pychat developers"))
        .issue_url(ISSUES)
        .license_type(gtk::License::Apache20)
        .release_notes(release_notes())
        .release_notes_version(VERSION)
        .version(VERSION)
        .website(WEBSITE)
        .build()
}

/// Returns what is new, as markup.
fn release_notes() -> String {
    let news = gettext("The first release, with search, mentions and notifications");
    format!("<p>{}</p>", glib::markup_escape_text(&news))
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
