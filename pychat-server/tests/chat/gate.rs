//! The gate: whoever is not in a closed or direct room is answered as if there were none.

use std::{borrow::Cow, time::Instant};

use pychat_server::core::{
    chat::{Action, Effect, Rules},
    id::{HALL, RoomId},
    moderation::Order,
    rate_limit::RateLimit,
};
use pychat_wire::{
    ClientMessage,
    message::{Amendment, ErrorCode, RoomKind, RoomRequest, Search},
};

use super::{
    RULES,
    house::{House, add, create, direct, join, leave, line, refusals, remove, text},
};

const CLOSED: RoomId = RoomId(1);
const DIRECT: RoomId = RoomId(2);
const OPEN: RoomId = RoomId(3);

/// The line and the device of the one who asks.
const OUTSIDER: u32 = 3;

/// Somebody who is in neither of the rooms.
#[derive(Clone, Copy, Debug)]
enum Outsider {
    /// They are in the hall alone.
    Stranger,
    /// They left the closed room.
    Former,
    /// They were removed from it.
    Removed,
    /// The store has still to answer that.
    BeingRemoved,
    /// They are in an open and a closed room, and in direct ones with each of those who are in these.
    Elsewhere,
    /// They are the maker of the closed room, and left it.
    Maker,
    /// They are here by two lines.
    Twice,
    /// They are an operator.
    Operator,
    /// They own no name.
    Guest,
    /// They are muted.
    Muted,
}

const OUTSIDERS: [Outsider; 10] = [
    Outsider::Stranger,
    Outsider::Former,
    Outsider::Removed,
    Outsider::BeingRemoved,
    Outsider::Elsewhere,
    Outsider::Maker,
    Outsider::Twice,
    Outsider::Operator,
    Outsider::Guest,
    Outsider::Muted,
];

/// A search in a room; it may go on before a message of the same room, by number.
fn search(
    query: &'static str,
    room: Option<Cow<'static, str>>,
    seq: Option<&str>,
) -> Search<'static> {
    let before = seq.map(|seq| format!("{seq}.{}", room.as_deref().unwrap_or_default()).into());
    let (reference, query) = ("s".into(), query.into());
    Search { reference, query, room, from: None, before, limit: 9 }
}

/// Returns every message that names a room.
fn verbs(room: &str) -> Vec<ClientMessage<'static>> {
    let room = || room.to_owned().into();
    let name = || "Борис".into();
    let mut verbs = vec![
        ClientMessage::Text {
            room: room(),
            content: "hi".into(),
            id: Some("x".into()),
            reply: None,
        },
        ClientMessage::History { room: room(), before: 9, limit: 9 },
        ClientMessage::Search(search("hi", Some(room()), None)),
        ClientMessage::Search(search("hi", Some(room()), Some("2"))),
        ClientMessage::Search(search("", Some(room()), None)),
        ClientMessage::Search(Search {
            from: Some("Борис".into()),
            ..search("", Some(room()), None)
        }),
        ClientMessage::Members { room: room() },
        ClientMessage::Read { room: room(), seq: 1 },
        ClientMessage::Typing { room: room() },
    ];
    let update = |name: Option<&'static str>, topic: Option<&'static str>| {
        let (name, topic) = (name.map(Into::into), topic.map(Into::into));
        RoomRequest::UpdateRoom { room: room(), name, topic }
    };
    let requests = [
        RoomRequest::JoinRoom { room: room() },
        RoomRequest::LeaveRoom { room: room() },
        RoomRequest::AddMember { room: room(), username: name() },
        RoomRequest::AddMember { room: room(), username: "nobody".into() },
        RoomRequest::RemoveMember { room: room(), username: name() },
        RoomRequest::RemoveMember { room: room(), username: "nobody".into() },
        update(Some("a"), None),
        update(Some("b"), None),
        update(Some(""), None),
        update(None, Some("b")),
        update(Some("a"), Some("b")),
    ];
    let amendments = [
        Amendment::Edit { target: 2, content: Some("x".into()) },
        Amendment::Delete { target: 2 },
        Amendment::React { target: 2, emoji: Some("👍".into()) },
        Amendment::React { target: 9, emoji: None },
        Amendment::Restore { target: 2, content: None },
    ];
    verbs.extend(amendments.map(|amendment| ClientMessage::Amend {
        amendment,
        room: room(),
        id: Some("x".into()),
    }));
    verbs.push(ClientMessage::Text {
        room: room(),
        content: "hi".into(),
        id: Some("x".into()),
        reply: Some(2),
    });
    verbs.extend(requests.map(|request| ClientMessage::Change { request, id: Some("x".into()) }));
    // Number 3 is a message of somebody else's there, and number 99 none.
    let amendments = [3, 99].into_iter().flat_map(|target| {
        [
            Amendment::Edit { target, content: Some("hi".into()) },
            Amendment::Delete { target },
            Amendment::React { target, emoji: Some("👍".into()) },
            Amendment::React { target, emoji: Some("no emoji".into()) },
            Amendment::React { target, emoji: None },
            Amendment::Restore { target, content: None },
        ]
    });
    verbs.extend(amendments.map(|amendment| ClientMessage::Amend {
        amendment,
        room: room(),
        id: Some("x".into()),
    }));
    verbs.extend([3, 99].map(|reply| ClientMessage::Text {
        room: room(),
        content: "hi".into(),
        id: Some("x".into()),
        reply: Some(reply),
    }));
    verbs
}

