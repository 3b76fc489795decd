//! Frames at every cut: each row is a stream of bytes and what comes out of it.

use super::*;

#[track_caller]
fn check(wire: &[u8], payloads: &[&str], error: Option<FrameError>) {
    for cut in 0..=wire.len() {
        let (head, tail) = wire.split_at(cut);
        assert_eq!(decode(&[head, tail]), (owned(payloads), error), "cut at {cut}");
    }
    let bytes: Vec<_> = wire.chunks(1).collect();
    assert_eq!(decode(&bytes), (owned(payloads), error), "byte by byte");
}

fn owned(payloads: &[&str]) -> Vec<String> {
    payloads.iter().map(ToString::to_string).collect()
}

fn decode(pieces: &[&[u8]]) -> (Vec<String>, Option<FrameError>) {
    let mut decoder = Decoder::new(100);
    let mut payloads = Vec::new();
    for mut piece in pieces.iter().copied() {
        loop {
            match decoder.next_payload(&mut piece) {
                Ok(Some(payload)) => {
                    payloads.push(String::from_utf8(payload.to_vec()).unwrap());
                }
                Ok(None) => break,
                Err(error) => return (payloads, Some(error)),
            }
        }
        assert!(piece.is_empty(), "`Ok(None)` leaves nothing behind");
        decoder = again(&decoder);
    }
    (payloads, None)
}

/// Returns a new decoder that was given what the other one has not finished.
fn again(decoder: &Decoder) -> Decoder {
    let (mut new, unfinished) = (Decoder::new(100), decoder.unfinished());
    assert_eq!(new.next_payload(&mut &unfinished[..]), Ok(None), "{unfinished:?}");
    assert_eq!(new.unfinished(), unfinished);
    new
}

#[test]
fn decodes_across_any_cut() {
    check(b"", &[], None);
    check(b"2:{}", &["{}"], None);
    check(b"0:1:a", &["", "a"], None);
    check(b"1:a2:b", &["a"], None);
    check("5:жж!".as_bytes(), &["жж!"], None);
    check(
        b"0029:{\"type\":\"text\",\"content\":\"z\"}",
        &[r#"{"type":"text","content":"z"}"#],
        None,
    );
    check(b"00000000000000000002:{}", &["{}"], None);
}

#[test]
fn skips_space_between_frames_only() {
    check(b" \t\r\n2:{}\r\n\n3:abc ", &["{}", "abc"], None);
    check(b"2 :{}", &[], Some(FrameError::BadPrefix { byte: b' ' }));
    check(b"2:\n{3:abc", &["\n{", "abc"], None);
}

#[test]
fn takes_objects_without_a_length() {
    check(b"{}", &["{}"], None);
    check(b"{}{}\n{}", &["{}", "{}", "{}"], None);
    check(br#"{"a":{"b":{}}}2:{}{"#, &[r#"{"a":{"b":{}}}"#, "{}"], None);
    check(br#"{"a":"}{"}1:x"#, &[r#"{"a":"}{"}"#, "x"], None);
    check(br#"{"a":"\"}\\"}{}"#, &[r#"{"a":"\"}\\"}"#, "{}"], None);
    check(br#"{\"a\"}"#, &[], None); // A backslash means something in strings only.
}

#[test]
fn refuses_what_is_not_a_length() {
    check(b"-1:", &[], Some(FrameError::BadPrefix { byte: b'-' }));
    check(b":", &[], Some(FrameError::BadPrefix { byte: b':' }));
    check(b"12a", &[], Some(FrameError::BadPrefix { byte: b'a' }));
    check(b"1:x[1]", &["x"], Some(FrameError::BadPrefix { byte: b'[' }));
    check(b"\xff", &[], Some(FrameError::BadPrefix { byte: 0xff }));
    check(b"000000000000000000000", &[], Some(FrameError::EndlessPrefix));
}

#[test]
fn refuses_too_large_a_payload_at_the_byte_that_passes_the_limit() {
    let too_large = Some(FrameError::TooLarge { limit: 100 });
    check(b"101", &[], too_large);
    check(b"9999999999999999999", &[], too_large);
    check(format!("100:{}", "x".repeat(100)).as_bytes(), &[&"x".repeat(100)], None);
    let widest = format!(r#"{{"a":"{}"}}"#, "x".repeat(92));
    check(widest.as_bytes(), &[&widest], None);
    check(&[b'{'; 100], &[], None);
    check(&[b'{'; 101], &[], too_large);
}

#[test]
fn takes_no_memory_for_what_has_not_arrived() {
    let mut decoder = Decoder::new(usize::MAX);
    let announced = usize::MAX.to_string() + ":ab";
    assert_eq!(decoder.next_payload(&mut announced.as_bytes()), Ok(None));
    assert!(decoder.partial.capacity() < 64);
    assert_eq!(decoder.pending_bytes(), 2);
}

#[test]
fn an_idle_decoder_holds_nothing() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.next_payload(&mut &b"3:a"[..]), Ok(None));
    assert_eq!(decoder.next_payload(&mut &b"bc"[..]), Ok(Some(&b"abc"[..])));
    assert_eq!(decoder.next_payload(&mut &b""[..]), Ok(None));
    assert_eq!((decoder.pending_bytes(), decoder.partial.capacity()), (0, 0));
}

#[test]
fn an_error_is_final() {
    let mut decoder = Decoder::default();
    let error = Err(FrameError::BadPrefix { byte: b'x' });
    assert_eq!(decoder.next_payload(&mut &b"x"[..]), error);
    assert_eq!(decoder.next_payload(&mut &b"2:{}"[..]), error);
}

#[test]
fn writes_lengths_without_leading_zeros() {
    let mut out = b"kept".to_vec();
    for size in [1, 9, 10, 99, 100, 12_345] {
        let begin = out.len();
        encode(&mut out, |out| out.resize(out.len() + size, b'x'));
        assert_eq!(out[begin..], *format!("{size}:{}", "x".repeat(size)).as_bytes());
    }
    assert!(out.starts_with(b"kept1:x9:"));
}

#[test]
fn errors_say_what_was_found() {
    let shown = |byte| FrameError::BadPrefix { byte }.to_string();
    assert_eq!(shown(b'-'), "`-` where a frame's length should stand");
    assert_eq!(shown(b'\x00'), "byte 0x00 where a frame's length should stand");
}
