//! Rooms beside the hall, as they stand on the wire, and over every end of the server.

use super::{
    history::Shelf,
    second::{greeted, hello_two, join_two, next, receives, string},
};
use crate::process::{Peer, Server, frame};

/// Returns the frame of a text for a room.
fn text(room: &str, id: &str, content: &str) -> String {
    frame(&format!(r#"{{"type":"text","room":"{room}","id":"{id}","content":"{content}"}}"#))
}

/// Joins in protocol 2 with further members in the hello; returns the welcome.
#[track_caller]
fn join(server: &Server, name: &str, members: impl FnOnce(&str) -> String) -> (Peer, String) {
    let (mut peer, greeting) = greeted(server);
    let members = members(&string(&greeting, "epoch"));
    peer.send(hello_two(&greeting, name, &members));
    let welcome = peer.payload().expect("a welcome");
    assert!(welcome.starts_with(r#"{"type":"welcome","#), "{welcome}");
    (peer, welcome)
}

/// Returns a room as a peer is told of it, with these members between its kind and its numbers.
fn room(members: &str, [last, read, unread]: [u64; 3]) -> String {
    format!(r#"{{"type":"room",{members},"last":{last},"read":{read},"unread":{unread}}}"#)
}

/// Returns event `seq` of room `r1`.
fn event(seq: u64, author: &str, event: &str, members: &str) -> String {
    format!(
        r#"{{"type":"event","room":"r1","seq":{seq},"time":T,"username":"{author}","event":"{event}"{members}}}"#
    )
}

/// Returns message `seq` of room `r1`.
fn message(seq: u64, author: &str, content: &str, members: &str) -> String {
    format!(
        r#"{{"type":"message","room":"r1","seq":{seq},"time":T,"username":"{author}","content":"{content}"{members}}}"#
    )
}

#[test]
fn a_room_is_made_joined_and_talked_in() {
    let server = Server::start();
    let [mut original] = Peer::room(server.address(), ["original"]);
    let (mut anna, mut boris) = (join_two(&server, "Анна"), join_two(&server, "Борис"));
    next(&mut anna); // That Boris joined.
    anna.send(frame(
        r#"{"type":"create_room","id":"1","kind":"open","name":"Сад","topic":"о саде"}"#,
    ));
    let view = r#""room":"r1","kind":"open","name":"Сад","topic":"о саде""#;
    let mine = format!(r#"{view},"mine":true"#);
    receives(
        &mut anna,
        &[&room(&mine, [0, 0, 0]), &event(1, "Анна", "created", r#","subject":"Сад","id":"1""#)],
    );

    boris.send(text("r1", "1", "early"));
    assert!(next(&mut boris).contains(r#""code":"forbidden""#));
    boris.send(text("r9", "1", "nowhere"));
    assert!(next(&mut boris).contains(r#""code":"no_room""#));
    boris.send(frame(r#"{"type":"rooms"}"#));
    let listed = room(view, [1, 1, 0]).replacen(r#""type":"room","#, "", 1);
    receives(&mut boris, &[&format!(r#"{{"type":"rooms","rooms":[{listed}]}}"#)]);
    boris.send(frame(r#"{"type":"join_room","id":"2","room":"r1"}"#));
    let joined = event(2, "Борис", "joined", "");
    let told = next(&mut boris);
    assert!(told.starts_with(&format!(r#"{{"type":"room",{view},"last":1,"#)), "{told}");
    receives(&mut boris, &[&event(2, "Борис", "joined", r#","id":"2""#)]);
    receives(&mut anna, &[&joined]);

    anna.send(text("r1", "3", "привет"));
    receives(&mut anna, &[&message(3, "Анна", "привет", r#","id":"3""#)]);
    receives(&mut boris, &[&message(3, "Анна", "привет", "")]);
    anna.send(text("r1", "3", "привет"));
    receives(&mut anna, &[&message(3, "Анна", "привет", r#","id":"3","dup":true"#)]);
    boris.send(frame(r#"{"type":"history","room":"r1","before":3,"limit":1}"#));
    let replay = event(2, "Борис", "joined", r#","id":"2","replay":true"#);
    let page = r#"{"type":"page","room":"r1","before":3,"count":1,"start":false}"#;
    receives(&mut boris, &[&replay, page]);
    boris.send(frame(r#"{"type":"members","room":"r1"}"#));
    receives(&mut boris, &[r#"{"type":"members","room":"r1","members":["Анна","Борис"]}"#]);
    boris.send(frame(r#"{"type":"leave_room","id":"4","room":"r1"}"#));
    let gone = r#"{"type":"room_gone","room":"r1"}"#;
    receives(&mut boris, &[&event(4, "Борис", "left", r#","id":"4""#), gone]);
    receives(&mut anna, &[&event(4, "Борис", "left", "")]);

    anna.send(text("", "5", "в зале"));
    for _ in 0..2 {
        assert!(original.message().content.ends_with("присоединился к чату."));
    }
    original.hears("Анна", "в зале");
}

#[test]
fn a_direct_room_is_the_same_room_and_closed_to_others() {
    let server = Server::start();
    let (mut anna, mut boris) = (join_two(&server, "Анна"), join_two(&server, "Борис"));
    let mut vera = join_two(&server, "Вера");
    for (peer, count) in [(&mut anna, 2), (&mut boris, 1)] {
        (0..count).for_each(|_| drop(next(peer)));
    }
    anna.send(frame(r#"{"type":"direct","id":"1","with":["Борис"]}"#));
    let view = r#""room":"r1","kind":"direct","name":"","topic":"","with":["Анна","Борис"]"#;
    for (peer, id) in [(&mut anna, r#","id":"1""#), (&mut boris, "")] {
        receives(peer, &[&room(view, [0, 0, 0]), &event(1, "Анна", "created", id)]);
    }
    boris.send(frame(r#"{"type":"direct","id":"7","with":["Анна","Борис"]}"#));
    let told = next(&mut boris);
    assert!(told.starts_with(&format!(r#"{{"type":"room",{view},"last":1,"#)), "{told}");
    let dup = next(&mut boris);
    assert!(dup.contains(r#""room":"r1","seq":1,"#) && dup.contains(r#""id":"7","dup":true"#));
    let refused = ["r1", "r2"].map(|room| {
        vera.send(text(room, "1", "x"));
        next(&mut vera)
    });
    assert_eq!(refused[0], refused[1], "no different from none");
    assert!(refused[0].contains(r#""code":"no_room""#));
    boris.send(text("r1", "8", "x"));
    receives(&mut anna, &[&message(2, "Борис", "x", "")]);
}

#[test]
fn what_one_has_seen_is_known_on_all_of_ones_connections() {
    let server = Server::start();
    let (mut laptop, mut boris) = (join_two(&server, "Анна"), join_two(&server, "Борис"));
    next(&mut laptop);
    laptop.send(frame(r#"{"type":"direct","id":"1","with":["Борис"]}"#));
    for peer in [&mut laptop, &mut boris] {
        (0..2).for_each(|_| drop(next(peer)));
    }
    for n in 1..=3 {
        boris.send(text("r1", &n.to_string(), "x"));
        next(&mut laptop);
    }
    let (mut phone, welcome) = join(&server, "Анна", |_| String::new());
    assert!(welcome.contains(r#""last":4,"read":1,"unread":3}"#), "{welcome}");
    phone.send(frame(r#"{"type":"read","room":"r1","seq":3}"#));
    receives(&mut laptop, &[r#"{"type":"read","room":"r1","seq":3}"#]);
    // It grows, and to what there is.
    phone.send(frame(r#"{"type":"read","room":"r1","seq":2}"#));
    phone.send(frame(r#"{"type":"read","room":"r1","seq":99}"#));
    receives(&mut laptop, &[r#"{"type":"read","room":"r1","seq":4}"#]);
    boris.send(frame(r#"{"type":"typing","room":"r1"}"#));
    for peer in [&mut laptop, &mut phone] {
        receives(peer, &[r#"{"type":"typing","room":"r1","username":"Борис"}"#]);
    }
    let (_tablet, welcome) = join(&server, "Анна", |_| String::new());
    assert!(welcome.contains(r#""last":4,"read":4,"unread":0}"#), "{welcome}");
}

#[test]
fn rooms_outlive_the_server_however_it_ends() {
    for signal in ["TERM", "KILL"] {
        let shelf = Shelf::new();
        let mut server = shelf.server(&[]);
        let (mut anna, mut boris) = (join_two(&server, "Анна"), join_two(&server, "Борис"));
        next(&mut anna);
        anna.send(frame(r#"{"type":"create_room","id":"1","kind":"closed","name":"Сад"}"#));
        (0..2).for_each(|_| drop(next(&mut anna)));
        anna.send(frame(r#"{"type":"add_member","id":"2","room":"r1","username":"Борис"}"#));
        let added = event(2, "Анна", "added", r#","subject":"Борис""#);
        next(&mut boris);
        receives(&mut boris, &[&added]);
        anna.send(text("r1", "3", "раз") + &text("", "4", "в зале") + &text("r1", "5", "два"));
        (0..3).for_each(|_| drop(next(&mut boris)));
        boris.send(frame(r#"{"type":"read","room":"r1","seq":3}"#));
        boris.send(frame(r#"{"type":"ping"}"#));
        receives(&mut boris, &[r#"{"type":"pong"}"#]);
        server.signal(signal);
        server.exit_code();

        let server = shelf.server(&[]);
        let resume = |epoch: &str| {
            format!(r#","resume":{{"epoch":"{epoch}","rooms":{{"":1,"r1":2,"r7":3}}}}"#)
        };
        let (mut boris, welcome) = join(&server, "Борис", resume);
        let there =
            r#"{"room":"r1","kind":"closed","name":"Сад","topic":"","last":4,"read":3,"unread":1}"#;
        assert!(welcome.contains(r#""rooms":[{"room":"","kind":"hall","#), "{welcome}");
        assert!(welcome.ends_with(&format!(",{there}]}}")), "{welcome}");
        receives(
            &mut boris,
            &[
                &message(3, "Анна", "раз", r#","replay":true"#),
                &message(4, "Анна", "два", r#","replay":true"#),
            ],
        );
        boris.send(text("r1", "1", "три"));
        receives(&mut boris, &[&message(5, "Борис", "три", r#","id":"1""#)]);
        let (mut anna, welcome) = join(&server, "Анна", |_| String::new());
        let mine = r#""topic":"","mine":true,"last":5,"#;
        assert!(welcome.contains(mine), "{welcome}");
        anna.send(frame(r#"{"type":"create_room","id":"6","kind":"open","name":"Сад"}"#));
        assert!(next(&mut anna).starts_with(r#"{"type":"room","room":"r2","#), "its own number");
    }
}
