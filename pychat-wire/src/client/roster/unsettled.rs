//! Pieces of a listing that may be names, or belong together.
//!
//! Pieces that follow each other are a *run*. No name lies in two runs, as the one between them has
//! left. So there are at least as many people as runs, and at most as many as pieces.

use std::{collections::BTreeSet, mem, ops::Range};

/// The most places of a name's first piece at which the rest of the name is looked for.
pub(super) const RUNS_TRIED_MAX: usize = 64;

/// The numbers of the pieces, and the number of people whose names they are.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    pieces: BTreeSet<u64>,
    /// One more than the greatest number that a piece had.
    end: u64,
    n_runs: usize,
    n_people: usize,
}

impl Unsettled {
    /// Takes `n_pieces` pieces, numbered from 0, which are the names of `n_people` people.
    pub(super) fn new(n_pieces: u64, n_people: usize) -> Self {
        Self { pieces: (0..n_pieces).collect(), end: n_pieces, n_runs: 1, n_people }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Returns the number from which on every name is settled.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn holds(&self, number: u64) -> bool {
        self.pieces.contains(&number)
    }

    /// Returns true if `run` may be one name: the other pieces can be those of everybody else.
    pub(super) fn allows(&self, run: &Range<u64>) -> bool {
        let n_pieces = self.pieces.len() - run.clone().count();
        let n_people = self.n_people.saturating_sub(1);
        self.n_runs_without(run) <= n_people && n_people <= n_pieces
    }

    /// Removes the person whose name `run` is.
    pub(super) fn remove(&mut self, run: &Range<u64>) {
        self.n_runs = self.n_runs_without(run);
        self.n_people = self.n_people.saturating_sub(1);
        run.clone().for_each(|number| {
            self.pieces.remove(&number);
        });
    }

    /// Removes one person whose pieces are not known.
    pub(super) fn remove_somebody(&mut self) {
        self.n_people = self.n_people.saturating_sub(1);
    }

    /// Takes out the runs that are one name each, if that is clear by now.
    pub(super) fn settled(&mut self) -> Vec<Range<u64>> {
        let n_pieces = self.pieces.len();
        let (is_joined, is_single) = (self.n_runs == self.n_people, n_pieces == self.n_people);
        if !is_joined && !is_single {
            return Vec::new();
        }
        let mut runs: Vec<Range<u64>> = Vec::new();
        for number in mem::take(self).pieces {
            match runs.last_mut() {
                Some(run) if !is_single && run.end == number => run.end += 1,
                _ => runs.push(number..number + 1),
            }
        }
        runs
    }

    /// Takes out all pieces, if there are fewer people than runs: it could not be known which of
    /// them leave.
    pub(super) fn given_up(&mut self) -> BTreeSet<u64> {
        if self.n_people < self.n_runs { mem::take(self).pieces } else { BTreeSet::new() }
    }

    fn n_runs_without(&self, run: &Range<u64>) -> usize {
        let is_before = run.start.checked_sub(1).is_some_and(|before| self.holds(before));
        self.n_runs - 1 + usize::from(is_before) + usize::from(self.holds(run.end))
    }
}
