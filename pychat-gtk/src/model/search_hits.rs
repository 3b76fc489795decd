//! The state of a search for each message in a list, while it goes through them.
//!
//! The newest are looked at first, and results are counted from there: what comes in at the other
//! end, page by page, does not change the numbers that were shown.

use std::{collections::VecDeque, iter, mem, ops::Range};

/// The messages of a list that are hits, and the result that is being looked at.
#[derive(Debug, Default)]
pub struct SearchHits {
    /// Which messages have been looked at.
    known: Vec<bool>,
    /// The index from which on every message has been looked at.
    frontier: usize,
    /// The indices of the hits, the newest first.
    hits: VecDeque<usize>,
    current: Option<usize>,
}

impl SearchHits {
    /// Returns the hits among `n` messages, none of which has been looked at.
    pub fn new(n: usize) -> Self {
        Self { known: vec![false; n], frontier: n, ..Self::default() }
    }

    /// Takes in that `n_removed` messages at `at` were replaced by `n_added` others; returns the
    /// ranks of the hits that were lost.
    pub fn splice(&mut self, at: usize, n_removed: usize, n_added: usize) -> Range<usize> {
        let removed = at..at + n_removed;
        self.known.splice(removed.clone(), iter::repeat_n(false, n_added));
        let shift = |position: usize| position - n_removed + n_added;
        let lost = self.n_newer(removed.end)..self.n_newer(at);
        self.hits.range_mut(..lost.start).for_each(|it| *it = shift(*it));
        self.hits.drain(lost.clone());
        self.current = self.current.filter(|it| !removed.contains(it));
        self.current = self.current.map(|it| if it < at { it } else { shift(it) });
        if removed.end < self.frontier {
            self.frontier = shift(self.frontier);
        } else if 0 < n_added {
            self.frontier = at + n_added;
        } else {
            self.frontier = self.frontier.min(at);
        }
        lost
    }

    /// Returns the newest message that was not looked at.
    pub fn next_unknown(&mut self) -> Option<usize> {
        let newest = self.known[..self.frontier].iter().rposition(|is_known| !is_known);
        self.frontier = newest.map_or(0, |newest| newest + 1);
        newest
    }

    /// Sets the verdict on the message at `at`, if there is none: whether it has what is searched
    /// for. Returns true if it is a hit, and was not known to be.
    pub fn settle(&mut self, at: usize, is_hit: bool) -> bool {
        let is_new = !mem::replace(&mut self.known[at], true) && is_hit;
        if is_new {
            self.hits.insert(self.n_newer(at), at);
        }
        is_new
    }

    /// Looks at the hit at `at`, or at none.
    pub fn look_at(&mut self, at: Option<usize>) {
        self.current = at;
    }

    /// Returns which hit is being looked at.
    pub fn current(&self) -> Option<usize> {
        self.current
    }

    /// Returns how many were found.
    pub fn n_hits(&self) -> usize {
        self.hits.len()
    }

    /// Returns the hit of this rank, which is the number of newer ones.
    pub fn hit(&self, rank: usize) -> Option<usize> {
        self.hits.get(rank).copied()
    }

    /// Returns the rank of the hit that is being looked at.
    pub fn rank(&self) -> Option<usize> {
        self.current.map(|current| self.n_newer(current + 1))
    }

    /// Returns the nearest hit before the one that is being looked at, or the newest of all.
    pub fn older(&self) -> Option<usize> {
        self.hit(self.rank().map_or(0, |rank| rank + 1))
    }

    /// Returns the nearest hit after the one that is being looked at.
    pub fn newer(&self) -> Option<usize> {
        self.hit(self.rank()?.checked_sub(1)?)
    }

    /// Returns the oldest hit.
    pub fn oldest(&self) -> Option<usize> {
        self.hits.back().copied()
    }

    /// Returns the number of hits from the index `at` on.
    pub fn n_newer(&self, at: usize) -> usize {
        self.hits.partition_point(|hit| at <= *hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes through everything that is unknown; every third message of `texts` has it.
    fn go_through(hits: &mut SearchHits, texts: &[usize]) -> Vec<usize> {
        let mut seen = Vec::new();
        while let Some(at) = hits.next_unknown() {
            hits.settle(at, texts[at].is_multiple_of(3));
            seen.push(texts[at]);
        }
        seen
    }

    /// Returns what was found, the newest first.
    fn found(hits: &SearchHits, texts: &[usize]) -> Vec<usize> {
        (0..hits.n_hits()).filter_map(|rank| hits.hit(rank)).map(|at| texts[at]).collect()
    }

    #[test]
    fn the_newest_are_looked_at_first_and_each_once() {
        let texts: Vec<_> = (0..8).collect();
        let mut hits = SearchHits::new(texts.len());
        assert_eq!(go_through(&mut hits, &texts), [7, 6, 5, 4, 3, 2, 1, 0]);
        assert_eq!(found(&hits, &texts), [6, 3, 0]);
        assert_eq!(hits.next_unknown(), None);
    }

    #[test]
    fn what_is_found_is_walked_through_from_the_newest() {
        let texts: Vec<_> = (0..8).collect();
        let mut hits = SearchHits::new(texts.len());
        go_through(&mut hits, &texts);
        assert_eq!((hits.current(), hits.rank(), hits.newer()), (None, None, None));
        for (at, rank) in [(6, 0), (3, 1), (0, 2)] {
            assert_eq!(hits.older(), Some(at));
            hits.look_at(Some(at));
            assert_eq!((hits.current(), hits.rank()), (Some(at), Some(rank)));
        }
        assert_eq!((hits.older(), hits.newer()), (None, Some(3)));
    }

    #[test]
    fn a_list_may_change_while_it_is_searched() {
        // Three messages were looked at, the hit 6 among them, before this happens.
        for (at, n_removed, added, looked_at, found_after, current) in [
            (0, 0, &[30, 31][..], &[4, 3, 2, 1, 0, 31, 30][..], &[6, 3, 0, 30][..], Some(6)),
            (8, 0, &[30, 31], &[31, 30, 4, 3, 2, 1, 0], &[30, 6, 3, 0], Some(6)),
            (0, 2, &[], &[4, 3, 2], &[6, 3], Some(6)),
            (6, 1, &[], &[4, 3, 2, 1, 0], &[3, 0], None),
            (6, 1, &[31], &[31, 4, 3, 2, 1, 0], &[3, 0], None),
            (4, 2, &[30], &[30, 3, 2, 1, 0], &[6, 30, 3, 0], Some(6)),
            (0, 8, &[], &[], &[], None),
            (0, 8, &[30], &[30], &[30], None),
        ] {
            let mut texts: Vec<_> = (0..8).collect();
            let mut hits = SearchHits::new(texts.len());
            for _ in 0..3 {
                let next = hits.next_unknown().expect("there is more");
                hits.settle(next, texts[next] == 6);
            }
            hits.look_at(hits.older());
            texts.splice(at..at + n_removed, added.iter().copied());
            hits.splice(at, n_removed, added.len());
            assert_eq!(go_through(&mut hits, &texts), looked_at, "{added:?} at {at}");
            assert_eq!(found(&hits, &texts), found_after, "{added:?} at {at}");
            assert_eq!(hits.current().map(|at| texts[at]), current, "{added:?} at {at}");
        }
    }
}
