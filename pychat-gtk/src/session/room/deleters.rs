//! The people who have deleted messages, as far as that was heard: the state of a message does not tell.

use std::{cell::RefCell, collections::BTreeMap};

use pychat_wire::{client::Amended, message::Amendment};

use super::events::local_ms;
use crate::model::{Deletion, Message, MessageKind};

/// The most deletions of one room that are remembered; those of the oldest messages go.
const DELETIONS_MAX: usize = 100;

/// The people who have deleted messages of one room, by the numbers of these.
#[derive(Debug, Default)]
pub(super) struct Deleters(RefCell<BTreeMap<u64, Deleter>>);

#[derive(Debug)]
struct Deleter {
    name: String,
    is_reader: bool,
    time_ms: i64,
}

impl Deleters {
    /// Takes in that a message was amended.
    pub(super) fn hear(&self, amended: &Amended) {
        let mut deleters = self.0.borrow_mut();
        match amended.amendment {
            Amendment::Delete { target } => {
                let (name, time_ms) = (amended.author.clone(), local_ms(amended.time_ms));
                deleters.insert(target, Deleter { name, is_reader: amended.own, time_ms });
                if DELETIONS_MAX < deleters.len() {
                    deleters.pop_first();
                }
            }
            Amendment::Restore { target, .. } => drop(deleters.remove(&target)),
            _ => {}
        }
    }

    /// Forgets them: numbers mean other messages from now on.
    pub(super) fn clear(&self) {
        self.0.take();
    }

    /// Returns what is known of the deletion of `message`.
    pub(super) fn deletion(&self, message: &Message) -> Option<Deletion> {
        let deleters = self.0.borrow();
        let deleter = deleters.get(&message.seq()?)?;
        let is_author = match message.kind() {
            MessageKind::Own => deleter.is_reader,
            _ => !deleter.is_reader && deleter.name == message.author(),
        };
        let by_operator = Deletion::ByOperator(deleter.time_ms);
        Some(if is_author { Deletion::ByAuthor } else { by_operator })
    }
}

#[cfg(test)]
mod tests {
    use pychat_wire::client::RoomId;

    use super::*;

    fn deleted(target: u64, author: &str, own: bool) -> Amended {
        Amended {
            room: RoomId::hall(),
            seq: target + 1_000,
            time_ms: 5,
            author: author.to_owned(),
            own,
            id: None,
            replayed: false,
            amendment: Amendment::Delete { target },
        }
    }

    fn said(kind: MessageKind, seq: u64) -> Message {
        Message::new(kind, "Борис", "", 0).numbered(Some(seq))
    }

    #[test]
    fn who_deleted_a_message_is_told_from_its_author() {
        let deleters = Deleters::default();
        deleters.hear(&deleted(1, "Борис", false));
        deleters.hear(&deleted(2, "Вера", false));
        deleters.hear(&deleted(3, "Борис", true));
        for (seq, of_other, own) in [
            (1, Some(Deletion::ByAuthor), Some(Deletion::ByOperator(5))),
            (2, Some(Deletion::ByOperator(5)), Some(Deletion::ByOperator(5))),
            (3, Some(Deletion::ByOperator(5)), Some(Deletion::ByAuthor)),
            (4, None, None),
        ] {
            assert_eq!(deleters.deletion(&said(MessageKind::Other, seq)), of_other, "{seq}");
            assert_eq!(deleters.deletion(&said(MessageKind::Own, seq)), own, "{seq}");
        }
        let amendment = Amendment::Restore { target: 1, content: None };
        deleters.hear(&Amended { amendment, ..deleted(1, "Вера", false) });
        assert_eq!(deleters.deletion(&said(MessageKind::Other, 1)), None);
    }

    #[test]
    fn as_many_are_remembered_as_there_is_room_for() {
        let deleters = Deleters::default();
        (1..=DELETIONS_MAX as u64 + 1).for_each(|seq| deleters.hear(&deleted(seq, "Вера", false)));
        assert_eq!(deleters.deletion(&said(MessageKind::Other, 1)), None);
        assert!(deleters.deletion(&said(MessageKind::Other, 2)).is_some());
    }
}
