//! The frames that clients say.

use pychat_wire::key::{Challenge, Nonce, Proof, SecretKey};
use serde_json::{Value, json};

use super::tls::Handshake;

/// The part of a hello of protocol 2 that is replaced by a proof, and is as long, once it is known
/// what is to be signed.
const BLANK: &str = concat!(
    r#""key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","#,
    r#""signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"#,
    r#"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#,
);

/// The text before the name in a hello; the JSON of the name ends before [`BLANK`].
const NAME: &str = r#""username":"#;

/// The protocol that a client speaks.
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

/// Returns the frame of a hello of protocol 2 with the members of `more` in it, to be [signed](sign)
/// yet.
pub(crate) fn hello_with(name: &str, more: &Value) -> Vec<u8> {
    let name = Value::from(name);
    let mut hello = format!(r#"{{"type":"hello",{NAME}{name},"protocol":2,{BLANK}"#);
    for (key, value) in more.as_object().into_iter().flatten() {
        hello += &[",\"", key, "\":", &value.to_string()].concat();
    }
    frame(&(hello + "}"))
}

/// Returns true if there is a hello in `bytes` that is not signed yet.
pub(crate) fn is_unsigned(bytes: &[u8]) -> bool {
    bytes.windows(BLANK.len()).any(|window| window == BLANK.as_bytes())
}

/// Signs every hello in `bytes` for a connection that was greeted with `nonce`, each by the device
/// that this owner has for its name.
pub(crate) fn sign(bytes: &[u8], nonce: Nonce, owner: &str) -> Vec<u8> {
    let challenge = Challenge { nonce, ..Challenge::default() };
    let text = String::from_utf8_lossy(bytes);
    let mut signed = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find(BLANK) {
        let (before, after) = rest.split_at(at);
        let name = before.rsplit(NAME).next().and_then(|name| name.split(",\"protocol\"").next());
        let name: String =
            name.and_then(|name| serde_json::from_str(name).ok()).unwrap_or_default();
        let Proof { key, signature } = key_of(&[owner, &name].concat()).prove(&challenge, &name);
        signed.push_str(before);
        let [key, signature] = [key.to_string(), signature.to_string()];
        signed += &[r#""key":""#, &key, r#"","signature":""#, &signature, "\""].concat();
        rest = &after[BLANK.len()..];
    }
    signed.push_str(rest);
    signed.into_bytes()
}

fn key_of(device: &str) -> SecretKey {
    let mut key = [7_u8; 32];
    for (index, byte) in device.bytes().enumerate() {
        key[index % 32] = key[index % 32].wrapping_mul(31).wrapping_add(byte);
    }
    SecretKey(key)
}

/// Returns the frame of a hello of protocol 2 whose signature is wrong.
pub(crate) fn forged(name: &str) -> Vec<u8> {
    sign(&hello(name, Protocol::V2), Nonce::default(), "")
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

/// Returns the frame of a search for these words.
pub(crate) fn search(query: &str) -> Vec<u8> {
    frame(&json!({ "type": "search", "ref": "s", "query": query, "limit": 100 }).to_string())
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
