//! Amendments of messages, in memory.

use std::{convert::Infallible, sync::Arc};

use super::{Memory, logs::Logs};
use crate::core::{
    amending::{Amendable, Granted, RESTORABLE_MS, Words, grant, is_same},
    id::RoomId,
    moderation::AuditEntry,
    record::{AmendError, Amending, Appended, Draft, Entry, Kind, Record, State, Target},
};

/// The history of a message, as far as its record does not have it.
#[derive(Debug, Default)]
pub(super) struct Amended {
    /// The number of its last edit.
    edit_seq: Option<u64>,
    /// The words that an operator removed, and when, in UTC milliseconds since 1970.
    removed: Option<(Arc<str>, u64)>,
}

impl Memory {
    /// Takes an amendment into the log of a room, and changes its message, if its author may; who has an
    /// `entry` may remove the messages of others.
    pub(super) fn amend(
        &mut self,
        room: RoomId,
        utc_ms: u64,
        draft: Draft,
        entry: Option<AuditEntry>,
    ) -> Appended {
        if let Some(known) = self.known(room, &draft) {
            return known;
        }
        let Kind::Amendment { target, amending } = &draft.kind else {
            return Appended::Refused(AmendError::NoMessage);
        };
        let (target, amended) = (*target, self.amended.get(&(room, *target)));
        let Some(message) = self.logs.find(room, target) else {
            return Appended::Refused(AmendError::NoMessage);
        };
        let Kind::Text(words) = &message.kind else {
            return Appended::Refused(AmendError::NoMessage);
        };
        let about = Target::new(message.time_ms, words);
        let (author, removed) = (message.author.clone(), amended.and_then(|it| it.removed.clone()));
        let amendable = Amendable {
            person: message.person,
            words: match (message.state.is_deleted, &removed) {
                (false, _) => Words::Kept,
                (true, Some(_)) => Words::Removed,
                (true, None) => Words::Erased,
            },
            reactions: message.state.reactions.as_deref(),
        };
        let by = (draft.person, draft.author.as_str());
        let granted = match grant(&amendable, by, amending, entry.is_some()) {
            Ok(granted) => granted,
            Err(error) => return Appended::Refused(error),
        };
        if let (Granted::Remove | Granted::Restore, Some(entry)) = (&granted, entry) {
            self.note(AuditEntry { subject: author.as_str().to_owned(), ..entry });
        }
        let kind = match (&granted, removed) {
            (Granted::Restore, Some((words, _))) => {
                Kind::Amendment { target, amending: Amending::Restore(Some(words)) }
            }
            _ => draft.kind.clone(),
        };
        let record = self.append(room, utc_ms, Draft { kind: without_words(&draft.kind), ..draft });
        self.change(&record, target, &granted);
        Appended::New(Record { kind, target: Some(about), ..record })
    }

    /// Changes a message by an amendment that was granted, of which there is this record.
    fn change(&mut self, record: &Record, target: u64, granted: &Granted) {
        let Record { room, seq, time_ms, .. } = *record;
        let amended = self.amended.entry((room, target)).or_default();
        self.logs.change(room, target, |message| {
            let Kind::Text(text) = &mut message.kind else { return };
            match granted {
                Granted::Edit(words) => {
                    *text = Arc::clone(words);
                    (message.state.edited_ms, amended.edit_seq) = (Some(time_ms), Some(seq));
                }
                Granted::Erase => {
                    (*text, amended.removed) = ("".into(), None);
                    message.state = State { is_deleted: true, ..State::default() };
                }
                Granted::Remove => {
                    amended.removed = Some((std::mem::replace(text, "".into()), time_ms));
                    message.state = State { is_deleted: true, ..State::default() };
                }
                Granted::React(reactions) => {
                    message.state.reactions = reactions.as_deref().map(Into::into);
                }
                Granted::Restore => {
                    if let Some((words, _)) = amended.removed.take() {
                        (*text, message.state.is_deleted) = (words, false);
                    }
                }
            }
        });
    }

    /// Returns the outcome of a draft whose id its author has used.
    pub(super) fn known(&self, room: RoomId, draft: &Draft) -> Option<Appended> {
        let key = draft.person.zip(draft.id.clone())?;
        let record = self.recall(&key)?;
        let is_there = record.room == room || draft.kind.is_making();
        let newest_edit = |target| -> Result<_, Infallible> {
            Ok(self.amended.get(&(record.room, target)).and_then(|it| it.edit_seq))
        };
        let Ok(is_same) = is_same(&record.entry(), draft, newest_edit);
        Some(if is_there && is_same {
            Appended::Known(record)
        } else {
            Appended::Conflict { id: key.1 }
        })
    }

    /// Forgets the words that operators removed too long ago to bring them back.
    pub(super) fn forget_removed(&mut self, utc_ms: u64) {
        for amended in self.amended.values_mut() {
            let is_over =
                |(_, since_ms): &(_, u64)| since_ms.saturating_add(RESTORABLE_MS) <= utc_ms;
            amended.removed.take_if(|removed| is_over(removed));
        }
    }
}

/// Returns a record as it is read back: an edit, and what brings words back, with the words that the
/// message has now.
pub(super) fn entry<'a>(logs: &'a Logs, record: &'a Record) -> Entry<'a> {
    let entry = record.entry();
    let Kind::Amendment { target, amending: Amending::Edit(_) | Amending::Restore(_) } = entry.kind
    else {
        return entry;
    };
    let message = logs.find(record.room, target).filter(|message| !message.state.is_deleted);
    let words = message.map(|message| message.kind.text());
    let amending = match entry.kind {
        Kind::Amendment { amending: Amending::Edit(_), .. } => Amending::Edit(words),
        _ => Amending::Restore(words),
    };
    Entry { kind: Kind::Amendment { target, amending }, ..entry }
}

/// Returns an amendment as it is kept: its words are the message's.
fn without_words(kind: &Kind<Arc<str>>) -> Kind<Arc<str>> {
    match kind {
        Kind::Amendment { target, amending: Amending::Edit(_) } => {
            Kind::Amendment { target: *target, amending: Amending::Edit(None) }
        }
        kind => kind.clone(),
    }
}
