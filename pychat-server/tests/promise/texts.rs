//! The texts and amendments that a person said.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
};

use pychat_wire::client::{FailReason, MessageId, Pending, RoomId, Said};

use super::tally::Effect;

/// The texts and amendments that a person said, in all their lives.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// Those that were said and stored, which must come to be in the log, in the order in which they
    /// were said.
    pub(crate) said: Vec<Utterance>,
    /// Their places there.
    places: HashMap<MessageId, usize>,
    /// The words that were lost with a life before they were stored, or that were taken back or replaced
    /// before they were sent, which must not.
    pub(crate) void: HashSet<String>,
    /// The ids of what was lost or taken back so.
    pub(crate) void_ids: HashSet<MessageId>,
    /// Those that came back, as their author was not in the room any more, or could not do that.
    pub(crate) failed: HashMap<MessageId, FailReason>,
    /// The texts that were to be deleted, and were given up.
    pub(crate) withdrawn: HashSet<MessageId>,
    pub(crate) acknowledged: BTreeMap<MessageId, u64>,
}

/// A text or an amendment that was said and stored.
#[derive(Debug)]
pub(crate) struct Utterance {
    pub(crate) id: MessageId,
    pub(crate) room: RoomId,
    pub(crate) said: Said,
    /// The text that it amends, where that had no number when it was said.
    pub(crate) of: Option<MessageId>,
}

impl Texts {
    /// Takes in what waits to be accepted once something was said, and the ids of what had waited before;
    /// returns what became of texts that were not sent. It `is_lost` if it was not stored.
    pub(crate) fn say<'a>(
        &mut self,
        waiting: impl Iterator<Item = Pending<'a>>,
        mut before: HashSet<MessageId>,
        is_lost: bool,
    ) -> Option<Effect> {
        let mut effect = None;
        for Pending { room, id, said, of } in waiting {
            before.remove(id);
            let place = self.places.get(id).copied();
            match place {
                Some(place) if self.said[place].said.words() == said.words() => (),
                _ if is_lost => self.lose(id, said.words(), place.is_none()),
                Some(place) => {
                    let replaced = mem::replace(&mut self.said[place].said, said.clone());
                    self.void.extend(replaced.words().map(ToOwned::to_owned));
                    effect = Some(Effect::EditedUnsent);
                }
                None => {
                    self.places.insert(id.clone(), self.said.len());
                    let (id, room, said) = (id.clone(), room.clone(), said.clone());
                    self.said.push(Utterance { id, room, said, of: of.cloned() });
                }
            }
        }
        for id in before.into_iter().filter(|_| !is_lost) {
            let words = self.said[self.places[&id]].said.words().map(ToOwned::to_owned);
            self.lose(&id, words.as_deref(), true);
            effect = Some(Effect::TakenBackUnsent);
        }
        effect
    }

    /// Notes what must not be in the log.
    fn lose(&mut self, id: &MessageId, words: Option<&str>, is_all: bool) {
        self.void.extend(words.map(ToOwned::to_owned));
        if is_all {
            self.void_ids.insert(id.clone());
        }
    }

    /// Returns true if this was said here.
    pub(crate) fn has(&self, id: &MessageId) -> bool {
        self.places.contains_key(id)
    }

    /// Returns true if this amends a text that had no number when it was said.
    pub(crate) fn is_early(&self, id: &MessageId) -> bool {
        self.places.get(id).is_some_and(|place| self.said[*place].of.is_some())
    }

    /// Takes in that something has a number.
    #[track_caller]
    pub(crate) fn acknowledge(&mut self, id: MessageId, seq: u64) {
        assert!(self.has(&id), "nobody said {id} here");
        let known = *self.acknowledged.entry(id).or_insert(seq);
        assert_eq!(known, seq, "one text has two numbers");
    }

    /// Takes in that something is not accepted.
    #[track_caller]
    pub(crate) fn fail(&mut self, id: MessageId, reason: FailReason) {
        assert!(self.has(&id), "nobody said {id} here");
        self.failed.insert(id, reason);
    }

    /// Returns the words of what was accepted.
    pub(crate) fn accepted_words(&self) -> impl Iterator<Item = &str> {
        let accepted = self.said.iter().filter(|it| self.acknowledged.contains_key(&it.id));
        accepted.filter_map(|it| it.said.words())
    }

    /// Returns true if a text is given up.
    pub(crate) fn is_given_up(&self, id: &MessageId) -> bool {
        self.failed.contains_key(id) || self.withdrawn.contains(id) || self.void_ids.contains(id)
    }
}
