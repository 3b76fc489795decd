//! A crowd that comes back at once for what it missed.

use pychat_server::server::BACKLOG_BYTES_LOW;

use super::{
    second::{hello, resume},
    *,
};

const MESSAGES: usize = 1_000;
const PEOPLE: usize = 100;

/// The most that one tick may write, in bytes: what it reads from the log, with what surrounds each
/// message on the wire, and two texts to everybody.
const TICK_BYTES_MAX: usize = 512 << 10;

#[test]
fn a_hundred_who_come_back_delay_nobodys_talk() {
    let mut server = Harness::new(PEOPLE + 2);
    let (talker, listener) = (server.join("talker"), server.join("listener"));
    for _ in 0..MESSAGES {
        server.text(&talker, &"x".repeat(100));
    }
    server.settle();
    heard(&listener);
    let people: Vec<_> = (0..PEOPLE).map(|_| server.connect()).collect();
    server.settle();
    for (number, peer) in people.iter().enumerate() {
        let hello = hello(peer, &format!("back {number}"), &resume(0));
        server.send(peer, hello.as_bytes());
        if number % 10 == 0 {
            peer.line.set_room(Some(10_000)); // It reads no more than this, and is waited for.
        }
        peer.line.take_heard();
        peer.line.take_writes();
    }
    server.tick();
    heard(&listener); // Who has joined.
    for peer in &people {
        peer.line.take_writes();
    }
    let (mut replayed, mut ticks) = (vec![0; PEOPLE], 0);
    while server.server.has_work() {
        ticks += 1;
        server.text(&talker, "now");
        server.text(&listener, "now");
        server.tick();
        assert_eq!(heard(&listener), ["talker: now", "Вы: now"], "in the tick in which it is said");
        let mut written = 0;
        for (replayed, peer) in replayed.iter_mut().zip(&people) {
            let writes = peer.line.take_writes();
            assert!(writes.len() <= 2, "what was owed, and what all are told");
            written += writes.iter().sum::<usize>();
            let bytes = peer.line.take_heard();
            let replay = br#""replay":true"#;
            *replayed += bytes.windows(replay.len()).filter(|window| window == replay).count();
        }
        assert!(written <= TICK_BYTES_MAX, "{written} bytes in one tick");
        let owed = server.server.backlog_bytes();
        assert!(owed <= PEOPLE / 10 * (BACKLOG_BYTES_LOW + (40 << 10)), "{owed} bytes are owed");
        assert!(ticks < 2_000, "they catch up");
    }
    for (number, (replayed, peer)) in replayed.iter().zip(&people).enumerate() {
        assert!(number % 10 == 0 || MESSAGES <= *replayed, "{number} has heard {replayed}");
        assert!(!peer.line.is_dropped());
    }
    assert!(PEOPLE * MESSAGES * 200 / TICK_BYTES_MAX < ticks, "little by little");
}
