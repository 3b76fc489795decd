//! What the operator asked for as to what is kept, and where.

use std::{env, ffi::OsString, path::PathBuf, time::Duration};

use super::{ConfigError, settings::Settings, values};
use crate::log::{Keep, sqlite::Durability};

/// How what is said is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct History {
    /// The folder that it is kept in; in memory alone if `None`.
    pub directory: Option<PathBuf>,
    /// How much.
    pub keep: Keep,
    /// What it outlives.
    pub durability: Durability,
}

/// The folders that the system names for what programs keep.
#[derive(Clone, Debug, Default)]
pub(super) struct Folders {
    /// What systemd made for this service; several are separated by colons.
    pub(super) service: Option<OsString>,
    /// What the user chose for all programs.
    pub(super) user: Option<OsString>,
    pub(super) home: Option<OsString>,
}

impl Folders {
    /// Returns what this process was told.
    pub(super) fn of_user() -> Self {
        let of = |name| env::var_os(name);
        Self { service: of("STATE_DIRECTORY"), user: of("XDG_STATE_HOME"), home: of("HOME") }
    }

    /// Returns the folder for the log. A path that is not absolute counts as none.
    fn state(self) -> Option<PathBuf> {
        let first = |paths: OsString| env::split_paths(&paths).next();
        let absolute = |path: &PathBuf| path.is_absolute();
        let service = self.service.and_then(first).filter(absolute);
        let user = || self.user.map(PathBuf::from).filter(absolute).map(|path| path.join("pychat"));
        let home = || self.home.map(PathBuf::from).filter(absolute);
        service.or_else(user).or_else(|| Some(home()?.join(".local/state/pychat")))
    }
}

/// Reads how what is said is kept.
pub(super) fn read(settings: &Settings, folders: Folders) -> Result<History, ConfigError> {
    let messages = settings.number("history-messages", 10_000, &(1..=100_000_000))?;
    let days = settings.number("history-days", 90, &(1..=36_500))?;
    let keep =
        Keep { messages_max: messages as u64, age_max: Duration::from_hours(24 * days as u64) };
    let is_on_disk = settings
        .one("history", true, |text| values::word(text, [("disk", true), ("memory", false)]))?;
    let durability = settings.one("durability", Durability::default(), |text| {
        values::word(text, [("process", Durability::Process), ("power", Durability::Power)])
    })?;
    let given = settings.path("state-dir")?;
    let directory = match given.or_else(|| folders.state()) {
        directory @ Some(_) if is_on_disk => directory,
        None if is_on_disk => return Err(ConfigError::NoStateDirectory),
        _ => None,
    };
    Ok(History { directory, keep, durability })
}
