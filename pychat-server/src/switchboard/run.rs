//! The frames that everybody in the room gets, encoded once, in order, until they are delivered.
//!
//! Messages are delivered in the tick in which they were said. Who came and went may wait for a
//! moment where many are told: in a crowd that joins at once, a write to everybody for each of
//! them would be most of the work. The moment is as long as telling everybody takes, so at most
//! half of a processor is spent on it.

use std::{
    mem,
    time::{Duration, Instant},
};

/// What telling one person takes, roughly.
const COST_PER_PERSON: Duration = Duration::from_micros(5);

/// A run of presence alone that is longer than this waits no more, in bytes.
const BYTES_MAX: usize = 64 << 10;

/// What a run keeps of its memory once it is delivered, in bytes.
const IDLE_CAPACITY_BYTES: usize = 256 << 10;

/// Frames for everybody.
#[derive(Debug, Default)]
pub(super) struct Run {
    frames: Vec<u8>,
    is_urgent: bool,
    /// Presence alone is not delivered before this.
    presence_at: Option<Instant>,
}

impl Run {
    /// Appends a message, to be delivered in this tick.
    pub(super) fn push_message(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        encode(&mut self.frames);
        self.is_urgent = true;
    }

    /// Appends that somebody came or went, to be delivered soon.
    pub(super) fn push_presence(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        encode(&mut self.frames);
    }

    /// Lets nothing wait that is there already: somebody is given it in this tick, so all are.
    pub(super) fn hasten(&mut self) {
        self.is_urgent = !self.frames.is_empty();
    }

    /// Returns what has not been delivered yet.
    pub(super) fn frames(&self) -> &[u8] {
        &self.frames
    }

    /// Returns when there is something to deliver, if there ever is.
    pub(super) fn due_at(&self, now: Instant) -> Option<Instant> {
        if self.frames.is_empty() {
            return None;
        }
        let can_wait = !self.is_urgent && self.frames.len() <= BYTES_MAX;
        Some(self.presence_at.filter(|_| can_wait).unwrap_or(now))
    }

    /// Takes the frames out to deliver them to `people`, who are a `crowd` or fewer; give them back
    /// by [`delivered`](Self::delivered).
    pub(super) fn take(&mut self, now: Instant, people: usize, crowd: usize) -> Vec<u8> {
        let cost = COST_PER_PERSON * u32::try_from(people).unwrap_or(u32::MAX);
        self.presence_at = (crowd <= people).then(|| now + cost);
        self.is_urgent = false;
        mem::take(&mut self.frames)
    }

    /// Takes back the memory of frames that have been delivered.
    pub(super) fn delivered(&mut self, mut frames: Vec<u8>) {
        frames.clear();
        frames.shrink_to(IDLE_CAPACITY_BYTES);
        self.frames = frames;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(out: &mut Vec<u8>) {
        out.extend_from_slice(b"1:x");
    }

    fn deliver(run: &mut Run, now: Instant, people: usize) {
        let frames = run.take(now, people, 100);
        run.delivered(frames);
    }

    #[test]
    fn a_few_people_hear_everything_at_once() {
        let (mut run, now) = (Run::default(), Instant::now());
        assert_eq!(run.due_at(now), None);
        for _ in 0..3 {
            run.push_presence(frame);
            assert_eq!(run.due_at(now), Some(now));
            deliver(&mut run, now, 99);
            assert_eq!(run.due_at(now), None);
        }
    }

    #[test]
    fn a_crowd_hears_of_the_next_who_came_when_it_can_and_of_messages_at_once() {
        let (mut run, now) = (Run::default(), Instant::now());
        run.push_presence(frame);
        assert_eq!(run.due_at(now), Some(now), "the first is told at once");
        deliver(&mut run, now, 1_000);
        run.push_presence(frame);
        assert_eq!(run.due_at(now), Some(now + 1_000 * COST_PER_PERSON));
        run.push_message(frame);
        assert_eq!((run.due_at(now), run.frames()), (Some(now), &b"1:x1:x"[..]));
        deliver(&mut run, now, 1_000);
        run.hasten();
        assert_eq!(run.due_at(now), None, "there is nothing to hasten");
        run.push_presence(frame);
        run.hasten();
        assert_eq!(run.due_at(now), Some(now));
        deliver(&mut run, now, 1_000);
        while run.frames().len() <= BYTES_MAX {
            run.push_presence(frame);
        }
        assert_eq!(run.due_at(now), Some(now), "nor does memory wait");
    }
}
