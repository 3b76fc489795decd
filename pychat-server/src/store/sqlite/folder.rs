//! The folder that a log has for its own: made, locked, and closed to everybody else.

use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::OpenError;

/// The log's file in its folder. SQLite adds others, with longer names.
pub const FILE_NAME: &str = "log.sqlite";

/// The file whose lock says that a server is at work here.
const LOCK_NAME: &str = "lock";

/// A folder that no other server uses; it is free again when this is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct Folder {
    directory: PathBuf,
    file: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes `directory` if it is missing, locks it, and makes sure of a file in it, if an empty one.
    pub(super) fn lock(directory: &Path) -> Result<Self, OpenError> {
        let create = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        create.map_err(|source| OpenError::Create { directory: directory.to_owned(), source })?;
        let lock = open(&directory.join(LOCK_NAME))?;
        match lock.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { directory: directory.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(unwritable(directory, source)),
        }
        let file = directory.join(FILE_NAME);
        if file.symlink_metadata().is_err() {
            open(&file)?;
            // A file that the folder does not know of after a power cut would be no use.
            let sync = File::open(directory).and_then(|directory| directory.sync_all());
            sync.map_err(|source| unwritable(directory, source))?;
        }
        open(&file)?;
        for suffix in ["-wal", "-shm"] {
            let beside = directory.join(format!("{FILE_NAME}{suffix}"));
            if beside.symlink_metadata().is_ok() {
                open(&beside)?; // SQLite gives new ones the mode of the log.
            }
        }
        Ok(Self { directory: directory.to_owned(), file, _lock: lock })
    }

    /// Returns the folder.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns where the log is.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

/// Opens a file, or makes it, and sees to it that nobody but this user may read it: one that comes
/// from a backup may be anybody's to read. A symbolic link is not followed, wherever it leads.
fn open(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(libc::O_NOFOLLOW);
    let open = || -> io::Result<File> {
        let file = options.open(path)?;
        if file.metadata()?.permissions().mode() & 0o777 != 0o600 {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(file)
    };
    open().map_err(|source| unwritable(path, source))
}

fn unwritable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Unwritable { path: path.to_owned(), source }
}
