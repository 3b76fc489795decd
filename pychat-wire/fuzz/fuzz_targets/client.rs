//! A client hears the same from any server however the line cuts it, writes nothing but frames
//! that mean something, and never says a word before the greeting.
//!
//! The first byte says how large the pieces are, the second what the client begins with and what
//! the rest is: the wire itself (`cargo fuzz run client -- -dict=fuzz/client.dict`), or a script of
//! messages, a few bytes each, whose strings and numbers are now and then too long and too large.
//! Chance finds no frame of several hundred bytes, but it finds the byte that makes an epoch long.
#![no_main]

mod script;

use libfuzzer_sys::fuzz_target;
use pychat_wire::{
    Client, ClientMessage, Decoder, UserName,
    client::{Begin, Event, Hearing, ROOMS_MAX, RoomId, Saved, UNREAD_MAX},
    message::RoomRequest,
};

fuzz_target!(|data: &[u8]| {
    let [piece, mode, rest @ ..] = data else { return };
    let begin = match mode % 4 {
        0 => Begin::Resume,
        1 => Begin::Everything,
        _ => Begin::LastPage(3),
    };
    let hearing = if mode & 0x40 == 0 { Hearing::All } else { Hearing::Hall };
    let wire = if mode & 0x80 == 0 { rest.to_vec() } else { script::wire(rest) };
    let cut = hear(begin, hearing, wire.chunks(usize::from(*piece) + 1));
    let whole = hear(begin, hearing, [&wire[..]].into_iter());
    assert_eq!((&cut.events, &cut.saved), (&whole.events, &whole.saved));
    // Where the line was given up, what had not been taken by then is not written any more.
    assert!(whole.written.is_empty() || cut.written == whole.written);
    check_written(&cut.written);
});

struct Heard {
    events: Vec<Event>,
    written: Vec<u8>,
    saved: Saved,
}

fn hear<'a>(begin: Begin, hearing: Hearing, pieces: impl Iterator<Item = &'a [u8]>) -> Heard {
    let name = UserName::new("Анна").expect("a good name");
    let client = Client::new(name, Saved::default(), [7; 32]);
    let mut client = client.beginning(begin).hearing(hearing);
    client.connected(0);
    assert!(client.take_outgoing().is_empty());
    let mut written = Vec::new();
    for piece in pieces {
        client.receive(1, piece);
        written.extend(client.take_outgoing());
    }
    let events = std::iter::from_fn(|| client.next_event()).collect();
    let saved = client.saved().clone();
    if client.say(&RoomId::hall(), "x").is_ok() {
        assert_eq!(client.unacknowledged().count(), 1);
    } else {
        assert_eq!(client.saved().n_unacknowledged(), 0);
    }
    client.change_room(RoomRequest::JoinRoom { room: "r2".into() });
    for _ in 0..3 {
        check_rooms(&mut client);
        client.handle_timeout(client.next_deadline().unwrap_or(u64::MAX));
        client.disconnected(u64::MAX);
    }
    client.leave();
    Heard { events, written, saved }
}

fn check_rooms(client: &mut Client) {
    let rooms = client.rooms();
    assert!(rooms.len() <= ROOMS_MAX && rooms[0].id.is_hall());
    for room in rooms {
        assert!(room.read <= room.last && room.unread <= UNREAD_MAX);
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
