//! Those who are present, as one connection of protocol 2 hears of them.

use std::collections::BTreeSet;

use pychat_wire::message::Reason;

use super::story::{self, Change, Difference, Hearing};

/// An event that everybody in the hall is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    Message(u64),
    Joined(String, u64),
    Left(String, u64, Reason),
}

impl story::Event for Event {
    fn change(&self) -> Change<'_> {
        match self {
            Self::Message(_) => Change::Nobody,
            Self::Joined(name, _) => Change::Joined(name),
            Self::Left(name, ..) => Change::Left(name),
        }
    }
}

/// Those who were present when a connection was welcomed, and what everybody was told since.
#[derive(Debug, Default)]
pub(super) struct Presence {
    members: BTreeSet<String>,
    present: BTreeSet<String>,
    story: Vec<Event>,
}

impl Presence {
    /// Returns the presence of these people, each of whom is there once.
    pub(super) fn of(names: Vec<String>) -> Self {
        let n_names = names.len();
        let present: BTreeSet<_> = names.into_iter().collect();
        assert_eq!(present.len(), n_names, "each once");
        Self { members: present.clone(), present, story: Vec::new() }
    }

    /// Hears an event.
    pub(super) fn hear(&mut self, event: Event) {
        match &event {
            Event::Message(_) => (),
            Event::Joined(name, _) => {
                assert!(self.present.insert(name.clone()), "{name} is there");
            }
            Event::Left(name, ..) => {
                assert!(self.present.remove(name), "{name} leaves, not being there");
            }
        }
        self.story.push(event);
    }

    /// Returns the names of those who are present.
    pub(super) fn present(&self) -> &BTreeSet<String> {
        &self.present
    }

    /// Returns the events since the welcome.
    pub(super) fn story(&self) -> &[Event] {
        &self.story
    }

    /// Checks that this, which somebody called `name` heard, follows from what `witness` heard after
    /// `since` events. Who `has_resumed` may hear texts later than `witness`, but comings and goings
    /// in the same order.
    pub(super) fn check_against(
        &self,
        name: &str,
        has_resumed: bool,
        witness: &Self,
        since: usize,
    ) -> Difference {
        let counts = |event: &&Event| !(has_resumed && matches!(event, Event::Message(_)));
        let mut present = witness.members.iter().map(|name| &**name).collect();
        let (before, after) = witness.story.split_at(since);
        for event in before {
            story::Event::change(event).apply(&mut present);
        }
        let events: Vec<_> = self.story.iter().filter(counts).collect();
        let hearing = Hearing { name, members: &self.members, events: &events, is_whole: false };
        let theirs: Vec<_> = after.iter().filter(counts).collect();
        story::follow(&hearing, present, &theirs).unwrap_or_else(|| {
            panic!("{name} heard what the witness did not: {hearing:?} of {theirs:?}")
        })
    }
}
