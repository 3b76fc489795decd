//! The operator's log: one line for each thing that happened, never what people say.
//!
//! Under systemd the lines go to the journal with fields of their own (`PYCHAT_EVENT`,
//! `PYCHAT_USER`, `PYCHAT_PEER`, `PYCHAT_REASON`) and the id of their kind, otherwise to standard
//! error as text. A name stands in quotes in a line and cannot break it; as a field it stands as it
//! is.

mod journal;
mod kinds;
pub mod terminal;

use std::{
    env,
    error::Error,
    fmt::{Display, Formatter},
    io,
    io::IsTerminal,
    net::SocketAddr,
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use pychat_wire::{UserName, key::Pin};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::{error, field::display, info, warn};
use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{self, format},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use self::journal::Journal;
use crate::core::{
    chat::{CloseReason, Refusal},
    record::StorageError,
};

/// Directs what is logged from here on: to the journal if standard error is the journal, else to
/// standard error.
pub fn init() {
    if is_journal()
        && let Ok(journal) = Journal::open()
    {
        tracing_subscriber::registry().with(LevelFilter::INFO).with(journal).init();
        return;
    }
    // The line says it all in words; the fields are for the journal.
    let words = format::debug_fn(|writer, field, value| match field.name() {
        "message" => write!(writer, "{value:?}"),
        _ => Ok(()),
    });
    let lines = fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_writer(|| Unwaiting)
        .log_internal_errors(false)
        .fmt_fields(words);
    tracing_subscriber::registry().with(LevelFilter::INFO).with(lines).init();
}

/// The number of lines dropped since one was written last.
static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// The number of lines that were dropped because nobody took them.
struct Dropped(usize);

impl Dropped {
    /// Counts one more.
    fn note() {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the lines that have not been told of yet, if there are any.
    fn take() -> Option<Self> {
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        (0 < dropped).then_some(Self(dropped))
    }
}

impl Display for Dropped {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} lines are missing about here: nobody took them", self.0)
    }
}

/// Standard error, as far as its reader keeps up. A line that would have to wait is dropped,
/// and counted: the one thread that writes it has people to serve.
struct Unwaiting;

impl io::Write for Unwaiting {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr().lock();
        // Ready means room for a page, and neither line is ever longer than that.
        let is_full = matches!(
            poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], Some(&Timespec::default())),
            Ok(0)
        );
        if is_full {
            Dropped::note();
            return Ok(line.len());
        }
        if let Some(dropped) = Dropped::take() {
            writeln!(stderr, "({dropped})")?;
        }
        stderr.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns true if standard error is a stream to the journal, as systemd says it is.
fn is_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = io::stderr().as_fd().try_clone_to_owned() else { return false };
    let Ok(metadata) = std::fs::File::from(stderr).metadata() else { return false };
    stream == format!("{}:{}", metadata.dev(), metadata.ino())
}

/// The server is up.
pub fn started() {
    let version = env!("CARGO_PKG_VERSION");
    info!(event = "start", version, "pychat-server {version} started");
}

/// Messages are kept in a folder or a database.
pub fn keeping(place: &dyn Display) {
    info!(event = "keep", "messages are kept in {place}");
}

/// Callers are offered TLS, with the certificate that has this pin.
pub fn encrypting(pin: &Pin) {
    info!(event = "encrypt", pin = %pin, "TLS is offered; the certificate's pin is {pin}");
}

/// An address is open to callers.
pub fn listening(address: SocketAddr) {
    info!(event = "listen", address = %address, "listening on {address}");
}

/// The local network is not told of the server.
pub fn not_announced(error: &io::Error) {
    warn!(event = "announce", error = %error, "the local network is not told of the server: {error}");
}

/// Systemd listens already, so the configured addresses are not used.
pub fn listen_ignored() {
    warn!(event = "listen_ignored", "--listen is ignored: systemd has passed listening sockets");
}

/// The service manager keeps no sockets for the next process, as nobody reads what it is sent.
pub fn manager_unreachable(error: &io::Error) {
    warn!(event = "manager", error = %error, "the service manager cannot be reached: {error}");
}

