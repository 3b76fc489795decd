//! Searching one room, and all of them: what is here, and what the server keeps.

use std::sync::mpsc;

use gtk::gio::prelude::*;
use pychat_gtk::{
    model::{Mark, Message},
    session::{
        Session, SessionState,
        search::{FoundMessage, Search},
    },
};
use pychat_wire::client::Past;
use serde_json::{Value, json};

use crate::{
    PATIENCE, finish, joined, messages, run,
    server::{Peer, Server, TIME_MS, payloads::room},
    texts, until, until_state,
};

/// Returns the search of a session, in the hall alone.
fn search_in_hall(session: &Session) -> Search {
    let search = session.search();
    search.set_room(Some(&session.room()));
    search
}

/// Returns the text of the result that is being looked at, which one it is, and of how many.
fn result(search: &Search) -> (String, u32, u32) {
    let current = search.current().and_then(|found| found.message());
    let text = current.map(|message| message.text().to_string());
    (text.unwrap_or_default(), search.ordinal(), search.n_found())
}

fn is_at(text: &str, ordinal: u32, n_found: u32) -> impl Fn(&Search) -> bool {
    move |search| result(search) == (text.to_owned(), ordinal, n_found)
}

/// Waits until there is nothing to be gone through, or asked for.
async fn rest(search: &Search) {
    until(|| !search.is_busy()).await;
}

/// Returns what is marked, and how.
fn marks(session: &Session) -> Vec<(String, Mark)> {
    let marked = messages(session).into_iter().filter(|message| message.mark() != Mark::None);
    marked.map(|message| (message.text().to_string(), message.mark())).collect()
}

/// Answers a search with nothing.
fn find_nothing(peer: &mut Peer, query: &str) {
    let reference = hear_search(peer, &json!({"query": query, "room": ""}));
    peer.send(&json!({"type": "found_end", "ref": reference}));
}

