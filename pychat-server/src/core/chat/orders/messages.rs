//! Messages that operators on the machine remove and bring back. The record of that has the caller's name
//! as its author, and is no person's.

use std::sync::Arc;

use pychat_wire::UserName;

use super::{
    super::{Chat, Effect, amend::room_name, requests::Pending},
    Asker, answer,
};
use crate::core::{
    amending::RESTORABLE_MS,
    gate::{self, Denied},
    id::RoomId,
    moderation::{Reply, for_words},
    record::{AmendError, Amending, Appended, Draft, Kind, Outcome, Request, Stored},
};

/// The author of a record by a caller whose name breaks a rule.
const CALLER: &str = "operator";

/// An amendment that was ordered, and waits for the store.
#[derive(Debug)]
pub(in super::super) struct Ordered {
    asker: Asker,
    room: RoomId,
    /// The number of the message.
    target: u64,
    amending: Amending<Arc<str>>,
}

impl Chat {
    /// Returns the room that an operator on the machine calls so, if messages are removed there.
    ///
    /// # Errors
    ///
    /// The reason why not, for people to read.
    pub fn moderated_room(&self, room: &str) -> Result<RoomId, String> {
        gate::may_on_machine(RoomId::of_wire(room), &self.rooms).map_err(|denied| match denied {
            Denied::Never => {
                format!("{room} is a direct room: nobody removes messages of others there.")
            }
            Denied::NoRoom | Denied::Outside | Denied::Guest | Denied::NotTheirs => {
                format!("There is no room {room}.")
            }
        })
    }

    /// Has the store amend a message, which records call `verb`.
    pub(super) fn order_amendment(
        &mut self,
        asker: Asker,
        by: &str,
        (verb, amending): (&str, Amending<Arc<str>>),
        (room, target): (&str, u64),
        effects: &mut Vec<Effect>,
    ) {
        let (room, author) = match self.moderated_room(room).and_then(|it| Ok((it, author(by)?))) {
            Ok(found) => found,
            Err(text) => return answer(asker, Reply::Failed { text }, effects),
        };
        let kind = Kind::Amendment { target, amending: amending.clone() };
        let draft = Draft { author, person: None, kind, id: None, reply: None };
        let entry = Some(self.amendment_entry(by, verb, (room, target)));
        let ordered = Ordered { asker, room, target, amending };
        let pending = Pending::Ordered(Box::new(ordered));
        self.requests.make(pending, Request::Amend { room, draft, entry }, effects);
    }

    /// The store has answered an amendment that was ordered: it is published if it was taken.
    pub(in super::super) fn on_ordered(
        &mut self,
        ordered: Ordered,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let reply = match outcome {
            Ok(Stored::Appended(Appended::New(record))) => {
                // The room may be over by now.
                if self.rooms.get(record.room).is_some() {
                    self.publish(None, record, effects);
                }
                Reply::Done { text: ordered.done() }
            }
            Ok(Stored::Appended(Appended::Refused(error))) => {
                Reply::Failed { text: ordered.refused(error) }
            }
            Err(error) => {
                let why = error.in_short();
                let text = format!("Not done: the server cannot store it now ({why}).");
                Reply::Failed { text }
            }
            // A draft without an id is never known.
            Ok(
                Stored::Appended(Appended::Known(_) | Appended::Conflict { .. })
                | Stored::Recalled(_)
                | Stored::Changed,
            ) => return,
        };
        answer(ordered.asker, reply, effects);
    }
}

impl Ordered {
    /// Returns the outcome in words.
    fn done(&self) -> String {
        let message = self.message();
        if let Amending::Restore(_) = self.amending {
            return format!("Message {message} is there again.");
        }
        let time = for_words(Some(RESTORABLE_MS));
        format!("Message {message} is removed; it can be restored {time}.")
    }

    /// Returns the reason in words why it was not done.
    fn refused(&self, error: AmendError) -> String {
        let message = self.message();
        match error {
            AmendError::NoMessage => format!("There is no message {message}, or no longer."),
            AmendError::NothingToRestore => format!(
                "There is nothing to restore of message {message}: no operator removed it, or too long \
                 ago."
            ),
            AmendError::NotTheirs | AmendError::Full => format!("Message {message}: {error}."),
        }
    }

    /// Returns the message in words.
    fn message(&self) -> String {
        format!("{} in {}", self.target, room_name(self.room))
    }
}

/// Returns the author of what a caller does.
fn author(by: &str) -> Result<UserName, String> {
    let author = UserName::new(by).or_else(|_| UserName::new(CALLER));
    author.map_err(|error| format!("{by}: {error}."))
}
