//! Searching all rooms: what is here of them, and what the server keeps.

use std::sync::mpsc;

use gtk::gio::prelude::*;
use pychat_gtk::session::{
    Session, SessionState,
    search::{FoundMessage, SearchEverywhere},
};
use serde_json::{Value, json};

use crate::{
    PATIENCE, finish, joined, messages, run,
    server::{Peer, Server, TIME_MS, payloads::room},
    texts, until, until_state,
};

/// Returns what was found: the room, and the words with what is bold in them between brackets.
fn found(search: &SearchEverywhere) -> Vec<(String, String)> {
    let results = search.results();
    let found = (0..results.n_items()).filter_map(|at| results.item(at)?.downcast().ok());
    let told = found.map(|found: FoundMessage| {
        let (mut text, message) = (String::new(), found.message());
        let mut end = 0;
        for range in message.found() {
            text += &message.text()[end..range.start];
            text.extend(["[", &message.text()[range.clone()], "]"]);
            end = range.end;
        }
        text += &message.text()[end..];
        (found.room().id(), text)
    });
    told.collect()
}

fn is_found(search: &SearchEverywhere, expected: &[(&str, &str)]) -> bool {
    let expected: Vec<_> =
        expected.iter().map(|(room, text)| ((*room).to_owned(), (*text).to_owned())).collect();
    found(search) == expected
}

/// Takes the next search, which has these members, and returns its reference.
fn hear_search(peer: &mut Peer, members: &Value) -> Value {
    let request = peer.read_payload();
    assert_eq!(request["type"], "search", "{request}");
    for (name, value) in members.as_object().expect("members") {
        assert_eq!(&request[name], value, "{request}");
    }
    request["ref"].clone()
}

fn send_found(peer: &mut Peer, reference: &Value, room: &str, seq: u64, author: &str, text: &str) {
    peer.send(&json!({
        "type": "found", "ref": reference,
        "message": {"room": room, "seq": seq, "time": TIME_MS + seq, "username": author, "content": text},
    }));
}

fn search_of(session: &Session) -> SearchEverywhere {
    session.search_everywhere()
}

#[test]
fn what_is_here_and_what_the_server_has_are_one_list_the_newest_first() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[room("r1", "open", "Tea", 9, &json!({"read": 9}))]);
            peer.record(1, "Борис", "tea at five", &json!({}));
            peer.record(2, "Борис", "cake", &json!({}));
            peer.record(3, "Вера", "Five teas", &json!({}));
            let reference = hear_search(
                &mut peer,
                &json!({"query": "five tea", "room": null, "from": null, "before": null}),
            );
            send_found(&mut peer, &reference, "r1", 9, "Вера", "tea <b>for</b> five");
            send_found(&mut peer, &reference, "", 3, "Вера", "Five teas");
            send_found(&mut peer, &reference, "r2", 4, "Вера", "five teas of another room");
            send_found(&mut peer, &reference, "r1", 2, "Вера", "five teams");
            peer.send(&json!({"type": "found_end", "ref": reference, "before": "cursor"}));
            let reference =
                hear_search(&mut peer, &json!({"query": "five tea", "before": "cursor"}));
            send_found(&mut peer, &reference, "r1", 1, "Борис", "high tea, five people");
            peer.send(&json!({"type": "found_end", "ref": reference}));
            let deleted = json!({
                "type": "delete", "room": "r1", "seq": 10, "time": TIME_MS, "username": "Вера", "target": 9,
            });
            peer.send(&deleted);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| texts(&session).iter().any(|text| text == "Five teas")).await;
        let search = search_of(&session);
        assert!(search.search_for("five tea"));
        let first = [
            ("r1", "[tea] <b>for</b> [five]"),
            ("", "[Five] [tea]s"),
            ("r1", "[five] [tea]ms"),
            ("", "[tea] at [five]"),
        ];
        until(|| !search.is_busy() && search.results().n_items() == 4).await;
        assert!(is_found(&search, &first), "{:?}", found(&search));
        assert!(search.has_more() && search.note().is_empty());
        search.find_more();
        until(|| !search.is_busy() && !search.has_more()).await;
        let rest = [first[1], first[2], first[3], ("r1", "high [tea], [five] people")];
        until(|| search.results().n_items() == 4).await;
        assert!(is_found(&search, &rest), "{:?}", found(&search));
        search.search_for("");
        assert_eq!(search.results().n_items(), 0);
        assert!(messages(&session).iter().all(|message| message.found().is_empty()));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn an_author_is_named_in_full_and_refusals_are_told_and_asked_again() {
    run(async {
        let (go_on, is_told) = mpsc::channel();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            let with = json!({"with": ["Анна", "Вера Петрова"]});
            peer.let_in_rooms("e1", 0, &[room("r1", "direct", "", 0, &with)]);
            let named = json!({"query": "tea", "from": "Вера Петрова"});
            let reference = hear_search(&mut peer, &named);
            peer.send(&json!({
                "type": "error", "code": "slow_down", "text": "no", "ref": reference, "retry_ms": 5,
            }));
            let reference = hear_search(&mut peer, &named);
            send_found(&mut peer, &reference, "", 1, "Вера Петрова", "tea");
            send_found(&mut peer, &reference, "", 2, "Борис", "tea");
            peer.send(&json!({"type": "found_end", "ref": reference}));
            drop(peer);
            is_told.recv_timeout(PATIENCE).expect("the test goes on");
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[]);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let search = search_of(&session);
        search.search_for("from:вер tea");
        until(|| !search.is_busy()).await;
        assert!(search.has_more() && !search.note().is_empty());
        search.find_more();
        until(|| !search.is_busy()).await;
        assert!(is_found(&search, &[("", "[tea]")]), "{:?}", found(&search));
        assert!(search.note().is_empty());
        search.search_for("");
        until(|| session.state() != SessionState::Joined).await;
        search.search_for("cake");
        assert_eq!(search.note(), "Searching only what is loaded");
        search.search_for("");
        go_on.send(()).expect("the server waits");
        session.rejoin();
        until_state(&session, SessionState::Joined).await;
        session.leave().await;
        finish(server).await;
    });
}
