//! Any payload and any link is read or refused, what is read can be written and read again, and names
//! that are kept keep the rules (`cargo fuzz run message -- -dict=fuzz/message.dict`).
#![no_main]

use libfuzzer_sys::fuzz_target;
use pychat_wire::{
    ClientMessage, Decoder, Link, ServerMessage, UserName, key::Challenge, message::Hello,
    name::NAME_CHARS_MAX,
};

fuzz_target!(|payload: &[u8]| {
    match ClientMessage::parse(payload) {
        Ok(message) => {
            let mut frame = Vec::new();
            message.encode(&mut frame);
            assert_eq!(ClientMessage::parse(&only_payload(&frame)), Ok(message.clone()));
            if let ClientMessage::Hello(Hello { proof: Some(proof), username, .. }) = &message {
                let is_valid = proof.is_valid(&Challenge::default(), username);
                assert_eq!(is_valid, proof.is_valid(&Challenge::default(), username));
            }
            if let ClientMessage::Hello(Hello { username, .. }) = &message
                && let Ok(name) = UserName::new(username)
            {
                assert!(name.as_str().chars().count() <= NAME_CHARS_MAX);
                assert!(name.numbered(2).as_str().chars().count() <= NAME_CHARS_MAX);
                assert_eq!(UserName::new(name.as_str()), Ok(name));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Some(link) = str::from_utf8(payload).ok().and_then(|text| text.parse::<Link>().ok()) {
        assert_eq!(link.to_string().parse(), Ok(link));
    }
    if let Ok(message) = ServerMessage::parse(payload) {
        let mut frame = Vec::new();
        message.encode(&mut frame);
        assert_eq!(ServerMessage::parse(&only_payload(&frame)), Ok(message));
    }
});

fn only_payload(mut frame: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(usize::MAX);
    let payload = decoder.next_payload(&mut frame).expect("a frame").expect("a whole one").to_vec();
    assert!(frame.is_empty());
    payload
}
