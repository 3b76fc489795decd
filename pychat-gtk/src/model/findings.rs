//! The state of a search for each message in a list, while it goes through them.
//!
//! The newest are looked at first, and results are counted from there: what comes in at the other
//! end, page by page, does not change the numbers that were shown.

use std::{iter, ops::Range};

/// The verdict on one message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Unknown,
    Miss,
    Hit,
}

/// The verdict on each message in a list, and the result that is being looked at.
#[derive(Debug, Default)]
pub struct Findings {
    verdicts: Vec<Verdict>,
    /// The index from which on every message has been looked at.
    frontier: usize,
    n_hits: usize,
    current: Option<usize>,
}

impl Findings {
    /// Returns the findings for `n` messages, none of which has been looked at.
    pub fn new(n: usize) -> Self {
        Self { verdicts: vec![Verdict::Unknown; n], frontier: n, ..Self::default() }
    }

    /// Takes in that `n_removed` messages at `at` were replaced by `n_added` others.
    pub fn splice(&mut self, at: usize, n_removed: usize, n_added: usize) {
        let removed = at..at + n_removed;
        let added = iter::repeat_n(Verdict::Unknown, n_added);
        let n_lost =
            self.verdicts.splice(removed.clone(), added).filter(|it| *it == Verdict::Hit).count();
        self.n_hits -= n_lost;
        let shift = |position: usize| position - n_removed + n_added;
        self.current = self.current.filter(|it| !removed.contains(it));
        self.current = self.current.map(|it| if it < at { it } else { shift(it) });
        if removed.end < self.frontier {
            self.frontier = shift(self.frontier);
        } else if 0 < n_added {
            self.frontier = at + n_added;
        } else {
            self.frontier = self.frontier.min(at);
        }
    }

    /// Returns the newest message that was not looked at.
    pub fn next_unknown(&mut self) -> Option<usize> {
        let is_unknown = |it: &Verdict| *it == Verdict::Unknown;
        let newest = self.verdicts[..self.frontier].iter().rposition(is_unknown);
        self.frontier = newest.map_or(0, |newest| newest + 1);
        newest
    }

    /// Sets the verdict on the message at `at`, if there is none: whether it has what is searched
    /// for.
    pub fn settle(&mut self, at: usize, is_hit: bool) {
        if self.verdicts[at] == Verdict::Unknown {
            self.verdicts[at] = if is_hit { Verdict::Hit } else { Verdict::Miss };
            self.n_hits += usize::from(is_hit);
        }
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
        self.n_hits
    }

    /// Returns which one of those found is being looked at, the newest being 1.
    pub fn ordinal(&self) -> Option<usize> {
        self.current.map(|current| self.hits(current..self.verdicts.len()).count())
    }

    /// Returns the nearest hit before the one that is being looked at, or the newest of all.
    pub fn older(&self) -> Option<usize> {
        self.hits(0..self.current.unwrap_or(self.verdicts.len())).next_back()
    }

    /// Returns the nearest hit after the one that is being looked at.
    pub fn newer(&self) -> Option<usize> {
        self.hits(self.current? + 1..self.verdicts.len()).next()
    }

    /// Returns everything that was found.
    pub fn all(&self) -> impl Iterator<Item = usize> {
        self.hits(0..self.verdicts.len())
    }

    fn hits(&self, within: Range<usize>) -> impl DoubleEndedIterator<Item = usize> {
        within.filter(|at| self.verdicts[*at] == Verdict::Hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes through everything that is unknown; every third message of `texts` has it.
    fn go_through(findings: &mut Findings, texts: &[usize]) -> Vec<usize> {
        let mut seen = Vec::new();
        while let Some(at) = findings.next_unknown() {
            findings.settle(at, texts[at].is_multiple_of(3));
            seen.push(texts[at]);
        }
        seen
    }

    fn found(findings: &Findings, texts: &[usize]) -> Vec<usize> {
        assert_eq!(findings.all().count(), findings.n_hits());
        findings.all().map(|at| texts[at]).collect()
    }

    #[test]
    fn the_newest_are_looked_at_first_and_each_once() {
        let texts: Vec<_> = (0..8).collect();
        let mut findings = Findings::new(texts.len());
        assert_eq!(go_through(&mut findings, &texts), [7, 6, 5, 4, 3, 2, 1, 0]);
        assert_eq!(found(&findings, &texts), [0, 3, 6]);
        assert_eq!(findings.next_unknown(), None);
    }

    #[test]
    fn what_is_found_is_walked_through_from_the_newest() {
        let texts: Vec<_> = (0..8).collect();
        let mut findings = Findings::new(texts.len());
        go_through(&mut findings, &texts);
        assert_eq!((findings.current(), findings.ordinal(), findings.newer()), (None, None, None));
        for (at, ordinal) in [(6, 1), (3, 2), (0, 3)] {
            assert_eq!(findings.older(), Some(at));
            findings.look_at(Some(at));
            assert_eq!((findings.current(), findings.ordinal()), (Some(at), Some(ordinal)));
        }
        assert_eq!((findings.older(), findings.newer()), (None, Some(3)));
    }

    #[test]
    fn a_list_may_change_while_it_is_searched() {
        // Three messages were looked at, the hit 6 among them, before this happens.
        for (at, n_removed, added, looked_at, found_after, current) in [
            (0, 0, &[30, 31][..], &[4, 3, 2, 1, 0, 31, 30][..], &[30, 0, 3, 6][..], Some(6)),
            (8, 0, &[30, 31], &[31, 30, 4, 3, 2, 1, 0], &[0, 3, 6, 30], Some(6)),
            (0, 2, &[], &[4, 3, 2], &[3, 6], Some(6)),
            (6, 1, &[], &[4, 3, 2, 1, 0], &[0, 3], None),
            (6, 1, &[31], &[31, 4, 3, 2, 1, 0], &[0, 3], None),
            (4, 2, &[30], &[30, 3, 2, 1, 0], &[0, 3, 30, 6], Some(6)),
            (0, 8, &[], &[], &[], None),
            (0, 8, &[30], &[30], &[30], None),
        ] {
            let mut texts: Vec<_> = (0..8).collect();
            let mut findings = Findings::new(texts.len());
            for _ in 0..3 {
                let next = findings.next_unknown().expect("there is more");
                findings.settle(next, texts[next] == 6);
            }
            findings.look_at(findings.older());
            texts.splice(at..at + n_removed, added.iter().copied());
            findings.splice(at, n_removed, added.len());
            assert_eq!(go_through(&mut findings, &texts), looked_at, "{added:?} at {at}");
            assert_eq!(found(&findings, &texts), found_after, "{added:?} at {at}");
            assert_eq!(findings.current().map(|at| texts[at]), current, "{added:?} at {at}");
        }
    }
}
