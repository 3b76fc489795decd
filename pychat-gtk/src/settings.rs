//! The settings that are remembered from one start to the next.
//!
//! From a checkout the schema is not installed, and a program that asks GIO for a schema that is
//! missing is ended; so it is looked up first, where it is installed, then where the build left it.
//! If it is in neither place, nothing is remembered and everything else works.

use std::collections::BTreeMap;

use gtk::{gio, glib, prelude::*};
use pychat_wire::UserName;

use crate::{
    config::{APP_ID, FALLBACK_SCHEMA_DIR},
    session::Account,
    text::server_address::ServerAddress,
};

/// The server that is offered before anyone has chosen one.
const DEFAULT_SERVER: &str = "127.0.0.1:12345";

/// The answer of [`glib::real_name`] if the system knows no name of the user.
const UNKNOWN_NAME: &str = "Unknown";

/// The most chats that are remembered.
const RECENT_MAX: usize = 8;

/// The window's properties that are remembered, each under the key of the settings.
const WINDOW_KEYS: [(&str, &str); 3] = [
    ("window-width", "default-width"),
    ("window-height", "default-height"),
    ("is-maximized", "maximized"),
];

/// All keys. A schema that lacks one is an older version's, and asking it would end the program.
const KEYS: [&str; 14] = [
    "color-scheme",
    "enter-sends",
    "is-maximized",
    "join-at-start",
    "name",
    "notifications",
    "recent",
    "run-in-background",
    "send-typing",
    "server",
    "server-names",
    "show-people",
    "window-height",
    "window-width",
];

/// Where the desktop keeps whether hours are counted to 12 or to 24.
const DESKTOP_SCHEMA: &str = "org.gnome.desktop.interface";
const CLOCK_KEY: &str = "clock-format";

/// The messages that cause notifications while the window is in the background.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Notifications {
    /// Every message.
    #[default]
    All,
    /// Those that mention the reader.
    Mentions,
    /// None.
    None,
}

/// The settings, if they can be kept.
#[derive(Clone, Debug)]
pub struct Settings(Option<gio::Settings>);

impl Settings {
    /// Opens the settings.
    pub fn open() -> Self {
        let schema = installed_schema().or_else(built_schema);
        Self(
            schema.map(|schema| gio::Settings::new_full(&schema, gio::SettingsBackend::NONE, None)),
        )
    }

    /// Remembers who joined, and where, and that the server is called `server_name`.
    pub fn remember(&self, account: Account, server_name: &str) {
        let Some(settings) = &self.0 else { return };
        let (name, server) = account.to_strings();
        for (key, value) in [("name", name), ("server", server)] {
            if let Err(error) = settings.set_string(key, &value) {
                glib::g_warning!("pychat", "cannot remember the {key}: {error}");
            }
        }
        let mut chats = self.recent();
        chats.retain(|it| *it != account);
        chats.insert(0, account);
        chats.truncate(RECENT_MAX);
        self.set_recent(&chats);
        self.remember_server_name(&chats, server_name);
    }

    /// Remembers how the server of the first of `chats` is called, and those of the others only.
    fn remember_server_name(&self, chats: &[Account], name: &str) {
        let (Some(settings), Some(first)) = (&self.0, chats.first()) else { return };
        let mut names: BTreeMap<String, String> = settings.get("server-names");
        if name == first.server().brief() {
            names.remove(&first.server().to_string());
        } else {
            names.insert(first.server().to_string(), name.to_owned());
        }
        names.retain(|server, _| chats.iter().any(|it| it.server().to_string() == *server));
        if let Err(error) = settings.set("server-names", names) {
            glib::g_warning!("pychat", "cannot remember the server's name: {error}");
        }
    }

    /// Returns the name of a server, if it is known to have one.
    pub fn server_name(&self, server: &ServerAddress) -> Option<String> {
        let names: Option<BTreeMap<String, String>> =
            self.0.as_ref().map(|settings| settings.get("server-names"));
        names?.remove(&server.to_string())
    }

