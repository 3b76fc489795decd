//! People who come back after more than a year, to a log in a file that was opened again and again.

use std::{fs, path::PathBuf};

use pychat_server::{
    core::{
        id::CallId,
        moderation::{Order, Whom},
    },
    server::load_rooms,
    store::{
        SqliteStore, Store,
        sqlite::{Durability, Place},
    },
};

use super::{second::payloads, *};
use crate::kit::keys;

const DAY: Duration = Duration::from_hours(24);
const MONTH_DAYS: u64 = 30;

/// A server over a file, which is gone when dropped.
struct House {
    folder: PathBuf,
    server: Harness,
}

impl House {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("pychat-year-{}", std::process::id()));
        let mut server = Harness::new(0); // Another takes its place.
        server.utc_ms = 1_800_000_000_000;
        let mut house = Self { folder, server };
        house.restart();
        house
    }

    /// Opens the log again, as a new process does.
    fn restart(&mut self) {
        self.server =
            Harness { utc_ms: self.server.utc_ms, now: self.server.now, ..Harness::new(0) };
        let place = Place {
            directory: self.folder.clone(),
            durability: Durability::Process,
            program: None,
        };
        let retention =
            Retention { age_max: 30 * DAY, disk_reserve_bytes: 0, ..Retention::default() };
        let mut store = SqliteStore::open(&place, retention, 0).expect("nobody else has it");
        let (known, last) = store.people().expect("it can be read");
        let people = People::new(Secret::new([7; 32]), known, last);
        let people = people.under(store.rulebook().expect("it can be read"));
        let rules = Rules { name_age_max: 365 * DAY, ..RULES };
        let limits = Limits { rules, ..Limits::default() };
        let rooms = load_rooms(&mut store).expect("it can be read");
        let nonces = Secret::new([8; 32]);
        self.server.server = Server::new(limits, Box::new(store), people, rooms, nonces);
        self.server.settle();
        self.pass(2, Duration::from_hours(1)); // Then the clock is trusted.
    }

    fn pass(&mut self, times: u64, step: Duration) {
        for _ in 0..times {
            self.server.utc_ms += u64::try_from(step.as_millis()).expect("not so long");
            self.server.pass(step);
        }
    }

    /// Says hello from a device; returns the line and the first answer.
    fn hello(&mut self, name: &str, device: &str, members: &str) -> (Peer, String) {
        let peer = self.server.connect();
        let proof = keys::proof(&peer.challenge, name, device);
        let hello =
            format!(r#"{{"type":"hello","username":"{name}","protocol":2{proof}{members}}}"#);
        self.server.send(&peer, hello.as_bytes());
        self.server.settle();
        let answer = payloads(&peer).swap_remove(1);
        (peer, answer)
    }

    #[track_caller]
    fn join(&mut self, name: &str, device: &str) -> Peer {
        let (peer, answer) = self.hello(name, device, "");
        let welcome = format!(r#"{{"type":"welcome","username":"{name}""#);
        assert!(answer.starts_with(&welcome), "{name} {device}: {answer}");
        peer
    }

    /// Asks for something; returns all that is heard then.
    fn ask(&mut self, peer: &Peer, payload: &str) -> Vec<String> {
        payloads(peer);
        self.server.send(peer, payload.as_bytes());
        self.server.settle();
        payloads(peer)
    }

    fn leave(&mut self, peer: &Peer) {
        peer.line.finish();
        self.server.server.set_ready(peer.id, true, false);
        self.server.settle();
    }

    fn order(&mut self, order: Order) {
        self.server.server.order(self.server.now, CallId(1), "root", order);
        self.server.settle();
        self.server.server.take_replies();
    }

    /// Somebody comes with two devices, says something, and goes.
    fn meet(&mut self, name: &str) {
        let first = self.join(name, name);
        self.ask(&first, r#"{"type":"text","content":"hi","id":"1"}"#);
        let code = self.ask(&first, r#"{"type":"pair"}"#).pop().expect("a code");
        let code = code.split(r#""code":""#).nth(1).and_then(|it| it.split('"').next());
        let pair = format!(r#","pair":"{}""#, code.expect("a code"));
        let (second, answer) = self.hello(name, &other(name), &pair);
        assert!(answer.contains("welcome"), "{answer}");
        self.leave(&first);
        self.leave(&second);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the other device of a person.
fn other(name: &str) -> String {
    format!("the other device of {name}")
}

#[test]
fn who_comes_back_after_a_year_has_what_nobody_took() {
    let mut house = House::new();
    for name in ["Анна", "Вера", "Зоя", "Пётр", "Глеб"] {
        house.meet(name);
    }
    house.order(Order::AddOperator { name: "Вера".to_owned() });
    for (name, for_ms) in [("Пётр", None), ("Глеб", Some(86_400_000))] {
        house.order(Order::Ban { whom: Whom::Name(name.to_owned()), for_ms });
    }
    for month in 0..14 {
        for stranger in 0..5 {
            let name = format!("stranger {month} {stranger}");
            let peer = house.join(&name, &name);
            house.ask(&peer, r#"{"type":"text","content":"hi","id":"1"}"#);
            house.leave(&peer);
        }
        house.pass(MONTH_DAYS, DAY);
        house.restart();
    }
    let taker = house.join("Зоя", "a newcomer");
    house.leave(&taker);
    house.restart();

    let (_, answer) = house.hello("Зоя", "Зоя", "");
    assert!(answer.contains(r#""code":"name_taken""#), "{answer}");
    for (name, device) in [("Анна", other("Анна")), ("Анна", "Анна".to_owned())] {
        let peer = house.join(name, &device);
        let devices = house.ask(&peer, r#"{"type":"devices"}"#);
        assert_eq!(devices[0].matches(r#""key":"#).count(), 2, "{devices:?}");
        let page = house.ask(&peer, r#"{"type":"history","before":10000,"limit":500}"#);
        assert!(!page.iter().any(|payload| payload.contains(r#""username":"Анна""#)), "{page:?}");
        house.leave(&peer);
    }
    let (stranger, answer) = house.hello("Анна", "a newcomer's other device", "");
    assert!(answer.contains(r#""code":"name_taken""#), "it is hers again: {answer}");
    house.leave(&stranger);
    let (_, answer) = house.hello("Вера", &other("Вера"), "");
    assert!(answer.contains(r#""operator":true"#), "{answer}");
    for device in ["Пётр".to_owned(), other("Пётр")] {
        let (_, answer) = house.hello("Пётр", &device, "");
        assert!(answer.contains(r#""reason":"banned""#), "{answer}");
    }
    house.join("Глеб", "Глеб");
}
