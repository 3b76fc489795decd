//! The reactions of a person to the events of their client.

use std::time::Duration;

use pychat_wire::{
    client::{Cause, Event},
    message::Reason,
};

use super::{Channel, Person, V2Checker, positions};
use crate::promise::{
    surroundings::Surroundings,
    tally::{Effect, Fault},
};

impl Person {
    pub(super) fn heed(&mut self, event: Event, around: &mut Surroundings<'_>) {
        let Some(client) = &mut self.client else { return };
        match event {
            Event::Connect => match around.connect(self.caller) {
                Some(line) => {
                    self.channel = Some(Channel::new(line, self.caller.is_encrypted));
                    self.checker = V2Checker::new(false);
                }
                None => client.disconnected(0),
            },
            Event::Disconnect => {
                self.write(around.oracle);
                self.channel = None;
            }
            Event::Joined { protocol, .. } => {
                assert_eq!(protocol, 2);
                self.pair = None;
                self.memory.join(&positions(client.saved()));
            }
            Event::Offline { cause, retry_at_ms } => {
                assert!(retry_at_ms.is_some(), "{:?} does not come back: {cause:?}", self.name);
                match cause {
                    Cause::Silent => around.tally.note(Fault::Silent),
                    Cause::Bye { reason: Reason::Shutdown } => around.tally.note(Fault::Dismissed),
                    _ => (),
                }
                let delay = Duration::from_millis(self.rng.u64(0..30));
                self.retry_at = Some(around.now + delay);
            }
            Event::Message(message) => self.heed_message(message, around.tally),
            Event::Amended(amended) => self.heed_amendment(amended, around.tally),
            Event::Failed { room, id, said, reason } => {
                self.heed_failure((&room, id), &said, reason, around.tally);
            }
            Event::Withdrawn { id, .. } => drop(self.memory.texts.withdrawn.insert(id)),
            Event::Page(page) => {
                if !page.room.is_hall() {
                    around.tally.note_effect(Effect::Paged);
                }
                self.memory.show_page(page);
            }
            Event::Skipped { room, to, .. } => {
                self.memory.skip_to(&room, to);
                client.forget_before(&room, to + 1);
            }
            Event::Accepted { id, seq, .. } => {
                around.tally.note(Fault::Repeated);
                self.memory.texts.acknowledge(id, seq);
            }
            Event::MemberLeft { reason: Some(reason), name, time_ms } => match reason {
                Reason::Slow => around.tally.note_once(Fault::Slow, name, time_ms),
                Reason::Kicked | Reason::Removed => panic!("{name} is sent away"),
                _ => (),
            },
            Event::PairCode { code, .. } => self.code = Some(code),
            Event::DeviceAdded { .. }
            | Event::OperatorChanged { .. }
            | Event::Moderated { .. }
            | Event::MemberJoined { .. }
            | Event::MemberLeft { .. }
            | Event::SlowDown { .. }
            | Event::Notice { .. } => (),
            of_rooms => self.heed_rooms(of_rooms, around.tally),
        }
    }
}
