//! From being let in to being accepted: the room, the message that is edited, and each text in turn.
//!
//! One text is said at a time, and the next once it is accepted: where one is refused, all before it were
//! accepted and none after it was said.

use std::{
    io::{self, Write},
    os::fd::AsFd,
    time::Instant,
};

use pychat_wire::{
    client::{Event, FailReason, MessageId, Page, Past, RoomId, Said, SayError},
    message::{Amendment, PAGE_MESSAGES_MAX, PROTOCOL},
};
use serde_json::json;

use super::{
    Order, Printed,
    input::{Input, Next},
};
use crate::{
    escape,
    failure::Failure,
    finding::{Finder, Means},
    session::{Others, Session},
};

/// The most messages among which one is sought by its id.
const SOUGHT_MESSAGES_MAX: usize = 10_000;

/// The prefix of an id that is made of digits, to tell it from a number.
const ID_PREFIX: &str = "id:";

/// The message that the text belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Target {
    None,
    Reply(u64),
    Edit(u64),
    /// One that is edited, and whose number is not known yet.
    EditId(MessageId),
}

/// The program at work.
#[derive(Debug)]
pub(super) struct Saying {
    session: Session,
    order: Order,
    input: Input,
    finder: Finder,
    /// The room, once it is known.
    room: Option<RoomId>,
    stage: Stage,
    n_sought: usize,
}

/// The thing that is waited for.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Stage {
    /// To be let in, and into the room.
    Arriving,
    /// Older messages, among which may be the one that is edited.
    Seeking,
    /// The next text.
    Ready,
    /// The acknowledgement of the text with this id, and of the line with this number.
    Said(MessageId, Option<u64>),
}

impl Target {
    /// Reads the message that is edited: a number, or an id.
    pub(super) fn edited(text: &str) -> Option<Self> {
        match text.parse::<u64>() {
            Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(Self::Edit(number))
            }
            _ => MessageId::chosen(text.strip_prefix(ID_PREFIX).unwrap_or(text)).map(Self::EditId),
        }
    }
}

impl Saying {
    pub(super) fn new(session: Session, order: Order, input: Input) -> Self {
        let means = Means { joins: order.joins, begins_talks: true };
        let finder = Finder::new(order.room.clone(), means);
        let (room, stage, n_sought) = (None, Stage::Arriving, 0);
        let mut saying = Self { session, order, input, finder, room, stage, n_sought };
        saying.begin_waiting();
        saying
    }

    /// Does all of it.
    pub(super) fn run(mut self) -> Result<(), Failure> {
        let outcome = self.say_all();
        self.session.finish();
        outcome
    }

    fn say_all(&mut self) -> Result<(), Failure> {
        let stdin = io::stdin();
        loop {
            while let Some(event) = self.session.next_event()? {
                self.on_event(event)?;
            }
            let is_ready = self.stage == Stage::Ready && self.session.client.is_joined();
            let mut input = None;
            if is_ready {
                match self.input.next() {
                    Next::Text(text, number) => self.say(text, number)?,
                    Next::Over => return Ok(()),
                    Next::Later => {
                        self.session.deadline = None;
                        input = Some(stdin.as_fd());
                    }
                }
            }
            let woken = self.session.wait(Others { input, ..Others::default() })?;
            if woken.has_input {
                self.input.fill(stdin.as_fd())?;
            }
        }
    }

