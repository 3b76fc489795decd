//! The changes that make one list of another, with as much as possible left where it is.
//!
//! This module is pure. A view keeps its place in a list: the selection, the focus, the scroll
//! position. So whatever is in both lists in the same order is not touched.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    iter,
    ops::Range,
};

/// One stretch of the old list, and what comes in its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Change {
    /// Where it is in the old list; empty where something is only put in.
    pub(crate) old: Range<usize>,
    /// Where what replaces it is in the new list; empty where something is only taken out.
    pub(crate) new: Range<usize>,
}

/// Returns what changes from `old` to `new`, from the first stretch to the last.
pub(crate) fn list_diff<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Change> {
    let n_shared = old.len().min(new.len());
    let n_before = iter::zip(old, new).take_while(|(old, new)| old == new).count();
    let n_after = iter::zip(old.iter().rev(), new.iter().rev())
        .take(n_shared - n_before)
        .take_while(|(old, new)| old == new)
        .count();
    let (old_end, new_end) = (old.len() - n_after, new.len() - n_after);

    let pairs = pairs(&old[n_before..old_end], &new[n_before..new_end]);
    let kept = longest_increasing(&pairs);
    let kept = kept.into_iter().map(|(old, new)| (n_before + old, n_before + new));
    let (mut old_start, mut new_start) = (n_before, n_before);
    let mut changes = Vec::new();
    for (old, new) in kept.chain([(old_end, new_end)]) {
        if old_start < old || new_start < new {
            changes.push(Change { old: old_start..old, new: new_start..new });
        }
        (old_start, new_start) = (old + 1, new + 1);
    }
    changes
}

/// Returns where each item of `old` is in `new`, if it is: the first of equals is the first of them
/// there too.
fn pairs<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<(usize, usize)> {
    let mut places: HashMap<&T, VecDeque<usize>> = HashMap::new();
    for (index, item) in new.iter().enumerate() {
        places.entry(item).or_default().push_back(index);
    }
    let place = |(index, item)| Some((index, places.get_mut(item)?.pop_front()?));
    old.iter().enumerate().filter_map(place).collect()
}

/// Returns as many of `pairs` as can be had so that the second numbers rise like the first ones.
///
/// For each length `ends` knows the row of that length that ends lowest: whatever comes makes the
/// longest of those that end below it longer.
fn longest_increasing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut ends: Vec<usize> = Vec::new();
    let mut before = Vec::with_capacity(pairs.len());
    for (index, (_, new)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *new);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let last = ends.last().copied();
    let mut row: Vec<_> =
        iter::successors(last, |index| before[*index]).map(|index| pairs[index]).collect();
    row.reverse();
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what changes, as text: what goes, and what comes.
    fn changed(old: &str, new: &str) -> String {
        let (old, new): (Vec<_>, Vec<_>) = (old.chars().collect(), new.chars().collect());
        let list_diff = list_diff(&old, &new);
        let mut made = old.clone();
        for change in list_diff.iter().rev() {
            made.splice(change.old.clone(), new[change.new.clone()].iter().copied());
        }
        assert_eq!(made, new);
        let text = list_diff.into_iter().map(|Change { old: gone, new: come }| {
            let (gone, come): (String, String) =
                (old[gone].iter().collect(), new[come].iter().collect());
            format!("{gone}>{come}")
        });
        text.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_in_both_in_the_same_order_is_left_alone() {
        for (old, new, expected) in [
            ("", "", ""),
            ("abc", "abc", ""),
            ("", "abc", ">abc"),
            ("abc", "", "abc>"),
            ("abc", "abcd", ">d"),
            ("abc", "ac", "b>"),
            ("abc", "bc", "a>"),
            ("abcd", "acdb", "b> >b"),
            ("abcd", "dabc", ">d d>"),
            ("abcde", "axcye", "b>x d>y"),
            ("abc", "xyz", "abc>xyz"),
            ("aa", "aaa", ">a"),
            ("aba", "ab", "a>"),
        ] {
            assert_eq!(changed(old, new), expected, "{old} becomes {new}");
        }
    }

    #[test]
    fn any_order_becomes_any_other() {
        let mut state = 7_u32;
        for _ in 0..2_000 {
            let mut list = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let length = (state >> 20) % 9;
                (0..length).map(|at| char::from(b'a' + (state >> (2 * at) & 7) as u8)).collect()
            };
            let (old, new): (String, String) = (list(), list());
            changed(&old, &new);
        }
    }
}
