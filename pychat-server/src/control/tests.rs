//! The socket: who can connect when, whose file it is, and who makes way.

use std::{io::Write, os::unix::net::UnixStream as Stream};

use pychat_wire::frame;

use super::*;

/// A path for a socket, in a folder that is gone when dropped.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("pychat-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder.join("control.sock"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(self.0.parent().unwrap()).unwrap();
    }
}

fn stays(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[test]
fn nobody_can_connect_before_the_mode_forbids_it_to_others() {
    let place = Place::new("control-mode");
    let path = &place.0;
    let (socket, _) = bound(path).unwrap();
    assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, MODE);
    assert_eq!(Stream::connect(path).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    listen(&socket, BACKLOG).unwrap();
    Stream::connect(path).unwrap();
}

#[test]
fn a_server_that_ends_leaves_the_socket_of_another_one_alone() {
    let place = Place::new("control-file");
    let path = &place.0;
    let first = Control::open(path).unwrap();
    assert!(matches!(Control::open(path), Err(ControlError::InUse(_))));
    fs::remove_file(path).unwrap();
    let second = Control::open(path).unwrap();
    drop(first);
    assert!(stays(path));
    drop(second);
    assert!(!stays(path));
}

#[test]
fn those_who_say_nothing_make_way_for_others_the_oldest_first() {
    let place = Place::new("control-callers");
    let path = &place.0;
    let (mut control, now) = (Control::open(path).unwrap(), Instant::now());
    let take_in = |control: &mut Control| {
        control.set_ready();
        control.accept(now, |_, _| Ok(()));
        control.requests().into_iter().map(|call| call.id).collect::<Vec<_>>()
    };
    let mut waiting = Stream::connect(path).unwrap();
    frame_of(br#"{"verb":"who"}"#, &mut waiting);
    assert_eq!(take_in(&mut control), [CallId(1)]);
    let idle: Vec<_> = (1..CALLERS_MAX).map(|_| Stream::connect(path).unwrap()).collect();
    assert_eq!(take_in(&mut control), []);
    assert_eq!(control.slot(), Some(1));
    let mut new = Stream::connect(path).unwrap();
    frame_of(br#"{"verb":"stats"}"#, &mut new);
    assert_eq!(take_in(&mut control), [CallId(9)]);
    let is_cut = |mut stream: &Stream| {
        stream.set_nonblocking(true).unwrap();
        io::Read::read(&mut stream, &mut [0]).is_ok_and(|size| size == 0)
    };
    let cut: Vec<_> = idle.iter().map(is_cut).collect();
    assert_eq!(cut, [true, false, false, false, false, false, false]);
    assert!(!is_cut(&waiting), "its answer is on its way");
    control.flush(now + CALL_TIMEOUT);
    assert!(idle.iter().all(is_cut) && is_cut(&new) && is_cut(&waiting));
}

/// Writes one frame.
fn frame_of(payload: &[u8], stream: &mut Stream) {
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, |out| out.extend(payload));
    stream.write_all(&bytes).unwrap();
}
