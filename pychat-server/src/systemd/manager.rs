//! Notifications to the service manager: that the server is ready, how many people are here, that
//! the loop still turns, and when it reloads or stops.
//!
//! The manager is told a state, not a history. It is never waited for: a state that it cannot take
//! now it is told a little later, as it is by then.

use std::{
    env,
    ffi::OsStr,
    fmt::Write,
    io::{self, ErrorKind, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd},
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    path::Path,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr},
};
use sd_notify::NotifyState;

use crate::logging;

/// The least time between one number of people that the manager is told and the next.
pub const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// The first pause after the manager took no more; each further one is twice as long, up to
/// [`RETRY_MAX`].
const RETRY: Duration = Duration::from_millis(50);

/// The longest such pause.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// The most descriptors that the system passes at once (`SCM_MAX_FD`).
const PASSED_MAX: usize = 253;

/// The variable that names the socket on which the manager listens.
const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";

/// The service manager, as far as there is one.
#[derive(Debug)]
pub struct Manager {
    line: Option<Line>,
    stage: Stage,
    stage_due: Option<Instant>,
    status: Status,
    /// The interval at which it is told that the loop turns, if it wants to hear that.
    watchdog: Option<Duration>,
    watchdog_due: Option<Instant>,
    /// The pause in telling it anything.
    telling: Retry,
    /// The pause in giving it anything to keep.
    keeping: Retry,
    /// It could not be given something to keep, and never will be.
    keeps_nothing: bool,
}

/// The line that the manager shows of the server.
#[derive(Debug, Default)]
struct Status {
    /// The addresses on which the server listens, in words.
    listening: String,
    people: usize,
    due: Option<Instant>,
    /// The time before which no other number of people is told.
    rest_until: Option<Instant>,
}

/// The pause before another try, after the manager had no room for something.
#[derive(Clone, Copy, Debug, Default)]
struct Retry {
    rest: Option<Duration>,
    until: Option<Instant>,
}

impl Retry {
    /// It was not taken: rests for twice as long as the last time, if that rest is over.
    fn put_off(&mut self, now: Instant) {
        if self.is_resting(now) {
            return;
        }
        let rest = self.rest.map_or(RETRY, |rest| (2 * rest).min(RETRY_MAX));
        *self = Self { rest: Some(rest), until: Some(now + rest) };
    }

    fn is_resting(self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

/// The stage of the server's life.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Starting,
    Ready,
    Reloading,
    Stopping,
}

impl Manager {
    /// Returns the manager that this process's environment speaks of, or one that is nobody.
    pub fn of_process() -> Self {
        let line = env::var_os(SOCKET_VARIABLE).and_then(|socket| Line::open(&socket).ok());
        Self::new(line, sd_notify::watchdog_enabled())
    }

    /// Feeding twice in the time after which it would bite leaves room for a slow tick.
    fn new(line: Option<Line>, watchdog: Option<Duration>) -> Self {
        Self {
            line,
            stage: Stage::Starting,
            stage_due: None,
            status: Status::default(),
            watchdog: watchdog.filter(|bite| !bite.is_zero()).map(|bite| bite / 2),
            watchdog_due: None,
            telling: Retry::default(),
            keeping: Retry::default(),
            keeps_nothing: false,
        }
    }

    /// The server is up, and takes calls at these `addresses`.
    pub fn ready(&mut self, now: Instant, addresses: &[String]) {
        self.status.listening = addresses.join(" and ");
        self.watchdog_due = self.watchdog.map(|interval| now + interval);
        self.enter(now, Stage::Ready);
    }

    /// The configuration is being read again.
    pub fn reloading(&mut self, now: Instant) {
        self.enter(now, Stage::Reloading);
    }

    /// It has been read, to whatever effect; unless the server stops, it is as before.
    pub fn reloaded(&mut self, now: Instant) {
        self.enter(now, Stage::Ready);
    }

    /// The server stops.
    pub fn stopping(&mut self, now: Instant) {
        self.enter(now, Stage::Stopping);
    }

    /// Tells what is due by `now`, when `people` are here. The loop says so once a tick, and so the
    /// watchdog is fed by a loop that turns and by nothing else.
    pub fn maintain(&mut self, now: Instant, people: usize) {
        if self.line.is_none() {
            return;
        }
        if people != self.status.people {
            self.status.people = people;
            let due = self.status.rest_until.map_or(now, |rest_until| rest_until.max(now));
            self.status.due.get_or_insert(due);
        }
        if self.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.tell(now);
        }
    }

