//! Rooms beside the hall: each has an order of its own, and none costs a peer a write of its own.

use std::ops::RangeInclusive;

use pychat_server::{
    handover::Snapshot,
    server::{BACKLOG_BYTES_LOW, load_rooms},
};
use serde_json::Value;

use super::{
    second::{hello, payloads, split},
    *,
};

/// The hall, and two rooms.
const ROOMS: [&str; 3] = ["", "r1", "r2"];

/// Returns what somebody says in a room.
fn text(room: &str, id: &str, content: &str) -> String {
    format!(r#"{{"type":"text","room":"{room}","id":"{id}","content":"{content}"}}"#)
}

fn read(payload: &str) -> Value {
    serde_json::from_str(payload).expect("JSON")
}

/// Returns the records among the payloads: each room's, in order of coming, with all members.
fn records(heard: &[String], room: &str) -> Vec<Value> {
    let is_record = |it: &Value| {
        it["seq"].is_u64()
            && it["type"] != "read"
            && it["room"].as_str().unwrap_or_default() == room
    };
    heard.iter().map(|payload| read(payload)).filter(is_record).collect()
}

/// Returns the numbers of the records of a room among the payloads.
fn numbers(heard: &[String], room: &str) -> Vec<u64> {
    records(heard, room).iter().map(|record| record["seq"].as_u64().expect("a number")).collect()
}

fn count(numbers: RangeInclusive<u64>) -> Vec<u64> {
    numbers.collect()
}

/// Returns the members by which a hello resumes these rooms, each after a number.
fn resume(rooms: &[(&str, u64)]) -> String {
    let rooms: Vec<_> = rooms.iter().map(|(room, after)| format!(r#""{room}":{after}"#)).collect();
    format!(r#","resume":{{"epoch":"{:032x}","rooms":{{{}}}}}"#, 0, rooms.join(","))
}

impl Harness {
    /// Lets somebody in by one connection more.
    fn join_rooms(&mut self, name: &str, members: &str) -> Peer {
        let peer = self.connect();
        self.settle();
        payloads(&peer);
        self.send(&peer, hello(&peer, name, members).as_bytes());
        self.settle();
        peer
    }

    /// Has somebody make so many open rooms, `r1` and so on, and others join them.
    fn make_rooms(&mut self, maker: &Peer, others: &[&Peer], count: u32) {
        for room in 1..=count {
            let make = format!(
                r#"{{"type":"create_room","id":"make {room}","kind":"open","name":"Room {room}"}}"#
            );
            self.send(maker, make.as_bytes());
            self.settle();
            for other in others {
                let join = format!(r#"{{"type":"join_room","id":"join {room}","room":"r{room}"}}"#);
                self.send(other, join.as_bytes());
                self.settle();
            }
        }
        for peer in others.iter().chain([&maker]) {
            payloads(peer);
            peer.line.take_writes();
        }
    }

    /// Hands everything over to another process: the lines, in the order of their connections.
    fn hand_over(&mut self, peers: &mut [&mut Peer]) -> Snapshot {
        let (snapshot, sockets) = self.server.save(self.now);
        let lines: Vec<Line> = sockets.into_iter().cloned().collect();
        let snapshot = Snapshot::from_bytes(&snapshot.to_bytes()).expect("the same format");
        let limits = Limits { connections_max: 10, rules: RULES, ..Limits::default() };
        let empty = Harness::limited(&limits).server;
        let (mut store, people) = std::mem::replace(&mut self.server, empty).into_parts();
        let rooms = load_rooms(&mut *store).expect("it can be read");
        self.server = Server::new(limits, store, people, rooms, Secret::new([8; 32]));
        let mut ids = Vec::new();
        self.server.restore(self.now, snapshot.clone(), lines.clone(), |_, id| {
            ids.push(id);
            Ok(())
        });
        for peer in peers {
            let index = lines.iter().position(|line| line.is(&peer.line)).expect("it goes on");
            peer.id = ids[index];
        }
        snapshot
    }
}

#[test]
fn a_burst_in_several_rooms_costs_each_peer_one_write() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_rooms("a", ""), server.join_rooms("b", ""));
    let (original, outsider) = (server.join("original"), server.join_rooms("c", ""));
    server.make_rooms(&a, &[&b], 2);
    for peer in [&original, &outsider] {
        peer.line.take_heard();
        peer.line.take_writes();
    }
    for n in 0..30 {
        server.send(&a, text(ROOMS[n % 3], &n.to_string(), "x").as_bytes());
    }
    server.tick();
    for peer in [&a, &b, &original, &outsider] {
        assert_eq!(peer.line.take_writes().len(), 1);
    }
    let (heard, own) = (payloads(&b), payloads(&a));
    // Somebody made each room, and somebody joined it.
    for (room, numbers_there) in
        ROOMS.into_iter().zip([count(1..=10), count(3..=12), count(3..=12)])
    {
        assert_eq!(numbers(&heard, room), numbers_there, "{room}");
        assert_eq!(numbers(&own, room), numbers_there, "{room}");
        assert!(records(&heard, room).iter().all(|record| record["id"].is_null()));
        assert!(records(&own, room).iter().all(|record| record["id"].is_string()));
    }
    assert_eq!((heard.len(), payloads(&outsider).len()), (30, 10), "the hall's alone");
    assert_eq!(super::heard(&original).len(), 10, "the hall's alone");
    // A room by itself.
    server.send(&a, text("r2", "30", "x").as_bytes());
    server.tick();
    for (peer, writes) in [(&a, 1), (&b, 1), (&original, 0), (&outsider, 0)] {
        assert_eq!(peer.line.take_writes().len(), writes);
    }
}

#[test]
fn what_one_says_in_a_room_comes_back_under_its_id_on_all_connections() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_rooms("a", ""), server.join_rooms("b", ""));
    server.make_rooms(&a, &[&b], 1);
    let again = server.join_rooms("a", "");
    let welcome = read(&payloads(&again)[0]);
    assert_eq!(
        (&welcome["rooms"][1]["room"], &welcome["rooms"][1]["last"]),
        (&"r1".into(), &2.into())
    );
    payloads(&b);
    let said = text("r1", "1", "x");
    server.send(&a, format!("{said}{said}").as_bytes());
    server.tick();
    let copy = |members: &str| {
        let said = r#""seq":3,"time":0,"username":"a","content":"x""#;
        format!(r#"{{"type":"message","room":"r1",{said}{members}}}"#)
    };
    let (own, dup) = (copy(r#","id":"1""#), copy(r#","id":"1","dup":true"#));
    assert_eq!(payloads(&a), [own.clone(), dup.clone()]);
    assert_eq!(payloads(&again), [own]);
    assert_eq!(payloads(&b), [copy("")]);
    server.send(&again, said.as_bytes());
    server.tick();
    assert_eq!((payloads(&a), payloads(&again), payloads(&b)), (vec![], vec![dup], vec![]));
}

#[test]
fn each_room_is_caught_up_with_by_itself() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_rooms("a", ""), server.join_rooms("b", ""));
    server.make_rooms(&a, &[&b], 2);
    server.send(&b, b"0:");
    server.settle();
    let long = "x".repeat(1_000);
    for n in 0..200 {
        server.send(&a, text("r1", &format!("r1 {n}"), &long).as_bytes());
        server.settle();
    }
    server.send(&a, text("", "hall", "x").as_bytes());
    server.settle();

    let back = server.connect();
    server.settle();
    payloads(&back);
    back.line.set_room(Some(10_000));
    let positions = resume(&[("", 0), ("r1", 2), ("r2", 2)]);
    server.send(&back, hello(&back, "b", &positions).as_bytes());
    server.settle();
    // It has missed nothing of r2, and hears it while it is sent r1.
    server.send(&a, text("r2", "r2 live", "x").as_bytes());
    server.send(&a, text("r1", "r1 live", "x").as_bytes());
    server.settle();
    let mut bytes = Vec::new();
    while 0 < server.server.backlog_bytes() || server.server.has_work() {
        back.line.set_room(Some(10_000));
        server.server.set_ready(back.id, false, true);
        server.settle();
        assert!(server.server.backlog_bytes() <= BACKLOG_BYTES_LOW + 10_000, "as fast as it reads");
        bytes.extend(back.line.take_heard());
    }
    back.line.set_room(None);
    server.send(&a, text("r1", "r1 last", "x").as_bytes());
    server.settle();
    bytes.extend(back.line.take_heard());
    let heard = split(&bytes);
    assert_eq!(numbers(&heard, ""), [1]);
    assert_eq!(numbers(&heard, "r1"), count(3..=204));
    assert_eq!(numbers(&heard, "r2"), [3]);
    let place = |word: &str| heard.iter().position(|it| it.contains(word)).expect("it is told");
    let last_replay = heard.iter().rposition(|it| it.contains(r#""replay":true"#)).unwrap();
    let live = heard.iter().position(|it| it.contains(r#""room":"r2","seq":3"#)).unwrap();
    assert!(place("welcome") < live && live < last_replay, "r2 waits for nothing");
}

#[test]
fn what_is_said_in_a_room_in_the_tick_of_a_hello_is_heard_once() {
    for (after, is_first) in [0, 1, 2, 3].into_iter().flat_map(|it| [(it, false), (it, true)]) {
        let mut server = Harness::new(10);
        let (a, b) = (server.join_rooms("a", ""), server.join_rooms("b", ""));
        server.make_rooms(&a, &[&b], 1);
        let back = server.connect();
        server.settle();
        payloads(&back);
        let said = text("r1", "1", "now") + &text("r1", "2", "and now");
        if is_first {
            server.send(&a, said.as_bytes());
        }
        server.send(&back, hello(&back, "b", &resume(&[("r1", after)])).as_bytes());
        if !is_first {
            server.send(&a, said.as_bytes());
        }
        server.settle();
        server.send(&a, text("r1", "3", "later").as_bytes());
        server.settle();
        let heard = payloads(&back);
        let last = read(&heard[0])["rooms"][1]["last"].as_u64().expect("a number");
        let expected = count(last.min(after) + 1..=5);
        assert_eq!(numbers(&heard, "r1"), expected, "after {after} of {last}: {heard:#?}");
    }
}

#[test]
fn who_leaves_a_room_is_sent_nothing_more_of_a_page_of_it() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_rooms("a", ""), server.join_rooms("b", ""));
    server.make_rooms(&a, &[&b], 1);
    let long = "x".repeat(1_000);
    for n in 0..200 {
        server.send(&a, text("r1", &n.to_string(), &long).as_bytes());
        server.settle();
    }
    payloads(&b);
    b.line.set_room(Some(0));
    let ask =
        |room: &str| format!(r#"{{"type":"history","room":"{room}","before":9999,"limit":500}}"#);
    server.send(&b, format!("{}{}", ask("r1"), ask("")).as_bytes());
    server.settle();
    let leave = r#"{"type":"leave_room","id":"leave","room":"r1"}"#;
    server.send(&b, format!("{leave}{}", ask("r1")).as_bytes());
    server.settle();
    server.send(&a, text("r1", "secret", "secret").as_bytes());
    server.settle();
    b.line.set_room(None);
    server.server.set_ready(b.id, false, true);
    server.settle();
    let heard = payloads(&b);
    let replayed = heard.iter().filter(|it| it.contains(r#""replay":true"#)).count();
    assert!((1..100).contains(&replayed), "{replayed} were on their way");
    let last = heard.iter().rposition(|it| it.contains(r#""seq":203"#)).unwrap();
    assert!(heard[last].contains(r#""event":"left","id":"leave""#), "{}", heard[last]);
    assert_eq!(heard[last + 1], r#"{"type":"room_gone","room":"r1"}"#);
    assert!(heard[last + 2..].iter().any(|it| it.contains(r#""code":"forbidden""#)));
    assert!(!heard.concat().contains("secret"));
    let pages: Vec<_> = heard.iter().filter(|it| it.contains(r#""type":"page""#)).collect();
    assert_eq!(pages, [r#"{"type":"page","before":9999,"count":0,"start":true}"#]);
}

#[test]
fn connections_go_on_in_their_rooms_in_another_process() {
    let mut server = Harness::new(10);
    let (mut a, b) = (server.join_rooms("a", ""), server.join_rooms("b", ""));
    server.make_rooms(&a, &[&b], 2);
    server.send(&b, b"0:");
    server.settle();
    let long = "x".repeat(1_000);
    for n in 0..200 {
        server.send(&a, text("r1", &n.to_string(), &long).as_bytes());
        server.settle();
    }
    server.send(&a, text("", "hall", "x").as_bytes());
    server.settle();
    let mut back = server.connect();
    server.settle();
    payloads(&back);
    back.line.set_room(Some(0));
    let positions = resume(&[("r1", 2), ("r2", 2), ("", 0)]);
    server.send(&back, hello(&back, "b", &positions).as_bytes());
    server.settle();
    payloads(&a);
    let snapshot = server.hand_over(&mut [&mut a, &mut back]);
    let rooms: Vec<_> = snapshot.connections[1].replays.iter().map(|it| it.room).collect();
    assert_eq!(rooms, [1, 0]);
    for room in ROOMS {
        server.send(&a, text(room, &format!("{room} live"), "x").as_bytes());
    }
    server.settle();
    back.line.set_room(None);
    server.server.set_ready(back.id, false, true);
    server.settle();
    let (heard, own) = (payloads(&back), payloads(&a));
    for (room, expected, own_expected) in
        [("", count(1..=2), 2), ("r1", count(3..=203), 203), ("r2", count(3..=3), 3)]
    {
        assert_eq!(numbers(&heard, room), expected, "{room}");
        assert_eq!(numbers(&own, room), [own_expected], "{room}");
    }
}

#[test]
fn who_comes_back_to_many_rooms_delays_nobody() {
    const ROOMS: u32 = 90;
    let mut server = Harness::new(10);
    let (a, b) = (server.join_rooms("a", ""), server.join_rooms("b", ""));
    server.make_rooms(&a, &[&b], ROOMS);
    server.send(&b, b"0:");
    server.settle();
    let long = "x".repeat(1_000);
    for n in 0..10 {
        for room in 1..=ROOMS {
            server.send(&a, text(&format!("r{room}"), &format!("{room} {n}"), &long).as_bytes());
        }
        server.settle();
    }
    payloads(&a);
    let rooms: Vec<_> = (1..=ROOMS).map(|room| format!("r{room}")).collect();
    for members in ["}", r#","limit":5}"#] {
        let positions: Vec<_> = rooms.iter().map(|room| (room.as_str(), 2)).collect();
        let mut positions = resume(&positions);
        positions.truncate(positions.len() - 1);
        let back = server.connect();
        server.settle();
        payloads(&back);
        server.send(&back, hello(&back, "b", &(positions + members)).as_bytes());
        let (mut ticks, mut heard) = (0, Vec::new());
        loop {
            server
                .send(&a, text("", &format!("{members}{ticks}").replace('"', ""), "x").as_bytes());
            server.tick();
            ticks += 1;
            assert_eq!(payloads(&a).len(), if ticks == 1 { 2 } else { 1 }, "at once");
            let writes: usize = back.line.take_writes().into_iter().sum();
            assert!(writes <= 256 << 10, "{writes} bytes in one tick");
            heard.extend(payloads(&back));
            if !server.server.has_work() {
                break;
            }
        }
        assert!((3..50).contains(&ticks), "little by little: {ticks}");
        let first = if members == "}" { 3 } else { 8 };
        for room in &rooms {
            assert_eq!(numbers(&heard, room), count(first..=12), "{room}");
        }
        server.send(&back, b"0:");
        server.settle();
        payloads(&a);
    }
}

#[test]
fn that_somebody_writes_waits_for_nobody() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_rooms("a", ""), server.join_rooms("b", ""));
    server.make_rooms(&a, &[&b], 1);
    let typing = br#"{"type":"typing","room":"r1"}"#;
    server.send(&a, typing);
    server.settle();
    assert_eq!(payloads(&b), [r#"{"type":"typing","room":"r1","username":"a"}"#]);
    b.line.set_room(Some(0));
    server.send(&a, text("r1", "1", "x").as_bytes());
    server.pass(Duration::from_secs(10));
    server.send(&a, typing);
    server.settle();
    b.line.set_room(None);
    server.server.set_ready(b.id, false, true);
    server.settle();
    let heard = payloads(&b);
    assert_eq!((numbers(&heard, "r1"), heard.len()), (vec![3], 1));
}
