//! People who speak protocol 2: who they are over all their connections, and what they say and ask.

use std::collections::BTreeMap;

use pychat_wire::{
    ClientMessage,
    message::{HALL, Hello, MESSAGE_ID_BYTES_MAX, Positions, Resume},
};

use super::{
    Checker, EPOCH, Manner, N_WITNESSES, NAMES, Peer, World,
    amending::Amend,
    limits::{REQUEST_COST, cost},
    rooms::Asked,
};
use crate::{
    kit::{keys, v2_checker::BEYOND},
    world::fault::Fault,
};

/// So many people speak protocol 2, and a witness.
const PEOPLE: usize = 5;

/// The most pages that a polite client asks for before it has the first.
pub(super) const PAGES_MAX: usize = 3;

/// Somebody over all their connections.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) name: String,
    /// The keys of their devices were known to the server: it has welcomed them.
    pub(super) is_known: bool,
    /// The last number that they have of each room.
    pub(super) after: BTreeMap<String, u64>,
    pub(super) texts: Vec<Text>,
    pub(super) requests: Vec<Asked>,
    pub(super) amendments: Vec<Amend>,
    /// The number of the peer that is their newest connection.
    pub(super) newest: usize,
}

impl Person {
    /// Returns the positions in all their rooms, and in one `outside`, by thousandths of what they have
    /// and `beyond` that.
    fn positions(&self, outside: Option<String>, share: u64, beyond: u64) -> Positions<'static> {
        let mut after = self.after.clone();
        after.entry(HALL.to_owned()).or_default();
        // A room that is not there, or no more, or not for them, is passed over.
        if let Some(room) = outside {
            after.entry(room).or_default();
        }
        let after = after.into_iter();
        Positions(after.map(|(room, it)| (room.into(), it * share / 1_000 + beyond)).collect())
    }
}

/// Something that somebody said, once or more often.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) room: String,
    pub(super) content: String,
    /// The number of the message that it answers.
    pub(super) reply: Option<u64>,
    /// Its number, if it was acknowledged.
    pub(super) seq: Option<u64>,
    /// Its author was not in the room, or it answers no message.
    pub(super) is_refused: bool,
}

