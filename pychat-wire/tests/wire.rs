//! The wire as a whole: what one end writes, the other reads, however it was cut on the way.

use proptest::{collection::vec, prelude::*};
use pychat_wire::{
    ClientMessage, Decoder, FrameError, MessageError, ServerMessage, UserName, frame::encode,
    notice::Notice,
};

/// Feeds `wire` to a decoder in pieces that end at `cuts`, and gathers what comes out.
fn decode(wire: &[u8], cuts: &[prop::sample::Index], limit: usize) -> Decoded {
    let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
    ends.push(wire.len());
    ends.sort_unstable();
    let mut decoder = Decoder::new(limit);
    let mut heard = Decoded { payloads: Vec::new(), error: None };
    let mut begin = 0;
    for end in ends {
        let mut piece = &wire[begin..end];
        begin = end;
        loop {
            match decoder.next_payload(&mut piece) {
                Ok(Some(payload)) => heard.payloads.push(payload.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    heard.error = Some(error);
                    return heard;
                }
            }
        }
        assert!(decoder.pending_bytes() <= limit, "never more than one payload is kept");
    }
    heard
}

#[derive(Debug, PartialEq)]
struct Decoded {
    payloads: Vec<Vec<u8>>,
    error: Option<FrameError>,
}

/// Bytes that often look like the wire, and often do not.
fn wire_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..8),
        vec(prop::sample::select(b"0123456789:{}\"\\ \n".to_vec()), 0..12),
        vec(any::<u8>(), 0..40).prop_map(|payload| {
            let mut frame = Vec::new();
            encode(&mut frame, |out| out.extend_from_slice(&payload));
            frame
        }),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// The original's way to write JSON: everything that is not ASCII as `\uXXXX`.
fn escaped(text: &str) -> String {
    let json = serde_json::json!(text).to_string();
    let mut out = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            let mut units = [0; 2];
            out.extend(
                character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")),
            );
        }
    }
    out
}

proptest! {
    #[test]
    fn any_code_units_are_read_as_text(units in vec(
        prop_oneof![any::<u16>(), 0xd7f0..0xe010_u16, Just(0xd83d), Just(0xdc4b), Just(0x61)],
        0..40,
    )) {
        let escapes: Vec<_> = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        let escapes = escapes.concat();
        let read = String::from_utf16_lossy(&units);
        let payload = format!(r#"{{"type":"text","content":"{escapes}"}}"#);
        prop_assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(ClientMessage::text(&read)));
        let payload = format!(r#"{{"type":"message","username":"a","content":"{escapes}"}}"#);
        let heard = ServerMessage::Message { username: "a".into(), content: read.into() };
        prop_assert_eq!(ServerMessage::parse(payload.as_bytes()), Ok(heard));
    }

    #[test]
    fn frames_survive_any_cut(
        payloads in vec(vec(any::<u8>(), 0..300), 0..8),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut wire = Vec::new();
        for payload in &payloads {
            encode(&mut wire, |out| out.extend_from_slice(payload));
        }
        prop_assert_eq!(decode(&wire, &cuts, 300), Decoded { payloads, error: None });
    }

    #[test]
    fn bare_objects_survive_any_cut(
        texts in vec(".*", 0..6),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let payloads: Vec<Vec<u8>> = texts
            .iter()
            .map(|text| serde_json::json!({"type": "text", "content": text}).to_string().into())
            .collect();
        let wire = payloads.join(&b"\n"[..]);
        prop_assert_eq!(decode(&wire, &cuts, 65_536), Decoded { payloads, error: None });
    }

    #[test]
    fn garbage_is_decoded_alike_however_it_is_cut(
        wire in wire_like(),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let whole = decode(&wire, &[], 30);
        for payload in &whole.payloads {
            prop_assert!(payload.len() <= 30);
        }
        prop_assert_eq!(decode(&wire, &cuts, 30), whole);
    }

    #[test]
    fn messages_are_read_back_as_they_were_written(username in ".*", content in ".*") {
        let hello = ClientMessage::hello(username.clone());
        let text = ClientMessage::text(content.clone());
        let message =
            ServerMessage::Message { username: username.into(), content: content.into() };
        let mut wire = Vec::new();
        hello.encode(&mut wire);
        text.encode(&mut wire);
        message.encode(&mut wire);
        let Decoded { payloads, error } = decode(&wire, &[], 65_536);
        prop_assert_eq!(error, None);
        prop_assert_eq!(ClientMessage::parse(&payloads[0]), Ok(hello));
        prop_assert_eq!(text.payload_bytes(), payloads[1].len());
        prop_assert_eq!(ClientMessage::parse(&payloads[1]), Ok(text));
        prop_assert_eq!(ServerMessage::parse(&payloads[2]), Ok(message));
    }

    #[test]
    fn the_originals_escapes_mean_the_same(username in ".*", content in ".*") {
        let payload = format!(
            r#"{{"type": "message", "username": {}, "content": {}}}"#,
            escaped(&username),
            escaped(&content)
        );
        prop_assert!(payload.is_ascii());
        let message =
            ServerMessage::Message { username: username.into(), content: content.into() };
        prop_assert_eq!(ServerMessage::parse(payload.as_bytes()), Ok(message));
    }

    #[test]
    fn any_payload_has_an_answer(payload in vec(any::<u8>(), 0..200)) {
        let text = str::from_utf8(&payload);
        match ClientMessage::parse(&payload) {
            Ok(_) => prop_assert!(text.is_ok()),
            Err(MessageError::NotUtf8(error)) => prop_assert_eq!(text, Err(error)),
            Err(error) => prop_assert!(text.is_ok() && !error.to_string().is_empty()),
        }
    }

    #[test]
    fn names_are_kept_or_refused_and_checking_twice_changes_nothing(name in ".{0,40}") {
        if let Ok(kept) = UserName::new(&name) {
            prop_assert_eq!(kept.as_str(), name.trim());
            prop_assert_eq!(UserName::new(kept.as_str()), Ok(kept.clone()));
            prop_assert!(kept.as_str().lines().count() == 1);
            let joined = Notice::Joined { name: kept.as_str() }.to_string();
            prop_assert_eq!(Notice::parse(&joined), Notice::Joined { name: kept.as_str() });
        }
    }
}
