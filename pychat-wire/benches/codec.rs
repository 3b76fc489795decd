//! The cost of one message: of finding it in a stream, of reading it, of writing it.

use divan::{Bencher, black_box, counter::ItemsCount};
use pychat_wire::{ClientMessage, Decoder, ServerMessage, UserName};

const MESSAGES: usize = 1_000;
const TEXTS: [(&str, &str); 3] = [
    ("ascii", "I think the train at half past nine is the one to take."),
    ("russian", "Кажется, лучше поехать тем поездом, что в половине десятого."),
    ("escapes", "one\ntwo\t\"three\"\\four\nfive"),
];

fn main() {
    divan::main();
}

fn stream(content: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for _ in 0..MESSAGES {
        ClientMessage::text(content).encode(&mut wire);
    }
    wire
}

fn text_named(name: &str) -> &'static str {
    TEXTS.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| *text)
}

#[divan::bench(args = TEXTS.map(|(name, _)| name))]
fn decode(bencher: Bencher<'_, '_>, name: &str) {
    let wire = stream(text_named(name));
    bencher.counter(ItemsCount::new(MESSAGES)).bench_local(|| {
        let (mut decoder, mut input) = (Decoder::default(), black_box(&wire[..]));
        while let Ok(Some(payload)) = decoder.next_payload(&mut input) {
            black_box(payload);
        }
    });
}

#[divan::bench(args = TEXTS.map(|(name, _)| name))]
fn decode_and_parse(bencher: Bencher<'_, '_>, name: &str) {
    let wire = stream(text_named(name));
    bencher.counter(ItemsCount::new(MESSAGES)).bench_local(|| {
        let (mut decoder, mut input) = (Decoder::default(), black_box(&wire[..]));
        while let Ok(Some(payload)) = decoder.next_payload(&mut input) {
            black_box(ClientMessage::parse(payload)).ok();
        }
    });
}

#[divan::bench(args = TEXTS.map(|(name, _)| name))]
fn encode(bencher: Bencher<'_, '_>, name: &str) {
    let content = text_named(name);
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(MESSAGES)).bench_local(|| {
        out.clear();
        for _ in 0..MESSAGES {
            ServerMessage::Message {
                username: "Анна".into(), content: black_box(content).into()
            }
            .encode(&mut out);
        }
        out.len()
    });
}

#[divan::bench(args = ["Anna", "Анна", "Анна Мария фон Бисмарк"])]
fn check_name(name: &str) -> bool {
    UserName::new(black_box(name)).is_ok()
}
