//! Files that are made: for their owner's eyes, on the disk before they have their name, and with the
//! owner of their folder where root makes them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::Path,
};

use rustix::process::geteuid;

use super::ArchiveError;

/// The bytes that are copied at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Returns the error of a file.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    |source| ArchiveError::File { path, source }
}

/// Makes a folder that only its owner may look into, or takes one that is empty.
pub(super) fn make_empty_folder(path: &Path) -> Result<(), ArchiveError> {
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Ok(()) => (),
        Err(error) => return Err(failed(path)(error)),
    }
    let is_empty = fs::read_dir(path).map_err(failed(path))?.next().is_none();
    if !is_empty {
        return Err(ArchiveError::NotEmpty(path.to_owned()));
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed(path))
}

/// Makes an empty file that only its owner may read.
pub(super) fn create(path: &Path) -> Result<File, ArchiveError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path).map_err(failed(path))
}

/// Copies a file into one that is made, and tells `progress` of the bytes that are copied and of all.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), ArchiveError> {
    let mut source = File::open(from).map_err(failed(from))?;
    let all = source.metadata().map_err(failed(from))?.len();
    let mut target = create(to)?;
    let (mut buffer, mut done) = (vec![0; CHUNK_BYTES], 0);
    loop {
        let size = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(from)(error)),
        };
        target.write_all(&buffer[..size]).map_err(failed(to))?;
        done += size as u64;
        progress(done, all);
    }
    sync(to)
}

/// Waits until a file or a folder is on the disk.
pub(super) fn sync(path: &Path) -> Result<(), ArchiveError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(failed(path))
}

/// Gives a file its name.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    fs::rename(from, to).map_err(failed(to))
}

/// Gives a file to the owner of a folder, if root made it.
pub(super) fn give_to_owner_of(folder: &Path, path: &Path) -> Result<(), ArchiveError> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(folder).map_err(failed(folder))?;
    chown(path, Some(owner.uid()), Some(owner.gid())).map_err(failed(path))
}

/// Removes what was not finished.
pub(super) fn remove_all<'a>(paths: impl IntoIterator<Item = &'a Path>) {
    for path in paths {
        let _ = fs::remove_file(path); // It may not have been made.
    }
}

/// Returns true if there is something with this name.
pub(super) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