/// Operators on the machine cannot call.
pub fn control_failed(error: &dyn Error) {
    warn!(event = "control", error = %error, "pychat-server ctl will not work: {error}");
}

/// Some of a host name's addresses are not this machine's.
pub fn listen_skipped(error: &dyn Error) {
    warn!(event = "listen_skipped", "{error}; the name's other addresses are used");
}

/// A variable of the environment looks like this program's, and is not.
pub fn variable_unknown(variable: &str) {
    warn!(event = "variable_unknown", "unknown variable {variable}");
}

/// A descriptor that was passed is of no use, and is closed.
pub fn not_inherited(name: &str, why: &dyn Display) {
    warn!(event = "inherit", "closed a descriptor passed as {name:?}: {why}");
}

/// Connections that an earlier process left cannot be restored; they are closed.
pub fn not_restored(why: &dyn Display) {
    warn!(event = "restore_failed", error = %why, "cannot restore earlier connections: {why}");
}

/// Connections of an earlier process were restored; others could not be.
pub fn restored(connections: usize, lost: usize) {
    if connections + lost == 0 {
        return; // Nobody was here.
    }
    if lost == 0 {
        info!(event = "restore", "restored {connections} connections");
    } else {
        warn!(event = "restore", "restored {connections} connections; {lost} were lost");
    }
}

/// Somebody joined.
pub fn joined(user: &UserName, peer: SocketAddr) {
    let user = user.as_str();
    info!(event = "join", user, peer = %peer, "{user:?} joined from {peer}");
}

/// Somebody left, or a guest that had not joined; `error` is what broke the line, if that did.
pub fn left(
    user: Option<&UserName>,
    peer: SocketAddr,
    reason: CloseReason,
    error: Option<&io::Error>,
) {
    let (key, error) = (reason.key(), error.map(display));
    match user.map(UserName::as_str) {
        Some(user) => {
            info!(event = "leave", user, peer = %peer, reason = key, error, "{user:?} left from {peer}: {key}");
        }
        None => {
            info!(event = "leave", peer = %peer, reason = key, error, "a guest left from {peer}: {key}");
        }
    }
}

/// Something that a peer sent was refused.
pub fn refused(user: Option<&UserName>, peer: SocketAddr, refusal: &Refusal) {
    let key = refusal.key();
    match user.map(UserName::as_str) {
        Some(user) => {
            info!(event = "refuse", user, peer = %peer, reason = key, "refused from {user:?} at {peer}: {refusal}");
        }
        None => {
            info!(event = "refuse", peer = %peer, reason = key, "refused from a guest at {peer}: {refusal}");
        }
    }
}

/// The system allows fewer descriptors than the configured connections need.
pub fn few_descriptors(allowed: u64, connections_max: usize) {
    warn!(
        event = "descriptors",
        "the system allows {allowed} open files, too few for {connections_max} connections"
    );
}

/// A connection was turned away, and told `why`.
pub fn turned_away(peer: SocketAddr, why: &str) {
    warn!(event = "turn_away", peer = %peer, reason = "full", "turned {peer} away: {why}");
}

/// A connection from an address that is banned was closed at once.
pub fn banned(peer: SocketAddr) {
    info!(event = "turn_away", peer = %peer, reason = "banned", "turned {peer} away: banned");
}

/// A connection could not be taken in; most likely its peer has gone already.
pub fn not_admitted(peer: SocketAddr, error: &io::Error) {
    warn!(event = "admit", peer = %peer, error = %error, "cannot take {peer} in: {error}");
}

/// Lines about an address were left out, as there were too many at once.
pub fn missing(peer: SocketAddr, lines: u64) {
    if 0 < lines {
        let address = peer.ip();
        warn!(event = "lines_left_out", peer = %peer, "left out {lines} lines about {address}");
    }
}

/// Connections cannot be accepted for now.
pub fn accept_failed(address: SocketAddr, error: &io::Error) {
    warn!(event = "accept", address = %address, "cannot accept on {address}, will try again: {error}");
}

