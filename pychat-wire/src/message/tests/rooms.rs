//! Rooms in payloads: bounds, and what is left out.

use super::*;

/// An id as long as there may be, and one that is longer.
fn ids() -> (String, String) {
    ("x".repeat(ROOM_ID_BYTES_MAX), "x".repeat(ROOM_ID_BYTES_MAX + 1))
}

/// Returns the room of a text that says `room`, as JSON.
fn room_of(room: &str) -> String {
    let payload = format!(r#"{{"type":"text","content":"x","room":{room}}}"#);
    let Ok(ClientMessage::Text { room, .. }) = ClientMessage::parse(payload.as_bytes()) else {
        panic!("{payload}")
    };
    room.into_owned()
}

#[test]
fn what_names_no_room_is_not_the_hall() {
    let (longest, too_long) = ids();
    for id in ["", "r7", "комната", &longest] {
        assert_eq!(room_of(&format!("{id:?}")), id);
    }
    let long = format!("{too_long:?}");
    for nothing in [&long, "5", "null", "{}", "[\"\"]", "true"] {
        let room = room_of(nothing);
        assert!(room != HALL && room.len() <= ROOM_ID_BYTES_MAX, "{nothing} is {room:?}");
        assert_ne!(room, too_long);
    }
    let text_without = ClientMessage::parse(br#"{"type":"text","content":"x"}"#);
    assert_eq!(text_without, Ok(ClientMessage::text("x")));
}

#[test]
fn every_verb_says_in_which_room() {
    let room = || Cow::from("r7");
    for (payload, message) in [
        (
            r#"{"type":"text","room":"r7","content":"x"}"#,
            ClientMessage::Text { room: room(), content: "x".into(), id: None, reply: None },
        ),
        (
            r#"{"type":"history","room":"r7","before":5,"limit":2}"#,
            ClientMessage::History { room: room(), before: 5, limit: 2 },
        ),
        (r#"{"type":"read","room":"r7","seq":5}"#, ClientMessage::Read { room: room(), seq: 5 }),
        (r#"{"type":"typing","room":"r7"}"#, ClientMessage::Typing { room: room() }),
        (r#"{"type":"members","room":"r7"}"#, ClientMessage::Members { room: room() }),
        (r#"{"type":"members"}"#, ClientMessage::Members { room: HALL.into() }),
    ] {
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(message), "{payload}");
    }
    let error = MessageError::NotANumber { member: "seq" };
    assert_eq!(ClientMessage::parse(br#"{"type":"read","seq":"5"}"#), Err(error));
}

#[test]
fn a_request_about_rooms_needs_its_members() {
    let not_a_string = |member| MessageError::NotAString { member };
    for (payload, error) in [
        (r#"{"type":"create_room","kind":"open"}"#, not_a_string("name")),
        (r#"{"type":"add_member","room":"r7"}"#, not_a_string("username")),
        (r#"{"type":"remove_member","room":"r7","username":5}"#, not_a_string("username")),
        (r#"{"type":"direct"}"#, MessageError::NotAList { member: "with" }),
        (r#"{"type":"direct","with":"b"}"#, MessageError::NotAList { member: "with" }),
        (r#"{"type":"direct","with":["b",5]}"#, MessageError::NotAList { member: "with" }),
    ] {
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Err(error), "{payload}");
    }
    let payload = br#"{"type":"create_room","kind":"secret","name":"x","topic":5}"#;
    let (kind, name, topic) = (RoomKind::Unknown, "x".into(), "".into());
    let request = RoomRequest::CreateRoom { kind, name, topic };
    assert_eq!(ClientMessage::parse(payload), Ok(ClientMessage::Change { request, id: None }));
}

#[test]
fn a_list_of_people_is_read_until_it_is_too_long() {
    for (count, read) in [(1, 1), (8, 8), (9, 9), (500, 9)] {
        let payload = format!(r#"{{"type":"direct","with":{:?}}}"#, vec!["b"; count]);
        let Ok(ClientMessage::Change { request: RoomRequest::Direct { with }, .. }) =
            ClientMessage::parse(payload.as_bytes())
        else {
            panic!("{payload}")
        };
        assert_eq!(with.0.len(), read, "one too many tells that it is too long");
    }
}

/// Returns the positions of a hello that resumes `rooms`, as JSON.
fn positions(rooms: &str) -> Option<Vec<(String, u64)>> {
    let payload =
        format!(r#"{{"type":"hello","username":"a","resume":{{"epoch":"e","rooms":{rooms}}}}}"#);
    let Ok(ClientMessage::Hello(hello)) = ClientMessage::parse(payload.as_bytes()) else {
        panic!("{payload}")
    };
    let positions = hello.resume?.rooms.0;
    Some(positions.into_iter().map(|(room, seq)| (room.into_owned(), seq)).collect())
}

#[test]
fn a_resume_takes_no_more_positions_than_there_may_be_rooms_and_none_that_is_bad() {
    let (longest, too_long) = ids();
    let rooms = format!(
        r#"{{"":5,"a":-1,"b":"1","c":1.0,"d":null,"e":{{}},"{too_long}":1,"f":18446744073709551616,"{longest}":7}}"#
    );
    assert_eq!(positions(&rooms), Some(vec![(String::new(), 5), (longest, 7)]));
    let many: Vec<_> = (0..1_500).map(|number| format!(r#""r{number}":{number}"#)).collect();
    let kept = positions(&format!("{{{}}}", many.join(","))).unwrap();
    assert_eq!((kept.len(), kept.last().unwrap().1), (ROOMS_MAX, 999));
    for no_object in ["[]", "5", "\"\""] {
        assert_eq!(positions(no_object), None, "{no_object}");
    }
}

#[test]
fn a_room_that_cannot_be_read_is_left_out_of_a_list() {
    let (_, too_long) = ids();
    let payload = format!(
        r#"{{"type":"rooms","rooms":[{{"room":"r1","kind":"open"}},5,{{"room":"r2"}},{{"kind":"open"}},{{"room":"{too_long}","kind":"open"}},{{"room":"r3","kind":"open","last":-1}},{{"room":"r4","kind":"new","last":7,"with":["a"]}}]}}"#
    );
    let Ok(ServerMessage::Rooms { rooms }) = ServerMessage::parse(payload.as_bytes()) else {
        panic!("{payload}")
    };
    let ids: Vec<_> = rooms.0.iter().map(|room| (&*room.room, room.kind, room.last)).collect();
    assert_eq!(ids, [("r1", RoomKind::Open, 0), ("r4", RoomKind::Unknown, 7)]);
    let many = vec![r#"{"room":"r1","kind":"open"}"#; 1_500].join(",");
    let payload = format!(r#"{{"type":"rooms","rooms":[{many}]}}"#);
    let Ok(ServerMessage::Rooms { rooms }) = ServerMessage::parse(payload.as_bytes()) else {
        panic!("the list is longer than is read")
    };
    assert_eq!(rooms.0.len(), ROOMS_MAX);
}

#[test]
fn what_a_server_says_of_a_room_is_bounded() {
    let long = "ж".repeat(1_000);
    let payload = format!(
        r#"{{"type":"room","room":"r7","kind":"direct","name":"{long}","topic":"{long}","with":{:?},"mine":"yes","last":"5","read":-1,"unread":{}}}"#,
        vec![&long; 20],
        u64::MAX
    );
    let name = "ж".repeat(31) + "…";
    let room = Room {
        room: "r7".into(),
        kind: RoomKind::Direct,
        name: ("ж".repeat(63) + "…").into(),
        topic: ("ж".repeat(499) + "…").into(),
        with: Some(Names(vec![(&*name).into(); 9])),
        mine: false,
        last: 0,
        read: 0,
        unread: u64::MAX,
    };
    assert_eq!(ServerMessage::parse(payload.as_bytes()), Ok(ServerMessage::Room(room)));
}

#[test]
fn what_is_told_of_a_room_needs_its_id() {
    let (_, too_long) = ids();
    for kind in ["room", "room_gone"] {
        for room in [format!("{too_long:?}"), "5".to_owned()] {
            let payload = format!(r#"{{"type":"{kind}","kind":"open","room":{room}}}"#);
            let error = MessageError::NotAString { member: "room" };
            assert_eq!(ServerMessage::parse(payload.as_bytes()), Err(error), "{payload}");
        }
    }
}

#[test]
fn an_event_is_bounded() {
    let (long, (_, too_long)) = ("ж".repeat(1_000), ids());
    let payload = format!(
        r#"{{"type":"event","room":"r7","seq":1,"time":{},"username":"{long}","event":"exploded","subject":"{long}","id":"{too_long}"}}"#,
        u64::MAX
    );
    let event = ServerMessage::Event {
        room: "r7".into(),
        seq: 1,
        time: TIME_MS_MAX,
        username: ("ж".repeat(31) + "…").into(),
        event: RoomEvent::Unknown,
        subject: Some(("ж".repeat(499) + "…").into()),
        id: None,
        dup: false,
        replay: false,
    };
    assert_eq!(ServerMessage::parse(payload.as_bytes()), Ok(event));
}

#[test]
fn an_event_has_the_name_that_its_payload_has() {
    use RoomEvent::*;
    for event in [Created, Joined, Left, Added, Removed, Renamed, Topic, Unknown] {
        let json = serde_json::to_string(&event).expect("a name");
        assert_eq!(json, format!("{:?}", event.name()));
        assert_eq!(serde_json::from_str::<RoomEvent>(&json).expect("its own name"), event);
    }
}

#[test]
fn whatever_bears_a_number_is_a_record() {
    let payload = br#"{"type":"react","room":"r7","seq":9,"target":3,"emoji":"x"}"#;
    let record = ServerMessage::UnknownRecord { room: "r7".into(), seq: 9 };
    assert_eq!(ServerMessage::parse(payload), Ok(record));
    for payload in [&br#"{"type":"react","room":"r7"}"#[..], br#"{"type":"react","seq":"9"}"#] {
        let error = MessageError::UnknownType { name: "react".into() };
        assert_eq!(ServerMessage::parse(payload), Err(error));
    }
}