    /// Returns the accounts with which a chat was joined, the last first.
    pub fn recent(&self) -> Vec<Account> {
        let kept: Option<Vec<_>> = self.0.as_ref().map(|settings| settings.get("recent"));
        kept.iter().flatten().filter_map(Account::parse).collect()
    }

    /// Remembers `chats` as those that were joined, the last first.
    pub fn set_recent(&self, chats: &[Account]) {
        let Some(settings) = &self.0 else { return };
        let chats: Vec<_> = chats.iter().map(Account::to_strings).collect();
        if let Err(error) = settings.set("recent", chats) {
            glib::g_warning!("pychat", "cannot remember the chats: {error}");
        }
    }

    /// Gives the window the size that the last one had.
    pub fn restore_window(&self, window: &gtk::Window) {
        let Some(settings) = &self.0 else { return };
        for (key, property) in WINDOW_KEYS {
            settings.bind(key, window, property).get_no_changes().build();
        }
    }

    /// Remembers the window's size for the next one.
    pub fn remember_window(&self, window: &gtk::Window) {
        let Some(settings) = &self.0 else { return };
        for (key, property) in WINDOW_KEYS {
            let value = window.property_value(property);
            let value = value
                .get::<i32>()
                .map(|size| size.to_variant())
                .or_else(|_| value.get::<bool>().map(|is_so| is_so.to_variant()));
            if let Ok(value) = value
                && let Err(error) = settings.set_value(key, &value)
            {
                glib::g_warning!("pychat", "cannot remember the {key}: {error}");
            }
        }
    }

    /// Keeps `property` of `object` as the settings have it, and the settings as the property is.
    pub fn bind(&self, key: &str, object: &impl IsA<glib::Object>, property: &str) {
        if let Some(settings) = &self.0 {
            settings.bind(key, object, property).build();
        }
    }

    /// Keeps which row of `row` is selected as the settings have it, and the other way; its rows
    /// stand for `nicks`, one by one.
    pub fn bind_choice(&self, key: &str, row: &adw::ComboRow, nicks: &'static [&'static str]) {
        let Some(settings) = &self.0 else { return };
        settings
            .bind(key, row, "selected")
            .mapping(|nick, _| {
                let at = nicks.iter().position(|it| nick.str() == Some(*it))?;
                u32::try_from(at).ok().map(|at| at.to_value())
            })
            .set_mapping(|selected, _| {
                let at = usize::try_from(selected.get::<u32>().ok()?).ok()?;
                nicks.get(at).map(ToVariant::to_variant)
            })
            .build();
    }

    /// Keeps the keys of `shortcut` at `if_set` or `if_not`, as `key` is set or not.
    pub fn bind_keys(
        &self,
        key: &str,
        shortcut: &impl IsA<glib::Object>,
        if_set: &'static str,
        if_not: &'static str,
    ) {
        let Some(settings) = &self.0 else { return };
        settings
            .bind(key, shortcut, "accelerator")
            .get_only()
            .mapping(move |is_set, _| {
                let keys = if is_set.get::<bool>()? { if_set } else { if_not };
                Some(keys.to_value())
            })
            .build();
    }

    /// Lets the application be as light or dark as is preferred.
    pub fn bind_color_scheme(&self, style_manager: &adw::StyleManager) {
        let Some(settings) = &self.0 else { return };
        settings
            .bind("color-scheme", style_manager, "color-scheme")
            .get_only()
            .mapping(|nick, _| {
                let scheme = match nick.str() {
                    Some("light") => adw::ColorScheme::ForceLight,
                    Some("dark") => adw::ColorScheme::ForceDark,
                    _ => adw::ColorScheme::Default,
                };
                Some(scheme.to_value())
            })
            .build();
    }

    /// Remembers whether people are shown beside the conversation.
    pub fn show_people(&self, shows_people: bool) {
        let Some(settings) = &self.0 else { return };
        if let Err(error) = settings.set_boolean("show-people", shows_people) {
            glib::g_warning!("pychat", "cannot remember whether people are shown: {error}");
        }
    }

    /// Returns true if people are to be shown beside the conversation.
    pub fn shows_people(&self) -> bool {
        self.0.as_ref().is_some_and(|settings| settings.boolean("show-people"))
    }

    /// Returns the name that was last joined with; before the first time, that of the login.
    pub fn name(&self) -> String {
        let name = self.0.as_ref().map(|settings| settings.string("name").into());
        name.filter(|name: &String| !name.is_empty()).unwrap_or_else(login_name)
    }

    /// Returns the server that was last joined.
    pub fn server(&self) -> String {
        match &self.0 {
            Some(settings) => settings.string("server").into(),
            None => DEFAULT_SERVER.to_owned(),
        }
    }

    /// Returns which messages cause notifications while the window is in the background.
    pub fn notifications(&self) -> Notifications {
        let Some(settings) = &self.0 else { return Notifications::default() };
        match settings.string("notifications").as_str() {
            "mentions" => Notifications::Mentions,
            "none" => Notifications::None,
            _ => Notifications::All,
        }
    }

    /// Returns the account of the chat to join when the client is started without one.
    pub fn chat_at_start(&self) -> Option<Account> {
        let settings = self.0.as_ref()?;
        if settings.boolean("join-at-start") { self.recent().into_iter().next() } else { None }
    }

    /// Returns true if closing the window is not to end the client.
    pub fn runs_in_background(&self) -> bool {
        self.0.as_ref().is_some_and(|settings| settings.boolean("run-in-background"))
    }
}

