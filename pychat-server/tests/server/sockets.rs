//! Sockets as the kernel hands them out: too few of them, and how each is set up.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use pychat_server::reactor::ACCEPT_RETRY;

use super::kernel::end_at;
use crate::process::{GREETING, PATIENCE, Peer, Server, left};

/// Limits the server to descriptors below `end`; those that it has stay open.
fn limit_descriptors(server: &Server, end: u32) {
    let (pid, limit) = (server.pid().to_string(), format!("--nofile={end}:"));
    let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
    assert!(status.success(), "prlimit {limit}: {status}");
}

/// Returns the lowest descriptor that the server does not use; the next socket gets it.
fn next_descriptor(server: &Server) -> u32 {
    let directory = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let used = directory.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap());
    let used: Vec<u32> = used.collect();
    (0..=u32::MAX).find(|descriptor| !used.contains(descriptor)).unwrap()
}

#[test]
fn without_descriptors_the_room_goes_on_and_callers_wait_for_their_turn() {
    let mut server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let descriptor = next_descriptor(&server);
    limit_descriptors(&server, descriptor);
    let [mut first, mut second] = [(); 2].map(|()| Peer::connect(server.address()));
    let is_refusal = |line: &String| line.starts_with("WARN cannot accept on ");
    server.log().wait_for(|lines| lines.iter().any(is_refusal).then_some(()));

    // For as long as it takes to try again several times, the room talks.
    let enough = Instant::now() + 4 * ACCEPT_RETRY;
    while Instant::now() < enough {
        boris.say("говорим");
        boris.hears("Вы", "говорим");
        anna.hears("Борис", "говорим");
    }
    boris.send("0:");
    boris.hears_the_end();
    drop(boris);
    anna.is_told(&left("Борис"));
    first.is_told(GREETING); // In the place that became free.

    limit_descriptors(&server, descriptor + 10);
    second.is_told(GREETING);
    drop((anna, first, second));
    server.signal("TERM");

    let episode = |line: &str| {
        ["WARN cannot accept on ", "INFO accepting on "]
            .into_iter()
            .find(|begin| line.starts_with(begin))
    };
    let lines = server.whole_log();
    let episodes: Vec<_> = lines.iter().filter_map(|line| episode(line)).collect();
    let expected = ["WARN cannot accept on ", "INFO accepting on "].repeat(2);
    assert_eq!(episodes, expected, "two lines an episode: {lines:#?}");
}

#[test]
fn an_accepted_connection_is_watched_while_it_is_idle() {
    let server = Server::start();
    let anna = Peer::join(server.address(), "Анна", &[]);
    let deadline = Instant::now() + PATIENCE;
    while !end_at(server.address(), anna.address()).is_kept_alive {
        assert!(Instant::now() < deadline, "nobody would notice if the line were dead");
        thread::sleep(Duration::from_millis(10)); // Until the welcome is acknowledged.
    }
}