fn house(outsider: Outsider, now: Instant) -> House {
    let mut house = House::with(&["Анна", "Борис"]);
    house.is_full = matches!(outsider, Outsider::Guest);
    house.enter(OUTSIDER, "Вера", 3);
    house.is_full = false;
    let maker = if matches!(outsider, Outsider::Maker) { OUTSIDER } else { 1 };
    assert_eq!(house.makes(maker, create(RoomKind::Closed, "a")), CLOSED);
    assert_eq!(house.makes(1, direct(&["Борис"])), DIRECT);
    assert_eq!(house.makes(1, create(RoomKind::Open, "b")), OPEN);
    house.asks(maker, add(CLOSED, "Борис"), "1");
    house.says(2, text(CLOSED, "secret", "1"));
    house.says(2, text(DIRECT, "secret", "2"));
    match outsider {
        Outsider::Stranger | Outsider::Guest => (),
        Outsider::Former => {
            house.asks(1, add(CLOSED, "Вера"), "2");
            house.asks(OUTSIDER, leave(CLOSED), "3");
        }
        Outsider::Maker => drop(house.asks(OUTSIDER, leave(CLOSED), "3")),
        Outsider::Removed => {
            house.asks(1, add(CLOSED, "Вера"), "2");
            house.asks(1, remove(CLOSED, "Вера"), "3");
        }
        Outsider::BeingRemoved => {
            house.asks(1, add(CLOSED, "Вера"), "2");
            house.held = Some(Vec::new());
            house.asks(1, remove(CLOSED, "Вера"), "3");
        }
        Outsider::Elsewhere => {
            house.asks(OUTSIDER, join(OPEN), "2");
            house.asks(OUTSIDER, create(RoomKind::Closed, "a"), "3");
            house.asks(OUTSIDER, direct(&["Анна"]), "4");
            house.asks(OUTSIDER, direct(&["Борис", "Анна"]), "5");
        }
        Outsider::Twice => drop(house.enter(9, "Вера", 3)),
        Outsider::Operator => {
            house.room.order(Order::AddOperator { name: "Вера".into() });
        }
        Outsider::Muted => {
            house.room.order(Order::Mute { name: "Вера".into(), for_ms: None });
        }
    }
    house.room.now = now;
    house.room.chat.set_rules(Rules { rate_limit: RateLimit::new(7, 1), ..RULES });
    house
}

/// Returns everything that follows if somebody says this again and again, with what the store is asked.
fn effects(outsider: Outsider, message: &ClientMessage<'_>, now: Instant) -> Vec<Effect> {
    let mut house = house(outsider, now);
    let mut effects = Vec::new();
    for _ in 0..8 {
        let said = house.room.receive(line(OUTSIDER), message.clone());
        effects.extend(said.clone());
        effects.extend(house.settle(said));
    }
    effects
}

#[test]
fn a_room_that_is_not_for_somebody_is_like_none() {
    let now = Instant::now();
    for outsider in OUTSIDERS {
        let none = verbs("r99").into_iter().map(|verb| effects(outsider, &verb, now));
        let none: Vec<_> = none.collect();
        assert!(none.iter().all(|effects| !effects.is_empty()), "{none:?}");
        for room in ["r1", "r2", "r4294967296", "x"] {
            for (verb, expected) in verbs(room).into_iter().zip(&none) {
                assert_eq!(&effects(outsider, &verb, now), expected, "{outsider:?}: {verb:?}");
            }
        }
    }
}

