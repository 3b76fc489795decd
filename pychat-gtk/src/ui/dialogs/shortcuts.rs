//! The window that lists what can be done by keyboard.

use gtk::glib;

use crate::{config::RESOURCE_PATH, settings::Settings};

/// Makes it; what Enter does in it is as `settings` have it.
pub fn window(settings: &Settings) -> Option<gtk::ShortcutsWindow> {
    let builder = gtk::Builder::from_resource(&format!("{RESOURCE_PATH}/ui/help_overlay.ui"));
    for (id, if_sends, if_not) in
        [("send", "Return", "<Alt>Return"), ("new_line", "<Shift>Return", "Return <Shift>Return")]
    {
        let shortcut: Option<glib::Object> = builder.object(id);
        if let Some(shortcut) = shortcut {
            settings.bind_keys("enter-sends", &shortcut, if_sends, if_not);
        }
    }
    builder.object("help_overlay")
}
