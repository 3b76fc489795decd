//! The words and the states that messages of one room have after which of its amendments.

use std::collections::BTreeMap;

use pychat_wire::message::{Amendment, Reactions};

use super::room_log::Message;

/// The part of a message that amendments change, but for its words.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct State {
    /// The time of its last edit.
    pub(crate) edited: Option<u64>,
    pub(crate) is_deleted: bool,
    pub(crate) reactions: Reactions<'static>,
}

/// Something that was seen of a message at some time after everything up to `known` was said.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) look: Look,
    pub(super) known: u64,
}

/// The part of a message that was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// All of it.
    Whole { words: String, state: State },
    /// Its words alone, in an amendment that is told again; `None` if it had none.
    Words(Option<String>),
}

/// A message from its saying on, through all amendments of it.
#[derive(Debug)]
pub(super) struct History<'a> {
    versions: Vec<Version<'a>>,
}

/// A message as it is from one record of the room to the next that changes it.
#[derive(Clone, Debug)]
struct Version<'a> {
    /// The number of the record.
    from: u64,
    /// The words, if they are known.
    words: Option<&'a str>,
    state: State,
    /// The words that an operator took away, and that can come back.
    removed: Option<Removed<'a>>,
}

/// Words that were taken away, if they are known.
#[derive(Clone, Copy, Debug)]
struct Removed<'a>(Option<&'a str>);

/// A record of a message or of an amendment of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    pub(super) seq: u64,
    pub(super) message: &'a Message,
    /// Somebody heard it as it was said.
    pub(super) is_exact: bool,
}

impl<'a> History<'a> {
    /// Returns the history of a message, of which all that follows must be known.
    pub(super) fn of(message: Said<'a>, amendments: impl IntoIterator<Item = Said<'a>>) -> Self {
        let words = message.is_exact.then_some(&*message.message.content);
        let (from, state, removed) = (message.seq, State::default(), None);
        let mut versions = vec![Version { from, words, state, removed }];
        for amendment in amendments {
            let mut next = versions[versions.len() - 1].clone();
            next.amend(message.message, amendment);
            versions.push(next);
        }
        Self { versions }
    }

    /// Returns what the message says after number `seq`, if that is known.
    pub(super) fn words_after(&self, seq: u64) -> Option<&'a str> {
        let version = self.versions.iter().rev().find(|version| version.from <= seq)?;
        version.words
    }

    /// Returns what the message may say at some time after number `seq`; `None` for nothing.
    pub(super) fn words_later(&self, seq: u64) -> impl Iterator<Item = Option<&'a str>> {
        let words = |version: &Version<'a>| version.words.filter(|_| !version.state.is_deleted);
        self.after(seq).map(words)
    }

    /// Returns the least and the largest size of the words and reactions that the message may have had at
    /// some time after number `known`.
    pub(super) fn bytes_after(&self, known: u64) -> (usize, usize) {
        let sizes = self.after(known).map(|it| {
            let (least, most) = it.state.reaction_bytes();
            match it.words {
                Some(words) => (words.len() + least, words.len() + most),
                None => (least, usize::MAX),
            }
        });
        sizes.fold((usize::MAX, 0), |(least, most), it| (least.min(it.0), most.max(it.1)))
    }

    /// Returns true if the message has words that are known, and such ones, at each time after number `known`.
    pub(super) fn always_says(&self, known: u64, mut are_they: impl FnMut(&str) -> bool) -> bool {
        self.after(known)
            .all(|version| !version.state.is_deleted && version.words.is_some_and(&mut are_they))
    }

    /// Returns true if the message may have looked so at some time after number `known`.
    pub(super) fn explains(&self, Seen { look, known }: &Seen) -> bool {
        self.after(*known).any(|version| match look {
            Look::Whole { words, state } => version.says(words) && version.state == *state,
            Look::Words(Some(words)) => version.says(words) && !version.state.is_deleted,
            Look::Words(None) => version.state.is_deleted,
        })
    }

    fn after(&self, known: u64) -> impl Iterator<Item = &Version<'a>> {
        let ends = self.versions.iter().skip(1).map(|next| next.from).chain([u64::MAX]);
        let versions = self.versions.iter().zip(ends);
        versions.filter(move |(_, end)| known < *end).map(|(version, _)| version)
    }
}

impl<'a> Version<'a> {
    fn says(&self, words: &str) -> bool {
        self.words.is_none_or(|known| known == words)
    }

    /// Changes it by an amendment of a message, which must be one that may be.
    fn amend(&mut self, amended: &Message, said: Said<'a>) {
        let Said { seq, message, is_exact } = said;
        let Version { words, state, removed, .. } = self;
        let is_own = amended.is_of(&message.author);
        match message.amendment.as_ref().expect("an amendment") {
            Amendment::Edit { content, .. } => {
                assert!(is_own && !state.is_deleted, "number {seq} edits it: {message:?}");
                *words = content.as_deref().filter(|_| is_exact);
                state.edited = Some(message.time);
            }
            Amendment::Delete { .. } if is_own => {
                assert!(!state.is_deleted || removed.is_some(), "number {seq} deletes it again");
                (*words, *removed) = (Some(""), None);
                *state = State { is_deleted: true, ..State::default() };
            }
            Amendment::Delete { .. } => {
                assert!(!state.is_deleted, "number {seq} removes it: {message:?}");
                *removed = Some(Removed(words.replace("")));
                *state = State { is_deleted: true, ..State::default() };
            }
            Amendment::React { emoji, .. } => {
                assert!(!state.is_deleted, "number {seq} reacts to it: {message:?}");
                state.react(&message.author, emoji.as_deref());
            }
            Amendment::Restore { content, .. } => {
                let Removed(before) = removed.take().expect("words that were taken away");
                *words = content.as_deref().filter(|_| is_exact).or(before);
                assert!(before.is_none_or(|before| *words == Some(before)), "number {seq}");
                state.is_deleted = false;
            }
        }
        self.from = seq;
    }
}

impl State {
    /// Returns the least and the largest size of the reactions, as a store may have them.
    fn reaction_bytes(&self) -> (usize, usize) {
        /// The most bytes of a reaction beside emoji and name: the number of a person, and of JSON.
        const BESIDE_MAX: usize = 32;
        let Reactions(reactions) = &self.reactions;
        let each = reactions
            .iter()
            .flat_map(|(emoji, names)| names.iter().map(|name| emoji.len() + name.len()));
        each.fold((0, 0), |(least, most), bytes| (least + bytes, most + bytes + BESIDE_MAX))
    }

    /// Somebody reacts with this emoji alone, or no more. The emoji stand in the order in which they
    /// came, and so do the people of each.
    fn react(&mut self, author: &str, emoji: Option<&str>) {
        let Reactions(reactions) = &mut self.reactions;
        for (_, names) in &mut *reactions {
            names.retain(|name| name != author);
        }
        reactions.retain(|(_, names)| !names.is_empty());
        let Some(emoji) = emoji else { return };
        let name = author.to_owned().into();
        match reactions.iter_mut().find(|(other, _)| other == emoji) {
            Some((_, names)) => names.push(name),
            None => reactions.push((emoji.to_owned().into(), vec![name])),
        }
    }
}

/// Returns the amendments in a log by the message that they are about.
pub(super) fn by_target<'a>(log: impl Iterator<Item = Said<'a>>) -> BTreeMap<u64, Vec<Said<'a>>> {
    let mut by_target = BTreeMap::<_, Vec<_>>::new();
    for said in log {
        if let Some(amendment) = &said.message.amendment {
            by_target.entry(amendment.target()).or_default().push(said);
        }
    }
    by_target
}
