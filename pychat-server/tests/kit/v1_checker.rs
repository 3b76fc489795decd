//! The checker of protocol 1: what somebody at the far end of a line hears, and what it must be.

use std::collections::{BTreeMap, BTreeSet};

use pychat_wire::{
    Decoder, ServerMessage,
    name::{SERVER, YOU},
    notice::Notice,
};

use super::story::{self, Change, Difference, Event, Hearing};

/// Takes the bytes that a server wrote to one peer.
#[derive(Debug)]
pub(crate) struct V1Checker {
    decoder: Decoder,
    /// As whom this peer was welcomed, once it was.
    name: Option<String>,
    /// The names of those who were present then, its own included.
    members: BTreeSet<String>,
    /// The messages that everybody in the room was told since, each with its author, in order.
    heard: Vec<(String, String)>,
}

impl Event for (String, String) {
    fn change(&self) -> Change<'_> {
        match Notice::parse(&self.1) {
            Notice::Joined { name } if self.0 == SERVER => Change::Joined(name),
            Notice::Left { name } if self.0 == SERVER => Change::Left(name),
            _ => Change::Nobody,
        }
    }
}

impl V1Checker {
    /// Returns an checker that has heard nothing.
    pub(crate) fn new() -> Self {
        Self {
            decoder: Decoder::new(usize::MAX),
            name: None,
            members: BTreeSet::new(),
            heard: Vec::new(),
        }
    }

    /// Hears `bytes`, of which every frame must be whole; passes on what is told to this peer alone.
    /// Returns how much came after the welcome, if that was among it, in bytes.
    pub(crate) fn listen(
        &mut self,
        mut bytes: &[u8],
        mut on_told: impl FnMut(Notice<'_>),
    ) -> Option<usize> {
        let mut after_welcome = None;
        while let Some(payload) = self.decoder.next_payload(&mut bytes).expect("no torn frame") {
            let (ServerMessage::Message { username, content }
            | ServerMessage::Greeting { username, content, .. }) =
                ServerMessage::parse(payload).expect("no torn payload")
            else {
                panic!("not for this peer: {}", String::from_utf8_lossy(payload));
            };
            let notice = (username == SERVER).then(|| Notice::parse(&content));
            match (&self.name, notice) {
                (Some(name), None) if username == YOU => {
                    self.heard.push((name.clone(), content.into_owned()));
                }
                (Some(_), None | Some(Notice::Joined { .. } | Notice::Left { .. })) => {
                    self.heard.push((username.into_owned(), content.into_owned()));
                }
                (None, Some(notice @ Notice::Welcome { name, names, .. })) => {
                    self.name = Some(name.to_owned());
                    let names = names.split(", ").filter(|name| !name.is_empty());
                    self.members = names.chain([name]).map(ToOwned::to_owned).collect();
                    after_welcome = Some(bytes.len());
                    on_told(notice);
                }
                (_, Some(notice)) => on_told(notice),
                (None, None) => panic!("a guest hears {username}: {content}"),
            }
        }
        after_welcome
    }

    /// Returns as whom this peer was welcomed.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns what everybody was told since this peer joined, with its author.
    pub(crate) fn heard(&self) -> &[(String, String)] {
        &self.heard
    }

    /// Returns how much of a frame was heard whose rest is missing, in bytes.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.decoder.pending_bytes()
    }

    /// Checks that what was heard follows from what `witness` heard since it had heard `since`
    /// events; all of it if this peer `hears_all`.
    pub(crate) fn check_against(
        &self,
        witness: &Self,
        since: usize,
        hears_all: bool,
    ) -> Difference {
        let Some(name) = &self.name else { return Difference::default() };
        let (mut present, heard) =
            (witness.members.iter().map(|name| &**name).collect(), &witness.heard);
        for event in &heard[..since] {
            event.change().apply(&mut present);
        }
        let events: Vec<_> = self.heard.iter().collect();
        let hearing =
            Hearing { name, members: &self.members, events: &events, is_whole: hears_all };
        let theirs: Vec<_> = heard[since..].iter().collect();
        story::follow(&hearing, present, &theirs).unwrap_or_else(|| {
            panic!("{name} heard what the witness did not, or not all of it: {:?}", self.heard)
        })
    }

    /// In what this witness heard, people join before they talk and leave once; and who numbers
    /// what they say, as `#WHO.NUMBER`, is heard once and in order. Returns how much was heard of
    /// each WHO.
    pub(crate) fn check_story(&self) -> BTreeMap<usize, usize> {
        let mut present: BTreeSet<&str> = self.name().into_iter().collect();
        let mut counts = BTreeMap::new();
        for (author, content) in &self.heard {
            match Notice::parse(content) {
                Notice::Joined { name } if author == SERVER => {
                    assert!(present.insert(name), "{name} joins, being there");
                }
                Notice::Left { name } if author == SERVER => {
                    assert!(present.remove(name), "{name} leaves, not being there");
                }
                _ => assert!(present.contains(author.as_str()), "{author} talks, not being there"),
            }
            if let Some((who, number)) = numbered(content) {
                let count = counts.entry(who).or_insert(0);
                assert_eq!(number, *count, "{content} is out of order");
                *count += 1;
            }
        }
        counts
    }
}

/// Reads `#WHO.NUMBER` at the beginning of a text.
fn numbered(content: &str) -> Option<(usize, usize)> {
    let (tag, _) = content.strip_prefix('#')?.split_once(' ')?;
    let (who, number) = tag.split_once('.')?;
    Some((who.parse().ok()?, number.parse().ok()?))
}
