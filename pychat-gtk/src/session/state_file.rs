//! The state that outlives the program: a small file for each server and name.
//!
//! It holds a [`Saved`], so that what was typed and not acknowledged survives a kill, and a name
//! stays its owner's; and what is being written and was not sent yet. It is replaced as a whole: it is
//! read as it was or as it is now, never in between.
//! A lock beside it belongs to one window at a time; a second one under the same name keeps
//! nothing, rather than overwrite what the first one keeps.
//!
//! No trouble with a file ends a conversation: it is told once, in the log.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use gtk::glib;
use pychat_wire::{
    client::Saved,
    key::{PublicKey, SecretKey},
};
use serde::{Deserialize, Serialize};

use super::{Account, private_file};

/// The largest file that is read, in bytes: far more than the texts that may wait.
const FILE_BYTES_MAX: u64 = 128 << 20;

/// The most attempts at a lock that others take and remove at the same time.
const LOCK_ATTEMPTS_MAX: usize = 10;

/// The file of one name on one server, for as long as nobody else may have it.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    server: String,
    /// True once it was told that it cannot be written.
    is_failing: Cell<bool>,
    /// The key that is not in the file, as it is kept elsewhere; which one, if so.
    key_elsewhere: Cell<Option<PublicKey>>,
    /// The gist of the contents that were written last.
    written: RefCell<Gist>,
    _lock: Lock,
}

/// A lock file, which exists, and is locked, as long as this value does.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Drop for Lock {
    /// Removes the file while it is still locked: another window that has opened it meanwhile finds
    /// out.
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            glib::g_info!("pychat", "cannot remove {}: {error}", self.path.display());
        }
    }
}

/// The contents of a file, to be written. The server is there for people: the file's name does not
/// say it.
#[derive(Serialize)]
struct Written<'a> {
    server: &'a str,
    draft: &'a str,
    conversations: &'a BTreeMap<String, KeptRoom>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_elsewhere: Option<PublicKey>,
    #[serde(flatten)]
    saved: Cow<'a, Saved>,
}

/// The part of the contents that decides how soon, and how safely, they are written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Gist {
    /// The key that proves the name.
    key: Option<SecretKey>,
    /// The number of texts that were ever said.
    n_said: u64,
    /// The number of these that wait for their acknowledgement.
    n_unacknowledged: usize,
}

impl Gist {
    fn of(saved: &Saved) -> Self {
        Self {
            key: saved.key(),
            n_said: saved.n_said(),
            n_unacknowledged: saved.n_unacknowledged(),
        }
    }
}

/// The state of one room, without what the client keeps of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct KeptRoom {
    /// The room's title, for when the reader is in it no more.
    pub title: String,
    /// The text that was being written; that of the hall stands elsewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub draft: String,
    /// The choice of notifications.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notifications: String,
    /// The time of the last message, in UTC milliseconds since 1970.
    pub last_active: i64,
    /// The numbers of the reader's latest messages in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<u64>,
}

/// The contents of a file, as read.
#[derive(Debug, Default, Deserialize)]
pub struct Kept {
    /// The text that was being written.
    #[serde(default)]
    pub draft: String,
    /// The rooms, by their ids.
    #[serde(default)]
    pub conversations: BTreeMap<String, KeptRoom>,
    /// The key that is kept elsewhere.
    #[serde(default)]
    key_elsewhere: Option<PublicKey>,
    /// The state with which the conversation goes on.
    #[serde(flatten)]
    pub saved: Saved,
}

