//! Files that nobody else may read, and that are there as they were or as they are now.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// Makes a folder that nobody else may look into, unless there is one.
///
/// # Errors
///
/// The system's.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens a file that nobody else may read, and makes it if there is none.
///
/// # Errors
///
/// The system's.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.create(true).mode(0o600).open(path)
}

/// Replaces what is in a file, as a whole: it outlives the program, and if it `is_durable` a power cut.
///
/// # Errors
///
/// The system's.
pub(super) fn replace(path: &Path, bytes: &[u8], is_durable: bool) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = open(&new, OpenOptions::new().write(true).truncate(true))?;
    file.write_all(bytes)?;
    if is_durable {
        file.sync_data()?;
    }
    fs::rename(new, path)?;
    if is_durable && let Some(folder) = path.parent() {
        File::open(folder)?.sync_data()?; // Else the new name may be lost.
    }
    Ok(())
}
