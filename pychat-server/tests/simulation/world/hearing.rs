//! The messages that everybody hears, and what becomes of them.

use std::mem;

use pychat_wire::{
    ClientMessage,
    message::{ErrorCode, HALL, Reason, RoomKind},
    notice::Notice,
};

use super::{Checker, Manner, Peer, Pulse, Welcome, World, people::read_id, trouble::NONSENSE_MAX};
use crate::{
    kit::v2_checker::{BEYOND, Heard},
    world::fault::Fault,
};

/// The beginning of the last sentence that is said to a peer that said too much nonsense.
const TOO_MUCH: &str = "Not understood 16 times";

impl World<'_> {
    /// Hears what the server has written to one peer; returns how much that is, in bytes, but for its
    /// welcome and what came before that.
    pub(super) fn listen(&mut self, peer: usize) -> usize {
        let bytes = self.peers[peer].line.take_heard();
        let mut owed = bytes.len();
        if let Checker::V2 { checker, person } = &mut self.peers[peer].checker {
            let person = *person;
            let heard = checker.listen(&bytes, &mut self.oracle);
            let rooms = checker.rooms().iter();
            let after = rooms.map(|(room, hearing)| (room.clone(), hearing.after())).collect();
            if checker.name().is_some() && self.people[person].newest == self.peers[peer].number {
                self.people[person].after = after;
            }
            for heard in heard {
                if let Heard::Welcome { rest, .. } = heard {
                    owed = rest;
                }
                self.on_heard(peer, person, heard);
            }
        } else if let Some(rest) = self.listen_to_sentences(peer, &bytes) {
            owed = rest;
        }
        if peer == 0 {
            self.witnessed += bytes.len();
        }
        owed
    }

    fn listen_to_sentences(&mut self, peer: usize, bytes: &[u8]) -> Option<usize> {
        let peer = &mut self.peers[peer];
        let Peer { checker, welcome, is_received, is_leaving, is_harmed, bad, .. } = peer;
        let Checker::V1(checker) = checker else { return None };
        let fired = &self.fired;
        checker.listen(bytes, |notice| {
            if !mem::replace(is_received, true) {
                assert_eq!(*welcome, received(notice), "{notice:?}");
                return;
            }
            match notice {
                Notice::Welcome { name, .. } if name.ends_with(')') => fired.note(Fault::NameTaken),
                Notice::Other(text) if text.starts_with("No username") => {
                    *is_leaving = true;
                    fired.note(Fault::GuestTimedOut);
                }
                Notice::Other(text) if text.starts_with(TOO_MUCH) => {
                    assert!(*is_leaving || NONSENSE_MAX <= *bad + 1, "{bad} were of no use");
                    *is_harmed |= !*is_leaving;
                    *is_leaving = true;
                }
                Notice::StillWaiting | Notice::Other(_) => *bad += 1,
                _ => (),
            }
        })
    }

    /// Somebody who speaks protocol 2 hears something that they should heed.
    fn on_heard(&mut self, peer: usize, person: usize, heard: Heard) {
        let Peer { welcome, is_received, is_leaving, pulse, bad, .. } = &mut self.peers[peer];
        match heard {
            Heard::Told(text) if !mem::replace(is_received, true) => {
                assert_eq!(*welcome, received(Notice::parse(&text)), "{text}");
            }
            Heard::Told(text) => {
                *is_leaving |= text.starts_with("No username") || text.starts_with(TOO_MUCH);
                *bad += 1;
            }
            Heard::Greeting => {
                assert!(!mem::replace(is_received, true) && *welcome == Welcome::Greeted);
            }
            Heard::Welcome { unread, .. } => {
                if 0 < unread {
                    self.fire(Fault::UnreadTold);
                }
                if mem::replace(&mut self.people[person].is_known, true) {
                    self.fire(Fault::KnownByKey);
                }
                if self.is_elsewhere(peer, person) {
                    self.fire(Fault::JoinedAgain);
                }
                self.resend(peer);
            }
            Heard::Own { room, id, seq, dup } => {
                *bad = 0;
                self.acknowledge(person, &room, &id, seq);
                if dup {
                    let is_amendment = self.oracle.rooms()[&room].is_amendment(seq);
                    self.fire(if is_amendment { Fault::AmendedAlready } else { Fault::Resent });
                }
            }
            Heard::Forgotten { to, .. } => {
                self.forgotten_to = self.forgotten_to.max(to);
                self.fire(Fault::Forgotten);
            }
            Heard::Skipped { .. } => self.fire(Fault::Skipped),
            Heard::Elsewhere { to } if to < BEYOND => self.fire(Fault::OtherEpoch),
            Heard::Elsewhere { .. } => self.fire(Fault::Beyond),
            Heard::Page { start, .. } => {
                self.fire(if start { Fault::PageAtStart } else { Fault::Page });
            }
            Heard::Left { reason } => self.fire(match reason {
                Reason::Quit => Fault::LeftQuit,
                Reason::Lost => Fault::LeftLost,
                Reason::Slow => Fault::LeftSlow,
                Reason::Protocol => Fault::LeftProtocol,
                Reason::Kicked => return, // For an owner who was away for a year.
                Reason::Removed | Reason::Banned | Reason::Shutdown | Reason::Unknown => {
                    panic!("nobody hears {reason:?}")
                }
            }),
            Heard::Error { code, text, id, suggest, retry_ms } => {
                if code == ErrorCode::NoRoom {
                    self.on_no_room(&text);
                }
                match id {
                    Some(id) => self.on_refused(peer, &id, code, text),
                    None => self.on_error(peer, person, code, suggest, retry_ms),
                }
            }
            Heard::Ping => {
                match pulse {
                    Pulse::Prompt if *is_leaving => (),
                    Pulse::Prompt => {
                        self.say(peer, &ClientMessage::Pong);
                        self.carry(peer, usize::MAX);
                    }
                    Pulse::Mute { is_asked } => *is_asked = true,
                }
                self.fire(Fault::Pinged);
            }
            Heard::Pong => self.fire(Fault::PingedBack),
            Heard::Room { kind: RoomKind::Direct, is_new: false, .. } => {
                self.fire(Fault::DirectFound);
            }
            Heard::Room { .. } => self.fire(Fault::RoomTold),
            Heard::RoomGone { .. } => self.fire(Fault::RoomGone),
            Heard::Event { is_live: false, .. } => self.fire(Fault::EventReplayed),
            Heard::Event { .. } => self.fire(Fault::EventHeard),
            Heard::Amended { is_live: true, .. } => self.fire(Fault::AmendmentHeard),
            Heard::Amended { .. } => self.fire(Fault::AmendmentReplayed),
            Heard::Changed => self.fire(Fault::Changed),
            Heard::Rooms { .. } => self.fire(Fault::RoomsListed),
            Heard::Members { .. } => self.fire(Fault::MembersListed),
            Heard::Read { .. } => self.fire(Fault::ReadElsewhere),
            Heard::Typing { .. } => self.fire(Fault::Typed),
            Heard::PairCode { .. } => panic!("nobody has asked for one"),
            Heard::Found => self.fire(Fault::Found),
            Heard::FoundEnd { is_more: true } => self.fire(Fault::FoundMore),
            Heard::FoundEnd { .. } => self.fire(Fault::FoundEnd),
            Heard::SearchRefused { code, text } => self.on_search_refused(code, &text),
            Heard::Bye { reason } => self.on_bye(peer, reason),
        }
    }

    /// A text has its number. The name may have been somebody else's before, who said the others.
    fn acknowledge(&mut self, person: usize, room: &str, id: &str, seq: u64) {
        let (who, number) = read_id(id).expect("an id of the simulation's");
        if who != person {
            return;
        }
        if let Some(number) = number.strip_prefix('r') {
            let number = number.parse().expect("a number");
            return self.acknowledge_request(person, number, room, seq);
        }
        if let Some(number) = number.strip_prefix('a') {
            let number = number.parse().expect("a number");
            return self.acknowledge_amendment(person, number, room, seq);
        }
        let number: usize = number.parse().expect("a number");
        let text = &mut self.people[person].texts[number];
        assert_eq!(text.room, room, "{id} is in another room");
        let log = &self.oracle.rooms()[room];
        assert_eq!(text.reply, log.message(seq).reply, "{id} answers something else");
        assert!(log.may_say(seq, &text.content), "{id} has other words: {:?}", log.message(seq));
        if text.reply.is_some() {
            self.fired.note(Fault::Replied);
        }
        let had = text.seq.replace(seq).unwrap_or(seq);
        assert!(had == seq || self.forgets(), "{id} was {had} and is {seq}");
        if room != HALL {
            self.fire(Fault::RoomTalk);
        }
    }

    fn on_error(
        &mut self,
        peer: usize,
        person: usize,
        code: ErrorCode,
        suggest: Option<String>,
        retry_ms: Option<u64>,
    ) {
        let Peer { manner, refused, bad, .. } = &mut self.peers[peer];
        *bad += u32::from(code != ErrorCode::SlowDown);
        let fault = match code {
            ErrorCode::NameTaken => {
                *manner = Manner::Unnamed;
                let suggested = suggest.expect("a name that is free");
                let is_newest = self.peers[peer].number == self.people[person].newest;
                if self.below(2) == 0 && is_newest && !self.has_spoken(person) {
                    self.people[person].name = suggested;
                }
                Fault::NameSuggested
            }
            ErrorCode::BadSignature => {
                *manner = Manner::Unnamed;
                Fault::BadSignature
            }
            ErrorCode::NameInvalid => {
                *manner = Manner::Unnamed;
                Fault::NameInvalid
            }
            ErrorCode::SlowDown if retry_ms.is_none() => {
                *refused += 1;
                Fault::TooManyPages
            }
            ErrorCode::SlowDown => Fault::SlowDown,
            ErrorCode::BadPayload => Fault::IdRefused,
            ErrorCode::NoRoom | ErrorCode::Forbidden => {
                self.peers[peer].denied += 1;
                Fault::Denied
            }
            ErrorCode::BadFrame
            | ErrorCode::TooLarge
            | ErrorCode::UnknownType
            | ErrorCode::NotJoined
            | ErrorCode::Timeout => return, // A bye says what comes of it.
            _ => panic!("{code:?}"),
        };
        self.fire(fault);
    }

    /// Returns true if a person has another connection than `peer`, as far as they know.
    fn is_elsewhere(&self, peer: usize, person: usize) -> bool {
        let others = self.peers.iter().filter(|other| other.number != self.peers[peer].number);
        let is_theirs = |other: &Peer| match &other.checker {
            Checker::V2 { checker, person: whose } => *whose == person && checker.name().is_some(),
            Checker::V1(_) => false,
        };
        others.into_iter().any(|other| !other.is_leaving && is_theirs(other))
    }

    fn on_bye(&mut self, peer: usize, reason: Reason) {
        let Peer { is_leaving, is_harmed, bad, .. } = &mut self.peers[peer];
        let was_leaving = mem::replace(is_leaving, true);
        let fault = match reason {
            Reason::Slow => {
                assert!(*is_harmed || was_leaving, "who reads is not slow");
                Fault::ByeSlow
            }
            Reason::Protocol => {
                let is_meant = was_leaving || NONSENSE_MAX <= *bad;
                assert!(is_meant, "who keeps to the protocol is let be");
                *is_harmed |= !was_leaving;
                Fault::ByeProtocol
            }
            Reason::Lost => {
                assert!(self.peers[peer].checker.name().is_none(), "lost, but told so");
                Fault::GuestOfTwoTimedOut
            }
            Reason::Shutdown => Fault::ByeShutdown,
            Reason::Quit | Reason::Kicked | Reason::Removed | Reason::Banned | Reason::Unknown => {
                panic!("bye, {reason:?}")
            }
        };
        self.fire(fault);
    }
}

/// Reads how a caller was received.
fn received(notice: Notice<'_>) -> Welcome {
    match notice {
        Notice::Greeting => Welcome::Greeted,
        Notice::Other(text) if text.starts_with("The chat is full") => Welcome::Full,
        Notice::Other(text) if text.ends_with("in a short time. Bye!\n") => Welcome::TooFast,
        Notice::Other(text) if text.starts_with("Too many connections") => Welcome::TooMany,
        other => panic!("{other:?} comes first"),
    }
}
