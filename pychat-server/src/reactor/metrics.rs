//! The file in which a collector of metrics finds the state of the server.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    mem,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::logging;

/// The time between two states of the file.
const INTERVAL: Duration = Duration::from_secs(15);

/// The mode of the file: a collector is another user, and what it finds is about nobody.
const MODE: u32 = 0o644;

/// The file, if there is to be one.
#[derive(Debug, Default)]
pub(super) struct MetricsFile {
    path: Option<PathBuf>,
    /// When it is written next; at once if nobody knows.
    next: Option<Instant>,
    /// True from when it could not be written until it is.
    is_failing: bool,
}

impl MetricsFile {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { path, ..Self::default() }
    }

    /// Has the file at another place from now on.
    pub(super) fn move_to(&mut self, path: Option<&Path>) {
        if self.path.as_deref() != path {
            self.remove();
            *self = Self::new(path.map(Path::to_owned));
        }
    }

    /// Returns when the file is to be written.
    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        self.path.as_ref().map(|_| self.next.unwrap_or(now))
    }

    /// Writes the file if its time has come. That does not wait for the disk; an error is told to the
    /// operator when it begins, and when it is over.
    pub(super) fn write(&mut self, now: Instant, metrics: impl FnOnce() -> String) {
        let Some(path) = &self.path else { return };
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        self.next = Some(now + INTERVAL);
        let written = replace(path, &metrics());
        match (&written, mem::replace(&mut self.is_failing, written.is_err())) {
            (Err(error), false) => logging::metrics_failed(path, error),
            (Ok(()), true) => logging::metrics_again(path),
            (Err(_), true) | (Ok(()), false) => (),
        }
    }

    /// Removes the file: there is nothing more to tell.
    pub(super) fn remove(&self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path); // It is not there if it never could be written.
        }
    }
}

/// Puts a file with this text in the place of the one at `path`, so that a reader finds all of either.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
    name.push(".new"); // A collector reads only names that end in `.prom`.
    let new = path.with_file_name(name);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    // Nobody's link or pipe is followed or waited for, as the file is made here.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&new)?;
    let written = file
        .set_permissions(Permissions::from_mode(MODE))
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new); // The next attempt tries so again.
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole_at_any_time_and_comes_back_after_trouble() {
        let folder = std::env::temp_dir().join(format!("pychat-metrics-{}", std::process::id()));
        let path = folder.join("pychat.prom");
        let mut file = MetricsFile::new(Some(path.clone()));
        let now = Instant::now();
        assert_eq!(file.next_deadline(now), Some(now));
        file.write(now, || "1\n".to_owned());
        assert!(file.is_failing, "there is no folder");
        fs::create_dir(&folder).unwrap();
        file.write(now, || unreachable!("it is tried again later"));
        let later = now + INTERVAL;
        assert_eq!(file.next_deadline(now), Some(later));
        fs::write(folder.join("pychat.prom.new"), "left by a server that was killed").unwrap();
        file.write(later, || "2\n".to_owned());
        assert!(!file.is_failing);
        assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

        let other = folder.join("other.prom");
        file.move_to(Some(&other));
        file.write(later, || "3\n".to_owned());
        assert!(!path.exists() && other.exists());
        file.move_to(None);
        assert_eq!((file.next_deadline(later), other.exists()), (None, false));
        fs::remove_dir(&folder).unwrap();
    }
}
