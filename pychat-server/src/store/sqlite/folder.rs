//! The folder that a log has for its own: made, locked, and closed to everybody else.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::OpenError;
use crate::core::record::StorageError;

/// The log's file in its folder. SQLite adds others, with longer names.
pub const FILE_NAME: &str = "log.sqlite";

/// The end of the name of the write-ahead log.
const WAL_SUFFIX: &str = "-wal";

/// The file whose lock says that a server is at work here.
pub const LOCK_FILE: &str = "lock";

/// The time for which one look at the free space on the disk holds good.
const SPACE_PAUSE: Duration = Duration::from_secs(1);

/// A folder that no other server uses; it is free again when this is dropped, or the process ends.
#[derive(Debug)]
pub struct Folder {
    directory: PathBuf,
    file: PathBuf,
    space: Space,
    _lock: File,
}

/// The last look at the free space on the disk: its time, and true if there is too little.
#[derive(Clone, Copy, Debug, Default)]
struct Space {
    checked_at: Option<Instant>,
    is_short: bool,
}

/// The space that has to stay free on the disk of a log.
#[derive(Clone, Debug)]
pub struct Reserve {
    directory: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// Returns so many bytes beside the log in `directory`.
    pub fn new(directory: &Path, bytes: u64) -> Self {
        Self { directory: directory.to_owned(), bytes }
    }

    /// Looks if it is there, and besides what it takes to move what was written into its place in the file.
    ///
    /// # Errors
    ///
    /// [`StorageError::Reserve`] if it is not.
    pub fn check(&self) -> Result<(), StorageError> {
        let written = fs::metadata(self.directory.join(format!("{FILE_NAME}-wal")));
        let needed = self.bytes.saturating_add(written.map_or(0, |written| written.len()));
        if free_bytes(&self.directory) < needed { Err(StorageError::Reserve) } else { Ok(()) }
    }

    /// Returns its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Folder {
    /// Makes `directory` if it is missing, and locks it.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: a server is at work there, or the system refuses.
    pub fn lock_only(directory: &Path) -> Result<Self, OpenError> {
        let create = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        create.map_err(|source| OpenError::Create { directory: directory.to_owned(), source })?;
        let lock = open(&directory.join(LOCK_FILE))?;
        match lock.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { directory: directory.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(unwritable(directory, source)),
        }
        let file = directory.join(FILE_NAME);
        Ok(Self { directory: directory.to_owned(), file, space: Space::default(), _lock: lock })
    }

    /// Makes `directory` if it is missing, locks it, and makes sure of a file in it, if an empty one.
    pub(super) fn lock(directory: &Path) -> Result<Self, OpenError> {
        let folder = Self::lock_only(directory)?;
        let file = &folder.file;
        if file.symlink_metadata().is_err() {
            open(file)?;
            // A file that the folder does not know of after a power cut would be no use.
            let sync = File::open(directory).and_then(|directory| directory.sync_all());
            sync.map_err(|source| unwritable(directory, source))?;
        }
        open(file)?;
        for suffix in [WAL_SUFFIX, "-shm"] {
            let beside = directory.join(format!("{FILE_NAME}{suffix}"));
            if beside.symlink_metadata().is_ok() {
                open(&beside)?; // SQLite gives new ones the mode of the log.
            }
        }
        Ok(folder)
    }

    /// Looks whether there is room for what is to be appended, if it has not for a second.
    pub(super) fn check_space(&mut self, now: Instant, reserve_bytes: u64) {
        let is_fresh = |checked_at: Instant| now < checked_at + SPACE_PAUSE;
        if self.space.checked_at.is_some_and(is_fresh) {
            return;
        }
        let is_short = free_bytes(&self.directory) < reserve_bytes;
        self.space = Space { checked_at: Some(now), is_short };
    }

    /// Returns true if there was too little room at the last look.
    pub(super) fn is_short(&self) -> bool {
        self.space.is_short
    }

    /// Has the next look taken at once.
    pub(super) fn forget_space(&mut self) {
        self.space.checked_at = None;
    }

    /// Returns what has to stay free beside the log.
    pub(super) fn reserve(&self, bytes: u64) -> Reserve {
        Reserve::new(&self.directory, bytes)
    }

    /// Returns where the log is.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Returns where the write-ahead log is.
    pub(super) fn wal(&self) -> PathBuf {
        self.directory.join(format!("{FILE_NAME}{WAL_SUFFIX}"))
    }
}

/// Returns the free space of the disk that a folder is on. A file system that does not say is written to
/// until it is full.
fn free_bytes(directory: &Path) -> u64 {
    rustix::fs::statvfs(directory)
        .map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_as_was_written_has_to_be_free_beside_the_reserve() {
        let directory = std::env::temp_dir().join(format!("pychat-reserve-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let reserve = |bytes| Reserve::new(&directory, bytes);
        assert_eq!(reserve(0).check(), Ok(()));
        assert_eq!(reserve(1 << 60).check(), Err(StorageError::Reserve));
        // A file with a hole takes no space.
        let written = File::create(directory.join("log.sqlite-wal")).unwrap();
        written.set_len(1 << 43).unwrap();
        assert_eq!(reserve(0).check(), Err(StorageError::Reserve));
        fs::remove_dir_all(&directory).unwrap();
    }
}
