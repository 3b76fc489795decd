//! The client before a server that says anything at all, over a line that cuts it anywhere.

use std::collections::{BTreeMap, HashMap};

use proptest::{collection::vec, prelude::*, sample::select};
use pychat_wire::{
    Client, ServerMessage, UserName,
    client::{
        Amended, Begin, Event, Hearing, Message, MessageState, RoomId, RoomRecord, Said, Saved,
        UNREAD_MAX,
    },
    key::Nonce,
    message::{
        Amendment, Door, ErrorCode, HALL, Limits, Reactions, Reason, Room, RoomEvent, RoomKind,
        RoomList, RoomRequest,
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
        servers: std::borrow::Cow::default(),
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
        ErrorCode::NoMessage,
        ErrorCode::SlowDown,
        ErrorCode::Full,
    ]);
    // What the client's own texts are called, and what they are not.
    let ids = [None, Some("x"), Some("y"), Some("z"), Some("elsewhere")];
    let ids = select(ids.map(|id| id.map(ToOwned::to_owned)).to_vec());
    let within = || select(ROOMS.to_vec());
    let record = || (within(), number(), ids.clone(), any::<bool>(), any::<bool>());
    let state = (proptest::option::of(number()), any::<bool>(), proptest::option::of(number()));
    prop_oneof![
        1 => select(vec![1, 2, 3]).prop_map(greeting),
        2 => (select(vec!["a", "b"]), number()).prop_map(|(epoch, seq)| welcome(epoch, seq, &[])),
        8 => (record(), state).prop_map(|((room, seq, id, dup, replay), state)| {
            let (username, content, id) = ("b".into(), "x\n".into(), id.map(Into::into));
            let (room, (edited, deleted, reply)) = (room.into(), state);
            let reactions = Reactions(vec![("👍".into(), vec!["b".into()])]);
            frame(&ServerMessage::Record {
                room,
                seq,
                time: 0,
                username,
                content,
                id,
                dup,
                replay,
                reply,
                edited,
                deleted,
                reactions,
            })
        }),
        4 => (record(), amendment()).prop_map(|((room, seq, id, dup, replay), amendment)| {
            let (room, time, username, id) = (room.into(), 0, "b".into(), id.map(Into::into));
            frame(&ServerMessage::Amended { amendment, room, seq, time, username, id, dup, replay })
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
            .prop_map(|(reason, retry_ms)| frame(&ServerMessage::bye(reason, retry_ms))),
        1 => vec(any::<u8>(), 0..10),
    ]
}

/// Any amendment, with what may be no emoji.
fn amendment() -> impl Strategy<Value = Amendment<'static>> {
    let words = || proptest::option::of(select(vec!["x", "y\n", ""]).prop_map(Into::into));
    let emoji = proptest::option::of(select(vec!["👍", "❤️", "😀", "ok"]).prop_map(Into::into));
    prop_oneof![
        (number(), words()).prop_map(|(target, content)| Amendment::Edit { target, content }),
        number().prop_map(|target| Amendment::Delete { target }),
        (number(), emoji).prop_map(|(target, emoji)| Amendment::React { target, emoji }),
        (number(), words()).prop_map(|(target, content)| Amendment::Restore { target, content }),
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

/// Lets a client with unacknowledged texts and amendments hear `wire` in pieces that end at `ends`.
fn hear(begin: Begin, wire: &[u8], ends: &[usize]) -> Outcome {
    let saved = serde_json::json!({
        "name": "Анна",
        "is_known": true,
        "epoch": "a",
        "rooms": { "": { "seq": 5 }, "r1": { "seq": 5, "seen": 3 } },
        "counter": 1,
        "unacknowledged": [
            { "id": "x", "text": "x" },
            { "id": "w", "of": "x", "type": "edit", "target": 0, "content": "new" },
            { "room": "r1", "id": "y", "text": "y", "reply": 2 },
            { "room": "r1", "id": "z", "type": "edit", "target": 2, "content": "x" },
        ],
    });
    let saved: Saved = serde_json::from_value(saved).expect("a saved state");
    let mut client = Client::new(UserName::new("Анна").expect("a name"), saved, [7; 32])
        .beginning(begin)
        .hearing(Hearing::All)
        .persistent();
    let join = RoomRequest::JoinRoom { room: "r2".into() };
    assert!(client.change_room(join).is_some());
    let first = client.say(&RoomId::hall(), "раз").expect("it is taken");
    client.edit_pending(&first, "два").expect("it was not sent");
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
            let _ = client.amend(&room, Amendment::React { target: 3, emoji: None });
            assert!(client.unread(&room) <= UNREAD_MAX);
        }
        amend_pending(&mut client);
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

/// Edits and takes back texts that wait, and checks what is told of all that waits.
fn amend_pending(client: &mut Client) {
    let is_text = |said: &Said| matches!(said, Said::Text { .. });
    let waiting = client.unacknowledged().filter(|it| is_text(it.said));
    let texts: Vec<_> = waiting.map(|it| it.id.clone()).collect();
    for (place, id) in texts.iter().enumerate() {
        let _ = client.edit_pending(id, "other");
        if place % 2 == 1 {
            client.delete_pending(id).expect("it waits");
        }
    }
    for pending in client.unacknowledged() {
        let waits_for_text = pending.of.is_none_or(|of| {
            client.unacknowledged().any(|text| text.id == of && is_text(text.said))
        });
        assert!(waits_for_text, "{pending:?}");
    }
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
                | Event::Amended(Amended { room, seq, .. })
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
    fn amendments_that_come_again_change_nothing_in_the_end(
        amendments in vec((select(vec!["a", "b", "c"]), 0..3_u64, amendment()), 0..20),
        known in any::<prop::sample::Index>(),
    ) {
        let mut state = MessageState::new("x".to_owned());
        let (mut time_ms, mut possible) = (0, Vec::new());
        for (author, passed_ms, amendment) in amendments {
            // A server has only restorations of what is deleted, and of that nothing else.
            if state.is_deleted == matches!(amendment, Amendment::Restore { .. }) {
                time_ms += passed_ms;
                state.amend(author, time_ms, &amendment);
                possible.push((author, time_ms, amendment));
            }
        }
        let mut again = state.clone();
        for (author, time_ms, amendment) in &possible[known.index(possible.len() + 1)..] {
            again.amend(author, *time_ms, amendment);
        }
        // In which order the emoji stand is not that sure.
        let sorted = |state: MessageState| {
            let reactions: BTreeMap<_, _> = state.reactions.into_iter().collect();
            (state.content, state.edited_ms, state.is_deleted, reactions)
        };
        prop_assert_eq!(sorted(again), sorted(state));
    }

    #[test]
    fn any_saved_state_will_do(
        name in ".*",
        epoch in proptest::option::of(".*"),
        (seq, counter) in (number(), number()),
        texts in vec((".*", ".*", proptest::option::of("x|.*"), number()), 0..5),
    ) {
        let texts: Vec<_> = texts
            .iter()
            .map(|(id, text, of, number)| match number % 3 {
                0 => serde_json::json!({ "id": id, "text": text, "is_unsent": number % 2 == 0 }),
                1 => serde_json::json!({ "id": id, "text": text, "of": of, "reply": number }),
                _ => serde_json::json!({ "id": id, "type": "delete", "target": number, "of": of }),
            })
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
