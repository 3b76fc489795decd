//! The people who are here, in either protocol, and over a lost connection.

use std::{cell::Cell, rc::Rc};

use gtk::gio::prelude::*;
use pychat_gtk::{
    model::{Message, Person},
    session::{Session, SessionState},
};
use serde_json::json;

use crate::{
    finish, joined, messages, run,
    server::{GREETING, Peer, SERVER, Server, TIME_MS, payloads::hall},
    states, texts, until,
};

/// Returns who is here; the reader is marked.
fn present(session: &Session) -> Vec<String> {
    let people = session.room().people();
    let persons = (0..people.n_items()).filter_map(|at| people.person(at));
    persons
        .map(|person| if person.is_self() { format!("*{}", person.name()) } else { person.name() })
        .collect()
}

/// Counts the changes that a view hears of.
fn changes(session: &Session) -> Rc<Cell<u32>> {
    let n_changes = Rc::new(Cell::new(0));
    session.room().people().connect_items_changed({
        let n_changes = n_changes.clone();
        move |_, _, _, _| n_changes.set(n_changes.get() + 1)
    });
    n_changes
}

/// Lets in somebody of protocol 2 who finds these there.
fn let_in_among(peer: &mut Peer, members: &[&str]) {
    let hello = peer.greet("e1");
    peer.send(&json!({
        "type": "welcome", "username": hello["username"], "epoch": "e1", "rooms": [hall(0, 0)],
        "time": TIME_MS, "members": members,
    }));
}

/// Returns the names of those here who are bots, and the numbers of the messages that are by bots.
fn bots(session: &Session) -> (Vec<String>, Vec<u64>) {
    let people = session.room().people();
    let persons = (0..people.n_items()).filter_map(|at| people.person(at));
    let names = persons.filter(Person::is_bot).map(|person| person.name()).collect();
    let by_bots = messages(session).into_iter().filter(Message::is_from_bot);
    (names, by_bots.filter_map(|message| message.seq()).collect())
}

#[test]
fn bots_are_marked_wherever_they_are_named_as_long_as_they_are_some() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in_among(&mut peer, &["Анна", "Сборка", "Часы"]);
            peer.record(1, "Сборка", "build 7 is done", &json!({}));
            peer.send(&json!({"type": "bots", "members": ["Сборка", "Часы"]}));
            peer.record(2, "Часы", "noon", &json!({}));
            let (content, id) = peer.hear_2();
            peer.record(3, "Анна", &content, &json!({"id": id}));
            peer.send(&json!({"type": "bots", "members": ["Часы"]}));
            peer.record(4, "Сборка", "I am none", &json!({}));
            let (content, id) = peer.hear_2();
            peer.record(5, "Анна", &content, &json!({"id": id}));
            drop(peer);
            let mut peer = door.accept();
            let_in_among(&mut peer, &["Анна", "Часы"]);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let both = (vec!["Сборка".to_owned(), "Часы".to_owned()], vec![1, 2]);
        until(|| bots(&session) == both).await;
        session.room().say("thanks").expect("joined");
        let one = (vec!["Часы".to_owned()], vec![2]);
        until(|| texts(&session).iter().any(|text| text == "I am none") && bots(&session) == one)
            .await;
        session.room().say("oh").expect("joined");
        until(|| session.state() != SessionState::Joined).await;
        assert_eq!(bots(&session), one, "they were when the line was lost");
        until(|| bots(&session) == (vec![], vec![])).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn people_come_and_go_in_join_order() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in_among(&mut peer, &["Борис", "Анна"]);
            peer.send(&json!({"type": "joined", "username": "Вера", "time": TIME_MS}));
            assert_eq!(peer.hear_2().0, "go on");
            let left =
                json!({"type": "left", "username": "Борис", "time": TIME_MS, "reason": "quit"});
            peer.send(&left);
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| present(&session) == ["Борис", "*Анна", "Вера"]).await;
        session.room().say("go on").expect("joined");
        until(|| present(&session) == ["*Анна", "Вера"]).await;
        session.leave().await;
        assert_eq!(present(&session), [""; 0]);
        finish(server).await;
    });
}

#[test]
fn the_sentences_of_the_original_tell_it_too() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.say(SERVER, GREETING);
            peer.read_payload();
            peer.say(
                SERVER,
                "Добро пожаловать, Анна (2). Участников онлайн в чате: 2\nАнна, Борис",
            );
            peer.say(SERVER, "Вера присоединился к чату.");
            assert_eq!(peer.hear(), "go on");
            peer.say(SERVER, "Анна покинул чат.");
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| present(&session) == ["Анна", "Борис", "*Анна (2)", "Вера"]).await;
        session.room().say("go on").expect("joined");
        until(|| present(&session) == ["Борис", "*Анна (2)", "Вера"]).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn coming_back_changes_only_who_came_or_went_meanwhile() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let_in_among(&mut peer, &["Борис", "Анна", "Вера"]);
            assert_eq!(peer.hear_2().0, "break");
            drop(peer);
            let mut peer = door.accept();
            let_in_among(&mut peer, &["Борис", "Анна", "Вера"]);
            assert_eq!(peer.hear_2().0, "break");
            assert_eq!(peer.hear_2().0, "again");
            drop(peer);
            let mut peer = door.accept();
            let_in_among(&mut peer, &["Борис", "Анна", "Глеб"]);
            peer.record(1, "Глеб", "the end", &json!({}));
            for _ in 0..2 {
                peer.hear_2();
            }
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| present(&session).len() == 3).await;
        let n_changes = changes(&session);
        let states = states(&session);
        session.room().say("break").expect("joined");
        until(|| states.borrow().contains(&SessionState::Lost)).await;
        assert_eq!(present(&session), ["Борис", "*Анна", "Вера"], "who was last here");
        session.room().say("again").expect("it is kept");
        until(|| n_changes.get() != 0).await;
        assert_eq!(n_changes.get(), 1);
        assert_eq!(present(&session), ["Борис", "*Анна", "Глеб"]);
        until(|| texts(&session).contains(&"the end".to_owned())).await;
        session.leave().await;
        finish(server).await;
    });
}
