//! The frames that everybody in a room gets, encoded once, in order, until they are delivered.
//!
//! In a small room they are delivered in the tick in which they came about. Where many are told, one
//! delivery follows another only when the people told last have had the time to read: what is said
//! meanwhile, and who comes and goes, leaves in the same write to each. Who says something after a
//! moment of silence is heard at once.

use std::{
    mem,
    time::{Duration, Instant},
};

use crate::core::{chat::PerProtocol, id::RoomId};

/// The time from one delivery to the next, for each person told beyond a crowd: about what a write
/// to them costs here and reading it costs there. `BENCHMARKS.md` has the figures of other intervals.
const INTERVAL_PER_PERSON: Duration = Duration::from_nanos(3_500);

/// The time added to that for each of the first [`COUNTED_KIB_MAX`] KiB that they were told.
const INTERVAL_PER_PERSON_AND_KIB: Duration = Duration::from_nanos(800);
const COUNTED_KIB_MAX: u32 = 8;

/// Frames that are longer than this wait no more, in bytes.
const BYTES_MAX: usize = 64 << 10;

/// The memory that they keep for each protocol once they are delivered, in bytes.
const IDLE_CAPACITY_BYTES: usize = 256 << 10;

/// Frames, as each protocol says them.
pub(super) type Frames = PerProtocol<Vec<u8>>;

/// The frames that wait to be delivered to all in one room.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoomFrames<'a> {
    /// The room.
    pub(super) room: RoomId,
    /// The frames.
    pub(super) frames: &'a Frames,
}

impl RoomFrames<'_> {
    /// Returns those of a room in which nothing waits.
    pub(super) fn none(room: RoomId) -> Self {
        static NONE: Frames = Frames { v1: Vec::new(), v2: Vec::new() };
        Self { room, frames: &NONE }
    }
}

/// The frames that wait to be delivered to all in a room, and when they are.
#[derive(Debug, Default)]
pub(super) struct PacedFrames {
    frames: Frames,
    /// Nothing is delivered before this.
    not_before: Option<Instant>,
}

impl PacedFrames {
    /// Appends a frame as each protocol says it that one of the `people` speaks.
    pub(super) fn push(
        &mut self,
        people: PerProtocol<usize>,
        encode_v1: impl FnOnce(&mut Vec<u8>),
        encode_v2: impl FnOnce(&mut Vec<u8>),
    ) {
        if 0 < people.v1 {
            encode_v1(&mut self.frames.v1);
        }
        if 0 < people.v2 {
            encode_v2(&mut self.frames.v2);
        }
    }

    /// Returns how long they are as either protocol says them, in bytes.
    pub(super) fn ends(&self) -> PerProtocol<usize> {
        PerProtocol { v1: self.frames.v1.len(), v2: self.frames.v2.len() }
    }

    /// Returns how long they are as the wordier protocol says them, in bytes.
    fn longest(&self) -> usize {
        self.frames.v1.len().max(self.frames.v2.len())
    }

    /// Returns what has not been delivered yet.
    pub(super) fn frames(&self) -> &Frames {
        &self.frames
    }

    /// Returns when there is something to deliver, if there ever is.
    pub(super) fn due_at(&self, now: Instant) -> Option<Instant> {
        if self.longest() == 0 {
            return None;
        }
        let can_wait = self.longest() <= BYTES_MAX;
        Some(self.not_before.filter(|until| can_wait && now < *until).unwrap_or(now))
    }

    /// Takes the frames out to deliver them to `people`, of whom `crowd` need no pace; give them
    /// back by [`delivered`](Self::delivered).
    pub(super) fn take(&mut self, now: Instant, people: usize, crowd: usize) -> Frames {
        let beyond = u32::try_from(people.saturating_sub(crowd)).unwrap_or(u32::MAX);
        let kib = u32::try_from(self.longest() >> 10)
            .map_or(COUNTED_KIB_MAX, |kib| kib.min(COUNTED_KIB_MAX));
        let interval = INTERVAL_PER_PERSON + INTERVAL_PER_PERSON_AND_KIB * kib;
        self.not_before = Some(now + interval * beyond);
        mem::take(&mut self.frames)
    }

    /// Takes back the memory of frames that have been delivered.
    pub(super) fn delivered(&mut self, mut frames: Frames) {
        for frames in [&mut frames.v1, &mut frames.v2] {
            frames.clear();
            frames.shrink_to(IDLE_CAPACITY_BYTES);
        }
        self.frames = frames;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::chat::Protocol;

    fn frame(out: &mut Vec<u8>) {
        out.extend_from_slice(b"1:x");
    }

    const BOTH: PerProtocol<usize> = PerProtocol { v1: 1, v2: 1 };

    fn push(paced: &mut PacedFrames) {
        paced.push(BOTH, frame, frame);
    }

    fn deliver(paced: &mut PacedFrames, now: Instant, people: usize) {
        let frames = paced.take(now, people, 100);
        paced.delivered(frames);
    }

    #[test]
    fn a_protocol_that_nobody_speaks_is_not_encoded() {
        let now = Instant::now();
        for people in [PerProtocol { v1: 1, v2: 0 }, PerProtocol { v1: 0, v2: 1 }] {
            let mut paced = PacedFrames::default();
            paced.push(people, frame, frame);
            for protocol in [Protocol::V1, Protocol::V2] {
                let is_spoken = 0 < *people.of(protocol);
                assert_eq!(paced.frames().of(protocol).is_empty(), !is_spoken, "{protocol:?}");
            }
            assert_eq!(paced.due_at(now), Some(now), "{people:?}");
        }
    }

    #[test]
    fn a_few_people_hear_everything_at_once() {
        let (mut paced, now) = (PacedFrames::default(), Instant::now());
        assert_eq!(paced.due_at(now), None);
        for _ in 0..3 {
            push(&mut paced);
            assert_eq!(paced.due_at(now), Some(now));
            deliver(&mut paced, now, 100);
            assert_eq!(paced.due_at(now), None);
        }
    }

    #[test]
    fn a_crowd_hears_the_first_at_once_and_the_rest_when_it_can_have_read() {
        let (mut paced, now) = (PacedFrames::default(), Instant::now());
        push(&mut paced);
        assert_eq!(paced.due_at(now), Some(now), "the first is told at once");
        deliver(&mut paced, now, 1_000);
        push(&mut paced);
        push(&mut paced);
        assert_eq!(paced.due_at(now), Some(now + 900 * INTERVAL_PER_PERSON));
        assert_eq!(paced.frames().of(Protocol::V2), b"1:x1:x");
        deliver(&mut paced, now, 1_000);
        while paced.frames().of(Protocol::V1).len() <= BYTES_MAX {
            push(&mut paced);
        }
        assert_eq!(paced.due_at(now), Some(now), "memory does not wait");
        deliver(&mut paced, now, 1_000);
        push(&mut paced);
        let longest = INTERVAL_PER_PERSON + COUNTED_KIB_MAX * INTERVAL_PER_PERSON_AND_KIB;
        assert_eq!(
            paced.due_at(now),
            Some(now + 900 * longest),
            "who was told much has much to read"
        );
    }
}
