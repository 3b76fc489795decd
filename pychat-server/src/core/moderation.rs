//! Moderation: who is banned or muted, how fast people may talk, and who may come in.
//!
//! A person is banned or muted by the keys of their devices, so another name changes nothing; a guest
//! of protocol 1, who has none, is muted by name and banned by address. All of it has an end or none,
//! and can be undone.

mod order;
mod words;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use pychat_wire::{
    UserName,
    key::{InviteId, PublicKey},
    message::Door,
    name::Skeleton,
};

pub use self::{
    order::{Listed, ListedInvite, ListedMessage, ListedRoom, Order, Present, Reply, Whom},
    words::{for_words, guest_detail},
};
use crate::core::{networks::Network, record::Invite};

/// The most bans and mutes at a time.
pub const SANCTIONS_MAX: usize = 10_000;

/// A thing that is done against somebody.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Measure {
    /// They may not come in.
    Ban,
    /// They may not say anything.
    Mute,
}

/// Somebody against whom something is done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// A person, by the keys that they had then; without any, a guest by name.
    Person {
        /// The name. It is any text: the rules for names may have changed.
        name: String,
        /// The keys.
        keys: Vec<PublicKey>,
    },
    /// All who call from a network.
    Network(Network),
}

/// A ban or a mute.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sanction {
    /// Its number; no other that is kept has it.
    pub id: u64,
    /// The kind.
    pub measure: Measure,
    /// The one against whom it is.
    pub subject: Subject,
    /// When it ends, in UTC milliseconds since 1970; never by itself if `None`.
    pub until_ms: Option<u64>,
    /// When it was made, in UTC milliseconds since 1970.
    pub since_ms: u64,
    /// The operator who made it.
    pub by: String,
}

/// All that is kept of moderation but its records.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rulebook {
    /// The bans and mutes, by number.
    pub sanctions: Vec<Sanction>,
    /// The time from one text of a person to their next.
    pub slow: Option<Duration>,
    /// The people who are let in, if an operator has said.
    pub door: Option<Door>,
}

/// A change to that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Keep a ban or mute.
    Impose(Sanction),
    /// Keep the one of this number no longer.
    Lift(u64),
    /// Keep another time from one text of a person to their next.
    Slow(Option<Duration>),
    /// Keep who is let in.
    Door(Door),
    /// Keep a new invite.
    AddInvite(Invite),
    /// Keep an invite no longer.
    RevokeInvite(InviteId),
}

/// A record of something that an operator did.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct AuditEntry {
    /// When, in UTC milliseconds since 1970.
    pub time_ms: u64,
    /// The operator: a name, or a user of the machine.
    pub who: String,
    /// The verb.
    pub verb: String,
    /// The person, address or setting.
    pub subject: String,
    /// The rest, such as an end.
    pub detail: String,
}

/// The rules that operators have made.
///
/// Invariant: of one measure no two are against the same key, guest or network, so each is found by
/// what it is against.
#[derive(Clone, Debug, Default)]
pub struct Moderation {
    sanctions: BTreeMap<u64, Kept>,
    last_id: u64,
    by_key: HashMap<(Measure, PublicKey), u64>,
    by_name: HashMap<(Measure, Skeleton), u64>,
    by_network: HashMap<Network, u64>,
    /// The shapes of the networks that are banned, with how many there are of each.
    shapes: BTreeMap<(bool, u8), usize>,
    slow: Option<Duration>,
    door: Option<Door>,
}

/// A ban or mute, with what it costs too much to make again for each look at it.
#[derive(Clone, Debug)]
struct Kept {
    sanction: Sanction,
    /// Those of the name; none of a network.
    skeletons: Vec<Skeleton>,
}

impl Moderation {
    /// Returns the rules that were kept.
    pub fn new(kept: Rulebook) -> Self {
        let Rulebook { sanctions, slow, door } = kept;
        let mut moderation = Self { slow, door, ..Self::default() };
        for sanction in sanctions {
            moderation.last_id = moderation.last_id.max(sanction.id);
            moderation.insert(sanction);
        }
        moderation
    }

