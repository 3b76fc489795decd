//! The outbox of one peer: bytes that its socket has not taken yet.

/// An empty outbox that has room for more than this gives it back, in bytes.
const IDLE_CAPACITY_BYTES: usize = 512;

/// The bytes that wait for a socket, oldest first.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// The number of `bytes`, from the front, that the socket has taken.
    taken: usize,
}

impl Outbox {
    /// Appends whole frames.
    pub fn push(&mut self, frames: &[u8]) {
        if 0 < self.taken && self.bytes.capacity() < self.bytes.len() + frames.len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        if self.bytes.capacity() < self.bytes.len() + frames.len() {
            // Sizes that will be asked for again leave no holes in memory that nobody can use.
            let size = (self.bytes.len() + frames.len()).next_power_of_two();
            self.bytes.reserve_exact(size - self.bytes.len());
        }
        self.bytes.extend_from_slice(frames);
    }

    /// Returns what is owed.
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Notes that the socket took `size` bytes of what was [`pending`](Self::pending).
    pub fn advance(&mut self, size: usize) {
        self.taken += size;
        debug_assert!(self.taken <= self.bytes.len(), "no socket takes more than it is given");
        if self.taken == self.bytes.len() {
            self.taken = 0;
            self.bytes.clear();
            if IDLE_CAPACITY_BYTES < self.bytes.capacity() {
                self.bytes = Vec::new(); // Shrinking would leave a little of it in the way.
            }
        }
    }

    /// Returns how much is owed, in bytes.
    pub fn backlog(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Returns true if nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.backlog() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_in_which_they_came() {
        let mut outbox = Outbox::default();
        let mut sent = Vec::new();
        for step in 0..1_000_usize {
            outbox.push(&step.to_le_bytes());
            let size = outbox.backlog().min(step % 13);
            sent.extend_from_slice(&outbox.pending()[..size]);
            outbox.advance(size);
            assert_eq!(sent.len() + outbox.backlog(), (step + 1) * size_of::<usize>());
        }
        sent.extend_from_slice(outbox.pending());
        assert_eq!(sent, (0..1_000_usize).flat_map(usize::to_le_bytes).collect::<Vec<_>>());
    }

    #[test]
    fn an_empty_outbox_gives_its_memory_back() {
        let mut outbox = Outbox::default();
        outbox.push(&vec![0; 100_000]);
        outbox.advance(99_999);
        assert!(100_000 <= outbox.bytes.capacity() && !outbox.is_empty());
        outbox.advance(1);
        assert!(outbox.is_empty() && outbox.bytes.capacity() <= IDLE_CAPACITY_BYTES);
    }

    #[test]
    fn what_was_taken_is_not_kept_while_a_peer_lags() {
        let mut outbox = Outbox::default();
        outbox.push(&[1; 1_000]);
        for _ in 0..10_000 {
            outbox.push(&[2; 1_000]);
            outbox.advance(1_000);
        }
        assert!(outbox.bytes.capacity() < 10_000, "it is {}", outbox.bytes.capacity());
    }
}