/// Returns what the person who is logged in is called; empty if that is not known, or cannot be the
/// name of somebody in a chat.
fn login_name() -> String {
    let name = glib::real_name();
    let name = name.to_str().filter(|name| *name != UNKNOWN_NAME);
    name.and_then(|name| UserName::new(name).ok())
        .map(|it| it.as_str().to_owned())
        .unwrap_or_default()
}

/// Calls `f` with whether the desktop counts the hours to 12, now and whenever that changes. What
/// is returned has to be kept; `None` where there is no such desktop.
pub fn follow_clock(f: impl Fn(bool) + 'static) -> Option<gio::Settings> {
    let schema = gio::SettingsSchemaSource::default()?.lookup(DESKTOP_SCHEMA, true)?;
    if !schema.has_key(CLOCK_KEY) {
        return None;
    }
    let settings = gio::Settings::new_full(&schema, gio::SettingsBackend::NONE, None);
    let tell = move |settings: &gio::Settings| f(settings.string(CLOCK_KEY) == "12h");
    tell(&settings);
    settings.connect_changed(Some(CLOCK_KEY), move |settings, _| tell(settings));
    Some(settings)
}

fn installed_schema() -> Option<gio::SettingsSchema> {
    let schema = gio::SettingsSchemaSource::default()?.lookup(APP_ID, true)?;
    let missing = KEYS.iter().find(|key| !schema.has_key(key));
    if let Some(key) = missing {
        glib::g_warning!("pychat", "the installed settings know no {key}, and are not used");
    }
    missing.is_none().then_some(schema)
}

fn built_schema() -> Option<gio::SettingsSchema> {
    let parent = gio::SettingsSchemaSource::default();
    let source =
        gio::SettingsSchemaSource::from_directory(FALLBACK_SCHEMA_DIR, parent.as_ref(), true);
    source.ok()?.lookup(APP_ID, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_schema_is_known() {
        let schema = built_schema().expect("the build has left it");
        let mut keys: Vec<_> = schema.list_keys().iter().map(ToString::to_string).collect();
        keys.sort();
        assert_eq!(keys, KEYS);
    }
}
