//! The acts of people on messages, and on texts that are not accepted yet.

use fastrand::Rng;
use pychat_wire::{client::RoomId, message::Amendment};

use super::{
    plan::Act,
    world::{PAIRED, PEOPLE, World},
};

const EMOJI: [&str; 3] = ["👍", "🎉", "👍🏽"];

/// The most bytes of an answer, or of other words for a message.
const BYTES_MAX: usize = 200;

/// The most bytes of a long one, and how rare these are.
const BYTES_MAX_LONG: usize = 20_000;
const LONG_ONE_IN: u8 = 40;

impl World<'_> {
    /// Somebody answers, amends or takes back something in a room; operators alone take away what others
    /// said, and bring it back.
    pub(super) fn amend(&mut self, who: usize, act: Act, room: &RoomId, rng: &mut Rng) {
        let who = if matches!(act, Act::Remove | Act::Restore) { PAIRED } else { who };
        let bytes = if rng.u8(..LONG_ONE_IN) == 0 { BYTES_MAX_LONG } else { BYTES_MAX };
        let text = self.text(PEOPLE[who], rng.usize(..bytes));
        if matches!(act, Act::EditWaiting | Act::DeleteWaiting) {
            return self.amend_waiting(who, act, room, &text, rng);
        }
        let person = &self.people[who];
        if matches!(act, Act::Remove | Act::Restore) && !person.is_operator() {
            return;
        }
        let Some(target) = person.some_message(room, act, rng) else { return };
        let emoji = rng.choice(EMOJI).map(Into::into);
        let amendment = match act {
            Act::Edit => Amendment::Edit { target, content: Some(text.clone().into()) },
            Act::Delete | Act::Remove => Amendment::Delete { target },
            Act::React => Amendment::React { target, emoji },
            Act::ReactNoMore => Amendment::React { target, emoji: None },
            Act::Restore => Amendment::Restore { target, content: None },
            _ => {
                return self.with_person(who, |person, around| {
                    person.say(around, |client| client.reply(room, target, &text).map(drop));
                });
            }
        };
        self.with_person(who, |person, around| {
            person.say(around, |client| client.amend(room, amendment).map(drop));
        });
    }

    /// Somebody changes a text of theirs that is not accepted, or takes it back; often they have just said
    /// it.
    fn amend_waiting(&mut self, who: usize, act: Act, room: &RoomId, words: &str, rng: &mut Rng) {
        if rng.bool() {
            self.say_in(who, room, rng.usize(..BYTES_MAX));
        }
        let Some(id) = self.people[who].some_waiting(rng) else { return };
        self.with_person(who, |person, around| {
            person.say(around, |client| match act {
                Act::EditWaiting => client.edit_pending(&id, words),
                _ => client.delete_pending(&id),
            });
        });
    }
}
