//! Any bytes, cut anywhere, decode as they do in one piece, and never past the limit.
//!
//! The first two bytes say how large the pieces are and how large a payload may be.
//! (`cargo fuzz run decoder -- -dict=fuzz/decoder.dict`)
#![no_main]

use libfuzzer_sys::fuzz_target;
use pychat_wire::{Decoder, FrameError};

fuzz_target!(|data: &[u8]| {
    let [piece, limit, wire @ ..] = data else { return };
    let (piece, limit) = (usize::from(*piece) + 1, usize::from(*limit));
    assert_eq!(decode(wire.chunks(piece), limit), decode([wire].into_iter(), limit));
});

fn decode<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    limit: usize,
) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut decoder = Decoder::new(limit);
    let mut payloads = Vec::new();
    for mut piece in pieces {
        loop {
            match decoder.next_payload(&mut piece) {
                Ok(Some(payload)) => {
                    assert!(payload.len() <= limit);
                    payloads.push(payload.to_vec());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_payload(&mut &b"2:{}"[..]), Err(error));
                    return (payloads, Some(error));
                }
            }
        }
        assert!(piece.is_empty() && decoder.pending_bytes() <= limit);
    }
    (payloads, None)
}
