//! Every payload of both protocols, byte for byte as PROTOCOL.md shows it: written so, and read back.

mod amendments;
mod people;
mod rooms;
mod searching;

use std::borrow::Cow;

use pychat_wire::{
    ClientMessage, ServerMessage,
    key::{InviteCode, InviteId, Nonce, PairCode, Proof, PublicKey, Signature},
    message::{
        AddressList, Ban, BanList, Door, ErrorCode, HALL, Hello, Limits, Listing, Positions,
        Reactions, Reason, Resume, RoomList,
    },
    name::SERVER,
    notice::Notice,
};

fn framed(payload: &str) -> Vec<u8> {
    format!("{}:{payload}", payload.len()).into_bytes()
}

fn check_server_message(message: &ServerMessage<'_>, payload: &str) {
    let mut wire = Vec::new();
    message.encode(&mut wire);
    assert_eq!(String::from_utf8_lossy(&wire), String::from_utf8_lossy(&framed(payload)));
    assert_eq!(ServerMessage::parse(payload.as_bytes()).as_ref(), Ok(message));
}

#[test]
fn what_clients_say() {
    let proof = Some(Proof { key: PublicKey([7; 32]), signature: Signature([8; 64]) });
    let bare = || Hello::new("Анна", 2);
    let hello = |hello| ClientMessage::Hello(hello);
    let signed = concat!(
        r#"{"type":"hello","username":"Анна","protocol":2,"#,
        r#""key":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","#,
        r#""signature":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA""#
    );
    let rooms = || Positions(vec![(HALL.into(), 1_234), ("r7".into(), 55)]);
    let resume = |limit| Some(Resume { epoch: "0f8e".into(), rooms: rooms(), limit });
    for (message, payload) in [
        (ClientMessage::hello("Анна"), r#"{"type":"hello","username":"Анна"}"#),
        (hello(bare()), r#"{"type":"hello","username":"Анна","protocol":2}"#),
        (
            hello(Hello { proof, resume: resume(None), ..bare() }),
            &format!(r#"{signed},"resume":{{"epoch":"0f8e","rooms":{{"":1234,"r7":55}}}}}}"#),
        ),
        (
            hello(Hello {
                proof,
                pair: Some(PairCode([9; 16])),
                label: Some("ThinkPad".into()),
                ..bare()
            }),
            &format!(r#"{signed},"pair":"CQkJCQkJCQkJCQkJCQkJCQ","label":"ThinkPad"}}"#),
        ),
        (
            hello(Hello { proof, invite: Some(InviteCode([9; 16])), ..bare() }),
            &format!(r#"{signed},"invite":"CQkJCQkJCQkJCQkJCQkJCQ"}}"#),
        ),
        (
            hello(Hello { resume: resume(Some(500)), ..bare() }),
            r#"{"type":"hello","username":"Анна","protocol":2,"resume":{"epoch":"0f8e","rooms":{"":1234,"r7":55},"limit":500}}"#,
        ),
        (ClientMessage::text("привет\n"), r#"{"type":"text","content":"привет\n"}"#),
        (
            ClientMessage::Text {
                room: HALL.into(),
                content: "привет".into(),
                id: Some("a-1".into()),
                reply: None,
            },
            r#"{"type":"text","content":"привет","id":"a-1"}"#,
        ),
        (
            ClientMessage::History { room: HALL.into(), before: 101, limit: 50 },
            r#"{"type":"history","before":101,"limit":50}"#,
        ),
        (ClientMessage::Pair, r#"{"type":"pair"}"#),
        (ClientMessage::Devices, r#"{"type":"devices"}"#),
        (
            ClientMessage::RemoveDevice { key: PublicKey([7; 32]) },
            r#"{"type":"remove_device","key":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#,
        ),
        (ClientMessage::Invite { uses: None, for_ms: None }, r#"{"type":"invite"}"#),
        (
            ClientMessage::Invite { uses: Some(1), for_ms: Some(86_400_000) },
            r#"{"type":"invite","uses":1,"for_ms":86400000}"#,
        ),
        (ClientMessage::Invites, r#"{"type":"invites"}"#),
        (
            ClientMessage::RevokeInvite { invite: InviteId([5; 6]) },
            r#"{"type":"revoke_invite","invite":"BQUFBQUF"}"#,
        ),
        (ClientMessage::Ping, r#"{"type":"ping"}"#),
        (ClientMessage::Pong, r#"{"type":"pong"}"#),
    ] {
        let mut wire = Vec::new();
        message.encode(&mut wire);
        assert_eq!(String::from_utf8_lossy(&wire), String::from_utf8_lossy(&framed(payload)));
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(message));
    }
}

#[test]
fn what_servers_say_to_greet_to_welcome_and_of_messages() {
    let record = |id: Option<&'static str>, dup, replay| ServerMessage::Record {
        room: HALL.into(),
        seq: 7,
        time: 1_700_000_000_000,
        username: "Анна".into(),
        content: "привет".into(),
        id: id.map(Cow::from),
        dup,
        replay,
        reply: None,
        edited: None,
        deleted: false,
        reactions: Reactions::default(),
    };
    let listing: Listing = ["Борис", "\"А\"", "Анна"].into_iter().collect();
    let welcome = |members, rooms| ServerMessage::Welcome {
        username: "Анна".into(),
        epoch: "0f8e".into(),
        time: 1_700_000_000_000,
        operator: true,
        members,
        rooms: RoomList(rooms),
    };
    for (message, payload) in [
        (
            ServerMessage::Message { username: "Вы".into(), content: "привет\n".into() },
            r#"{"type":"message","username":"Вы","content":"привет\n"}"#,
        ),
        (
            ServerMessage::Greeting {
                username: SERVER.into(),
                content: Notice::Greeting.to_string().into(),
                protocol: 2,
                server: "Office".into(),
                epoch: "0f8e".into(),
                nonce: Nonce([0x9c; 16]),
                tls: false,
                admission: Door::Open,
                servers: Cow::default(),
                limits: Limits { payload: 65_536, name: 32, burst: 10, per_second: 5 },
                ping_seconds: 30,
            },
            concat!(
                r#"{"type":"message","username":"Сервер Чата","#,
                r#""content":"Connection established. Waiting for your username...","#,
                r#""protocol":2,"server":"Office","epoch":"0f8e","#,
                r#""nonce":"9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c","admission":"open","#,
                r#""limits":{"payload":65536,"name":32,"burst":10,"per_second":5},"#,
                r#""ping_seconds":30}"#
            ),
        ),
        (
            ServerMessage::Greeting {
                username: SERVER.into(),
                content: Notice::Greeting.to_string().into(),
                protocol: 2,
                server: "Office".into(),
                epoch: "0f8e".into(),
                nonce: Nonce([0x9c; 16]),
                tls: true,
                admission: Door::Invite,
                servers: servers(),
                limits: Limits { payload: 65_536, name: 32, burst: 10, per_second: 5 },
                ping_seconds: 30,
            },
            concat!(
                r#"{"type":"message","username":"Сервер Чата","#,
                r#""content":"Connection established. Waiting for your username...","#,
                r#""protocol":2,"server":"Office","epoch":"0f8e","#,
                r#""nonce":"9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c","tls":true,"#,
                r#""admission":"invite","servers":["a.example:12345","[2001:db8::1]:7"],"#,
                r#""limits":{"payload":65536,"name":32,"burst":10,"per_second":5},"#,
                r#""ping_seconds":30}"#
            ),
        ),
        (
            record(None, false, false),
            r#"{"type":"message","seq":7,"time":1700000000000,"username":"Анна","content":"привет"}"#,
        ),
        (
            record(Some("a-1"), true, false),
            r#"{"type":"message","seq":7,"time":1700000000000,"username":"Анна","content":"привет","id":"a-1","dup":true}"#,
        ),
        (
            record(None, false, true),
            r#"{"type":"message","seq":7,"time":1700000000000,"username":"Анна","content":"привет","replay":true}"#,
        ),
        (
            welcome(Cow::Owned(listing), vec![rooms::hall()]),
            r#"{"type":"welcome","username":"Анна","epoch":"0f8e","time":1700000000000,"operator":true,"members":["Борис","\"А\"","Анна"],"rooms":[{"room":"","kind":"hall","name":"","topic":"","last":7,"read":5,"unread":1}]}"#,
        ),
        (
            welcome(Cow::Owned(Listing::default()), Vec::new()),
            r#"{"type":"welcome","username":"Анна","epoch":"0f8e","time":1700000000000,"operator":true,"members":[],"rooms":[]}"#,
        ),
    ] {
        check_server_message(&message, payload);
    }
}

#[test]
fn what_servers_say_beside_messages() {
    for (message, payload) in [
        (
            ServerMessage::Gap { room: HALL.into(), from: 1, to: 40 },
            r#"{"type":"gap","from":1,"to":40}"#,
        ),
        (
            ServerMessage::Skip { room: HALL.into(), from: 1, to: 40 },
            r#"{"type":"skip","from":1,"to":40}"#,
        ),
        (
            ServerMessage::Page { room: HALL.into(), before: 41, count: 0, start: true },
            r#"{"type":"page","before":41,"count":0,"start":true}"#,
        ),
        (
            ServerMessage::Joined { username: "Борис".into(), time: 5 },
            r#"{"type":"joined","username":"Борис","time":5}"#,
        ),
        (
            ServerMessage::Left { username: "Борис".into(), time: 5, reason: Reason::Kicked },
            r#"{"type":"left","username":"Борис","time":5,"reason":"kicked"}"#,
        ),
        (
            ServerMessage::Error {
                code: ErrorCode::NotJoined,
                text: "say hello first".into(),
                reference: None,
                retry_ms: None,
                suggest: None,
            },
            r#"{"type":"error","code":"not_joined","text":"say hello first"}"#,
        ),
        (
            ServerMessage::Error {
                code: ErrorCode::Storage,
                text: "".into(),
                reference: Some("a-1".into()),
                retry_ms: Some(5_000),
                suggest: Some("Анна (2)".into()),
            },
            r#"{"type":"error","code":"storage","text":"","ref":"a-1","retry_ms":5000,"suggest":"Анна (2)"}"#,
        ),
        (ServerMessage::Operator { operator: false }, r#"{"type":"operator","operator":false}"#),
        (
            ServerMessage::Done {
                verb: "mute".into(),
                by: "Анна".into(),
                subject: "Борис".into(),
                text: "Борис is muted.".into(),
                id: Some("a-1".into()),
            },
            r#"{"type":"done","verb":"mute","by":"Анна","subject":"Борис","text":"Борис is muted.","id":"a-1"}"#,
        ),
        (
            ServerMessage::Bans {
                bans: BanList(vec![Ban {
                    subject: "192.0.2.7".into(),
                    since: 5,
                    until: Some(6),
                    by: "root".into(),
                }]),
                mutes: BanList::default(),
                seconds: 30,
                admission: Door::Invite,
            },
            r#"{"type":"bans","bans":[{"subject":"192.0.2.7","since":5,"until":6,"by":"root"}],"mutes":[],"seconds":30,"admission":"invite"}"#,
        ),
        (
            ServerMessage::Notice { text: "Lunch at noon.".into() },
            r#"{"type":"notice","text":"Lunch at noon."}"#,
        ),
        (ServerMessage::Ping, r#"{"type":"ping"}"#),
        (ServerMessage::Pong, r#"{"type":"pong"}"#),
        (
            ServerMessage::bye(Reason::Shutdown, 1_000),
            r#"{"type":"bye","reason":"shutdown","retry_ms":1000}"#,
        ),
        (
            ServerMessage::Bye { reason: Reason::Shutdown, retry_ms: 0, servers: servers() },
            concat!(
                r#"{"type":"bye","reason":"shutdown","retry_ms":0,"#,
                r#""servers":["a.example:12345","[2001:db8::1]:7"]}"#
            ),
        ),
    ] {
        check_server_message(&message, payload);
    }
}

fn servers() -> Cow<'static, AddressList> {
    let addresses =
        ["a.example", "[2001:db8::1]:7"].map(|address| address.parse().expect("an address"));
    Cow::Owned(AddressList(addresses.into()))
}

#[test]
fn every_word_of_a_fixed_choice() {
    for (word, reason) in [
        ("quit", Reason::Quit),
        ("lost", Reason::Lost),
        ("slow", Reason::Slow),
        ("protocol", Reason::Protocol),
        ("kicked", Reason::Kicked),
        ("removed", Reason::Removed),
        ("banned", Reason::Banned),
        ("shutdown", Reason::Shutdown),
        ("bored", Reason::Unknown),
    ] {
        let payload = format!(r#"{{"type":"bye","reason":"{word}","retry_ms":0}}"#);
        let message = ServerMessage::bye(reason, 0);
        assert_eq!(ServerMessage::parse(payload.as_bytes()), Ok(message));
    }
    for (word, code) in [
        ("bad_frame", ErrorCode::BadFrame),
        ("bad_payload", ErrorCode::BadPayload),
        ("too_large", ErrorCode::TooLarge),
        ("id_reused", ErrorCode::IdReused),
        ("unknown_type", ErrorCode::UnknownType),
        ("bad_signature", ErrorCode::BadSignature),
        ("no_room", ErrorCode::NoRoom),
        ("forbidden", ErrorCode::Forbidden),
        ("muted", ErrorCode::Muted),
        ("not_done", ErrorCode::NotDone),
        ("not_admitted", ErrorCode::NotAdmitted),
        ("not_joined", ErrorCode::NotJoined),
        ("already_joined", ErrorCode::AlreadyJoined),
        ("name_invalid", ErrorCode::NameInvalid),
        ("name_taken", ErrorCode::NameTaken),
        ("slow_down", ErrorCode::SlowDown),
        ("storage", ErrorCode::Storage),
        ("full", ErrorCode::Full),
        ("timeout", ErrorCode::Timeout),
        ("bored", ErrorCode::Unknown),
    ] {
        let payload = format!(r#"{{"type":"error","code":"{word}","text":"x"}}"#);
        let ServerMessage::Error { code: read, .. } =
            ServerMessage::parse(payload.as_bytes()).unwrap()
        else {
            panic!("{payload}");
        };
        assert_eq!(read, code);
        if code != ErrorCode::Unknown {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{word}\""));
        }
    }
}

#[test]
fn members_of_the_wrong_kind_count_as_missing_where_old_peers_may_send_anything() {
    for payload in [
        r#"{"type":"hello","username":"a","protocol":"2","token":5,"resume":[]}"#,
        r#"{"type":"hello","username":"a","protocol":-2,"resume":{"epoch":"e","rooms":[]}}"#,
        r#"{"type":"hello","username":"a","protocol":1.5,"resume":{"epoch":"e"},"key":{}}"#,
    ] {
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(ClientMessage::hello("a")));
    }
    let text = br#"{"type":"text","content":"x","id":7}"#;
    assert_eq!(ClientMessage::parse(text), Ok(ClientMessage::text("x")));
    let message = br#"{"type":"message","username":"b","content":"x","seq":1}"#;
    let plain = ServerMessage::Message { username: "b".into(), content: "x".into() };
    assert_eq!(ServerMessage::parse(message), Ok(plain));
}
