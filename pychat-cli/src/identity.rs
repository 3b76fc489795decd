//! The name and the secret key of who speaks: a file that is made at the first use.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use pychat_wire::{UserName, client::Saved, key::SecretKey};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{failure::Failure, private_file};

/// A person on a device.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) name: UserName,
    key: SecretKey,
}

/// The contents of the file.
#[derive(Deserialize, Serialize)]
struct Contents {
    name: String,
    key: SecretKey,
}

impl Identity {
    /// Reads the file at `path`, or that of `name` in `folder`; makes it where there is none. Without a
    /// `name` it is the file's, or else that of the user of this machine.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no name, or the file cannot be used.
    pub(crate) fn load(
        folder: &Path,
        path: Option<&Path>,
        name: Option<UserName>,
    ) -> Result<Self, Failure> {
        if let Some(path) = path {
            let contents = load(path, || name.clone().map_or_else(user, Ok))?;
            let name = name.map_or_else(|| parse(&contents.name), Ok)?;
            return Ok(Self { name, key: contents.key });
        }
        let name = name.map_or_else(user, Ok)?;
        let path = folder.join(format!("{}.key", name.as_str()));
        let key = load(&path, || Ok(name.clone()))?.key;
        Ok(Self { name, key })
    }

    /// Returns the state of a client that has this key and nothing else.
    pub(crate) fn state(&self) -> Saved {
        let json = json!({"name": self.name.as_str(), "key": self.key});
        serde_json::from_value(json).unwrap_or_default()
    }

    /// Returns `saved` with this key, if it is this person's.
    pub(crate) fn resume(&self, saved: Saved) -> Option<Saved> {
        (saved.name() == self.name.as_str()).then(|| saved.with_key(self.key))
    }
}

/// Returns the folder of what outlives a process of ours.
///
/// # Errors
///
/// [`Failure::Usage`] if the environment names none.
pub(crate) fn state_folder() -> Result<PathBuf, Failure> {
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    let state = state.ok_or_else(|| {
        Failure::Usage("neither XDG_STATE_HOME nor HOME is set, to keep a key in".to_owned())
    })?;
    Ok(state.join("pychat/cli"))
}

/// Returns 32 random bytes.
///
/// # Errors
///
/// [`Failure::Later`] if the system has none.
pub(crate) fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    let mut n_filled = 0;
    while n_filled < bytes.len() {
        let filled =
            rustix::rand::getrandom(&mut bytes[n_filled..], rustix::rand::GetRandomFlags::empty());
        n_filled += filled.map_err(|error| Failure::Later(format!("no randomness: {error}")))?;
    }
    Ok(bytes)
}

fn load(path: &Path, name: impl Fn() -> Result<UserName, Failure>) -> Result<Contents, Failure> {
    let unusable = |words: &str| Failure::Refused(format!("{}: {words}", path.display()));
    loop {
        match fs::read(path) {
            Ok(json) => {
                return serde_json::from_slice(&json).map_err(|_| unusable("it is no key file"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let name = name()?.as_str().to_owned();
                let contents = Contents { name, key: SecretKey(random()?) };
                let mut json = serde_json::to_vec(&contents).unwrap_or_default();
                json.push(b'\n');
                // Where another process was first, its key is the one.
                private_file::create(path, &json).map_err(|error| unusable(&error.to_string()))?;
            }
            Err(error) => return Err(unusable(&error.to_string())),
        }
    }
}

/// Returns the name of the user of this machine.
fn user() -> Result<UserName, Failure> {
    let user = ["LOGNAME", "USER"].into_iter().find_map(|name| env::var(name).ok());
    let user = user.filter(|user| !user.is_empty());
    parse(&user.ok_or_else(|| Failure::Usage("a name is missing: --name NAME".to_owned()))?)
}

/// Reads a name.
///
/// # Errors
///
/// [`Failure::Usage`] if nobody can have it.
pub(crate) fn parse(name: &str) -> Result<UserName, Failure> {
    UserName::new(name).map_err(|error| Failure::Usage(format!("the name {name:?}: {error}")))
}