    /// Returns what is done at `utc_ms` against somebody with one of these keys, or a guest of this name.
    pub fn against_person(
        &self,
        measure: Measure,
        keys: impl IntoIterator<Item = PublicKey>,
        name: Option<&UserName>,
        utc_ms: u64,
    ) -> Option<&Sanction> {
        if self.sanctions.is_empty() {
            return None;
        }
        let by_key = keys.into_iter().filter_map(|key| self.by_key.get(&(measure, key)));
        let skeletons = name.into_iter().flat_map(UserName::skeletons);
        let by_name =
            skeletons.filter_map(|skeleton| self.by_name.get(&(measure, skeleton.clone())));
        by_key.chain(by_name).find_map(|id| self.in_force(*id, utc_ms))
    }

    /// Returns the ban of all who call from where this network is, if there is one at `utc_ms`.
    pub fn against_network(&self, network: Network, utc_ms: u64) -> Option<&Sanction> {
        let (is_v4, length) = network.shape();
        let shapes = self.shapes.keys().filter(|shape| shape.0 == is_v4 && shape.1 <= length);
        shapes
            .map(|(_, prefix)| network.within(*prefix))
            .filter_map(|wider| self.by_network.get(&wider))
            .find_map(|id| self.in_force(*id, utc_ms))
    }

    fn in_force(&self, id: u64, utc_ms: u64) -> Option<&Sanction> {
        let kept = self.sanctions.get(&id)?;
        (!kept.sanction.is_over(utc_ms)).then_some(&kept.sanction)
    }

    /// Returns the bans and mutes that are in force at `utc_ms`, in the order in which they were made.
    pub fn sanctions(&self, utc_ms: u64) -> impl Iterator<Item = &Sanction> {
        let all = self.sanctions.values().map(|kept| &kept.sanction);
        all.filter(move |sanction| !sanction.is_over(utc_ms))
    }

    /// Adds a ban or mute in place of an earlier one of the same subject; returns the changes, or
    /// `None` if there are too many. Only where there is no room is another one dropped, and that one
    /// alone whose end came first: a clock that was wrong for a while ends nothing for good.
    pub fn impose(
        &mut self,
        measure: Measure,
        subject: Subject,
        until_ms: Option<u64>,
        since_ms: u64,
        by: &str,
    ) -> Option<Vec<Change>> {
        let skeletons = subject.skeletons();
        let is_same = |other: &Kept| {
            other.sanction.measure == measure && other.is_against(&subject, &skeletons)
        };
        let mut old = self.take(is_same);
        if SANCTIONS_MAX <= self.sanctions.len() {
            let over = self.sanctions.values().filter(|kept| kept.sanction.is_over(since_ms));
            let first = over.min_by_key(|kept| kept.sanction.until_ms).map(|kept| kept.sanction.id);
            old.extend(self.take(|kept| Some(kept.sanction.id) == first));
        }
        let mut changes: Vec<_> = old.iter().map(|old| Change::Lift(old.id)).collect();
        if SANCTIONS_MAX <= self.sanctions.len() {
            for sanction in old {
                self.insert(sanction);
            }
            return None;
        }
        self.last_id += 1;
        let by = by.to_owned();
        let sanction = Sanction { id: self.last_id, measure, subject, until_ms, since_ms, by };
        self.insert(sanction.clone());
        changes.push(Change::Impose(sanction));
        Some(changes)
    }

    /// Ends the bans or mutes of a person who has any of these keys, or had this name; returns them.
    pub fn lift_of_person(
        &mut self,
        measure: Measure,
        keys: &[PublicKey],
        name: &UserName,
    ) -> Vec<Sanction> {
        self.take(|kept| {
            kept.sanction.measure == measure
                && (kept.looks_like(name.skeletons()) || kept.sanction.subject.has_any(keys))
        })
    }

    /// Ends the ban of exactly this network; returns it.
    pub fn lift_of_network(&mut self, network: Network) -> Vec<Sanction> {
        self.take(|kept| kept.sanction.subject == Subject::Network(network))
    }

    /// Returns the time from one text of a person to their next, if the chat is slowed down.
    pub fn slow(&self) -> Option<Duration> {
        self.slow
    }

    /// Changes it.
    pub fn set_slow(&mut self, slow: Option<Duration>) -> Change {
        self.slow = slow;
        Change::Slow(slow)
    }

    /// Returns the people who are let in, if an operator has said.
    pub fn door(&self) -> Option<Door> {
        self.door
    }

    /// Changes it.
    pub fn set_door(&mut self, door: Door) -> Change {
        self.door = Some(door);
        Change::Door(door)
    }

