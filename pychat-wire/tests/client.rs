//! The client before a server that says anything at all, over a line that cuts it anywhere.

use proptest::{collection::vec, prelude::*, sample::select};
use pychat_wire::{
    Client, ServerMessage, UserName,
    client::{Begin, Event, Saved},
    key::Nonce,
    message::{Door, ErrorCode, Limits, Reason},
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

fn welcome(epoch: &str, seq: u64) -> Vec<u8> {
    frame(&ServerMessage::Welcome {
        username: "Анна".into(),
        epoch: epoch.into(),
        seq,
        time: 0,
        operator: false,
        members: std::borrow::Cow::Owned(["Анна", "b"].into_iter().collect()),
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
    let record = (number(), ids.clone(), any::<bool>(), any::<bool>());
    prop_oneof![
        1 => select(vec![1, 2, 3]).prop_map(greeting),
        2 => (select(vec!["a", "b"]), number()).prop_map(|(epoch, seq)| welcome(epoch, seq)),
        8 => record.prop_map(|(seq, id, dup, replay)| {
            let (username, content, id) = ("b".into(), "x\n".into(), id.map(Into::into));
            frame(&ServerMessage::Record { seq, time: 0, username, content, id, dup, replay })
        }),
        2 => (number(), number())
            .prop_map(|(from, to)| frame(&ServerMessage::Gap { from, to })),
        2 => (number(), any::<bool>()).prop_map(|(before, start)| {
            frame(&ServerMessage::Page { before, count: 1, start })
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

/// The outcome: the events, the bytes written and the state that is saved.
type Outcome = (Vec<Event>, Vec<u8>, String);

/// Lets a client with an unacknowledged text hear `wire` in pieces that end at `ends`.
fn hear(begin: Begin, wire: &[u8], ends: &[usize]) -> Outcome {
    let saved = serde_json::json!({
        "name": "Анна",
        "is_known": true,
        "epoch": "a",
        "seq": 5,
        "counter": 1,
        "unacknowledged": [{ "id": format!("{:032x}-0", 7), "text": "x" }],
    });
    let saved: Saved = serde_json::from_value(saved).expect("a saved state");
    let mut client = Client::new(UserName::new("Анна").expect("a name"), saved, [7; 32])
        .beginning(begin)
        .persistent();
    client.connected(1_000);
    let (mut begin, mut written) = (0, Vec::new());
    for end in ends.iter().copied().chain([wire.len()]) {
        client.receive(1_000, &wire[begin..end]);
        written.extend(client.take_outgoing());
        begin = end;
    }
    let mut events: Vec<_> = std::iter::from_fn(|| client.next_event()).collect();
    for _ in 0..5 {
        client.request_history(5);
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
        let wire = [greeting(2), welcome("a", seq), words.concat()].concat();
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
        let wire = [greeting(2), welcome("a", seq), words.concat()].concat();
        let (events, ..) = hear(begin, &wire, &[]);
        let mut last = if let Begin::LastPage(_) = begin { seq } else { 5 };
        for event in &events {
            match event {
                Event::Message(message) if message.seq.is_some() => {
                    prop_assert!(last < message.seq.unwrap(), "{events:?}");
                    last = message.seq.unwrap();
                }
                Event::Gap { from, to } => {
                    prop_assert!(from <= to);
                    // Where the log has lost its end, it goes on from there.
                    last = if last < *from { *to } else { from - 1 };
                }
                Event::NewEpoch => last = 0,
                Event::Page(page) => prop_assert!(page.messages.is_sorted_by_key(|it| it.seq)),
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
        client.receive(0, &[greeting(2), welcome("a", 3)].concat());
        prop_assert!(client.is_joined());
        prop_assert!(client.say("x").is_ok());
    }
}
