//! Files that nobody else may read, and that are there as they were or as they are now.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The access to a private file.
const MODE: u32 = 0o600;

/// Makes the folder of a file, unless there is one, for nobody else to look into.
pub(crate) fn make_folder_of(path: &Path) -> io::Result<()> {
    match folder_of(path) {
        folder if folder.exists() => Ok(()),
        folder => DirBuilder::new().recursive(true).mode(0o700).create(folder),
    }
}

/// Writes a file that is not there yet; if another process was first, nothing changes and `false` is
/// returned. Nobody ever sees a part of it, and it outlives a power cut.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let draft = write_draft(path, bytes)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => sync_folder_of(path).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Replaces what is in a file, as a whole. It outlives a power cut.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::rename(write_draft(path, bytes)?, path)?;
    sync_folder_of(path)
}

/// Appends one line to a file, which is made if there is none.
pub(crate) fn append(path: &Path, line: &str) -> io::Result<()> {
    make_folder_of(path)?;
    let mut file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()
}

/// Writes a file beside `path` and returns where it is.
fn write_draft(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    make_folder_of(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = path.with_file_name(name);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(MODE).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    Ok(draft)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_data()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
