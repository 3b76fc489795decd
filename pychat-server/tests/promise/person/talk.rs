//! The texts and amendments of a person, and their answers.

use std::collections::HashSet;

use fastrand::Rng;
use pychat_wire::{
    Client,
    client::{Amended, FailReason, Message, MessageId, RoomId, Said, SayError},
    message::{Amendment, ErrorCode},
};

use super::Person;
use crate::promise::{
    plan::{Act, Moment},
    shown::Shown,
    surroundings::Surroundings,
    tally::{Effect, Fault, Tally},
};

/// The number of the last messages among which one is chosen.
const RECENT: usize = 12;

impl Person {
    /// Says something, or changes what waits to be accepted, if they live and that is taken.
    pub(crate) fn say(
        &mut self,
        around: &mut Surroundings<'_>,
        say: impl FnOnce(&mut Client) -> Result<(), SayError>,
    ) {
        let Some(client) = &mut self.client else { return };
        let before: HashSet<_> = client.unacknowledged().map(|it| it.id.clone()).collect();
        match say(client) {
            Ok(()) => (),
            Err(SayError::Full { .. } | SayError::NoRoom | SayError::NotPending) => return,
            Err(error) => panic!("{} cannot say it: {error}", self.name.as_str()),
        }
        let is_lost = matches!(self.fault, Some((Moment::Unsaid, _)));
        let effect = self.memory.texts.say(client.unacknowledged(), before, is_lost);
        if let Some(effect) = effect {
            around.tally.note_effect(effect);
        }
        if !is_lost {
            self.store();
        }
        if let Some((Moment::Unsaid | Moment::Unsent, until)) = self.fault {
            around.tally.note(Fault::DiedUnsent);
            self.die(until);
        }
    }

    /// Returns the number of a message that is shown to them and that they may do this to, or now and
    /// then of anything.
    pub(crate) fn some_message(&self, room: &RoomId, act: Act, rng: &mut Rng) -> Option<u64> {
        let is_any = rng.u8(..4) == 0;
        let is_wanted = |shown: &&Shown| {
            let is_own = shown.author == self.name.as_str();
            shown.state().is_some_and(|state| match act {
                Act::Edit | Act::Delete => is_own || is_any,
                Act::Remove => !is_own && !state.is_deleted,
                Act::Restore => !is_own && state.is_deleted,
                _ => true,
            })
        };
        let shown = self.memory.screens.get(room)?.shown.values().rev();
        let numbers: Vec<_> = shown.filter(is_wanted).take(RECENT).map(|it| it.seq).collect();
        let seq = rng.choice(numbers)?;
        Some(if rng.u8(..20) == 0 { rng.u64(..=seq) } else { seq })
    }

    /// Returns a text of theirs that is not accepted yet.
    pub(crate) fn some_waiting(&self, rng: &mut Rng) -> Option<MessageId> {
        let waiting = self.client.as_ref()?.unacknowledged();
        let texts = waiting.filter(|it| matches!(it.said, Said::Text { .. }));
        rng.choice(texts.map(|it| it.id.clone()).collect::<Vec<_>>())
    }

    /// Returns true if they may remove what others say.
    pub(crate) fn is_operator(&self) -> bool {
        self.client.as_ref().is_some_and(Client::is_operator)
    }

    /// Takes in a message that is shown.
    pub(super) fn heed_message(&mut self, message: Message, tally: &mut Tally) {
        tally.n_shown += 1;
        tally.n_replayed += u64::from(message.replayed);
        self.has_shown = true;
        if message.own && !message.room.is_hall() {
            tally.note_effect(Effect::Said);
        }
        if message.own && message.reply.is_some() {
            tally.note_effect(Effect::Replied);
        }
        if self.memory.show(message) {
            tally.note(Fault::SaidElsewhere);
        }
    }

    /// Takes in an amendment that is shown.
    pub(super) fn heed_amendment(&mut self, amended: Amended, tally: &mut Tally) {
        self.has_shown = true;
        let Amended { room, amendment, id, own, .. } = &amended;
        let is_early = id.as_ref().is_some_and(|id| self.memory.texts.is_early(id));
        let target = self.memory.screens[room].shown.get(&amendment.target());
        let is_removal = *own && target.is_some_and(|it| it.author != amended.author);
        let effect = match &amended.amendment {
            Amendment::Edit { .. } if is_early => Effect::EditedEarly,
            Amendment::Delete { .. } if is_early => Effect::DeletedEarly,
            Amendment::Delete { .. } if is_removal => Effect::MessageRemoved,
            _ if amended.replayed => Effect::AmendedAway,
            Amendment::Edit { .. } => Effect::Edited,
            Amendment::Delete { .. } => Effect::Deleted,
            Amendment::React { emoji: Some(_), .. } => Effect::Reacted,
            Amendment::React { .. } => Effect::ReactedNoMore,
            Amendment::Restore { .. } => Effect::Restored,
        };
        tally.note_effect(effect);
        if self.memory.amend(amended) {
            tally.note_effect(Effect::AmendedElsewhere);
        }
    }

    /// Takes in that something that they said is not accepted.
    pub(super) fn heed_failure(
        &mut self,
        (room, id): (&RoomId, MessageId),
        said: &Said,
        reason: FailReason,
        tally: &mut Tally,
    ) {
        let is_about_a_message = !matches!(said, Said::Text { reply: None, .. });
        let effect = match &reason {
            FailReason::Refused { code: ErrorCode::NoMessage, .. } if is_about_a_message => {
                Effect::NoMessage
            }
            FailReason::Refused { code: ErrorCode::Forbidden, text } if is_not_theirs(text) => {
                Effect::NotTheirs
            }
            FailReason::Refused { code: ErrorCode::NoRoom | ErrorCode::Forbidden, .. }
                if !room.is_hall() =>
            {
                Effect::Failed
            }
            reason => panic!("{said:?} failed in {room:?}: {reason:?}"),
        };
        tally.note_effect(effect);
        self.memory.texts.fail(id, reason);
    }
}

/// Returns true if a refusal says that only its author may change a message.
pub(crate) fn is_not_theirs(text: &str) -> bool {
    text.contains("not yours")
}
