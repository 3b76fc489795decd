//! Searches: sent as fast as each reads, a little a tick, and only of the rooms that one is in.

use pychat_server::server::BACKLOG_BYTES_LOW;
use serde_json::Value;

use super::{
    second::{hello, payloads, split},
    *,
};

/// Returns a search with these further members, as it comes.
fn search(reference: &str, query: &str, members: &str) -> String {
    format!(r#"{{"type":"search","ref":"{reference}","query":"{query}"{members},"limit":100}}"#)
}

/// Returns what was found, and how each search ended, in few words.
fn found(payloads: &[String]) -> Vec<String> {
    let read = |payload: &String| serde_json::from_str::<Value>(payload).expect("JSON");
    let line = |it: Value| {
        let reference = it["ref"].as_str()?.to_owned();
        let message = &it["message"];
        Some(match it["type"].as_str()? {
            "found" => {
                let room = message["room"].as_str().unwrap_or_default();
                format!("{reference}: {room} {}", message["seq"])
            }
            "found_end" => format!("{reference}: end {}", it["before"].as_str().unwrap_or("-")),
            "error" => format!("{reference}: {}", it["code"].as_str()?),
            _ => return None,
        })
    };
    payloads.iter().map(read).filter_map(line).collect()
}

impl Harness {
    /// Lets somebody join who owns their name.
    fn join_own(&mut self, name: &str) -> Peer {
        let peer = self.connect();
        self.settle();
        payloads(&peer);
        self.send(&peer, hello(&peer, name, "").as_bytes());
        self.settle();
        payloads(&peer);
        peer
    }

    fn ask(&mut self, peer: &Peer, payload: &str) -> Vec<String> {
        self.send(peer, payload.as_bytes());
        self.settle();
        payloads(peer)
    }

    fn says(&mut self, peer: &Peer, room: &str, id: usize, content: &str) {
        let text =
            format!(r#"{{"type":"text","room":"{room}","id":"{id}","content":"{content}"}}"#);
        self.utc_ms += 1;
        self.ask(peer, &text);
    }
}

#[test]
fn what_is_found_comes_newest_first_and_goes_on() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_own("a"), server.join_own("b"));
    server.ask(&a, r#"{"type":"create_room","id":"m","kind":"closed","name":"club"}"#);
    for (number, room) in ["", "r1", "", "r1"].into_iter().enumerate() {
        server.says(&a, room, number, "lunch at noon");
    }
    payloads(&b);
    let heard = server.ask(&a, &search("1", "noon lun", ""));
    assert_eq!(found(&heard), ["1: r1 3", "1:  2", "1: r1 2", "1:  1", "1: end -"]);
    assert_eq!(found(&server.ask(&b, &search("1", "noon", ""))), ["1:  2", "1:  1", "1: end -"]);
    assert_eq!(found(&server.ask(&b, &search("2", "noon", r#","room":"r1""#))), ["2: no_room"]);
    assert_eq!(found(&server.ask(&a, &search("2", "noon", r#","room":"""#))).len(), 3);
    assert_eq!(found(&server.ask(&a, &search("3", "", ""))), ["3: end -"]);
    assert_eq!(found(&server.ask(&a, &search("4", "", r#","from":"b""#))), ["4: end -"]);
    let few = search("5", "noon", "").replace("100", "2");
    assert_eq!(found(&server.ask(&a, &few)), ["5: r1 3", "5:  2", "5: end 2."]);
    let rest = server.ask(&a, &search("6", "noon", r#","before":"2.""#));
    assert_eq!(found(&rest), ["6: r1 2", "6:  1", "6: end -"]);
    assert!(rest[0].contains(r#""id":"1""#), "it is their own: {}", rest[0]);
    assert_eq!(
        found(&server.ask(&b, &search("7", "noon", r#","before":"3.r1""#))),
        ["7: no_message"]
    );
    server.ask(&a, r#"{"type":"delete","id":"d","target":2}"#);
    assert_eq!(found(&server.ask(&b, &search("8", "noon", ""))), ["8:  1", "8: end -"]);
}

#[test]
fn who_searches_is_sent_as_much_as_they_read_and_a_little_a_tick() {
    let mut server = Harness::new(10);
    let (a, b) = (server.join_own("a"), server.join_own("b"));
    let large = format!("word {}", "x".repeat(30_000));
    for number in 0..20 {
        server.says(&a, "", number, &large);
    }
    payloads(&b);
    server.send(&b, search("1", "word", "").as_bytes());
    server.tick();
    let first = b.line.take_heard().len();
    assert!(0 < first && first < BACKLOG_BYTES_LOW + 2 * large.len(), "{first}");
    assert!(server.server.has_work());
    server.settle();
    let rest = split(&b.line.take_heard());
    assert!(found(&rest).last().unwrap().starts_with("1: end 1"), "a page is 256 KiB of text");
    b.line.set_room(Some(0));
    server.send(&b, search("2", "word", "").as_bytes());
    server.settle();
    assert!(server.server.backlog_bytes() < BACKLOG_BYTES_LOW + 2 * large.len());
    b.line.set_room(None);
    server.server.set_ready(b.id, false, true);
    server.settle();
    assert!(found(&payloads(&b)).last().unwrap().starts_with("2: end "));
}

#[test]
fn so_many_searches_wait_and_whose_room_is_left_find_nothing_of_it() {
    let mut server = Harness::new(10);
    let a = server.join_own("a");
    server.ask(&a, r#"{"type":"create_room","id":"m","kind":"open","name":"club"}"#);
    for number in 0..5 {
        server.says(&a, "r1", number, "word");
    }
    payloads(&a);
    let all: Vec<_> = (1..=6).map(|number| search(&number.to_string(), "word", "")).collect();
    let heard = found(&server.ask(&a, &all.concat()));
    let refused: Vec<_> = heard.iter().filter(|line| line.ends_with("slow_down")).collect();
    assert_eq!(refused, ["5: slow_down", "6: slow_down"]);
    assert_eq!(heard.iter().filter(|line| line.ends_with("end -")).count(), 4);
    let leave = r#"{"type":"leave_room","id":"l","room":"r1"}"#;
    let both = [search("7", "word", r#","room":"r1""#), leave.to_owned()].concat();
    assert_eq!(found(&server.ask(&a, &both)), ["7: end -"], "they left before it was looked for");
}

#[test]
fn an_orderly_restart_ends_a_search_in_words() {
    let mut server = Harness::new(10);
    let a = server.join_own("a");
    for number in 0..5 {
        server.says(&a, "", number, &format!("word {}", "x".repeat(30_000)));
    }
    payloads(&a);
    a.line.set_room(Some(0));
    server.send(&a, search("1", "word", "").as_bytes());
    server.settle();
    let (snapshot, _) = server.server.save(server.now);
    let unsent = split(&snapshot.connections[0].unsent);
    assert_eq!(found(&unsent).last().unwrap(), "1: not_done");
}
