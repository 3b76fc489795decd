//! The events that everybody in the room is told, and how those that one peer is told follow from
//! them.
//!
//! A peer that joins knows from the welcome who is present, also those of whom the others have not
//! been told yet. So it hears all that the witness hears, but not that these joined; and if one of
//! them leaves before the others are told, the peer hears that alone.

use std::collections::BTreeSet;

/// Something that everybody is told.
pub(crate) trait Event: PartialEq {
    /// Returns who comes or goes by it.
    fn change(&self) -> Change<'_>;
}

/// The person who comes or goes, if anybody does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change<'a> {
    Nobody,
    Joined(&'a str),
    Left(&'a str),
}

impl<'a> Change<'a> {
    /// Changes who is present.
    pub(crate) fn apply(self, present: &mut BTreeSet<&'a str>) {
        match self {
            Self::Nobody => (),
            Self::Joined(name) => drop(present.insert(name)),
            Self::Left(name) => drop(present.remove(name)),
        }
    }
}

/// The things that a peer heard: its welcome, and the events since.
#[derive(Debug)]
pub(crate) struct Hearing<'a, E> {
    /// The name that it was given.
    pub(crate) name: &'a str,
    /// The names of those who were present when it was welcomed, its own included.
    pub(crate) members: &'a BTreeSet<String>,
    pub(crate) events: &'a [&'a E],
    /// Nothing is on its way to it.
    pub(crate) is_whole: bool,
}

/// The difference between what a peer heard and what the witness heard.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Difference {
    /// The witness was never told that this peer joined.
    pub(crate) is_unannounced: bool,
    /// The peer was told that somebody left of whom the witness never knew.
    pub(crate) knew_more: bool,
}

/// Finds a moment from which on the peer may have heard what it did, while the witness, to whom
/// `present` were in the room, heard `theirs`.
pub(crate) fn follow<'a, E: Event>(
    hearing: &Hearing<'a, E>,
    mut present: BTreeSet<&'a str>,
    theirs: &[&'a E],
) -> Option<Difference> {
    for begin in 0..=theirs.len() {
        if present.iter().all(|name| hearing.members.contains(*name)) {
            let unheard = hearing.members.iter().map(|name| &**name);
            let unheard = unheard.filter(|name| !present.contains(name)).collect();
            if let Some(difference) = fit(hearing, hearing.events, &theirs[begin..], unheard) {
                return Some(difference);
            }
        }
        if let Some(event) = theirs.get(begin) {
            event.change().apply(&mut present);
        }
    }
    None
}

/// Walks along what both heard; `unheard` are those of whom the peer knew and the witness did not.
fn fit<'a, E: Event>(
    hearing: &Hearing<'a, E>,
    mut mine: &[&'a E],
    mut theirs: &[&'a E],
    mut unheard: BTreeSet<&'a str>,
) -> Option<Difference> {
    let mut knew_more = false;
    loop {
        let next = mine.split_first();
        let knows_already = theirs.split_first().and_then(|(event, rest)| match event.change() {
            Change::Joined(name) if unheard.contains(name) => Some((name, rest)),
            _ => None,
        });
        if let Some((name, rest)) = knows_already {
            let mut others = unheard.clone();
            others.remove(name);
            if let Some(found) = fit(hearing, mine, rest, others) {
                return Some(Difference { knew_more: knew_more | found.knew_more, ..found });
            }
        }
        if let Some((event, rest)) = next
            && let Change::Left(name) = event.change()
            && unheard.remove(name)
        {
            knew_more = true;
            mine = rest;
            continue;
        }
        if knows_already.is_some() {
            return None;
        }
        match (next, theirs.split_first()) {
            (None, None) => {
                let is_unannounced = unheard.contains(hearing.name);
                return Some(Difference { is_unannounced, knew_more });
            }
            (None, Some((_, rest))) if !hearing.is_whole => theirs = rest,
            (Some((one, others)), Some((two, rest))) if one == two => {
                (mine, theirs) = (others, rest);
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Event for &str {
        fn change(&self) -> Change<'_> {
            match self.split_at(1) {
                ("+", name) => Change::Joined(name),
                ("-", name) => Change::Left(name),
                _ => Change::Nobody,
            }
        }
    }

    /// Follows what `x` heard, who was welcomed to these members, against a witness called `w`.
    fn differs(members: &str, mine: &str, theirs: &str) -> Option<(bool, bool)> {
        let members = members.split_whitespace().map(ToOwned::to_owned).collect();
        let [mine, theirs] = [mine, theirs].map(|text| text.split_whitespace().collect::<Vec<_>>());
        let [mine, theirs] = [&mine, &theirs].map(|events| events.iter().collect::<Vec<_>>());
        let hearing = Hearing { name: "x", members: &members, events: &mine, is_whole: true };
        let difference = follow(&hearing, BTreeSet::from(["w"]), &theirs)?;
        Some((difference.is_unannounced, difference.knew_more))
    }

    #[test]
    fn what_a_peer_hears_follows_from_what_the_witness_hears() {
        let same = Some((false, false));
        assert_eq!(differs("w x", "1 2", "0 +x 1 2"), same);
        assert_eq!(differs("w x", "1 2", "0 1 2"), Some((true, false)));
        assert_eq!(differs("w a x", "1 -a", "+a +x 1 -a"), same, "it knew of a");
        assert_eq!(differs("w a x", "1 -a", "+x 1"), Some((false, true)), "it alone knew of a");
        assert_eq!(differs("w a x", "-a +a", "+x +a"), Some((false, true)), "another a");
        assert_eq!(differs("w a x", "-a", "+x +a -a"), same);
        assert_eq!(differs("w a b x", "-b -a +a", "+x +a"), Some((false, true)));
        for (members, mine, theirs) in [
            ("w x", "1", "0 +x 1 2"),
            ("w x", "1 +x", "+x 1"),
            ("w a x", "+a 1", "+x +a 1"),
            ("w x", "1 2", "+x 2 1"),
            ("w x", "-a", "+x"),
            ("w x", "", "+a +x"),
        ] {
            assert_eq!(differs(members, mine, theirs), None, "{mine} of {theirs}");
        }
    }
}
