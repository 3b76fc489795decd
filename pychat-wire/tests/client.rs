//! The client before a server that says anything at all, over a line that cuts it anywhere.

use std::collections::HashMap;

use proptest::{collection::vec, prelude::*, sample::select};
use pychat_wire::{
    Client, ServerMessage, UserName,
    client::{Begin, Event, Hearing, Message, RoomId, RoomRecord, Saved, UNREAD_MAX},
    key::Nonce,
    message::{
        Door, ErrorCode, HALL, Limits, Reactions, Reason, Room, RoomEvent, RoomKind, RoomList,
        RoomRequest,
    },
    name::{SERVER, YOU},
    notice::Notice,
};

/// Numbers at the edges and in between.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..12_u64, select(vec![u64::MAX, u64::MAX - 1, 1 << 53]), any::<u64>()]
}

fn frame(message: &ServerMessage<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}

fn greeting(protocol: u64) -> Vec<u8> {
    frame(&ServerMessage::Greeting {
        username: SERVER.into(),
        content: Notice::Greeting.to_string().into(),
        protocol,
        server: "s".into(),
        epoch: "a".into(),
        nonce: Nonce([7; 16]),
        limits: Limits { payload: 200, name: 32, burst: 0, per_second: 0 },
        tls: false,
        admission: Door::Open,
        ping_seconds: 0,
    })
}

/// The rooms of whose logs something is said.
const ROOMS: [&str; 3] = [HALL, "r1", "r2"];