impl StateFile {
    /// Opens the file in `folder` that belongs to `account`, and returns what is in it.
    ///
    /// There is no file where it cannot be had, or another window has it. What is damaged is put
    /// aside, and the conversation begins anew.
    pub fn open(folder: &Path, account: &Account) -> (Option<Self>, Kept) {
        let (name, server) = account.to_strings();
        let id = glib::compute_checksum_for_string(
            glib::ChecksumType::Sha256,
            format!("{server}\n{name}"),
        );
        let path = folder.join(id.unwrap_or_default()).with_extension("json");
        let lock = match lock(folder, &path.with_extension("lock")) {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                glib::g_info!("pychat", "{name} on {server} is open in another window");
                return (None, Kept::default());
            }
            Err(error) => {
                glib::g_warning!("pychat", "cannot keep anything in {}: {error}", folder.display());
                return (None, Kept::default());
            }
        };
        let kept = read(&path).unwrap_or_else(|error| {
            glib::g_warning!("pychat", "cannot read {}: {error}", path.display());
            // It may hold somebody's words. If it cannot be moved it is replaced.
            let _ = fs::rename(&path, path.with_extension("damaged"));
            Kept::default()
        });
        let (is_failing, key_elsewhere) = (Cell::new(false), Cell::new(kept.key_elsewhere));
        let written = Gist::of(&kept.saved).into();
        (Some(Self { path, server, is_failing, key_elsewhere, written, _lock: lock }), kept)
    }

    /// Returns the key that is not in the file, as it is kept elsewhere.
    pub fn key_elsewhere(&self) -> Option<PublicKey> {
        self.key_elsewhere.get()
    }

    /// Leaves this key out of the file from the next time on that it is written.
    pub fn keep_key_elsewhere(&self, key: PublicKey) {
        self.key_elsewhere.set(Some(key));
    }

    /// Returns true if `saved` should be written at once: words of the user are in it or in the file,
    /// or the name is proven by another key.
    pub fn is_urgent(&self, saved: &Saved) -> bool {
        let (old, new) = (self.written.borrow(), Gist::of(saved));
        old.key != new.key || old.n_unacknowledged > 0 || new.n_unacknowledged > 0
    }

    /// Replaces what is in the file. It is there when this returns, should the program be killed; a
    /// key or a text that is new is on the disk, should the machine lose its power.
    pub fn write(&self, saved: &Saved, draft: &str, conversations: &BTreeMap<String, KeptRoom>) {
        let result = self.replace(saved, draft, conversations);
        if let Err(error) = &result
            && !self.is_failing.get()
        {
            glib::g_warning!("pychat", "cannot write {}: {error}", self.path.display());
        }
        self.is_failing.set(result.is_err());
    }

    fn replace(
        &self,
        saved: &Saved,
        draft: &str,
        conversations: &BTreeMap<String, KeptRoom>,
    ) -> io::Result<()> {
        // Another key than the one that is kept elsewhere is here or nowhere.
        let own = saved.key().map(|key| key.public());
        let key_elsewhere =
            self.key_elsewhere.get().filter(|kept| own.is_none_or(|own| own == *kept));
        let kept = if key_elsewhere.is_some() {
            Cow::Owned(saved.without_key())
        } else {
            Cow::Borrowed(saved)
        };
        let server = &self.server;
        let written = Written { server, draft, conversations, key_elsewhere, saved: kept };
        let bytes = serde_json::to_vec(&written)?;
        let (old, gist) = (&self.written, Gist::of(saved));
        // Nobody could get these back from elsewhere.
        let is_irreplaceable = old.borrow().key != gist.key || old.borrow().n_said != gist.n_said;
        private_file::replace(&self.path, &bytes, is_irreplaceable)?;
        old.replace(gist);
        Ok(())
    }
}

