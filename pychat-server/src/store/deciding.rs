//! The decision about a draft: a new record, a known one, or none. For stores that have the records which
//! it is held against at hand.

use std::{convert::Infallible, sync::Arc};

use crate::core::{
    amending::{Amendable, Granted, Words, grant, is_same},
    id::RoomId,
    moderation::AuditEntry,
    record::{AmendError, Amending, Appended, Draft, Entry, Kind, PersonId, Record, State, Target},
};

/// The history of a message, as far as its record does not have it.
#[derive(Clone, Debug, Default)]
pub(super) struct Amended {
    /// The number of its last edit.
    pub(super) edit_seq: Option<u64>,
    /// The words that an operator removed, and when, in UTC milliseconds since 1970.
    pub(super) removed: Option<(Arc<str>, u64)>,
}

/// The logs of rooms that are at hand. The records of edits and of what brings words back have no words
/// of their own.
pub(super) trait Log {
    /// Returns a record of a room, if it is kept.
    fn record(&self, room: RoomId, seq: u64) -> Option<&Record>;

    /// Returns the history of a message, if it was amended.
    fn amended(&self, room: RoomId, seq: u64) -> Option<&Amended>;

    /// Returns the room and the number of the record that a person's draft became.
    fn place(&self, key: &(PersonId, Arc<str>)) -> Option<(RoomId, u64)>;

    /// Returns the number of the newest record of a room, kept or not.
    fn newest_seq(&self, room: RoomId) -> u64;

    /// Makes a record of a draft.
    fn append(&mut self, room: RoomId, utc_ms: u64, draft: Draft) -> Record;

    /// Changes a message by an amendment that was granted, of which there is this record.
    fn change(&mut self, record: &Record, target: u64, granted: &Granted);

    /// Keeps a record of something that an operator did.
    fn note(&mut self, entry: AuditEntry);

    /// Takes a draft into the log of a room, unless it is known or its id is, or it answers no message.
    fn take(&mut self, room: RoomId, utc_ms: u64, draft: Draft) -> Appended {
        if let Some(known) = self.known(room, &draft) {
            return known;
        }
        let Some(reply) = draft.reply else {
            return Appended::New(self.append(room, utc_ms, draft));
        };
        let is_number = (1..=self.newest_seq(room)).contains(&reply);
        let target = match self.record(room, reply) {
            Some(Record { kind: Kind::Text(text), time_ms, .. }) => {
                Some(Target::new(*time_ms, text))
            }
            None if is_number => None,
            Some(_) | None => return Appended::Refused(AmendError::NoMessage),
        };
        Appended::New(Record { target, ..self.append(room, utc_ms, draft) })
    }

    /// Takes an amendment into the log of a room, and changes its message, if its author may; who has an
    /// `entry` may remove the messages of others.
    fn amend(
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
        let (target, amended) = (*target, self.amended(room, *target));
        let Some(message) = self.record(room, target) else {
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

    /// Returns the outcome of a draft whose id its author has used.
    fn known(&self, room: RoomId, draft: &Draft) -> Option<Appended> {
        let key = draft.person.zip(draft.id.clone())?;
        let record = self.recall(&key)?;
        let is_there = record.room == room || draft.kind.is_making();
        let newest_edit = |target| -> Result<_, Infallible> {
            Ok(self.amended(record.room, target).and_then(|it| it.edit_seq))
        };
        let Ok(is_same) = is_same(&record.entry(), draft, newest_edit);
        Some(if is_there && is_same {
            Appended::Known(record)
        } else {
            Appended::Conflict { id: key.1 }
        })
    }

    /// Returns a record as it is now.
    fn find(&self, room: RoomId, seq: u64) -> Option<Record> {
        let record = self.record(room, seq)?;
        let kind = entry(self, record).kind.map(Into::into);
        Some(Record { kind, ..record.clone() })
    }

    /// Returns the record that a person's draft became, as it is now.
    fn recall(&self, key: &(PersonId, Arc<str>)) -> Option<Record> {
        let (room, seq) = self.place(key)?;
        self.find(room, seq)
    }
}

/// Changes a message by an amendment that was granted, of which there is the record `by`.
pub(super) fn change(message: &mut Record, amended: &mut Amended, by: &Record, granted: &Granted) {
    let Kind::Text(text) = &mut message.kind else { return };
    match granted {
        Granted::Edit(words) => {
            *text = Arc::clone(words);
            (message.state.edited_ms, amended.edit_seq) = (Some(by.time_ms), Some(by.seq));
        }
        Granted::Erase => {
            (*text, amended.removed) = ("".into(), None);
            message.state = State { is_deleted: true, ..State::default() };
        }
        Granted::Remove => {
            amended.removed = Some((std::mem::replace(text, "".into()), by.time_ms));
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
}

/// Returns a record as it is read back: an edit, and what brings words back, with the words that the
/// message has now.
pub(super) fn entry<'a>(log: &'a (impl Log + ?Sized), record: &'a Record) -> Entry<'a> {
    let entry = record.entry();
    let Kind::Amendment { target, amending: Amending::Edit(_) | Amending::Restore(_) } = entry.kind
    else {
        return entry;
    };
    let message = log.record(record.room, target).filter(|message| !message.state.is_deleted);
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