    /// Takes in a change that the store has kept, or that it was asked to keep.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Impose(sanction) => {
                self.last_id = self.last_id.max(sanction.id);
                self.insert(sanction.clone());
            }
            Change::Lift(id) => drop(self.take(|kept| kept.sanction.id == *id)),
            Change::Slow(slow) => self.slow = *slow,
            Change::Door(door) => self.door = Some(*door),
            Change::AddInvite(_) | Change::RevokeInvite(_) => (),
        }
    }

    fn insert(&mut self, sanction: Sanction) {
        let (id, measure) = (sanction.id, sanction.measure);
        let skeletons = sanction.subject.skeletons();
        match &sanction.subject {
            Subject::Person { keys, .. } if keys.is_empty() => {
                let names = skeletons.iter().cloned();
                self.by_name.extend(names.map(|skeleton| ((measure, skeleton), id)));
            }
            Subject::Person { keys, .. } => {
                self.by_key.extend(keys.iter().map(|key| ((measure, *key), id)));
            }
            Subject::Network(network) => {
                self.by_network.insert(*network, id);
                *self.shapes.entry(network.shape()).or_default() += 1;
            }
        }
        self.sanctions.insert(id, Kept { sanction, skeletons });
    }

    /// Takes out what is to go.
    fn take(&mut self, mut is_to_go: impl FnMut(&Kept) -> bool) -> Vec<Sanction> {
        let taken = self.sanctions.extract_if(.., |_, kept| is_to_go(kept));
        let taken: Vec<_> = taken.map(|(_, kept)| kept).collect();
        for Kept { sanction, skeletons } in &taken {
            match &sanction.subject {
                Subject::Person { keys, .. } if keys.is_empty() => {
                    for skeleton in skeletons {
                        self.by_name.remove(&(sanction.measure, skeleton.clone()));
                    }
                }
                Subject::Person { keys, .. } => {
                    for key in keys {
                        self.by_key.remove(&(sanction.measure, *key));
                    }
                }
                Subject::Network(network) => self.forget_network(*network),
            }
        }
        taken.into_iter().map(|kept| kept.sanction).collect()
    }

    fn forget_network(&mut self, network: Network) {
        self.by_network.remove(&network);
        let shape = network.shape();
        let left = self.shapes.get(&shape).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            self.shapes.remove(&shape);
        } else {
            self.shapes.insert(shape, left);
        }
    }
}

impl Kept {
    /// Returns true if it is against the same person, by any of their keys, or the same guest or
    /// network; of a name these are the `skeletons`.
    fn is_against(&self, subject: &Subject, skeletons: &[Skeleton]) -> bool {
        match (&self.sanction.subject, subject) {
            (Subject::Network(network), Subject::Network(other)) => network == other,
            (Subject::Person { keys, .. }, Subject::Person { keys: others, .. }) => {
                let are_guests = keys.is_empty() && others.is_empty();
                (are_guests && self.looks_like(skeletons)) || self.sanction.subject.has_any(others)
            }
            (Subject::Network(_), Subject::Person { .. })
            | (Subject::Person { .. }, Subject::Network(_)) => false,
        }
    }

    /// Returns true if its name looks like one with these skeletons.
    fn looks_like(&self, skeletons: &[Skeleton]) -> bool {
        self.skeletons.iter().any(|skeleton| skeletons.contains(skeleton))
    }
}

impl Sanction {
    /// Returns true if it has ended by `utc_ms`.
    pub fn is_over(&self, utc_ms: u64) -> bool {
        self.until_ms.is_some_and(|until_ms| until_ms <= utc_ms)
    }
}

impl Subject {
    fn has_any(&self, others: &[PublicKey]) -> bool {
        matches!(self, Self::Person { keys, .. } if keys.iter().any(|key| others.contains(key)))
    }

    fn skeletons(&self) -> Vec<Skeleton> {
        let name = match self {
            Self::Person { name, .. } => UserName::new(name).ok(),
            Self::Network(_) => None,
        };
        name.map_or_else(Vec::new, |name| name.skeletons().to_vec())
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person { name, .. } => formatter.write_str(name),
            Self::Network(network) => network.fmt(formatter),
        }
    }
}

impl Measure {
    /// Returns the word that stands for it in the store.
    pub fn key(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Mute => "mute",
        }
    }
}

#[cfg(test)]
mod tests;
