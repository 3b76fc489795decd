//! Starts the client.

use std::env;

use gtk::{gio, glib};
use pychat_gtk::{
    application::{Application, PROGRAM},
    text::i18n,
};

fn main() -> glib::ExitCode {
    if let Err(error) = i18n::init() {
        glib::g_warning!("pychat", "no translations: {error}");
    }
    if env::args().any(|argument| argument == "-h" || argument.starts_with("--help")) {
        // GTK sets the locale, without which the help is English, when it begins. No display will do.
        let _ = gtk::init();
    }
    gio::resources_register_include!("pychat.gresource")
        .expect("the resources were compiled into the program");
    glib::set_application_name(&i18n::gettext("Pychat"));
    glib::set_prgname(Some(PROGRAM)); // By this name the help calls it.
    Application::default().run_by_command_line()
}