    fn on_event(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Joined { protocol, .. } => return self.on_joined(protocol),
            event if self.stage == Stage::Arriving => {
                let found = self.finder.on_event(&mut self.session.client, &event)?;
                return found.map_or(Ok(()), |room| self.enter(room));
            }
            Event::Page(page) if self.stage == Stage::Seeking => return self.seek(&page),
            Event::Message(message) => self.on_own(message.id.as_ref(), message.seq),
            Event::Amended(amended) => self.on_own(amended.id.as_ref(), Some(amended.seq)),
            Event::Accepted { id, seq, .. } => self.on_own(Some(&id), Some(seq)),
            Event::Failed { id, reason, .. } => return self.on_failed(&id, reason),
            Event::RoomGone { room } if self.room == Some(room.clone()) => {
                return Err(Failure::Refused("not in this room any more".to_owned()));
            }
            _ => (),
        }
        Ok(())
    }

    fn on_joined(&mut self, protocol: u64) -> Result<(), Failure> {
        let Order { room, target, id, .. } = &self.order;
        let is_plain = room.is_empty() && *target == Target::None && id.is_none();
        if protocol < PROTOCOL && !is_plain {
            let words = "the server is too old for rooms, answers, edits and ids";
            return Err(Failure::Refused(words.to_owned()));
        }
        if self.stage != Stage::Arriving {
            return Ok(()); // What was asked for or said is sent again by the client.
        }
        let found = self.finder.begin(&mut self.session.client)?;
        found.map_or(Ok(()), |room| self.enter(room))
    }

    /// Takes in which room it is.
    fn enter(&mut self, room: RoomId) -> Result<(), Failure> {
        self.room = Some(room);
        self.stage = Stage::Ready;
        if let Target::EditId(_) = self.order.target {
            self.stage = Stage::Seeking;
            return self.seek(&Page::default());
        }
        Ok(())
    }

    /// Looks for the message that is edited among these, and asks for more if it is not there.
    fn seek(&mut self, page: &Page) -> Result<(), Failure> {
        let (Target::EditId(id), Some(room)) = (&self.order.target, &self.room) else {
            return Ok(());
        };
        let mut messages = page.messages.iter();
        let found = messages.find(|message| message.own && message.id.as_ref() == Some(id));
        if let Some(number) = found.and_then(|message| message.seq) {
            self.order.target = Target::Edit(number);
            self.stage = Stage::Ready;
            return Ok(());
        }
        self.n_sought += page.messages.len() + page.events.len();
        let client = &mut self.session.client;
        let is_asked = self.n_sought < SOUGHT_MESSAGES_MAX
            && (client.request_history(room, PAGE_MESSAGES_MAX)
                || client.past(room) == Past::Asked);
        if is_asked {
            return Ok(());
        }
        Err(Failure::Refused(format!("there is no message of ours under the id {id}")))
    }

    fn say(&mut self, text: String, number: Option<u64>) -> Result<(), Failure> {
        let Some(room) = self.room.clone() else { return Ok(()) };
        let said = match self.order.target {
            Target::Edit(target) => {
                Said::Amendment(Amendment::Edit { target, content: Some(text.into()) })
            }
            Target::Reply(target) => Said::Text { text, reply: Some(target) },
            Target::None | Target::EditId(_) => Said::Text { text, reply: None },
        };
        let id = match (&self.order.id, number) {
            (None, _) => None,
            (Some(id), None) => Some(id.clone()),
            (Some(id), Some(number)) => {
                let id = format!("{id}.{number}");
                let too_long = || Failure::Usage(format!("the id {id} has more than 64 bytes"));
                Some(MessageId::chosen(&id).ok_or_else(too_long)?)
            }
        };
        let client = &mut self.session.client;
        let said = match (id, said) {
            (Some(id), said) => client.say_as(&id, &room, said).map(|()| id),
            (None, Said::Text { text, reply: Some(target) }) => client.reply(&room, target, &text),
            (None, Said::Text { text, reply: None }) => client.say(&room, &text),
            (None, Said::Amendment(amendment)) => client.amend(&room, amendment),
        };
        let id = said.map_err(|error| match error {
            SayError::Blank => {
                Failure::Usage("there is nothing to say: the text is empty".to_owned())
            }
            error => Failure::Refused(of_line(number, &error.to_string())),
        })?;
        self.stage = Stage::Said(id, number);
        self.begin_waiting();
        Ok(())
    }

    /// Takes in that something of ours was accepted.
    fn on_own(&mut self, id: Option<&MessageId>, seq: Option<u64>) {
        let Stage::Said(said, _) = &self.stage else { return };
        if id != Some(said) {
            return;
        }
        let room = self.room.as_ref().map(RoomId::as_str).unwrap_or_default();
        let line = match self.order.printed {
            Printed::Nothing => None,
            Printed::Id => Some(said.to_string()),
            Printed::Json => {
                let answer = json!({"room": room, "seq": seq, "id": said.as_str()});
                Some(escape::json(&answer.to_string()))
            }
        };
        if let Some(line) = line {
            // It was accepted, even if nobody wants to read so.
            let _ = writeln!(io::stdout(), "{line}");
        }
        self.stage = Stage::Ready;
    }

    fn on_failed(&self, id: &MessageId, reason: FailReason) -> Result<(), Failure> {
        let Stage::Said(said, number) = &self.stage else { return Ok(()) };
        if id != said {
            return Ok(());
        }
        if let FailReason::Refused { text, .. } = reason {
            return Err(Failure::Refused(of_line(*number, &text)));
        }
        let words = "the connection was lost; it may have been accepted or not";
        Err(Failure::Later(of_line(*number, words)))
    }

    /// The time for one text begins.
    fn begin_waiting(&mut self) {
        self.session.deadline = Some(Instant::now() + self.order.timeout);
    }
}

/// Returns words about a line, if it is one.
fn of_line(number: Option<u64>, words: &str) -> String {
    number.map_or_else(|| words.to_owned(), |number| format!("line {number}: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_edited_is_named_by_number_or_id() {
        let chosen = |text| Target::EditId(MessageId::chosen(text).expect("an id"));
        for (text, target) in [
            ("17", Target::Edit(17)),
            ("+17", chosen("+17")),
            ("id:17", chosen("17")),
            ("build-7", chosen("build-7")),
            ("99999999999999999999", chosen("99999999999999999999")),
        ] {
            assert_eq!(Target::edited(text), Some(target));
        }
    }
}
