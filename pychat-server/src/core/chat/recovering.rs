//! Rate limits outlive connections: reconnecting gives nobody more to say.

use std::{collections::HashMap, time::Instant};

use pychat_wire::UserName;

use crate::core::{rate_limit::Bucket, record::PersonId, sweep::Sweep};

/// Somebody whose texts are limited, as far as they are known.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Speaker {
    Person(PersonId),
    Name(UserName),
}

/// The buckets of people who left before these had drained.
#[derive(Debug, Default)]
pub(super) struct Recovering {
    buckets: HashMap<Speaker, Bucket>,
    sweep: Sweep,
}

impl Speaker {
    /// Returns the speaker under `name`: the person, if the peer proved who it is.
    pub(super) fn new(name: &UserName, person: Option<PersonId>) -> Self {
        person.map_or_else(|| Self::Name(name.clone()), Self::Person)
    }
}

impl Recovering {
    /// Keeps the bucket of somebody who leaves.
    pub(super) fn keep(&mut self, now: Instant, speaker: Speaker, bucket: Bucket) {
        if !bucket.is_empty(now) {
            self.sweep.run(&mut self.buckets, |bucket| !bucket.is_empty(now));
            self.buckets.insert(speaker, bucket);
        }
    }

    /// Takes the bucket out of somebody who joins.
    pub(super) fn take(&mut self, speaker: &Speaker) -> Bucket {
        self.buckets.remove(speaker).unwrap_or_default()
    }
}
