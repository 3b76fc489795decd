//! Requests about rooms, which are answered once.

use super::*;

fn join() -> RoomRequest<'static> {
    RoomRequest::JoinRoom { room: "r9".into() }
}

/// Our own copy of the record by which we joined `r9`.
fn joined(id: &str, seq: u64, is_dup: bool) -> ServerMessage<'static> {
    let mut message = within("r9", event(seq, RoomEvent::Joined, None));
    if let ServerMessage::Event { id: own, dup, .. } = &mut message {
        (*own, *dup) = (Some(id.to_owned().into()), is_dup);
    }
    message
}

#[test]
fn a_change_is_sent_again_until_it_is_answered() {
    let mut stage = Stage::in_two_rooms(0);
    let id = stage.client.change_room(join()).unwrap();
    let asked = format!(r#"{{"type":"join_room","room":"r9","id":"{id}"}}"#);
    assert_eq!(stage.written(), [&*asked]);
    stage.cut();
    stage.enter_all(0, vec![described("r7", 0)]);
    assert_eq!(stage.written()[1..], [&*asked]);
    let room = ServerMessage::Room(described("r9", 4));
    let told = stage.hear(&[room, joined(&id, 5, false), joined(&id, 5, false)]);
    assert_told(&told, &[r#"r9: room "r9""#, "r9: 5 Joined ", "r9: done"]);
    let Event::RoomEvent(record) = &told[1] else { panic!("{told:?}") };
    assert!(record.own && record.id.as_ref() == Some(&id));
    assert_eq!(told[2], Event::RoomRequestDone { room: "r9".into(), id });
    stage.cut();
    stage.pass(2_000);
    assert_eq!(stage.enter(EPOCH, 0).len(), 1, "only a hello");
}

#[test]
fn a_repeated_answer_is_no_record() {
    let mut stage = Stage::in_two_rooms(0);
    let id = stage.client.change_room(join()).unwrap();
    let room = ServerMessage::Room(described("r9", 4));
    let told = stage.hear(&[room, joined(&id, 9, true), within("r9", live(5))]);
    assert_told(&told, &[r#"r9: room "r9""#, "r9: done", "r9: 5"]);
    // Not even where we are not in the room any more.
    let id = stage.client.change_room(join()).unwrap();
    assert_told(&stage.hear(&[within("r8", joined(&id, 9, true))]), &["r8: done"]);
}

#[test]
fn a_refusal_answers_a_change() {
    for code in [ErrorCode::NoRoom, ErrorCode::Storage, ErrorCode::SlowDown, ErrorCode::IdReused] {
        let mut stage = Stage::in_two_rooms(0);
        let id = stage.client.change_room(join()).unwrap();
        let refusal = error(code, Some(&MessageId::heard(&id)), None);
        let told = stage.hear(&[refusal]);
        assert_eq!(told, [Event::Denied { code, text: "no".into(), id: Some(id) }]);
        stage.written();
        stage.cut();
        assert_eq!(stage.enter(EPOCH, 0).len(), 1, "only a hello");
    }
}

#[test]
fn who_leaves_is_told_no_more_than_that_the_room_is_gone() {
    let mut stage = Stage::in_two_rooms(3);
    let leave = RoomRequest::LeaveRoom { room: "r7".into() };
    let id = stage.client.change_room(leave).unwrap();
    let gone = || ServerMessage::RoomGone { room: "r7".into() };
    assert_told(&stage.hear(&[gone(), gone()]), &["r7: gone", "r7: done"]);
    // Somebody else had removed us before.
    let refusal = error(ErrorCode::NoRoom, Some(&MessageId::heard(&id)), None);
    assert_eq!(stage.hear(&[refusal]), []);
}

#[test]
fn what_cannot_be_asked_for_is_not_taken() {
    let mut stage = Stage::new();
    assert_eq!(stage.client.change_room(join()), None);
    stage.enter(EPOCH, 0);
    let name = "x".repeat(PAYLOAD_BYTES_MAX).into();
    let huge = RoomRequest::CreateRoom { kind: RoomKind::Open, name, topic: "".into() };
    assert_eq!(stage.client.change_room(huge), None);
    assert!(stage.written().is_empty());
    let ids: std::collections::HashSet<_> =
        (0..CHANGES_MAX).map(|_| stage.client.change_room(join()).unwrap()).collect();
    assert_eq!(ids.len(), CHANGES_MAX);
    assert_eq!(stage.client.change_room(join()), None);
    assert!(stage.client.say(&hall(), "x").is_ok());
}

#[test]
fn what_a_smaller_server_would_choke_on_is_denied() {
    let mut stage = Stage::joined(0);
    let (name, topic) = ("x".repeat(300).into(), "".into());
    let huge = RoomRequest::CreateRoom { kind: RoomKind::Open, name, topic };
    let id = stage.client.change_room(huge).unwrap();
    stage.cut();
    stage.client.connected(0);
    let mut small = greeting(EPOCH);
    if let ServerMessage::Greeting { limits, .. } = &mut small {
        limits.payload = 200;
    }
    let told = stage.hear(&[small, welcome(EPOCH, 0)]);
    let Some(Event::Denied { code: ErrorCode::TooLarge, id: denied, .. }) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(denied.as_ref(), Some(&id));
    assert_eq!(stage.written().len(), 1, "only a hello");
}

#[test]
fn a_change_that_is_asked_for_without_a_line_is_sent_once_there_is_one() {
    let mut stage = Stage::back(0);
    let id = stage.client.change_room(join()).unwrap();
    assert!(stage.enter(EPOCH, 0)[1].contains(&id));
    stage.client.leave();
    assert!(stage.client.change_room(join()).is_some());
}

#[test]
fn lists_are_asked_for_and_told() {
    let mut stage = Stage::in_two_rooms(0);
    assert!(stage.client.request_rooms() && stage.client.request_members(&other()));
    assert_eq!(stage.written(), [r#"{"type":"rooms"}"#, r#"{"type":"members","room":"r7"}"#]);
    let members = std::borrow::Cow::Owned(["Борис", "Анна"].into_iter().collect());
    let told = stage.hear(&[
        ServerMessage::Rooms { rooms: RoomList(vec![described("r8", 4)]) },
        ServerMessage::Members { room: "r7".into(), members },
    ]);
    let names = vec!["Борис".into(), "Анна".into()];
    let rooms = vec![described("r8", 4).into()];
    assert_eq!(told, [Event::Rooms(rooms), Event::Members { room: other(), names }]);
    assert_eq!(stage.client.room(&"r8".into()), None, "we are not in it");
}

#[test]
fn what_was_asked_of_a_room_that_is_gone_is_asked_again_and_answered_once() {
    let gone = ServerMessage::RoomGone { room: "r7".into() };
    for is_answered in [false, true] {
        let mut stage = Stage::in_two_rooms(3);
        let name = Some("x".into());
        let rename = RoomRequest::UpdateRoom { room: "r7".into(), name, topic: None };
        let id = stage.client.change_room(rename).unwrap();
        let asked = stage.written();
        assert_told(&stage.hear(std::slice::from_ref(&gone)), &["r7: gone"]);
        assert_eq!(stage.written(), asked);
        // Whoever is being sent what they missed is not sent the rest of it, nor the answers in it.
        let known = within("r7", joined(&id, 4, true));
        let refusal = error(ErrorCode::NoRoom, Some(&MessageId::heard(&id)), None);
        let answers = if is_answered { vec![known, refusal] } else { vec![known] };
        assert_told(&stage.hear(&answers), &["r7: done"]);
        stage.cut();
        assert_eq!(stage.enter(EPOCH, 0).len(), 1, "only a hello");
    }
}

#[test]
fn no_page_is_asked_for_while_leaving_is_not_answered() {
    let mut stage = Stage::in_two_rooms(10);
    let leave = RoomRequest::LeaveRoom { room: "r7".into() };
    let id = stage.client.change_room(leave).unwrap();
    assert_eq!(stage.written().len(), 1);
    assert!(stage.client.request_history(&other(), 3));
    assert_eq!((stage.written(), stage.client.past(&other())), (vec![], Past::Asked));
    // It was done long ago, and they are in it again.
    let mut known = within("r7", event(4, RoomEvent::Left, None));
    if let ServerMessage::Event { id: own, dup, .. } = &mut known {
        (*own, *dup) = (Some(id.into()), true);
    }
    assert_told(&stage.hear(&[known]), &["r7: done"]);
    let asked = r#"{"type":"history","room":"r7","before":11,"limit":3}"#;
    assert_eq!(stage.written(), [asked]);
}