/// Connections are accepted again.
pub fn accepting_again(address: SocketAddr) {
    info!(event = "accept_again", address = %address, "accepting on {address} again");
}

/// A signal came that changes nothing.
pub fn nothing_to_reload() {
    info!(event = "reload", "nothing to re-read: there is no configuration file");
}

/// The configuration was read again and is in force.
pub fn reloaded() {
    info!(event = "reload", "configuration re-read");
}

/// The configuration was read again and cannot be used.
pub fn not_reloaded(error: &dyn Error) {
    error!(event = "reload_refused", "configuration not changed: {error}");
}

/// Something in the configuration has changed that cannot change while the server runs.
pub fn restart_needed(option: &str) {
    warn!(event = "restart_needed", "{option} has changed, which takes a restart");
}

/// Texts cannot be kept from here on, so none is published.
pub fn storage_failed(error: &StorageError) {
    let key = error.key();
    error!(event = "storage", reason = key, "storage failed, so nobody can say anything: {error}");
}

/// The whole log was read, as the last server did not close it, and is in order.
pub fn checked() {
    info!(event = "check", "the log was not closed in order; all of it was read, and it is whole");
}

/// The file of metrics cannot be written from here on.
pub fn metrics_failed(path: &Path, error: &io::Error) {
    let path = path.display();
    warn!(event = "metrics", error = %error, "cannot write metrics to {path}, will try again: {error}");
}

/// The file of metrics is written again.
pub fn metrics_again(path: &Path) {
    let path = path.display();
    info!(event = "metrics_again", "metrics are written to {path} again");
}

/// Messages beyond what is to be kept were forgotten.
pub fn forgotten(messages: u64, first_seq: u64) {
    info!(event = "forget", "forgot {messages} messages, all before number {first_seq}");
}

/// The history cannot be read.
pub fn read_failed(error: &StorageError) {
    error!(event = "storage_read", reason = error.key(), "the history cannot be read: {error}");
}

/// Messages are kept again.
pub fn storing_again() {
    info!(event = "storage_again", "storage works again");
}

/// The service manager did not take the connections, so they end.
pub fn not_handed_over(why: &dyn Display) {
    warn!(event = "hand_over_failed", error = %why, "cannot hand connections over: {why}");
}

/// The server restarts, and the next process goes on with its connections.
pub fn handing_over(connections: usize) {
    info!(event = "hand_over", "restarting: handing {connections} connections over");
}

/// The server begins to stop.
pub fn stopping(connections: usize) {
    info!(event = "stopping", "stopping: saying goodbye to {connections} connections");
}

/// The server has stopped.
pub fn stopped(forgotten: usize) {
    if forgotten == 0 {
        info!(event = "stop", "stopped");
    } else {
        warn!(event = "stop", "stopped: {forgotten} connections had not taken all they were owed");
    }
}

/// Nothing is wrong with the configuration that was only to be checked.
#[expect(clippy::print_stdout, reason = "the answer to `--check-config`")]
pub fn config_is_good(file: Option<&Path>) {
    match file {
        Some(file) => println!("{}: ok", file.display()),
        None => println!("ok: flags and environment; no configuration file was named"),
    }
}

/// There will be no server. The terminal, or the program that started this one, is told in one line.
#[expect(clippy::print_stderr, reason = "the one line that says why there is no server")]
pub fn not_started(reason: &dyn Error) {
    if is_journal() {
        failed(reason);
    } else {
        eprintln!("pychat-server: {reason}");
    }
}

/// The configuration cannot be used, so there will be no server.
#[expect(clippy::print_stderr, reason = "the one line that says why there is no server")]
pub fn config_is_bad(reason: &dyn Error) {
    if is_journal() {
        error!(event = "config", "{reason}");
    } else {
        eprintln!("pychat-server: {reason}");
    }
}

/// The server cannot go on.
pub fn failed(reason: &dyn Error) {
    error!(event = "fail", "{reason}");
}
