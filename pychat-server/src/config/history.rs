//! The settings of the log: its folder, its limits and its durability.

use std::{env, ffi::OsString, path::PathBuf, time::Duration};

use super::{ConfigError, database, settings::Settings, values};
use crate::store::{Retention, postgres, sqlite::Durability};

/// The settings of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct History {
    /// The folder that holds it, unless a database does; in memory alone if `None`.
    pub directory: Option<PathBuf>,
    /// The database that holds it.
    pub database: Option<postgres::Config>,
    /// The limits of what is kept.
    pub retention: Retention,
    /// The failures that it outlives.
    pub durability: Durability,
}

impl History {
    /// Returns the folder or the database that holds it, in words, if it is not in memory alone.
    pub fn place(&self) -> Option<String> {
        let database = self.database.as_ref().map(|database| format!("the database {database}"));
        database.or_else(|| self.directory.as_ref().map(|path| path.display().to_string()))
    }
}

/// The folders that the system names for the data of programs.
#[derive(Clone, Debug, Default)]
pub(super) struct Folders {
    /// The folder that systemd made for this service; several are separated by colons.
    pub(super) service: Option<OsString>,
    /// The folder that the user chose for all programs.
    pub(super) user: Option<OsString>,
    pub(super) home: Option<OsString>,
}

impl Folders {
    /// Returns the folders that the environment of this process names.
    pub(super) fn of_user() -> Self {
        let of = |name| env::var_os(name);
        Self { service: of("STATE_DIRECTORY"), user: of("XDG_STATE_HOME"), home: of("HOME") }
    }

    /// Returns the folder for the log. A path that is not absolute counts as none.
    pub(super) fn state(self) -> Option<PathBuf> {
        let first = |paths: OsString| env::split_paths(&paths).next();
        let absolute = |path: &PathBuf| path.is_absolute();
        let service = self.service.and_then(first).filter(absolute);
        let user = || self.user.map(PathBuf::from).filter(absolute).map(|path| path.join("pychat"));
        let home = || self.home.map(PathBuf::from).filter(absolute);
        service.or_else(user).or_else(|| Some(home()?.join(".local/state/pychat")))
    }
}

/// The folder of the system's service.
const SERVICE_FOLDER: &str = "/var/lib/pychat-server";

/// Returns the folders in which a server may keep its messages that somebody means who names none, the
/// likeliest first.
pub fn state_directories() -> Vec<PathBuf> {
    if let Some(given) = env::var_os("PYCHAT_STATE_DIR").filter(|given| !given.is_empty()) {
        return vec![given.into()];
    }
    [Some(SERVICE_FOLDER.into()), Folders::of_user().state()].into_iter().flatten().collect()
}

/// Reads the settings of the log.
pub(super) fn read(settings: &Settings, folders: Folders) -> Result<History, ConfigError> {
    let default = Retention::default();
    let unless_zero = |number: usize| if number == 0 { u64::MAX } else { number as u64 };
    let reserve = usize::try_from(default.disk_reserve_bytes).unwrap_or(usize::MAX);
    let any_size = 0..=usize::MAX;
    let retention = Retention {
        messages_max: unless_zero(settings.number("history-messages", 0, &any_size)?),
        age_max: days(settings, "history-days", 0)?,
        bytes_max: unless_zero(settings.size("history-bytes", 0, &any_size)?),
        disk_reserve_bytes: settings.size("disk-reserve", reserve, &any_size)? as u64,
    };
    let is_on_disk = settings
        .one("history", true, |text| values::word(text, &[("disk", true), ("memory", false)]))?;
    let database = database::read(settings)?;
    if database.is_some() && !is_on_disk {
        return Err(ConfigError::NotStored);
    }
    let durability = settings.one("durability", Durability::default(), |text| {
        values::word(text, &[("process", Durability::Process), ("power", Durability::Power)])
    })?;
    let given = settings.path("state-dir")?;
    let directory = match given.or_else(|| folders.state()) {
        directory @ Some(_) if is_on_disk => directory,
        None if is_on_disk => return Err(ConfigError::NoStateDirectory),
        _ => None,
    };
    Ok(History { directory, database, retention, durability })
}

/// Reads a time that is given in days; 0 is for ever.
pub(super) fn days(
    settings: &Settings,
    key: &'static str,
    default: usize,
) -> Result<Duration, ConfigError> {
    Ok(match settings.number(key, default, &(0..=36_500))? {
        0 => Duration::MAX,
        days => Duration::from_hours(24 * days as u64),
    })
}
