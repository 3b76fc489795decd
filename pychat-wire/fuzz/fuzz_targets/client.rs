//! A client hears the same from any server however the line cuts it, writes nothing but frames
//! that mean something, and never says a word before the greeting.
//!
//! The first byte says how large the pieces are, the second what the client begins with and what
//! the rest is: the wire itself (`cargo fuzz run client -- -dict=fuzz/client.dict`), or a script of
//! messages, a few bytes each, whose strings and numbers are now and then too long and too large.
//! Chance finds no frame of several hundred bytes, but it finds the byte that makes an epoch long.
//! The third byte says how many of those after it are a script of what our person says meanwhile.
#![no_main]

mod script;

use libfuzzer_sys::fuzz_target;
use pychat_wire::{
    Client, ClientMessage, Decoder, UserName,
    client::{
        Begin, Event, Hearing, MessageState, ROOMS_MAX, RoomId, Said, Saved, Search,
        UNACKNOWLEDGED_MAX, UNREAD_MAX,
    },
    link::ADDRESSES_MAX,
    message::{CONTENT_BYTES_MAX, EMOJI_MAX, REACTIONS_MAX, RoomRequest},
};
use script::Script;

/// The state of somebody whose texts and amendments wait, under ids that servers of scripts know.
const SAVED: &str = r#"{
    "name": "Анна", "is_known": true, "epoch": "0f8e",
    "rooms": { "": { "seq": 5 }, "r1": { "seq": 5, "seen": 3 } },
    "unacknowledged": [
        { "id": "0f8e", "text": "x, y" },
        { "id": "e", "of": "0f8e", "type": "edit", "target": 0, "content": "Анна" },
        { "room": "r1", "id": "x, y", "type": "delete", "target": 3 },
        { "room": "r1", "id": "Анна", "text": "Вы", "reply": 3 }
    ]
}"#;

fuzz_target!(|data: &[u8]| {
    let [piece, mode, n_said, rest @ ..] = data else { return };
    let (said, rest) = rest.split_at(rest.len().min(usize::from(*n_said)));
    let begin = match mode % 4 {
        0 => Begin::Resume,
        1 => Begin::Everything,
        _ => Begin::LastPage(3),
    };
    let hearing = if mode & 0x40 == 0 { Hearing::All } else { Hearing::Hall };
    let is_back = mode & 0x20 != 0;
    let is_encrypted = mode & 0x10 != 0;
    let client = || client(is_back).beginning(begin).hearing(hearing);
    let wire = if mode & 0x80 == 0 { rest.to_vec() } else { script::wire(rest) };
    let cut = hear(client(), is_encrypted, said, wire.chunks(usize::from(*piece) + 1));
    let whole = hear(client(), is_encrypted, said, [&wire[..]].into_iter());
    assert_eq!((&cut.events, &cut.saved), (&whole.events, &whole.saved));
    // Where the line was given up, what had not been taken by then is not written any more.
    assert!(whole.written.is_empty() || cut.written == whole.written);
    check_written(&cut.written);
    check_shown(&cut.events);
});

struct Heard {
    events: Vec<Event>,
    written: Vec<u8>,
    saved: Saved,
}

fn client(is_back: bool) -> Client {
    let name = UserName::new("Анна").expect("a good name");
    let saved = if is_back { SAVED } else { "{}" };
    Client::new(name, serde_json::from_str(saved).expect("a saved state"), [7; 32])
}

fn hear<'a>(
    mut client: Client,
    is_encrypted: bool,
    said: &[u8],
    pieces: impl Iterator<Item = &'a [u8]> + Clone,
) -> Heard {
    let mut said = Script::new(said);
    (0..4).for_each(|_| say(&mut client, &mut said));
    client.connected(0);
    if is_encrypted {
        client.secured(0, [1; 32]);
    }
    assert!(client.take_outgoing().is_empty());
    let mut written = Vec::new();
    for piece in pieces.clone() {
        client.receive(1, piece);
        written.extend(client.take_outgoing());
    }
    let events = std::iter::from_fn(|| client.next_event()).collect();
    let saved = client.saved().clone();
    let n_waiting = saved.n_unacknowledged();
    let is_said = client.say(&RoomId::hall(), "x").is_ok();
    assert_eq!(client.unacknowledged().count(), n_waiting + usize::from(is_said));
    client.change_room(RoomRequest::JoinRoom { room: "r2".into() });
    for _ in 0..3 {
        check_rooms(&mut client);
        say(&mut client, &mut said);
        client.handle_timeout(client.next_deadline().unwrap_or(u64::MAX));
        client.disconnected(u64::MAX);
    }
    check_pending(&client);
    check_route(&mut client);
    client.reconnect();
    client.connected(2);
    pieces.for_each(|piece| client.receive(2, piece));
    check_pending(&client);
    check_written(&client.take_outgoing());
    client.leave();
    check_shown(&std::iter::from_fn(|| client.next_event()).collect::<Vec<_>>());
    Heard { events, written, saved }
}