fn room(id: &'static str, (last, read, unread): (u64, u64, u64)) -> Room<'static> {
    Room {
        room: id.into(),
        kind: if id == HALL { RoomKind::Hall } else { RoomKind::Open },
        name: id.into(),
        topic: "".into(),
        with: None,
        mine: false,
        last,
        read,
        unread,
    }
}

fn welcome(epoch: &str, seq: u64, others: &[Room<'static>]) -> Vec<u8> {
    frame(&ServerMessage::Welcome {
        username: "Анна".into(),
        epoch: epoch.into(),
        time: 0,
        operator: false,
        members: std::borrow::Cow::Owned(["Анна", "b"].into_iter().collect()),
        rooms: RoomList([&[room(HALL, (seq, 0, 0))], others].concat()),
    })
}

/// One thing that a server may say, whether it should or not.
fn word() -> impl Strategy<Value = Vec<u8>> {
    let reasons = select(vec![Reason::Slow, Reason::Kicked, Reason::Shutdown]);
    let codes = select(vec![
        ErrorCode::NameTaken,
        ErrorCode::Storage,
        ErrorCode::TooLarge,
        ErrorCode::SlowDown,
        ErrorCode::Full,
    ]);
    // What the client's own texts are called, and what they are not.
    let ids = select(vec![None, Some(format!("{:032x}-0", 7)), Some("x".to_owned())]);
    let within = || select(ROOMS.to_vec());
    let record = (within(), number(), ids.clone(), any::<bool>(), any::<bool>());
    prop_oneof![
        1 => select(vec![1, 2, 3]).prop_map(greeting),
        2 => (select(vec!["a", "b"]), number()).prop_map(|(epoch, seq)| welcome(epoch, seq, &[])),
        8 => record.prop_map(|(room, seq, id, dup, replay)| {
            let (username, content, id) = ("b".into(), "x\n".into(), id.map(Into::into));
            let room = room.into();
            frame(&ServerMessage::Record { room, seq, time: 0, username, content, id, dup, replay, reply: None, edited: None, deleted: false, reactions: Reactions::default() })
        }),
        6 => word_of_room(ids.clone()),
        2 => (within(), number(), number())
            .prop_map(|(room, from, to)| frame(&ServerMessage::Gap { room: room.into(), from, to })),
        1 => (within(), number(), number())
            .prop_map(|(room, from, to)| frame(&ServerMessage::Skip { room: room.into(), from, to })),
        2 => (within(), number(), any::<bool>()).prop_map(|(room, before, start)| {
            frame(&ServerMessage::Page { room: room.into(), before, count: 1, start })
        }),
        1 => select(vec![SERVER, YOU, "b"]).prop_map(|username| {
            frame(&ServerMessage::Message { username: username.into(), content: "x".into() })
        }),
        1 => Just(frame(&ServerMessage::notice(Notice::Welcome {
            name: "Анна",
            online: 1,
            names: "b",
        }))),
        1 => Just(frame(&ServerMessage::Joined { username: "c".into(), time: 0 })),
        1 => Just(frame(&ServerMessage::Left {
            username: "b".into(),
            time: 0,
            reason: Reason::Quit,
        })),
        2 => (codes, ids, proptest::option::of(number())).prop_map(|(code, id, retry_ms)| {
            let (reference, text) = (id.map(Into::into), "no".into());
            frame(&ServerMessage::Error { code, text, reference, retry_ms, suggest: None })
        }),
        1 => Just(frame(&ServerMessage::Ping)),
        1 => (reasons, number())
            .prop_map(|(reason, retry_ms)| frame(&ServerMessage::Bye { reason, retry_ms })),
        1 => vec(any::<u8>(), 0..10),
    ]
}

/// One thing that a server may say of a room, or of a record that is no message.
fn word_of_room(
    ids: impl Strategy<Value = Option<String>> + 'static,
) -> impl Strategy<Value = Vec<u8>> {
    let within = || select(ROOMS.to_vec());
    let events = select(vec![RoomEvent::Joined, RoomEvent::Renamed, RoomEvent::Unknown]);
    prop_oneof![
        (within(), (number(), number(), number()))
            .prop_map(|(id, numbers)| frame(&ServerMessage::Room(room(id, numbers)))),
        within().prop_map(|room| frame(&ServerMessage::RoomGone { room: room.into() })),
        (within(), number())
            .prop_map(|(room, seq)| frame(&ServerMessage::Read { room: room.into(), seq })),
        (within(), number()).prop_map(|(room, seq)| frame(&ServerMessage::UnknownRecord {
            room: room.into(),
            seq
        })),
        (within(), number(), events, ids, any::<bool>(), any::<bool>()).prop_map(
            |(room, seq, event, id, dup, replay)| {
                let (room, username, id) = (room.into(), "b".into(), id.map(Into::into));
                let subject = Some("c".into());
                frame(&ServerMessage::Event {
                    room,
                    seq,
                    time: 0,
                    username,
                    event,
                    subject,
                    id,
                    dup,
                    replay,
                })
            }
        ),
    ]
}

/// The outcome: the events, the bytes written and the state that is saved.
type Outcome = (Vec<Event>, Vec<u8>, String);

/// Lets a client with an unacknowledged text hear `wire` in pieces that end at `ends`.
fn hear(begin: Begin, wire: &[u8], ends: &[usize]) -> Outcome {
    let saved = serde_json::json!({
        "name": "Анна",
        "is_known": true,
        "epoch": "a",
        "rooms": { "": { "seq": 5 }, "r1": { "seq": 5, "seen": 3 } },
        "counter": 1,
        "unacknowledged": [
            { "id": format!("{:032x}-0", 7), "text": "x" },
            { "room": "r1", "id": "x", "text": "y" },
        ],
    });
    let saved: Saved = serde_json::from_value(saved).expect("a saved state");
    let mut client = Client::new(UserName::new("Анна").expect("a name"), saved, [7; 32])
        .beginning(begin)
        .hearing(Hearing::All)
        .persistent();
    let join = RoomRequest::JoinRoom { room: "r2".into() };
    assert!(client.change_room(join).is_some());
    client.connected(1_000);
    let (mut begin, mut written) = (0, Vec::new());
    for end in ends.iter().copied().chain([wire.len()]) {
        client.receive(1_000, &wire[begin..end]);
        written.extend(client.take_outgoing());
        begin = end;
    }
    let mut events: Vec<_> = std::iter::from_fn(|| client.next_event()).collect();
    for _ in 0..5 {
        for room in ROOMS.map(RoomId::from) {
            client.request_history(&room, 5);
            client.see(&room, u64::MAX);
            client.typing(&room);
            assert!(client.unread(&room) <= UNREAD_MAX);
        }
        client.handle_timeout(client.next_deadline().unwrap_or(0));
        client.wake(u64::MAX);
        client.disconnected(u64::MAX);
        client.connected(u64::MAX);
        client.receive(u64::MAX, wire);
    }
    client.leave();
    events.extend(std::iter::from_fn(|| client.next_event()));
    (events, written, serde_json::to_string(client.saved()).expect("it can be written"))
}

/// Another room, of which something was missed, or lost.
fn others(seq: u64) -> [Room<'static>; 1] {
    [room("r1", (seq, 1, 2))]
}

fn begin() -> impl Strategy<Value = Begin> {
    select(vec![Begin::Resume, Begin::Everything, Begin::LastPage(3)])
}

proptest! {
    #[test]
    fn a_client_hears_the_same_however_the_line_cuts_it(
        begin in begin(),
        seq in 0..12_u64,
        words in vec(word(), 0..20),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let wire = [greeting(2), welcome("a", seq, &others(seq)), words.concat()].concat();
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
        ends.sort_unstable();
        let (whole, cut) = (hear(begin, &wire, &[]), hear(begin, &wire, &ends));
        prop_assert_eq!((&cut.0, &cut.2), (&whole.0, &whole.2));
        // Where the line was given up, what had not been taken by then is not written any more.
        prop_assert!(whole.1.is_empty() || cut.1 == whole.1);
    }

    #[test]
    fn numbers_only_grow_whatever_the_server_says(
        begin in begin(),
        seq in 0..12_u64,
        words in vec(word(), 0..30),
    ) {
        let wire = [greeting(2), welcome("a", seq, &others(seq)), words.concat()].concat();
        let (events, ..) = hear(begin, &wire, &[]);
        let first = if let Begin::LastPage(_) = begin { seq } else { 5 };
        let mut lasts: HashMap<_, _> = ["", "r1"].map(|room| (RoomId::from(room), first)).into();
        for event in &events {
            match event {
                Event::Message(Message { room, seq: Some(seq), .. })
                | Event::RoomEvent(RoomRecord { room, seq, .. }) => {
                    let last = lasts.insert(room.clone(), *seq).expect("a room that we are in");
                    prop_assert!(last < *seq, "{events:?}");
                }
                Event::Gap { room, from, to } => {
                    prop_assert!(from <= to);
                    // Where the log has lost its end, it goes on from there.
                    let last = lasts.get_mut(room).expect("a room that we are in");
                    *last = if *last < *from { *to } else { from - 1 };
                }
                // Where we were in it no more, it begins with what is said from now on.
                Event::Joined { .. } => {
                    lasts.entry("r1".into()).or_insert(seq);
                },
                Event::NewEpoch => lasts.values_mut().for_each(|last| *last = 0),
                Event::RoomChanged(room) => {
                    prop_assert!(room.read <= room.last && room.unread <= UNREAD_MAX);
                    lasts.entry(room.id.clone()).or_insert(room.last);
                }
                Event::RoomGone { room } => prop_assert!(lasts.remove(room).is_some()),
                Event::Page(page) => {
                    prop_assert!(page.messages.is_sorted_by_key(|it| it.seq));
                    prop_assert!(page.events.is_sorted_by_key(|it| it.seq));
                }
                _ => (),
            }
        }
    }

    #[test]
    fn any_saved_state_will_do(
        name in ".*",
        epoch in proptest::option::of(".*"),
        (seq, counter) in (number(), number()),
        texts in vec((".*", ".*"), 0..5),
    ) {
        let texts: Vec<_> = texts
            .iter()
            .map(|(id, text)| serde_json::json!({ "id": id, "text": text }))
            .collect();
        let saved = serde_json::json!({
            "name": name,
            "is_known": counter % 2 == 0,
            "epoch": epoch,
            "seq": seq,
            "counter": counter,
            "unacknowledged": texts,
        });
        let name = UserName::new(&name).unwrap_or(UserName::new("Анна").unwrap());
        let mut client = Client::new(name, serde_json::from_value(saved).unwrap(), [7; 32]);
        client.connected(0);
        client.receive(0, &[greeting(2), welcome("a", 3, &[])].concat());
        prop_assert!(client.is_joined());
        prop_assert!(client.say(&RoomId::hall(), "x").is_ok());
    }
}
