//! What clients say, in frames.

use serde_json::{Value, json};

use super::tls::Handshake;

/// What a client speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    V1,
    V2,
}

/// Returns the frame of a payload.
pub(crate) fn frame(payload: &str) -> Vec<u8> {
    format!("{}:{payload}", payload.len()).into_bytes()
}

/// Returns the frame of a hello.
pub(crate) fn hello(name: &str, protocol: Protocol) -> Vec<u8> {
    match protocol {
        Protocol::V1 => frame(&json!({ "type": "hello", "username": name }).to_string()),
        Protocol::V2 => hello_with(name, &json!({})),
    }
}

/// Returns the frame of a hello of protocol 2 with the members of `more` in it.
pub(crate) fn hello_with(name: &str, more: &Value) -> Vec<u8> {
    let mut hello = json!({ "type": "hello", "username": name, "protocol": 2 });
    for (key, value) in more.as_object().into_iter().flatten() {
        hello[key] = value.clone();
    }
    frame(&hello.to_string())
}

/// Returns the first bytes of a TLS handshake.
pub(crate) fn client_hello() -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut session, _) = Handshake::default().begin();
    session.write_tls(&mut bytes).expect("a vector takes it all");
    bytes
}

/// Returns the frame of a text whose id is this `number`.
pub(crate) fn text(content: &str, number: usize) -> Vec<u8> {
    frame(&json!({ "type": "text", "content": content, "id": number.to_string() }).to_string())
}

/// Returns the frame of a question for `limit` messages before a number.
pub(crate) fn history(before: u64, limit: u64) -> Vec<u8> {
    frame(&json!({ "type": "history", "before": before, "limit": limit }).to_string())
}

/// Returns the frame of a payload that is nothing but its type.
pub(crate) fn bare(kind: &str) -> Vec<u8> {
    frame(&json!({ "type": kind }).to_string())
}

/// Returns the `number`th of some 16 million names of 32 letters of four bytes each, the longest
/// that there are.
pub(crate) fn long_name(number: usize) -> String {
    let mut name = "\u{20100}".repeat(28);
    let letters = || '\u{20000}'..'\u{20040}';
    name.extend((0..4).filter_map(|place| letters().nth((number >> (6 * place)) % 64)));
    name
}

/// Returns true if `payload` is of this `kind`, as our server writes it: the type comes first.
pub(crate) fn is_kind(payload: &[u8], kind: &str) -> bool {
    let rest = payload.strip_prefix(br#"{"type":""#);
    rest.and_then(|rest| rest.strip_prefix(kind.as_bytes()))
        .is_some_and(|rest| rest.starts_with(b"\""))
}
