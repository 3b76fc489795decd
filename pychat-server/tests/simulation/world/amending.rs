//! Amendments: what people of protocol 2 do to messages, their own and those of others.

use std::collections::BTreeMap;

use pychat_server::core::{id::CallId, moderation::Order};
use pychat_wire::{
    ClientMessage,
    message::{Amendment, ErrorCode, HALL},
};

use super::{
    Checker, Peer, World,
    fault::Fault,
    limits::{REQUEST_COST, cost},
    rooms::Answer,
};
use crate::kit::{Knob, knobs, room_log::Message};

/// The number of the last messages among which one is mostly chosen.
const RECENT: usize = 12;

const EMOJI: [&str; 3] = ["👍", "🎉", "👍🏽"];

knobs! {
    /// Something that somebody does to a message, so often in 100 times.
    enum Act {
        Edit = 35,
        Delete = 15,
        React = 25,
        TakeBack = 10,
        Restore = 15,
    }
}

/// An amendment that somebody has asked for, once or more often.
#[derive(Debug)]
pub(super) struct Amend {
    pub(super) room: String,
    pub(super) amendment: Amendment<'static>,
    /// Nobody had heard of the message when it was said first.
    pub(super) is_early: bool,
    pub(super) answer: Option<Answer>,
}

impl World<'_> {
    /// Somebody amends a message, or what is none, by whichever of their connections.
    pub(super) fn amend(&mut self, peer: usize) {
        let act = Act::choose(&mut self.chance);
        let is_large = self.below(4 * self.large_one_in) == 0;
        let padding = if is_large { self.text_bytes_max } else { self.below(50) };
        let (is_elsewhere, is_doubled) = (self.below(3) == 0, self.below(12) == 0);
        let any = self.below(EMOJI.len());
        let Peer { checker: Checker::V2 { checker, person }, is_leaving: false, .. } =
            &self.peers[peer]
        else {
            return;
        };
        let person = *person;
        if checker.name().is_none() {
            return;
        }
        let room = if is_elsewhere { self.some_room(peer) } else { HALL.to_owned() };
        let target = match self.oracle.room(&room).deleted().collect::<Vec<_>>() {
            deleted if act == Act::Restore && !deleted.is_empty() => {
                deleted[self.below(deleted.len())]
            }
            _ => self.some_message(peer, &room),
        };
        let number = self.people[person].amendments.len();
        let amendment = match act {
            Act::Edit => {
                let content = format!("={person}.{number} {:padding$}", "");
                Amendment::Edit { target, content: Some(content.into()) }
            }
            Act::Delete => Amendment::Delete { target },
            Act::React => Amendment::React { target, emoji: Some(EMOJI[any].into()) },
            Act::TakeBack => Amendment::React { target, emoji: None },
            Act::Restore => Amendment::Restore { target, content: None },
        };
        let is_early = self.oracle.room(&room).last() < target;
        let asked = Amend { room, amendment, is_early, answer: None };
        self.people[person].amendments.push(asked);
        self.say_amendment(peer, person, number);
        if is_doubled {
            self.say_amendment(peer, person, number);
        }
    }

    /// Returns the number of a message of a room, mostly one of the last ones and often one of the
    /// peer's own; or any number.
    pub(super) fn some_message(&mut self, peer: usize, room: &str) -> u64 {
        let (choice, any) = (self.below(12), self.below(1 << 10));
        let name = self.peers[peer].checker.name().unwrap_or_default().to_owned();
        let log = self.oracle.room(room);
        let is_meant =
            |it: &&(u64, &Message)| it.1.is_text() && (6 < choice || it.1.author == name);
        let messages = log.messages().rev();
        let messages: Vec<_> = messages.filter(|it| is_meant(&it)).take(RECENT).collect();
        match messages.get(any % messages.len().max(1)) {
            Some((seq, _)) if 0 < choice => *seq,
            _ => any as u64 % (log.last() + 2),
        }
    }

    /// Says an amendment, for the first time or again.
    pub(super) fn say_amendment(&mut self, peer: usize, person: usize, number: usize) {
        let Amend { room, amendment, .. } = &self.people[person].amendments[number];
        let (room, amendment) = (room.clone().into(), amendment.clone());
        let bytes = match &amendment {
            Amendment::Edit { content, .. } => content.as_ref().map_or(0, |content| content.len()),
            _ => 0,
        };
        self.peers[peer].units += REQUEST_COST + cost(bytes);
        let id = Some(format!("{person}.a{number}").into());
        self.say(peer, &ClientMessage::Amend { amendment, room, id });
    }

    /// An amendment is answered by the record that it became.
    pub(super) fn acknowledge_amendment(
        &mut self,
        person: usize,
        number: usize,
        room: &str,
        seq: u64,
    ) {
        let Amend { room: asked, amendment, answer, .. } =
            &mut self.people[person].amendments[number];
        assert_eq!(asked, room, "{amendment:?} is in another room");
        let record = self.oracle.rooms()[room].message(seq).amendment.as_ref();
        let is_it = record
            .is_some_and(|it| (it.kind(), it.target()) == (amendment.kind(), amendment.target()));
        assert!(is_it, "{amendment:?} became {record:?}");
        let done = Answer::Done { room: room.to_owned(), seq };
        if let Some(known @ Answer::Done { .. }) = answer.replace(done.clone()) {
            assert_eq!(known, done, "{amendment:?} was done twice");
        }
        let fault = match amendment {
            Amendment::Edit { .. } => Fault::Edited,
            Amendment::Delete { .. } => Fault::Deleted,
            Amendment::React { emoji: Some(_), .. } => Fault::Reacted,
            Amendment::React { .. } => Fault::TakenBack,
            Amendment::Restore { .. } => Fault::Restored,
        };
        self.fire(fault);
    }

    /// An amendment is refused.
    pub(super) fn on_amendment_refused(
        &mut self,
        peer: usize,
        person: usize,
        number: &str,
        refused: Answer,
    ) {
        let number: usize = number.parse().expect("a number");
        let Answer::Refused { code, text } = &refused else { return };
        let fault = match code {
            ErrorCode::NotJoined => return, // It is said again once they are welcomed.
            ErrorCode::Storage => {
                // Another connection has said it too, and the store has not answered that.
                self.fire(Fault::StoredAlready);
                if !self.peers[peer].is_leaving {
                    self.say_amendment(peer, person, number);
                }
                return;
            }
            ErrorCode::NoMessage => Fault::NoMessage,
            ErrorCode::Forbidden if text.contains("not yours") => Fault::NotTheirs,
            ErrorCode::Forbidden => Fault::RoomForbidden,
            ErrorCode::NoRoom => Fault::NoRoom,
            code => panic!("an amendment is refused: {code:?}"),
        };
        self.people[person].amendments[number].answer.get_or_insert(refused);
        self.fire(fault);
    }

    /// Somebody becomes an operator, or is one no more.
    pub(super) fn change_operators(&mut self) {
        let any = self.below(self.people.len());
        let name = self.people[any].name.clone();
        let order = if self.below(4) == 0 {
            Order::RemoveOperator { name }
        } else {
            Order::AddOperator { name }
        };
        self.server.take_replies();
        self.server.order(self.now, CallId(self.n_orders), "machine", order);
        self.n_orders += 1;
        self.fire(Fault::Operator);
    }

    /// Returns the texts of which protocol 1 must have been told one for each record of the hall.
    pub(super) fn told_in_one(&self) -> BTreeMap<u64, Vec<String>> {
        let Some(log) = self.oracle.rooms().get(HALL) else { return BTreeMap::new() };
        let told = log.told_in_one(self.retention.messages_max);
        for (seq, texts) in &told {
            if log.is_amendment(*seq) {
                self.fire(Fault::EditToldInOne);
            } else if texts.iter().any(|text| text.starts_with("> ")) {
                self.fire(Fault::ReplyToldInOne);
            }
        }
        told
    }

    /// Checks that what was refused could not be, and that nobody but operators took away what others
    /// said.
    pub(super) fn check_refused(&self) {
        for person in &self.people {
            for Amend { room, amendment, is_early, answer } in &person.amendments {
                let Some(Answer::Refused { code, text }) = answer else { continue };
                let Some(log) = self.oracle.rooms().get(room) else { continue };
                let target = log.messages().find(|(seq, _)| *seq == amendment.target());
                let target = target.map(|(_, message)| message).filter(|message| message.is_text());
                let is_explained = match (code, target) {
                    (ErrorCode::NoMessage, Some(_)) => {
                        let is_restored = matches!(amendment, Amendment::Restore { .. });
                        *is_early
                            || is_restored
                            || self.forgets()
                            || log.was_deleted(amendment.target())
                    }
                    (ErrorCode::Forbidden, Some(message)) if text.contains("not yours") => {
                        let is_open = matches!(
                            amendment,
                            Amendment::React { .. } | Amendment::Restore { .. }
                        );
                        !is_open && !message.is_of(&person.name)
                    }
                    _ => true,
                };
                assert!(
                    is_explained,
                    "{amendment:?} in {room:?} is refused: {answer:?}, {target:?}"
                );
            }
        }
        for (room, log) in self.oracle.rooms() {
            if 0 < log.n_removed() {
                assert!(0 < self.n_orders, "somebody took away what others said in {room:?}");
                self.fire(Fault::Removed);
            }
        }
    }
}
