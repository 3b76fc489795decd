use std::{
    os::fd::AsFd,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;

const LISTENING: &str = "127.0.0.1:12345";
const NANOSECOND: Duration = Duration::from_nanos(1);

/// More than any manager takes without listening.
const TOLD_MAX: usize = 100_000;

/// A service manager that hears what it is told, when it wants to.
struct V1Checker(UnixDatagram);

impl V1Checker {
    /// Returns one, and who tells it.
    fn new(watchdog: Option<Duration>) -> (Self, Manager) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("@pychat-{}-{count}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name[1..]).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_nonblocking(true).unwrap();
        (Self(socket), Manager::new(Some(Line::open(name.as_ref()).unwrap()), watchdog))
    }

    /// Returns the lines of the next datagram, none if there is none.
    fn hears(&self) -> Vec<String> {
        let mut datagram = [0; 1_024];
        let Ok(size) = self.0.recv(&mut datagram) else { return Vec::new() };
        let lines = std::str::from_utf8(&datagram[..size]).unwrap().lines();
        lines.map(ToOwned::to_owned).collect()
    }

    /// Tells it things until it takes no more; returns how many it took.
    fn stuff(manager: &Manager) -> usize {
        let line = manager.line.as_ref().unwrap();
        (0..TOLD_MAX).find(|_| line.send(b"X=1\n").is_err()).unwrap()
    }
}

fn status(words: &str) -> String {
    format!("STATUS={words}, listening on {LISTENING}")
}

#[test]
fn a_life_is_told_in_order() {
    let (ear, mut manager) = V1Checker::new(None);
    let now = Instant::now();
    manager.maintain(now, 0);
    assert_eq!(ear.hears(), [""; 0], "it is not up yet");
    manager.ready(now, &[LISTENING.to_owned()]);
    assert_eq!(ear.hears(), ["READY=1", &status("nobody here")]);
    manager.reloading(now);
    let reloading = ear.hears();
    assert_eq!(reloading[0], "RELOADING=1");
    assert!(reloading[1].starts_with("MONOTONIC_USEC="), "{reloading:?}");
    manager.reloaded(now);
    assert_eq!(ear.hears()[0], "READY=1");
    manager.stopping(now);
    assert_eq!(ear.hears(), ["STOPPING=1", "STATUS=saying goodbye to nobody"]);
    manager.reloading(now);
    assert_eq!(ear.hears(), [""; 0], "nothing comes after the end");
}

#[test]
fn how_many_are_here_is_told_when_it_changes_and_not_too_often() {
    let (ear, mut manager) = V1Checker::new(None);
    let now = Instant::now();
    manager.ready(now, &[LISTENING.to_owned()]);
    ear.hears();
    manager.maintain(now, 0);
    assert_eq!(manager.next_deadline(), None);
    for people in [1, 2] {
        manager.maintain(now, people);
        assert_eq!(ear.hears(), [""; 0]);
    }
    assert_eq!(manager.next_deadline(), Some(now + STATUS_INTERVAL));
    manager.maintain(now + STATUS_INTERVAL.saturating_sub(NANOSECOND), 2);
    assert_eq!(ear.hears(), [""; 0]);
    manager.maintain(now + STATUS_INTERVAL, 2);
    assert_eq!(ear.hears(), [status("2 people here")]);
    assert_eq!(manager.next_deadline(), None, "a quiet room wakes nobody");
    manager.maintain(now + 2 * STATUS_INTERVAL, 1);
    assert_eq!(ear.hears(), [status("1 person here")], "after a while at once");
}

#[test]
fn the_watchdog_is_fed_in_half_the_time_after_which_it_bites() {
    let bite = Duration::from_secs(4);
    let (ear, mut manager) = V1Checker::new(Some(bite));
    let now = Instant::now();
    manager.ready(now, &[]);
    ear.hears();
    assert_eq!(manager.next_deadline(), Some(now + bite / 2));
    manager.maintain(now + (bite / 2).saturating_sub(NANOSECOND), 0);
    assert_eq!(ear.hears(), [""; 0]);
    for times in 1..4 {
        manager.maintain(now + times * (bite / 2), 0);
        assert_eq!(ear.hears(), ["WATCHDOG=1"]);
        assert_eq!(manager.next_deadline(), Some(now + (times + 1) * (bite / 2)));
    }
}

#[test]
fn who_takes_no_more_is_told_later_how_things_are_then() {
    let (ear, mut manager) = V1Checker::new(None);
    let now = Instant::now();
    let taken = V1Checker::stuff(&manager);
    manager.ready(now, &[LISTENING.to_owned()]);
    manager.reloading(now);
    manager.reloaded(now);
    assert_eq!(manager.next_deadline(), Some(now + RETRY), "and not at once");
    manager.maintain(now + RETRY, 3);
    for _ in 0..taken {
        assert_eq!(ear.hears(), ["X=1"]);
    }
    assert_eq!(ear.hears(), [""; 0]);
    manager.maintain(now + 3 * RETRY, 3);
    assert_eq!(ear.hears(), ["READY=1", &status("3 people here")]);
    assert_eq!(manager.next_deadline(), None);
}

#[test]
fn who_takes_no_more_for_long_is_asked_more_and_more_rarely() {
    let (_ear, mut manager) = V1Checker::new(None);
    let mut now = Instant::now();
    V1Checker::stuff(&manager);
    manager.ready(now, &[]);
    let socket = UnixDatagram::unbound().unwrap();
    let mut rests = Vec::new();
    for _ in 0..10 {
        assert!(!manager.keep(now, "own-listener", &[socket.as_fd()]), "there is no room");
        let deadlines = (manager.next_deadline(), manager.keep_deadline());
        assert_eq!(deadlines.0, deadlines.1);
        rests.push(deadlines.0.unwrap() - now);
        assert!(!manager.keep(now, "own-listener", &[socket.as_fd()]));
        assert_eq!(manager.keep_deadline(), deadlines.1, "asking earlier changes nothing");
        now = deadlines.0.unwrap();
        manager.maintain(now, 0);
    }
    assert!(rests.iter().is_sorted() && rests[0] == RETRY && rests[9] == RETRY_MAX, "{rests:?}");
    assert!(manager.keeps(), "it is there");
}

#[test]
fn where_nobody_reads_nothing_is_told_twice_and_nothing_is_kept() {
    let folder = env::temp_dir().join(format!("pychat-nobody-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let stream = folder.join("stream");
    let _listener = std::os::unix::net::UnixListener::bind(&stream).unwrap();
    let closed = folder.join("closed");
    drop(UnixDatagram::bind(&closed).unwrap());
    for path in [folder.join("missing"), stream, closed, folder.clone()] {
        let line = Line::open(path.as_os_str()).unwrap();
        let mut manager = Manager::new(Some(line), None);
        let now = Instant::now();
        manager.ready(now, &[]);
        assert_eq!(manager.next_deadline(), None, "{path:?}");
        assert!(manager.keeps());
        let socket = UnixDatagram::unbound().unwrap();
        assert!(
            manager.keep(now, "own-listener", &[socket.as_fd()]),
            "{path:?}: it is tried again"
        );
        assert_eq!((manager.keeps(), manager.keep_deadline()), (false, None), "{path:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_manager_that_is_gone_costs_nothing() {
    let (ear, mut manager) = V1Checker::new(None);
    drop(ear);
    manager.ready(Instant::now(), &[]);
    assert_eq!(manager.next_deadline(), None);
}

#[test]
fn without_a_manager_there_is_nothing_to_wake_for() {
    let mut manager = Manager::new(None, Some(Duration::from_secs(4)));
    let now = Instant::now();
    manager.ready(now, &[]);
    manager.maintain(now, 1);
    assert_eq!(manager.next_deadline(), None);
}