    /// Gives the manager `sockets` to keep for the next process, under one `name`; returns false if it
    /// has no room for them now. It drops each by itself once that has been shut down. One that cannot
    /// be reached is not tried again: see [`keeps`](Self::keeps).
    pub fn keep(&mut self, now: Instant, name: &str, sockets: &[BorrowedFd<'_>]) -> bool {
        let Some(line) = &self.line else { return true };
        if self.keeps_nothing {
            return true;
        }
        if self.keeping.is_resting(now) {
            return false;
        }
        match line.pass(&format!("FDSTORE=1\nFDNAME={name}\n"), sockets) {
            Ok(()) => self.keeping = Retry::default(),
            Err(error) if is_full(&error) => {
                self.keeping.put_off(now);
                return false;
            }
            Err(error) => {
                logging::manager_unreachable(&error);
                self.keeps_nothing = true;
            }
        }
        true
    }

    /// Returns true if there is a manager, and it has taken all that it was given to keep so far.
    pub fn keeps(&self) -> bool {
        self.line.is_some() && !self.keeps_nothing
    }

    /// Returns when to try again what the manager had no room for.
    pub fn keep_deadline(&self) -> Option<Instant> {
        self.keeping.until
    }

    /// Gives the manager `descriptors` to keep until the next process [forgets](Self::forget) them;
    /// returns false if it has no room for them now.
    ///
    /// # Errors
    ///
    /// Those of the system call; `NotConnected` if there is no manager.
    pub fn keep_unpolled(&self, name: &str, descriptors: &[BorrowedFd<'_>]) -> io::Result<bool> {
        let told = format!("FDSTORE=1\nFDNAME={name}\nFDPOLL=0\n");
        match self.line()?.pass(&told, descriptors) {
            Err(error) if is_full(&error) => Ok(false),
            result => result.map(|()| true),
        }
    }

    /// Has the manager drop what it keeps under `name`.
    pub fn forget(&self, name: &str) {
        if let Some(line) = &self.line {
            // It makes no difference but to what the manager keeps in vain.
            let _ = line.send(format!("FDSTOREREMOVE=1\nFDNAME={name}\n").as_bytes());
        }
    }

    /// Waits until the manager has handled all that it was told before.
    ///
    /// # Errors
    ///
    /// `TimedOut` if it has not within `timeout`; those of the system calls.
    pub fn confirm(&self, timeout: Duration) -> io::Result<()> {
        let (ours, theirs) = io::pipe()?;
        self.line()?.pass("BARRIER=1\n", &[theirs.as_fd()])?;
        drop(theirs); // The manager closes its copy when it comes to it, which hangs up ours.
        let timeout = Timespec::try_from(timeout).map_err(|_| ErrorKind::InvalidInput)?;
        let mut polled = [PollFd::new(&ours, PollFlags::empty())];
        match poll(&mut polled, Some(&timeout))? {
            0 => Err(ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    fn line(&self) -> io::Result<&Line> {
        self.line.as_ref().ok_or(ErrorKind::NotConnected.into())
    }

    /// Returns when there is something to tell.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.line.as_ref()?;
        let next = [self.stage_due, self.status.due, self.watchdog_due].into_iter().flatten().min();
        next.map(|next| self.telling.until.map_or(next, |until| until.max(next)))
    }

    /// Nothing comes after `Stopping`.
    fn enter(&mut self, now: Instant, stage: Stage) {
        if matches!(self.stage, Stage::Stopping) {
            return;
        }
        self.stage = stage;
        self.stage_due = Some(now);
        self.tell(now);
    }

    /// Tells what is due, if it is taken.
    fn tell(&mut self, now: Instant) {
        let Some(line) = &self.line else { return };
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        let mut told = String::new();
        let mut say = |state: NotifyState<'_>| writeln!(told, "{state}").ok(); // A String takes it all.
        let is_stage_due = is_due(self.stage_due);
        let is_status_due = is_stage_due || is_due(self.status.due);
        let is_watchdog_due = is_due(self.watchdog_due);
        if is_stage_due {
            self.stage.say(&mut say);
        }
        if is_status_due {
            say(NotifyState::Status(&self.status()));
        }
        if is_watchdog_due {
            say(NotifyState::Watchdog);
        }
        match line.send(told.as_bytes()) {
            Err(error) if is_full(&error) => return self.telling.put_off(now),
            // It may come back under the same name, and is then told what is due by then.
            Ok(()) | Err(_) => self.telling = Retry::default(),
        }
        if is_stage_due {
            self.stage_due = None;
        }
        if is_status_due {
            self.status.due = None;
            self.status.rest_until = Some(now + STATUS_INTERVAL);
        }
        if is_watchdog_due {
            self.watchdog_due = self.watchdog.map(|interval| now + interval);
        }
    }

    /// Returns what `systemctl status` shows.
    fn status(&self) -> String {
        let people = match self.status.people {
            0 => "nobody".to_owned(),
            1 => "1 person".to_owned(),
            people => format!("{people} people"),
        };
        match self.stage {
            Stage::Stopping => format!("saying goodbye to {people}"),
            _ => format!("{people} here, listening on {}", self.status.listening),
        }
    }
}

impl Stage {
    fn say(self, mut say: impl FnMut(NotifyState<'_>) -> Option<()>) {
        match self {
            Self::Starting => (),
            Self::Ready => {
                say(NotifyState::Ready);
            }
            Self::Reloading => {
                say(NotifyState::Reloading);
                // By this the manager tells one reload from the next.
                NotifyState::monotonic_usec_now().ok().and_then(say);
            }
            Self::Stopping => {
                say(NotifyState::Stopping);
            }
        }
    }
}

/// The manager's socket.
#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Line {
    /// A name that begins with @ stands for one that is in no folder.
    fn open(name: &OsStr) -> io::Result<Self> {
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }

    /// Sends a message with descriptors.
    fn pass(&self, told: &str, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(PASSED_MAX))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let address = match self.address.as_abstract_name() {
            Some(name) => SocketAddrUnix::new_abstract_name(name),
            None => SocketAddrUnix::new(self.address.as_pathname().unwrap_or(Path::new(""))),
        }?;
        if !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let told = [IoSlice::new(told.as_bytes())];
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        sendmsg_addr(&self.socket, &address, &told, &mut ancillary, flags)?;
        Ok(())
    }

    /// Sends lines.
    fn send(&self, lines: &[u8]) -> io::Result<()> {
        self.socket.send_to_addr(lines, &self.address).map(drop)
    }
}

/// Returns true if the manager may have room later. Every other error says that nobody reads there.
fn is_full(error: &io::Error) -> bool {
    let full = [libc::EAGAIN, libc::ENOBUFS, libc::ENOMEM, libc::ETOOMANYREFS, libc::EINTR];
    error.raw_os_error().is_some_and(|errno| full.contains(&errno))
}

#[cfg(test)]
mod tests;