impl World<'_> {
    /// Returns who connects next in protocol 2: somebody new, or somebody who comes back, from a line
    /// that may still be there.
    pub(super) fn somebody(&mut self) -> usize {
        let newest = self.n_peers;
        let person = match self.people.len() {
            n_people @ 0..=PEOPLE => {
                let any = self.below(NAMES.len());
                let name = if n_people == 0 { "second witness" } else { NAMES[any] };
                self.people.push(Person { name: name.to_owned(), ..Person::default() });
                n_people
            }
            _ => 1 + self.below(PEOPLE),
        };
        self.people[person].newest = newest;
        person
    }

    /// Somebody who was greeted says who they are, and perhaps that they were here before.
    pub(super) fn hello_of_two(&mut self, peer: usize) {
        let is_witness = peer < N_WITNESSES;
        let chance = if is_witness { 9 } else { self.below(10) };
        let proof_chance = self.below(6);
        let outside = Some(self.some_room(peer)).filter(|_| proof_chance == 2);
        let share = self.below(1_000);
        let Checker::V2 { checker, person: number } = &self.peers[peer].checker else { return };
        let Some(challenge) = checker.challenge() else {
            self.peers[peer].manner = Manner::Unnamed; // It has nothing to sign.
            return;
        };
        let number = *number;
        let person = &self.people[number];
        let many = share as u64;
        let limit = (chance == 4).then_some(1 + many % 4);
        let (resume, fault) = match chance {
            0 => (None, None),
            1 => (Some((false, 1_000, 0)), None),
            2 => (Some((true, 1_000, BEYOND + many)), None),
            3 => (Some((true, many, 0)), Some(Fault::ResumedTooFarBack)),
            4 => (Some((true, many, 0)), None),
            _ if is_witness => (None, None),
            _ => (Some((true, 1_000, 0)), Some(Fault::Resumed)),
        };
        let username = match proof_chance {
            1 if !is_witness => "\u{202e}".to_owned(),
            _ => person.name.clone(),
        };
        let is_forged = proof_chance == 0 && !is_witness;
        let mut proof = keys::key(&number.to_string()).prove(&challenge, &username);
        proof.signature.0[share % 64] ^= u8::from(is_forged);
        let resume = resume.map(|(is_right_epoch, share, beyond)| Resume {
            epoch: if is_right_epoch { EPOCH } else { "another" }.into(),
            rooms: person.positions(outside, share, beyond),
            limit,
        });
        let hello = Hello { proof: Some(proof), resume, ..Hello::new(username, 2) };
        self.say(peer, &ClientMessage::Hello(hello));
        if is_forged {
            self.fire(Fault::Forged);
        }
        if let Some(fault) = fault {
            self.fire(fault);
        }
        if !is_witness && self.below(4) == 0 {
            self.resend(peer); // It does not wait to be welcomed.
        }
    }

    /// Everything that was not acknowledged is said again.
    pub(super) fn resend(&mut self, peer: usize) {
        let Checker::V2 { person, .. } = self.peers[peer].checker else { return };
        if self.peers[peer].is_leaving {
            return;
        }
        for number in 0..self.people[person].texts.len() {
            let Text { seq, is_refused, .. } = self.people[person].texts[number];
            if seq.is_none() && !is_refused {
                self.say_text(peer, person, number);
            }
        }
        for number in 0..self.people[person].requests.len() {
            if self.people[person].requests[number].answer.is_none() {
                self.say_request(peer, person, number);
            }
        }
        for number in 0..self.people[person].amendments.len() {
            if self.people[person].amendments[number].answer.is_none() {
                self.say_amendment(peer, person, number);
            }
        }
    }

    /// Somebody who was welcomed says something, or somebody who was not.
    pub(super) fn text_of_two(&mut self, peer: usize, padding: usize) {
        let Checker::V2 { ref checker, person } = self.peers[peer].checker else { return };
        let Peer { number, is_leaving, .. } = self.peers[peer];
        if is_leaving || self.people[person].newest != number {
            return; // A line that was given up says no more.
        }
        if checker.name().is_none() {
            if self.peers[peer].manner == Manner::Shy {
                let id = Some("early".into());
                self.say(
                    peer,
                    &ClientMessage::Text {
                        room: HALL.into(),
                        content: "too early".into(),
                        id,
                        reply: None,
                    },
                );
            }
            return;
        }
        // So many payloads in a row that are of no use would end a witness.
        let chance = if peer < N_WITNESSES { 2 + self.below(10) } else { self.below(12) };
        let number = self.people[person].texts.len();
        match chance {
            0 => {
                self.fire(Fault::NoId);
                return self.say(peer, &ClientMessage::text("without an id"));
            }
            1 => {
                self.fire(Fault::EndlessId);
                let id = Some("x".repeat(MESSAGE_ID_BYTES_MAX + 1).into());
                return self.say(
                    peer,
                    &ClientMessage::Text { room: HALL.into(), content: "".into(), id, reply: None },
                );
            }
            2 if 0 < number => {
                let number = self.below(number);
                return self.say_text(peer, person, number);
            }
            _ => (),
        }
        let content = format!("@{person}.{number} {:padding$}", "");
        let room = if self.below(3) == 0 { self.some_room(peer) } else { HALL.to_owned() };
        let reply = (self.below(4) == 0).then(|| self.some_message(peer, &room));
        let text = Text { room, content, reply, seq: None, is_refused: false };
        self.people[person].texts.push(text);
        self.say_text(peer, person, number);
        if chance == 3 {
            self.say_text(peer, person, number);
            self.fire(Fault::Doubled);
        }
    }

    /// Returns true if somebody has said something, so that their name must stay.
    pub(super) fn has_spoken(&self, person: usize) -> bool {
        let Person { texts, amendments, .. } = &self.people[person];
        !texts.is_empty() || !amendments.is_empty()
    }

    pub(super) fn say_text(&mut self, peer: usize, person: usize, number: usize) {
        let Text { room, content, reply, .. } = &self.people[person].texts[number];
        let (room, content, reply) = (room.clone().into(), content.clone(), *reply);
        self.peers[peer].units += cost(content.len());
        let id = Some(format!("{person}.{number}").into());
        self.say(peer, &ClientMessage::Text { room, content: content.into(), id, reply });
    }

    /// Somebody asks for the newest page again and again, and reads as fast as it comes.
    pub(super) fn read_everything(&mut self) {
        for round in 0..300 {
            let reads = |peer: &Peer| {
                let Checker::V2 { checker, .. } = &peer.checker else { return false };
                !peer.is_leaving && peer.stalled_at.is_none() && checker.name().is_some()
            };
            let Some(peer) = self.peers.iter().position(reads) else { return };
            let before = u64::MAX / 2 - round;
            let Peer { checker: Checker::V2 { checker, .. }, .. } = &self.peers[peer] else {
                return;
            };
            if checker.asked_for(HALL, before) || PAGES_MAX <= checker.n_pages() {
                return;
            }
            self.say(peer, &ClientMessage::History { room: HALL.into(), before, limit: 500 });
            self.carry(peer, usize::MAX);
            self.tick();
        }
    }

    /// Somebody asks for a page, if they wait for fewer than `pages_max`.
    pub(super) fn ask_for_page(&mut self, peer: usize, pages_max: usize) {
        self.ask_for_page_of(peer, HALL, pages_max);
    }

    /// Somebody asks for a page of a room, if they wait for fewer than `pages_max`.
    pub(super) fn ask_for_page_of(&mut self, peer: usize, room: &str, pages_max: usize) {
        let last = usize::try_from(self.oracle.room(room).last()).expect("few messages");
        let before = match self.below(3) {
            0 => u64::MAX - self.below(1_000) as u64,
            _ => self.below(last + 3) as u64,
        };
        let limit = [0, 1, 7, 40, 500, 1_000_000][self.below(6)];
        let Peer { checker, refused, is_leaving, .. } = &self.peers[peer];
        let Checker::V2 { checker, .. } = checker else { return };
        let is_clear = checker.name().is_some() && !checker.asked_for(room, before) && !is_leaving;
        let n_waiting = checker.n_pages() + checker.n_doubtful_pages();
        if is_clear && n_waiting.saturating_sub(*refused) < pages_max {
            self.peers[peer].units += REQUEST_COST;
            self.say(peer, &ClientMessage::History { room: room.into(), before, limit });
        }
    }

    pub(super) fn ping(&mut self, peer: usize) {
        let Peer { checker: Checker::V2 { checker, .. }, is_leaving, .. } = &self.peers[peer]
        else {
            return;
        };
        if checker.name().is_some() && !is_leaving {
            self.say(peer, &ClientMessage::Ping);
        }
    }

    pub(super) fn pong(&mut self, peer: usize) {
        // Of protocol 1, whose peers know no such thing, too many of them would end a witness.
        if N_WITNESSES <= peer && !self.peers[peer].is_leaving {
            self.say(peer, &ClientMessage::Pong);
        }
    }
}

/// Reads an id of the simulation's: whose it is, and of what.
pub(super) fn read_id(id: &str) -> Option<(usize, &str)> {
    let (who, number) = id.split_once('.')?;
    Some((who.parse().ok()?, number))
}
