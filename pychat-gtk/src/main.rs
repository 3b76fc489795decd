//! Starts the client.

use gtk::{gio, glib, prelude::*};
use pychat_gtk::{application::Application, config, i18n};

fn main() -> glib::ExitCode {
    if let Err(error) = i18n::init() {
        glib::g_warning!("pychat", "no translations: {error}");
    }
    gio::resources_register_include!("pychat.gresource")
        .expect("the resources were compiled into the program");
    glib::set_application_name(&i18n::gettext("Pychat"));
    glib::set_prgname(Some(config::APP_ID));
    Application::default().run()
}
