//! The payloads of servers, as they stand on the wire.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The author of the server's own words.
pub(crate) const SERVER: &str = "Сервер Чата";

/// The server's first words.
pub(crate) const GREETING: &str = "Connection established. Waiting for your username...";

/// The nonce of every greeting, but for one that offers TLS.
pub(crate) const NONCE: &str = "9c1e9c1e9c1e9c1e9c1e9c1e9c1e9c1e";

/// When everything happens on a server of protocol 2, in UTC milliseconds since 1970.
pub(crate) const TIME_MS: u64 = 1_700_000_000_000;

/// Returns a greeting of protocol 2, with `more` members.
pub(crate) fn greeting(epoch: &str, more: &Value) -> Value {
    let mut greeting = json!({
        "type": "message", "username": SERVER, "content": GREETING, "protocol": 2, "server": "Office",
        "epoch": epoch, "limits": {"payload": 65536, "name": 32, "burst": 10, "per_second": 5},
        "ping_seconds": 30,
    });
    extend(&mut greeting, more);
    greeting
}

/// Returns what a server says of the hall, where the last number is `last`, to somebody who has seen
/// everything up to number `read`.
pub(crate) fn hall(last: u64, read: u64) -> Value {
    let unread = last.saturating_sub(read).min(99);
    room("", "hall", "", last, &json!({ "read": read, "unread": unread }))
}

/// Returns what a server says of a room, with `more` members.
pub(crate) fn room(id: &str, kind: &str, name: &str, last: u64, more: &Value) -> Value {
    let mut room = json!({
        "room": id, "kind": kind, "name": name, "topic": "", "last": last, "read": 0, "unread": 0,
    });
    extend(&mut room, more);
    room
}

/// Returns true for the search for missed mentions, which a client makes by itself: a name between
/// quotation marks.
pub(crate) fn is_search_for_mentions(payload: &Value) -> bool {
    let query = payload["query"].as_str().unwrap_or_default();
    payload["type"] == "search" && query.starts_with('"')
}

/// Returns true for the frame of a payload that a client sends beside what it is told to do.
pub(crate) fn is_aside(frame: &str) -> bool {
    let payload = frame.split_once(':').map_or("", |(_, payload)| payload);
    let payload: Value = serde_json::from_str(payload).unwrap_or_default();
    payload["type"] == "read" || is_search_for_mentions(&payload)
}

/// Puts `more` members into a payload.
pub(crate) fn extend(payload: &mut Value, more: &Value) {
    let members = payload.as_object_mut().expect("an object");
    members.extend(more.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
}

/// Returns one message as the original writes it.
pub(crate) fn frame(author: &str, content: &str) -> String {
    let (author, content) = (escape(author), escape(content));
    let payload = format!(r#"{{"type": "message", "username": {author}, "content": {content}}}"#);
    format!("{}:{payload}", payload.len())
}

/// Returns `text` as a JSON string in ASCII.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in json!(text).to_string().chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(escaped, "\\u{unit:04x}").expect("a string takes everything");
        }
    }
    escaped
}