/// Does one thing that our person may do.
fn say(client: &mut Client, script: &mut Script<'_>) {
    let room = RoomId::from(&*script.room_id());
    let place = usize::from(script.byte());
    let id = client.unacknowledged().map(|pending| pending.id.clone()).nth(place);
    let _ = match (script.byte() % 9, id) {
        (8, _) => {
            search(client, script, &room);
            Ok(())
        }
        (0 | 1, _) => client.say(&room, &script.word()).map(drop),
        (2, _) => client.reply(&room, script.number(), &script.word()).map(drop),
        (3 | 4, _) => client.amend(&room, script.amendment()).map(drop),
        (5 | 6, Some(id)) => client.edit_pending(&id, &script.word()),
        (_, Some(id)) => client.delete_pending(&id),
        _ => Ok(()),
    };
}

/// Searches, or wants to know no more of the first search.
fn search(client: &mut Client, script: &mut Script<'_>, room: &RoomId) {
    let (query, from, limit) = (script.word(), script.word(), script.number());
    let room = (script.byte().is_multiple_of(2)).then_some(room);
    let from = (script.byte().is_multiple_of(2)).then_some(&*from);
    if script.byte().is_multiple_of(8) {
        client.forget_search("s-0");
    }
    client.search(&Search { query: &query, room, from, before: None, limit });
}

/// Servers are told on encrypted lines alone, and each is tried once.
fn check_route(client: &mut Client) {
    let route = client.route();
    assert!(client.told().len() <= ADDRESSES_MAX && client.told().len() == route.len());
    let others = |n: usize| route[..n].iter();
    assert!((0..route.len()).all(|n| others(n).all(|it| it.address != route[n].address)));
}

/// Only a change of a text that waits, too, has no number, and all of it can be stored.
fn check_pending(client: &Client) {
    assert!(client.unacknowledged().count() <= UNACKNOWLEDGED_MAX);
    for pending in client.unacknowledged() {
        let mut waiting = client.unacknowledged();
        let is_text = |said: &Said| matches!(said, Said::Text { .. });
        assert!(pending.of.is_none_or(|of| waiting.any(|it| it.id == of && is_text(it.said))));
    }
    let json = serde_json::to_string(client.saved()).expect("it can be written");
    assert_eq!(serde_json::from_str::<Saved>(&json).expect("and read"), *client.saved());
}

/// What is shown is bounded, and so is what amendments make of it.
fn check_shown(events: &[Event]) {
    let mut shown: Vec<_> = Vec::new();
    for event in events {
        match event {
            Event::Message(message) => shown.push(message.clone()),
            Event::Found { message, .. } => shown.push(message.clone()),
            Event::Page(page) => shown.extend(page.messages.iter().cloned()),
            Event::Amended(amended) => {
                for message in &mut shown {
                    message.amend(amended);
                }
            }
            _ => (),
        }
    }
    for MessageState { content, edited_ms, is_deleted, reactions } in
        shown.iter().map(|message| &message.state)
    {
        assert!(content.len() <= CONTENT_BYTES_MAX && reactions.len() <= EMOJI_MAX);
        assert!(reactions.iter().map(|(_, names)| names.len()).sum::<usize>() <= REACTIONS_MAX);
        let is_empty = content.is_empty() && edited_ms.is_none() && reactions.is_empty();
        assert!(!is_deleted || is_empty);
    }
}

fn check_rooms(client: &mut Client) {
    let rooms = client.rooms();
    assert!(rooms.len() <= ROOMS_MAX && rooms[0].id.is_hall());
    for room in rooms {
        // Before the first welcome no more is known than what is saved.
        let last = room.last.max(client.saved().seq(&room.id));
        assert!(room.read <= last && room.unread <= UNREAD_MAX);
        client.request_history(&room.id, 5);
        client.see(&room.id, u64::MAX);
        client.typing(&room.id);
    }
}

fn check_written(mut wire: &[u8]) {
    let mut decoder = Decoder::default();
    while let Some(payload) = decoder.next_payload(&mut wire).expect("frames") {
        ClientMessage::parse(payload).expect("a meaning");
    }
    assert_eq!(decoder.pending_bytes(), 0);
}
