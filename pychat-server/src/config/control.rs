//! The place of the operator's socket.

use std::{env, path::PathBuf};

use super::{
    ConfigError,
    history::{Folders, History},
    settings::Settings,
};

/// The name of the socket in its folder.
const FILE_NAME: &str = "control.sock";

/// The folder of the system's service.
const SERVICE_FOLDER: &str = "/run/pychat-server";

/// The place of the operator's socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ControlPlace {
    /// Its path.
    pub path: PathBuf,
    /// It was asked for, so a server does not start without it.
    pub is_given: bool,
}

/// Returns the place of the socket: the one that was given, or else in the folder for such things, or
/// else beside the log.
pub(super) fn place(
    settings: &Settings,
    history: &History,
) -> Result<Option<ControlPlace>, ConfigError> {
    if let Some(path) = settings.path("control-socket")? {
        return Ok(Some(ControlPlace { path, is_given: true }));
    }
    let service = env::var_os("RUNTIME_DIRECTORY");
    let service = service.and_then(|paths| env::split_paths(&paths).next());
    let service = service.filter(|path| path.is_absolute());
    let folder = service.or_else(of_user).or_else(|| history.directory.clone());
    Ok(folder.map(|folder| ControlPlace { path: folder.join(FILE_NAME), is_given: false }))
}

/// Returns the sockets of the servers that a caller may mean, the likeliest first.
pub fn control_sockets() -> Vec<PathBuf> {
    if let Some(given) = env::var_os("PYCHAT_CONTROL_SOCKET").filter(|given| !given.is_empty()) {
        return vec![given.into()];
    }
    let folders = [Some(SERVICE_FOLDER.into()), of_user(), Folders::of_user().state()];
    folders.into_iter().flatten().map(|folder| folder.join(FILE_NAME)).collect()
}

/// Returns the folder for what the programs of this user need while they run.
fn of_user() -> Option<PathBuf> {
    let folder = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    folder.filter(|path| path.is_absolute()).map(|path| path.join("pychat-server"))
}