/// Returns what was found: the room, and the words with what is bold in them between brackets.
fn found(search: &Search) -> Vec<(String, String)> {
    let results = search.results();
    let found = (0..results.n_items()).filter_map(|at| results.item(at)?.downcast().ok());
    let told = found.map(|found: FoundMessage| {
        let (mut text, message) = (String::new(), found.message().expect("there is one"));
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

fn is_found(search: &Search, expected: &[(&str, &str)]) -> bool {
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
        let search = session.search();
        assert!(search.search_for("five tea"));
        let first = [
            ("r1", "[tea] <b>for</b> [five]"),
            ("", "[Five] [teas]"),
            ("r1", "[five] [teams]"),
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
        let search = session.search();
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

#[test]
fn what_is_found_in_a_room_is_counted_from_the_newest_and_marked() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            for (seq, text) in [(1, "Ёлка"), (2, "elka"), (3, "елка, ёлка"), (4, "ель")]
            {
                peer.record(seq, "Борис", text, &json!({}));
            }
            find_nothing(&mut peer, "Ел");
            find_nothing(&mut peer, "Елка");
            let (_, id) = peer.hear_2();
            peer.record(5, "Анна", "ЕЛКА", &json!({"id": id}));
            for query in ["elk", "no such thing", "ел"] {
                find_nothing(&mut peer, query);
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| messages(&session).len() == 5).await;
        let search = search_in_hall(&session);
        assert!(search.search_for("Ел") && !search.search_for("Ел "));
        rest(&search).await;
        assert_eq!(result(&search), ("ель".into(), 1, 3));
        search.go_newer();
        assert_eq!(result(&search), ("ель".into(), 1, 3), "there is no newer one");
        search.go_older();
        assert_eq!(result(&search), ("елка, ёлка".into(), 2, 3));
        assert_eq!(messages(&session)[3].found(), [0..8, 10..18]);
        let found = |mark: Mark, text: &str| (text.to_owned(), mark);
        let (first, third) = (found(Mark::Found, "Ёлка"), found(Mark::Current, "елка, ёлка"));
        assert_eq!(marks(&session), [first.clone(), third.clone(), found(Mark::Found, "ель")]);

        // Who goes on typing stays where they are as long as they can.
        search.search_for("Елка");
        rest(&search).await;
        assert_eq!(result(&search), ("елка, ёлка".into(), 1, 2));
        assert_eq!(marks(&session), [first, third]);
        session.room().say("ЕЛКА").expect("we are joined");
        until(|| is_at("елка, ёлка", 2, 3)(&search)).await;
        search.search_for("elk");
        until(|| is_at("elka", 1, 1)(&search)).await;
        search.search_for("no such thing");
        rest(&search).await;
        assert_eq!((result(&search), marks(&session)), ((String::new(), 0, 0), vec![]));
        search.search_for("ел");
        rest(&search).await;
        search.search_for(" ");
        assert_eq!((result(&search), marks(&session)), ((String::new(), 0, 0), vec![]));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn who_goes_on_to_older_results_has_the_server_asked_for_them() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 1_000_000);
            assert_eq!(peer.page(999_951..1_000_001), 1_000_001);
            let reference = hear_search(&mut peer, &json!({"room": "", "before": null}));
            for seq in [999_999, 999_988, 5_000] {
                send_found(&mut peer, &reference, "", seq, "Борис", &format!("number {seq}"));
            }
            peer.send(&json!({"type": "found_end", "ref": reference, "before": "older"}));
            let reference = hear_search(&mut peer, &json!({"room": "", "before": "older"}));
            send_found(&mut peer, &reference, "", 40, "Борис", "number 40");
            peer.send(&json!({"type": "found_end", "ref": reference}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| messages(&session).len() == 51).await;
        let search = search_in_hall(&session);
        search.search_for("number");
        // More is asked for before the last of them is reached.
        until(|| !search.is_busy() && search.has_more()).await;
        assert_eq!(result(&search), ("number 1000000".into(), 1, 51));
        for _ in 0..49 {
            search.go_older();
        }
        until(|| !search.is_busy() && !search.has_more()).await;
        assert_eq!(result(&search), ("number 999951".into(), 50, 52));
        search.go_older();
        search.go_older();
        assert_eq!(result(&search), ("number 40".into(), 52, 52));
        search.go_older();
        assert_eq!(result(&search), ("number 40".into(), 52, 52), "there is no older one");
        search.go_to(50);
        assert_eq!(result(&search), ("number 5000".into(), 51, 52));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_distant_message_is_fetched_with_those_around_it_and_then_those_after_it() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 10_000);
            assert_eq!(peer.page(9_951..10_001), 10_001);
            assert_eq!(peer.page(4_950..5_050), 5_050);
            assert_eq!(peer.page(4_900..4_950), 4_950);
            assert_eq!(peer.page(5_049..5_100), 5_100);
            // The texts of this one are long: the first of them do not fit.
            assert_eq!(peer.page(5_120..5_150), 5_150);
            assert_eq!(peer.page(5_099..5_120), 5_120);
            assert_eq!(peer.page(9_700..9_951), 9_951);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let (room, history) = (session.room(), session.room().history());
        until(|| messages(&session).len() == 51).await;
        let numbers = || messages(&session).iter().filter_map(Message::seq).collect::<Vec<_>>();
        let is_shown = |range: std::ops::Range<u64>| {
            room.back_pages() != Past::Asked && numbers() == range.collect::<Vec<_>>()
        };
        assert!(room.request_around(5_000));
        until(|| is_shown(4_950..5_050)).await;
        assert!(history.is_detached() && history.by_seq(10_000).is_some());
        room.request_history(50);
        until(|| is_shown(4_900..5_050)).await;
        assert!(room.request_gap());
        until(|| is_shown(4_900..5_100)).await;
        assert!(room.request_gap());
        until(|| is_shown(4_900..5_120)).await;
        assert!(!room.request_around(5_110), "it is there, or nowhere");
        // One that is near what waits is shown with that.
        assert!(room.request_around(9_750));
        until(|| is_shown(9_700..10_001)).await;
        assert!(!room.request_gap() && !room.request_around(20_000));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_gap_that_is_filled_is_one_no_more() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 700);
            assert_eq!(peer.page(651..701), 701);
            assert_eq!(peer.page(250..350), 350);
            for begin in (349..601).step_by(50) {
                peer.page(begin..begin + 51);
            }
            assert_eq!(peer.page(649..651), 651);
            peer.record(701, "Борис", "number 701", &json!({}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let (room, history) = (session.room(), session.room().history());
        until(|| messages(&session).len() == 51).await;
        assert!(room.request_around(300));
        until(|| history.is_detached() && room.back_pages() == Past::Kept).await;
        while room.request_gap() {
            until(|| room.back_pages() == Past::Kept).await;
        }
        until(|| history.by_seq(701).is_some()).await;
        history.flush();
        history.show_latest();
        let numbers: Vec<_> = messages(&session).iter().filter_map(Message::seq).collect();
        assert_eq!(numbers, (250..702).collect::<Vec<_>>());
        session.leave().await;
        finish(server).await;
    });
}