/// Takes the lock; `None` if somebody else has it.
fn lock(folder: &Path, path: &Path) -> io::Result<Option<Lock>> {
    private_file::make_folder(folder)?;
    for _ in 0..LOCK_ATTEMPTS_MAX {
        let file = private_file::open(path, OpenOptions::new().write(true))?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path)? => {
                return Ok(Some(Lock { path: path.to_owned(), _file: file }));
            }
            Ok(()) => (), // Who had it has just removed it.
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Returns true if `file` is the one that is found at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let opened = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> io::Result<Kept> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Kept::default()),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> Account {
        let account = Account::parse(&("Анна".to_owned(), "host:1".to_owned()));
        account.expect("both are good")
    }

    #[test]
    fn words_and_proofs_are_urgent_and_how_far_was_read_is_not() {
        let folder = std::env::temp_dir().join(format!("pychat-urgent-{}", std::process::id()));
        let (file, _) = StateFile::open(&folder, &anna());
        let file = file.expect("nobody has it");
        let saved = |json| serde_json::from_str::<Saved>(json).expect("it could stand in a file");
        let read = saved(r#"{"seq":7,"seen":7}"#);
        let proven = saved(r#"{"key":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#);
        let waiting = saved(r#"{"counter":1,"unacknowledged":[{"id":"a.1","text":"hi"}]}"#);
        for (before, after, expected) in [
            (&read, &read, false),
            (&read, &proven, true),
            (&proven, &proven, false),
            (&read, &waiting, true),
            (&waiting, &read, true),
        ] {
            file.write(before, "", &BTreeMap::new());
            assert_eq!(file.is_urgent(after), expected, "{before:?} and {after:?}");
        }
        fs::remove_dir_all(&folder).expect("it is ours");
    }

    #[test]
    fn a_key_that_is_kept_elsewhere_is_not_in_the_file_and_another_one_is() {
        let folder = std::env::temp_dir().join(format!("pychat-kept-{}", std::process::id()));
        let (first, second) = (SecretKey([1; 32]), SecretKey([2; 32]));
        let saved = |key| Saved::default().with_key(key);
        let open = || StateFile::open(&folder, &anna());
        let (file, _) = open();
        let file = file.expect("nobody has it");
        file.write(&saved(first), "", &BTreeMap::new());
        file.keep_key_elsewhere(first.public());
        file.write(&saved(first), "", &BTreeMap::new());
        let text = fs::read_to_string(&file.path).expect("it was written");
        assert!(text.contains(&first.public().to_string()) && !text.contains("AQEB"), "{text}");
        drop(file);
        let (file, kept) = open();
        let file = file.expect("nobody has it");
        assert_eq!((file.key_elsewhere(), kept.saved.key()), (Some(first.public()), None));
        file.write(&kept.saved, "nothing is known of the key yet", &BTreeMap::new());
        assert_eq!(open_again(file, open).0, Some(first.public()));
        let file = open().0.expect("nobody has it");
        file.write(&saved(second), "", &BTreeMap::new());
        assert_eq!(open_again(file, open), (None, Some(second)));
        fs::remove_dir_all(&folder).expect("it is ours");
    }

    /// Returns what is known of the key once the file is read anew.
    fn open_again(
        file: StateFile,
        open: impl Fn() -> (Option<StateFile>, Kept),
    ) -> (Option<PublicKey>, Option<SecretKey>) {
        drop(file);
        let (file, kept) = open();
        (file.expect("nobody has it").key_elsewhere(), kept.saved.key())
    }

    #[test]
    fn a_lock_is_one_windows_and_is_gone_with_it() {
        let folder = std::env::temp_dir().join(format!("pychat-lock-{}", std::process::id()));
        let n_files = || fs::read_dir(&folder).expect("it is there").count();
        let open = || StateFile::open(&folder, &anna()).0;
        let first = open().expect("nobody has it");
        assert!(open().is_none(), "the first has it");
        assert_eq!(n_files(), 1);
        drop(first);
        assert_eq!(n_files(), 0);
        assert!(open().is_some(), "nobody has it any more");
        fs::remove_dir_all(&folder).expect("it is ours");
    }

    #[test]
    fn a_lock_that_was_removed_meanwhile_is_no_lock() {
        let folder = std::env::temp_dir().join(format!("pychat-stale-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("it can be made");
        let path = folder.join("x.lock");
        let stale =
            private_file::open(&path, OpenOptions::new().write(true)).expect("it can be opened");
        fs::remove_file(&path).expect("it is there");
        assert!(!is_at(&stale, &path).expect("it can be looked at"));
        let lock = lock(&folder, &path).expect("it can be locked");
        assert!(lock.is_some() && !is_at(&stale, &path).expect("it can be looked at"));
        drop(lock);
        fs::remove_dir_all(&folder).expect("it is ours");
    }
}