#[test]
fn it_is_refused_in_the_same_words_whatever_is_asked() {
    let now = Instant::now();
    for outsider in OUTSIDERS {
        let code = match outsider {
            Outsider::Guest => ErrorCode::Forbidden,
            _ => ErrorCode::NoRoom,
        };
        for verb in verbs("r1") {
            if matches!(outsider, Outsider::BeingRemoved) {
                continue; // The store answers nothing.
            }
            let mut house = house(outsider, now);
            let effects = house.says(OUTSIDER, verb.clone());
            let is_two = matches!(
                &verb,
                ClientMessage::Change {
                    request: RoomRequest::UpdateRoom { name: Some(_), topic: Some(_), .. },
                    ..
                }
            );
            let is_no_emoji = matches!(
                &verb,
                ClientMessage::Amend { amendment: Amendment::React { emoji: Some(emoji), .. }, .. }
                    if emoji == "no emoji"
            );
            let code = if is_two || is_no_emoji { ErrorCode::BadPayload } else { code };
            assert_eq!(refusals(&effects)[0].0, code, "{outsider:?}: {verb:?}: {effects:?}");
        }
    }
}

#[test]
fn an_open_room_can_be_seen_and_must_be_joined() {
    let now = Instant::now();
    for verb in verbs("r3").into_iter().filter(|verb| match verb {
        ClientMessage::Change { request, .. } => !matches!(
            request,
            RoomRequest::JoinRoom { .. }
                | RoomRequest::UpdateRoom { name: Some(_), topic: Some(_), .. }
        ),
        ClientMessage::Amend { amendment: Amendment::React { emoji: Some(emoji), .. }, .. } => {
            emoji == "👍"
        }
        _ => true,
    }) {
        let mut house = house(Outsider::Operator, now);
        let effects = house.says(OUTSIDER, verb.clone());
        assert_eq!(refusals(&effects)[0].0, ErrorCode::Forbidden, "{verb:?}");
    }
    let mut house = house(Outsider::Stranger, now);
    assert_eq!(refusals(&house.asks(OUTSIDER, join(OPEN), "x")), []);
}

#[test]
fn those_in_a_room_are_let_through() {
    for number in [1, 2] {
        for (verb, index) in verbs("r1").into_iter().zip(0..) {
            let mut house = house(Outsider::Stranger, Instant::now());
            let effects = house.says(number, verb.clone());
            let codes: Vec<_> = refusals(&effects).into_iter().map(|(code, _)| code).collect();
            let is_denied = |code: &ErrorCode| matches!(code, ErrorCode::NoRoom);
            assert!(!codes.iter().any(is_denied), "{index}: {verb:?}: {codes:?}");
        }
    }
}

#[test]
fn a_search_everywhere_is_one_of_the_rooms_that_one_is_in() {
    let searched = |outsider, number| {
        let mut house = house(outsider, Instant::now());
        let effects = house.says(number, ClientMessage::Search(search("hi", None, None)));
        let mut rooms = effects.into_iter().filter_map(|effect| match effect {
            Effect::Connection { action: Action::Search(search), .. } => Some(search.rooms),
            _ => None,
        });
        rooms.next().unwrap()
    };
    for outsider in OUTSIDERS {
        let rooms = searched(outsider, OUTSIDER);
        assert_eq!(rooms[0], HALL);
        assert!(!rooms.contains(&CLOSED) && !rooms.contains(&DIRECT), "{outsider:?}: {rooms:?}");
    }
    assert_eq!(searched(Outsider::Elsewhere, OUTSIDER).len(), 5);
    assert_eq!(searched(Outsider::Stranger, 2), [HALL, CLOSED, DIRECT]);
}

#[test]
fn a_cursor_of_a_room_that_one_is_not_in_is_none() {
    let now = Instant::now();
    let search = |cursor: &str| {
        let before = Some(cursor.to_owned().into());
        ClientMessage::Search(Search { before, ..search("hi", None, None) })
    };
    for outsider in OUTSIDERS {
        let none = effects(outsider, &search("1.r99"), now);
        for cursor in ["1.r1", "3.r1", "99.r1", "2.r2", "1.r3"] {
            if matches!(outsider, Outsider::Elsewhere) && cursor == "1.r3" {
                continue; // They are in that one.
            }
            assert_eq!(effects(outsider, &search(cursor), now), none, "{outsider:?}: {cursor}");
        }
        for nonsense in ["", "1", "x.r1", "-1.", "1.x"] {
            let mut house = house(outsider, now);
            let effects = house.says(OUTSIDER, search(nonsense));
            assert_eq!(refusals(&effects)[0].0, ErrorCode::NoMessage, "{nonsense}");
        }
    }
}
