//! Rooms: what is said of them, and in them.

use std::borrow::Cow;

use pychat_wire::{
    ClientMessage, ServerMessage,
    message::{HALL, Names, Reactions, Room, RoomEvent, RoomKind, RoomList, RoomRequest},
};

use super::{check_server_message, framed};

#[test]
fn what_clients_say_of_rooms() {
    let change = |request| ClientMessage::Change { request, id: Some("a-1".into()) };
    let (room, username) = (|| Cow::from("r7"), || Cow::from("Борис"));
    let create = |topic: &'static str| RoomRequest::CreateRoom {
        kind: RoomKind::Open,
        name: "Lunch".into(),
        topic: topic.into(),
    };
    for (message, payload) in [
        (ClientMessage::Rooms, r#"{"type":"rooms"}"#),
        (ClientMessage::Members { room: room() }, r#"{"type":"members","room":"r7"}"#),
        (change(create("")), r#"{"type":"create_room","kind":"open","name":"Lunch","id":"a-1"}"#),
        (
            change(create("At noon")),
            r#"{"type":"create_room","kind":"open","name":"Lunch","topic":"At noon","id":"a-1"}"#,
        ),
        (
            change(RoomRequest::Direct { with: ["Борис", "Вера"].into_iter().collect() }),
            r#"{"type":"direct","with":["Борис","Вера"],"id":"a-1"}"#,
        ),
        (
            change(RoomRequest::JoinRoom { room: room() }),
            r#"{"type":"join_room","room":"r7","id":"a-1"}"#,
        ),
        (
            change(RoomRequest::LeaveRoom { room: room() }),
            r#"{"type":"leave_room","room":"r7","id":"a-1"}"#,
        ),
        (
            change(RoomRequest::AddMember { room: room(), username: username() }),
            r#"{"type":"add_member","room":"r7","username":"Борис","id":"a-1"}"#,
        ),
        (
            change(RoomRequest::RemoveMember { room: room(), username: username() }),
            r#"{"type":"remove_member","room":"r7","username":"Борис","id":"a-1"}"#,
        ),
        (
            change(RoomRequest::UpdateRoom { room: room(), name: Some("Tea".into()), topic: None }),
            r#"{"type":"update_room","room":"r7","name":"Tea","id":"a-1"}"#,
        ),
        (
            change(RoomRequest::UpdateRoom { room: room(), name: None, topic: Some("".into()) }),
            r#"{"type":"update_room","room":"r7","topic":"","id":"a-1"}"#,
        ),
    ] {
        let mut wire = Vec::new();
        message.encode(&mut wire);
        assert_eq!(String::from_utf8_lossy(&wire), String::from_utf8_lossy(&framed(payload)));
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(message));
    }
}

#[test]
fn what_clients_say_in_rooms() {
    let room = || Cow::from("r7");
    for (message, payload) in [
        (
            ClientMessage::Text {
                room: room(),
                content: "привет".into(),
                id: Some("a-1".into()),
                reply: None,
            },
            r#"{"type":"text","room":"r7","content":"привет","id":"a-1"}"#,
        ),
        (
            ClientMessage::History { room: room(), before: 101, limit: 50 },
            r#"{"type":"history","room":"r7","before":101,"limit":50}"#,
        ),
        (ClientMessage::Read { room: room(), seq: 7 }, r#"{"type":"read","room":"r7","seq":7}"#),
        (ClientMessage::Read { room: HALL.into(), seq: 7 }, r#"{"type":"read","seq":7}"#),
        (ClientMessage::Typing { room: room() }, r#"{"type":"typing","room":"r7"}"#),
        (ClientMessage::Typing { room: HALL.into() }, r#"{"type":"typing"}"#),
    ] {
        let mut wire = Vec::new();
        message.encode(&mut wire);
        assert_eq!(String::from_utf8_lossy(&wire), String::from_utf8_lossy(&framed(payload)));
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(message));
    }
}

pub(super) fn hall() -> Room<'static> {
    Room {
        room: HALL.into(),
        kind: RoomKind::Hall,
        name: "".into(),
        topic: "".into(),
        with: None,
        mine: false,
        last: 7,
        read: 5,
        unread: 1,
    }
}

fn direct() -> Room<'static> {
    Room {
        room: "r7".into(),
        kind: RoomKind::Direct,
        name: "".into(),
        topic: "".into(),
        with: Some(Names(vec!["Анна".into(), "Борис".into()])),
        mine: false,
        last: 9,
        read: 7,
        unread: 2,
    }
}

fn closed() -> Room<'static> {
    Room {
        room: "r8".into(),
        kind: RoomKind::Closed,
        name: "Lunch".into(),
        topic: "At noon".into(),
        with: None,
        mine: true,
        last: 1,
        read: 1,
        unread: 0,
    }
}

#[test]
fn what_servers_say_of_rooms() {
    let closed_json = r#""room":"r8","kind":"closed","name":"Lunch","topic":"At noon","mine":true,"last":1,"read":1,"unread":0}"#;
    let members = Cow::Owned(["Анна", "Борис"].into_iter().collect());
    for (message, payload) in [
        (
            ServerMessage::Room(direct()),
            r#"{"type":"room","room":"r7","kind":"direct","name":"","topic":"","with":["Анна","Борис"],"last":9,"read":7,"unread":2}"#,
        ),
        (ServerMessage::Room(closed()), &format!(r#"{{"type":"room",{closed_json}"#)),
        (ServerMessage::RoomGone { room: "r7".into() }, r#"{"type":"room_gone","room":"r7"}"#),
        (
            ServerMessage::Rooms { rooms: RoomList(vec![closed()]) },
            &format!(r#"{{"type":"rooms","rooms":[{{{closed_json}]}}"#),
        ),
        (
            ServerMessage::Members { room: "r7".into(), members },
            r#"{"type":"members","room":"r7","members":["Анна","Борис"]}"#,
        ),
    ] {
        check_server_message(&message, payload);
    }
}

#[test]
fn what_servers_say_in_rooms() {
    let room = || Cow::from("r7");
    let event = |event, subject: Option<&'static str>, id: Option<&'static str>, dup, replay| {
        let (seq, time, username) = (7, 5, "Анна".into());
        let (subject, id) = (subject.map(Into::into), id.map(Into::into));
        ServerMessage::Event { room: room(), seq, time, username, event, subject, id, dup, replay }
    };
    for (message, payload) in [
        (
            ServerMessage::Record {
                room: room(),
                seq: 7,
                time: 5,
                username: "Анна".into(),
                content: "привет".into(),
                id: None,
                dup: false,
                replay: false,
                reply: None,
                edited: None,
                deleted: false,
                reactions: Reactions::default(),
            },
            r#"{"type":"message","room":"r7","seq":7,"time":5,"username":"Анна","content":"привет"}"#,
        ),
        (
            event(RoomEvent::Created, None, Some("a-1"), true, false),
            r#"{"type":"event","room":"r7","seq":7,"time":5,"username":"Анна","event":"created","id":"a-1","dup":true}"#,
        ),
        (
            event(RoomEvent::Added, Some("Борис"), None, false, true),
            r#"{"type":"event","room":"r7","seq":7,"time":5,"username":"Анна","event":"added","subject":"Борис","replay":true}"#,
        ),
        (
            ServerMessage::Gap { room: room(), from: 1, to: 40 },
            r#"{"type":"gap","room":"r7","from":1,"to":40}"#,
        ),
        (
            ServerMessage::Skip { room: room(), from: 1, to: 40 },
            r#"{"type":"skip","room":"r7","from":1,"to":40}"#,
        ),
        (
            ServerMessage::Page { room: room(), before: 41, count: 0, start: true },
            r#"{"type":"page","room":"r7","before":41,"count":0,"start":true}"#,
        ),
        (ServerMessage::Read { room: room(), seq: 7 }, r#"{"type":"read","room":"r7","seq":7}"#),
        (
            ServerMessage::Typing { room: room(), username: "Анна".into() },
            r#"{"type":"typing","room":"r7","username":"Анна"}"#,
        ),
    ] {
        check_server_message(&message, payload);
    }
}

#[test]
fn every_kind_of_room_and_of_event() {
    for (word, kind) in [
        ("hall", RoomKind::Hall),
        ("open", RoomKind::Open),
        ("closed", RoomKind::Closed),
        ("direct", RoomKind::Direct),
        ("bored", RoomKind::Unknown),
    ] {
        let payload = format!(r#"{{"type":"room","room":"r7","kind":"{word}"}}"#);
        let Ok(ServerMessage::Room(room)) = ServerMessage::parse(payload.as_bytes()) else {
            panic!("{payload}")
        };
        assert_eq!(room.kind, kind);
    }
    for (word, kind) in [
        ("created", RoomEvent::Created),
        ("joined", RoomEvent::Joined),
        ("left", RoomEvent::Left),
        ("added", RoomEvent::Added),
        ("removed", RoomEvent::Removed),
        ("renamed", RoomEvent::Renamed),
        ("topic", RoomEvent::Topic),
        ("bored", RoomEvent::Unknown),
    ] {
        let payload = format!(
            r#"{{"type":"event","room":"r7","seq":1,"time":5,"username":"a","event":"{word}"}}"#
        );
        let Ok(ServerMessage::Event { event, .. }) = ServerMessage::parse(payload.as_bytes())
        else {
            panic!("{payload}")
        };
        assert_eq!(event, kind);
    }
}
