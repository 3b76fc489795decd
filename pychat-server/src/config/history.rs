//! What the operator asked for as to what is kept, and where.

use std::{env, ffi::OsString, path::PathBuf, str::FromStr, time::Duration};

use super::{
    ConfigError, Options,
    values::{Count, Size, ValueError},
};
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

/// Where messages are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Where {
    Disk,
    Memory,
}

impl FromStr for Where {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "disk" => Ok(Self::Disk),
            "memory" => Ok(Self::Memory),
            _ => Err(ValueError::Where),
        }
    }
}

/// What messages outlive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Outlives(Durability);

impl FromStr for Outlives {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "process" => Ok(Self(Durability::Process)),
            "power" => Ok(Self(Durability::Power)),
            _ => Err(ValueError::Durability),
        }
    }
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

impl Options {
    pub(super) fn history(&self, folders: Folders) -> Result<History, ConfigError> {
        let count = |given: Option<Count>, default| given.map_or(default, |Count(count)| count);
        let out_of_bounds = |option, bounds| Err(ConfigError::OutOfBounds { option, bounds });
        let size = |given: Option<Size>| given.map(|Size(bytes)| bytes as u64);
        let unless_zero = |number: u64| if number == 0 { u64::MAX } else { number };
        let days @ 0..=36_500 = count(self.history_days, 0) else {
            return out_of_bounds("history-days", "from 0 to 36500");
        };
        let keep = Keep {
            messages_max: unless_zero(count(self.history_messages, 0) as u64),
            age_max: if days == 0 { Duration::MAX } else { Duration::from_hours(24 * days as u64) },
            bytes_max: unless_zero(size(self.history_bytes).unwrap_or(0)),
            disk_reserve_bytes: size(self.disk_reserve)
                .unwrap_or(Keep::default().disk_reserve_bytes),
        };
        let given = || self.state_dir.clone().filter(|path| !path.as_os_str().is_empty());
        let directory = match self.history.unwrap_or(Where::Disk) {
            Where::Memory => None,
            Where::Disk => {
                Some(given().or_else(|| folders.state()).ok_or(ConfigError::NoStateDirectory)?)
            }
        };
        let durability = self.durability.map_or_else(Durability::default, |Outlives(given)| given);
        Ok(History { directory, keep, durability })
    }
}
