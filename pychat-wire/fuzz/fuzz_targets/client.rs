//! A client hears the same from any server however the line cuts it, and never says a word unasked.
//!
//! The first byte says how large the pieces are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pychat_wire::{Client, UserName, client::Event};

fuzz_target!(|data: &[u8]| {
    let [piece, wire @ ..] = data else { return };
    let heard = hear(wire.chunks(usize::from(*piece) + 1));
    assert_eq!(heard, hear([wire].into_iter()));
});

fn hear<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, Vec<u8>, bool) {
    let mut client = Client::new(UserName::new("Анна").expect("a good name"));
    for piece in pieces {
        client.receive(piece);
    }
    let events: Vec<_> = std::iter::from_fn(|| client.next_event()).collect();
    let broken = events.iter().position(|event| matches!(event, Event::Broken(_)));
    let events = events[..broken.map_or(events.len(), |broken| broken + 1)].to_vec();
    let hello = client.take_outgoing();
    assert!(hello.is_empty() || hello == r#"38:{"type":"hello","username":"Анна"}"#.as_bytes());
    let joined = events.iter().any(|event| matches!(event, Event::Joined { .. }));
    assert_eq!(client.say("x").is_ok(), joined);
    assert_eq!(client.unacknowledged().count(), usize::from(joined));
    (events, hello, joined)
}
