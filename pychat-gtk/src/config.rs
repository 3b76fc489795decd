//! The name of the program, and the places of its files.
//!
//! Packagers set `PYCHAT_LOCALEDIR` while building; without it the translations compiled into the
//! build directory are used, so that `cargo run` speaks the reader's language too.

/// The application's id: its name on the bus, and that of its settings and launcher.
pub const APP_ID: &str = "io.github.pychat.Pychat";

/// Where the application's resources are.
pub const RESOURCE_PATH: &str = "/io/github/pychat/Pychat";

/// The version, as `--version` says it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The gettext domain of the translations.
pub const GETTEXT_DOMAIN: &str = "pychat";

/// Where the translations are.
pub const LOCALE_DIR: &str = match option_env!("PYCHAT_LOCALEDIR") {
    Some(installed) => installed,
    None => env!("PYCHAT_BUILD_LOCALEDIR"),
};

/// Where the settings schema is, should it not be installed.
pub const FALLBACK_SCHEMA_DIR: &str = env!("PYCHAT_BUILD_SCHEMADIR");
