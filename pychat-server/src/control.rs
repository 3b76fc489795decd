//! The operator's socket: `pychat-server ctl` calls here to ask a running server, or to tell it
//! something.
//!
//! A Unix socket that root, the server's own user and the socket's group may write to. A call is one
//! frame of JSON each way, and then over. There are at most [`CALLERS_MAX`] at a time, each for at most
//! [`CALL_TIMEOUT`], and nothing that one of them does is waited for: where there is no room for
//! another, the oldest goes that does not wait for the server.
//!
//! ```text
//!            a request            the answer is kept         all written
//!  Reading ────────────▶ Waiting ────────────────▶ Writing ─────────────▶ (gone)
//!     ├────────────────────┴───── its time is over ───┼──────────────────────▲
//!     └────────── another one calls, and there is no room for it ────────────┘
//! ```

mod caller;
pub mod client;
mod message;
mod prometheus;
mod usage;
mod verbs;
mod words;

use std::{
    fs::{self, DirBuilder, Metadata, Permissions},
    io::{self, ErrorKind},
    os::{
        fd::OwnedFd,
        unix::{
            fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
            net,
        },
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mio::net::{UnixListener, UnixStream};
use rustix::{
    net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
        sockopt::socket_peercred,
    },
    process::geteuid,
};
use thiserror::Error;

use self::caller::Caller;
pub use self::{
    message::{Answer, Request, Shared, Stats},
    prometheus::prometheus,
    usage::{command, parse},
};
use crate::core::id::CallId;

/// The most callers at a time.
pub const CALLERS_MAX: usize = 8;

/// The most callers that wait in the kernel.
const BACKLOG: i32 = 128;

/// The time that a call may take, the answer included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 64 << 10;

/// The mode of the socket: its user and its group may call.
const MODE: u32 = 0o660;

/// The kernel's word for every user whom the server's user namespace does not have, as the systemd
/// unit's has none but root and the service (`/proc/sys/kernel/overflowuid`).
const UID_UNKNOWN: u32 = 65_534;

/// The pause in accepting after the system refused.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

/// The reason why nobody can call.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// A server listens there.
    #[error("another server listens at {}", .0.display())]
    InUse(PathBuf),
    /// Something else is there.
    #[error("{} is in the way: it is no socket", .0.display())]
    Occupied(PathBuf),
    /// The system refuses.
    #[error("cannot listen at {}: {source}", path.display())]
    Io {
        /// The path of the socket.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The socket, and those who call.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// The file at that path, as long as it is this server's.
    file: FileId,
    accepting: Accepting,
    callers: [Option<Caller>; CALLERS_MAX],
    n_calls: u64,
}

/// The device and the number of a file, which no other file has while it is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct FileId(u64, u64);

/// The readiness of the socket: if somebody may be calling.
#[derive(Clone, Copy, Debug)]
enum Accepting {
    Ready,
    Drained,
    Resting { until: Instant },
}

/// A request that arrived.
#[derive(Debug)]
pub struct Call {
    /// The call.
    pub id: CallId,
    /// The caller, as records name them.
    pub by: String,
    /// The request.
    pub request: Request,
}

impl Control {
    /// Listens at `path`; a socket that a server left there which is gone is replaced.
    ///
    /// # Errors
    ///
    /// [`ControlError`]: nothing has changed then.
    pub fn open(path: &Path) -> Result<Self, ControlError> {
        let failed = |source| ControlError::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.file_type().is_socket() => {
                return Err(ControlError::Occupied(path.to_owned()));
            }
            Ok(_) if is_alive(path) => return Err(ControlError::InUse(path.to_owned())),
            Ok(_) => fs::remove_file(path).map_err(failed)?,
            Err(error) if error.kind() == ErrorKind::NotFound => (),
            Err(error) => return Err(failed(error)),
        }
        let (socket, file) = bound(path).map_err(failed)?;
        listen(&socket, BACKLOG).map_err(|error| failed(error.into()))?;
        Ok(Self {
            listener: UnixListener::from_std(net::UnixListener::from(socket)),
            path: path.to_owned(),
            file,
            accepting: Accepting::Ready,
            callers: [const { None }; CALLERS_MAX],
            n_calls: 0,
        })
    }

    /// Returns the socket, to be registered once.
    pub fn listener(&mut self) -> &mut UnixListener {
        &mut self.listener
    }

    /// Notes that somebody may be calling.
    pub fn set_ready(&mut self) {
        if let Accepting::Drained = self.accepting {
            self.accepting = Accepting::Ready;
        }
    }

    /// Notes edges of the caller in a slot.
    pub fn set_caller_ready(&mut self, slot: usize, readable: bool, writable: bool) {
        if let Some(Some(caller)) = self.callers.get_mut(slot) {
            caller.set_ready(readable, writable);
        }
    }

    /// Returns when there is something to do, for the time or because not all was done.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let callers = self.callers.iter().flatten().map(|caller| caller.next_deadline(now));
        let accepting = match self.accepting {
            _ if self.slot().is_none() => None,
            Accepting::Ready => Some(now),
            Accepting::Drained => None,
            Accepting::Resting { until } => Some(until),
        };
        callers.chain(accepting).min()
    }

    /// Takes in those who call, as long as there is a slot or one can be made free, and `register`s each
    /// under its slot.
    pub fn accept(
        &mut self,
        now: Instant,
        mut register: impl FnMut(&mut UnixStream, usize) -> io::Result<()>,
    ) {
        if matches!(self.accepting, Accepting::Drained)
            || matches!(self.accepting, Accepting::Resting { until } if now < until)
        {
            return;
        }
        // Those who may not call take no slot, so their number is bounded apart.
        for _ in 0..2 * CALLERS_MAX {
            let Some(slot) = self.slot() else { return };
            match self.listener.accept() {
                Ok((mut socket, _)) => {
                    self.accepting = Accepting::Ready;
                    if let Some(by) = self.name_of(&socket) {
                        self.callers[slot] = None; // Closed, so no longer registered.
                        if register(&mut socket, slot).is_err() {
                            continue;
                        }
                        self.n_calls += 1;
                        let caller = Caller::new(CallId(self.n_calls), socket, by, now);
                        self.callers[slot] = Some(caller);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.accepting = Accepting::Drained;
                    return;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(_) => {
                    self.accepting = Accepting::Resting { until: now + ACCEPT_RETRY };
                    return;
                }
            }
        }
    }

    /// Returns a slot for another caller: a free one, or that of the oldest who is not waiting for the
    /// server; `None` if all are.
    fn slot(&self) -> Option<usize> {
        let free = self.callers.iter().position(Option::is_none);
        free.or_else(|| {
            let callers = self.callers.iter().enumerate();
            let idle = callers.filter_map(|(slot, caller)| Some((slot, caller.as_ref()?)));
            let idle = idle.filter(|(_, caller)| !caller.is_waiting());
            idle.min_by_key(|(_, caller)| caller.id()).map(|(slot, _)| slot)
        })
    }

    /// Reads from everybody, and returns the requests that are whole.
    pub fn requests(&mut self) -> Vec<Call> {
        let callers = self.callers.iter_mut().flatten();
        callers.filter_map(Caller::read).collect()
    }

    /// Answers a call, if its caller is still there.
    pub fn answer(&mut self, id: CallId, answer: &Answer) {
        if let Some(caller) = self.callers.iter_mut().flatten().find(|caller| caller.id() == id) {
            caller.answer(answer);
        }
    }

    /// Writes what can be written, and closes calls that are over.
    pub fn flush(&mut self, now: Instant) {
        for slot in &mut self.callers {
            if slot.as_mut().is_some_and(|caller| caller.flush(now)) {
                *slot = None;
            }
        }
    }

    /// Returns the name of a caller for the records; `None` if they may not call.
    ///
    /// Root and the server's own user may. Anybody else could write to the socket only as a member of
    /// its group, as long as its mode shuts others out: what the kernel has checked with all groups of
    /// theirs, of which `SO_PEERCRED` tells the first alone.
    fn name_of(&self, socket: &UnixStream) -> Option<String> {
        let peer = socket_peercred(socket).ok()?;
        if peer.uid.is_root() {
            return Some("root".to_owned());
        }
        let name = match peer.uid.as_raw() {
            UID_UNKNOWN => "a member of the socket's group".to_owned(),
            uid => format!("uid {uid}"),
        };
        if peer.uid == geteuid() {
            return Some(name);
        }
        let metadata = fs::symlink_metadata(&self.path).ok()?;
        let is_group = peer.gid.as_raw() == metadata.gid() || metadata.mode() & 0o002 == 0;
        is_group.then_some(name)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let is_ours =
            fs::symlink_metadata(&self.path).is_ok_and(|it| FileId::from(&it) == self.file);
        if is_ours {
            let _ = fs::remove_file(&self.path); // If it is gone, so much the better.
        }
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }
}

/// Returns a socket that is bound to `path` with its mode set, and its file. Until it listens nobody
/// can connect, so nobody can before the mode forbids it.
fn bound(path: &Path) -> io::Result<(OwnedFd, FileId)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    let file = FileId::from(&fs::symlink_metadata(path)?);
    Ok((socket, file))
}

/// Returns true if somebody listens at `path`, though they be busy.
fn is_alive(path: &Path) -> bool {
    match UnixStream::connect(path) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

#[cfg(test)]
mod tests;
