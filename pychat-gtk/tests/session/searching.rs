//! Searching what is shown, and what the server still has.

use pychat_gtk::{
    model::{Mark, Message, MessageKind},
    session::{Room, Session, search::Search},
};
use serde_json::json;

use crate::{finish, joined, messages, run, server::Server, until};

fn search_in(session: &Session) -> Search {
    let search = Search::default();
    search.set_room(Some(&session.room()));
    search
}

/// Returns the text of the result that is being looked at, which one it is, and of how many.
fn result(search: &Search) -> (String, u32, u32) {
    let current = search.current().map(|message| message.text().to_string());
    (current.unwrap_or_default(), search.ordinal(), search.n_found())
}

fn is_at(text: &str, ordinal: u32, n_found: u32) -> impl Fn(&Search) -> bool {
    move |search| result(search) == (text.to_owned(), ordinal, n_found)
}

/// Waits until there is nothing to be gone through, or asked for.
async fn rest(search: &Search) {
    until(|| !search.is_busy() && !search.is_loading()).await;
}

/// Returns what is marked, and how.
fn marks(session: &Session) -> Vec<(String, Mark)> {
    let marked = messages(session).into_iter().filter(|message| message.mark() != Mark::None);
    marked.map(|message: Message| (message.text().to_string(), message.mark())).collect()
}

#[test]
fn what_is_found_is_counted_from_the_newest_and_marked() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            for (seq, text) in [(1, "Ёлка"), (2, "elka"), (3, "елка, ёлка"), (4, "ель")]
            {
                peer.record(seq, "Борис", text, &json!({}));
            }
            peer.hear_2();
            peer.record(5, "Борис", "ЕЛКА", &json!({}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| messages(&session).len() == 5).await;
        let search = search_in(&session);
        search.search_for("Ел");
        rest(&search).await;
        assert_eq!(result(&search), ("ель".into(), 1, 3));
        search.go_newer();
        assert_eq!(result(&search), ("ель".into(), 1, 3), "there is no newer one");
        search.go_older();
        assert_eq!(result(&search), ("елка, ёлка".into(), 2, 3));
        assert_eq!(messages(&session)[3].found(), [0..4, 10..14]);
        let found = |mark: Mark, text: &str| (text.to_owned(), mark);
        let (first, third) = (found(Mark::Found, "Ёлка"), found(Mark::Current, "елка, ёлка"));
        assert_eq!(marks(&session), [first.clone(), third.clone(), found(Mark::Found, "ель")]);

        // Who goes on typing stays where they are as long as they can.
        search.search_for("Елка");
        rest(&search).await;
        assert_eq!(result(&search), ("елка, ёлка".into(), 1, 2));
        assert_eq!(marks(&session), [first, third]);
        session.room().say("new").expect("we are joined");
        until(|| is_at("елка, ёлка", 2, 3)(&search)).await;
        search.search_for("elk");
        until(|| is_at("elka", 1, 1)(&search)).await;
        search.search_for("no such thing");
        rest(&search).await;
        assert_eq!((result(&search), marks(&session)), ((String::new(), 0, 0), vec![]));
        search.search_for("е");
        rest(&search).await;
        search.search_for(" ");
        assert_eq!((result(&search), marks(&session)), ((String::new(), 0, 0), vec![]));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_the_server_still_has_is_searched_to_its_beginning() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 400);
            assert_eq!(peer.page(351..401), 401);
            // The line breaks in the middle of it; what was asked for is asked for again.
            assert_eq!(peer.read_payload()["limit"], 250);
            peer.hear_2();
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_2("e1", 400);
            assert_eq!(peer.page(101..351), 351);
            peer.hear_2();
            assert_eq!(peer.page(1..101), 101);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| messages(&session).len() == 51).await;
        let search = search_in(&session);
        search.search_for("number 3");
        until(|| search.is_loading()).await;
        assert_eq!(result(&search), ("number 399".into(), 1, 49));
        session.room().say("break now").expect("we are joined");
        until(|| search.n_found() == 100).await;
        rest(&search).await;
        assert!(search.has_more(), "enough was found");
        for _ in 0..110 {
            search.go_older();
            rest(&search).await;
        }
        assert_eq!(result(&search), ("number 3".into(), 111, 111));
        search.go_older();
        assert_eq!(result(&search), ("number 3".into(), 111, 111), "there is no older one");
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn enough_is_enough_until_somebody_wants_more() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 1_000);
            assert_eq!(peer.page(951..1_001), 1_001);
            assert_eq!(peer.page(701..951), 951);
            peer.hear_2();
            assert_eq!(peer.page(451..701), 701);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| messages(&session).len() == 51).await;
        let search = search_in(&session);
        search.search_for("number");
        until(|| search.n_found() == 300).await;
        rest(&search).await;
        assert!(search.has_more());
        for _ in 1..290 {
            search.go_older();
        }
        assert!(!search.is_loading());
        session.room().say("I have seen ten of the last twenty").expect("we are joined");
        search.go_older();
        until(|| search.n_found() == 550).await;
        assert_eq!(search.ordinal(), 291);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn who_wants_more_than_there_is_room_for_gets_the_next_one() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 10_300);
            assert_eq!(peer.page(10_251..10_301), 10_301);
            for begin in (1..=10_001).rev().step_by(250) {
                assert_eq!(peer.page(begin..begin + 250), begin + 250);
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| messages(&session).len() == 51).await;
        let search = search_in(&session);
        search.search_for("number 123");
        rest(&search).await;
        assert_eq!(result(&search), ("number 1239".into(), 1, 10));
        assert!(search.has_more() && session.room().history().is_detached());
        for _ in 0..9 {
            search.go_older();
        }
        assert_eq!(result(&search), ("number 1230".into(), 10, 10));
        search.go_older();
        until(|| is_at("number 123", 11, 11)(&search)).await;
        rest(&search).await;
        assert!(!search.has_more());
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_search_follows_the_room_that_it_is_pointed_at() {
    run(async {
        let (before, after, search) = (Room::default(), Room::default(), Search::default());
        let say = |room: &Room, text: &str| {
            room.history().push(Message::new(MessageKind::Other, "Борис", text, 0));
            room.history().flush();
        };
        search.set_room(Some(&before));
        search.search_for("tea");
        say(&before, "tea");
        until(|| search.n_found() == 1).await;
        search.set_room(Some(&after));
        search.search_for("tea");
        say(&after, "tea");
        say(&before, "more tea");
        say(&after, "tea again");
        until(|| search.n_found() == 2 && !search.is_busy()).await;
    });
}
