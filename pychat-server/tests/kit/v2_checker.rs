//! The checker of protocol 2: what somebody hears over one connection, and what it must be.

use std::{collections::BTreeSet, mem};

use pychat_wire::{
    ClientMessage, Decoder, ServerMessage,
    key::{Challenge, Nonce, PairCode},
    message::{ErrorCode, HALL, Reason},
    name::SERVER,
    notice::Notice,
};

use super::{
    Oracle,
    pages::Pages,
    story::{self, Change, Difference, Hearing},
};

/// A number that no room comes to.
pub(crate) const BEYOND: u64 = 1 << 40;

/// One connection's hearing.
#[derive(Debug)]
pub(crate) struct V2Checker {
    decoder: Decoder,
    /// Of what the peer says, where that is seen as bytes.
    said: Decoder,
    /// The resumption that its hello asked for, if any.
    resume: Option<Resumption>,
    /// The last number that anybody had heard when it said hello.
    known: u64,
    name: Option<String>,
    /// The names of those who were present when it was welcomed.
    members: BTreeSet<String>,
    /// The number that must come next is the one after this.
    after: u64,
    /// It has heard all that it missed: nothing but pages is replayed.
    is_live: bool,
    /// The number of times that it has resumed: then messages do not stand between the same comings
    /// and goings as elsewhere.
    n_resumed: usize,
    /// The number of times that it was told that something is not kept any more, or not sent.
    n_gaps: usize,
    /// The number up to which messages are left out at least, if it wants no more than so many.
    skips_to: Option<u64>,
    /// The number of pings that have not been answered.
    n_pings: usize,
    pages: Pages,
    present: BTreeSet<String>,
    story: Vec<Event>,
    is_over: bool,
    /// The nonce that it was greeted with.
    nonce: Option<Nonce>,
}

/// The part of a hello that asks to resume.
#[derive(Clone, Debug)]
struct Resumption {
    epoch: String,
    after: u64,
    /// The most messages that it wants.
    limit: Option<u64>,
}

/// An event that everybody in the room is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    Message(u64),
    Joined(String, u64),
    Left(String, u64, Reason),
}

impl story::Event for Event {
    fn change(&self) -> Change<'_> {
        match self {
            Self::Message(_) => Change::Nobody,
            Self::Joined(name, _) => Change::Joined(name),
            Self::Left(name, ..) => Change::Left(name),
        }
    }
}

/// The things that the holder of this line should know of.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A sentence of protocol 1.
    Told(String),
    Greeting,
    Welcome {
        /// The number of bytes that were heard after it.
        rest: usize,
    },
    /// Its person's own copy of a text, said by this connection or another.
    Own {
        id: String,
        seq: u64,
        dup: bool,
    },
    /// Everything up to here is not kept any more.
    Forgotten {
        to: u64,
    },
    /// More was missed than it wants.
    Skipped,
    /// The number that it said it had is of another epoch, or is not there yet.
    Elsewhere {
        to: u64,
    },
    Page {
        start: bool,
    },
    Left {
        reason: Reason,
    },
    Error {
        code: ErrorCode,
        suggest: Option<String>,
        retry_ms: Option<u64>,
    },
    PairCode {
        code: PairCode,
    },
    Ping,
    Pong,
    Bye {
        reason: Reason,
    },
}

impl V2Checker {
    /// Returns the hearing of a line on which nothing has been heard, of a server that `forgets`.
    pub(crate) fn new(forgets: bool) -> Self {
        Self {
            decoder: Decoder::new(usize::MAX),
            said: Decoder::new(usize::MAX),
            resume: None,
            known: 0,
            name: None,
            members: BTreeSet::new(),
            after: 0,
            is_live: true,
            n_resumed: 0,
            n_gaps: 0,
            skips_to: None,
            n_pings: 0,
            pages: Pages::new(forgets),
            present: BTreeSet::new(),
            story: Vec::new(),
            is_over: false,
            nonce: None,
        }
    }

    /// The peer says `message`. It asks for one page before a number at a time.
    pub(crate) fn says(&mut self, message: &ClientMessage<'_>, oracle: &mut Oracle) {
        match message {
            ClientMessage::Hello(hello) => {
                self.known = oracle.last();
                self.resume = hello.resume.as_ref().map(|resume| Resumption {
                    epoch: resume.epoch.to_string(),
                    after: resume
                        .rooms
                        .0
                        .iter()
                        .find(|(room, _)| room == HALL)
                        .map_or(0, |it| it.1),
                    limit: resume.limit,
                });
            }
            ClientMessage::Text { content, .. } => oracle.say(content),
            ClientMessage::History { before, limit, .. } => {
                self.pages.ask(*before, *limit, self.after);
            }
            ClientMessage::Ping => self.n_pings += 1,
            _ => (), // What is heard by others is not changed by it.
        }
    }

    /// The peer writes `bytes`, which are frames that mean something, cut anywhere.
    pub(crate) fn writes(&mut self, mut bytes: &[u8], oracle: &mut Oracle) {
        let mut said = mem::take(&mut self.said);
        while let Some(payload) = said.next_payload(&mut bytes).expect("clients write frames") {
            self.says(&ClientMessage::parse(payload).expect("with a meaning"), oracle);
        }
        self.said = said;
    }

    /// Hears `bytes`, of which every frame must be whole and fit all that was heard before; returns
    /// what comes of it.
    pub(crate) fn listen(&mut self, mut bytes: &[u8], oracle: &mut Oracle) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut decoder = mem::replace(&mut self.decoder, Decoder::new(0));
        while let Some(payload) = decoder.next_payload(&mut bytes).expect("no torn frame") {
            assert!(!self.is_over, "after bye: {}", String::from_utf8_lossy(payload));
            let message = ServerMessage::parse(payload).expect("no torn payload");
            heard.extend(self.hear(message, bytes.len(), oracle));
        }
        self.decoder = decoder;
        heard
    }

    /// Hears one message, after which `rest` bytes follow.
    fn hear(
        &mut self,
        message: ServerMessage<'_>,
        rest: usize,
        oracle: &mut Oracle,
    ) -> Option<Heard> {
        match message {
            ServerMessage::Greeting { content, epoch, nonce, .. } => {
                self.nonce = Some(nonce);
                assert!(self.name.is_none() && content == Notice::Greeting.to_string());
                oracle.check_epoch(&epoch);
                Some(Heard::Greeting)
            }
            ServerMessage::Message { username, content } => {
                assert!(self.name.is_none() && username == SERVER, "{username}: {content}");
                Some(Heard::Told(content.into_owned()))
            }
            ServerMessage::Welcome { username, epoch, members, rooms, .. } => {
                let hall = rooms.0.first().filter(|room| room.room == HALL);
                let seq = hall.expect("the hall is the first room").last;
                assert!(self.name.is_none(), "a second welcome");
                oracle.check_epoch(&epoch);
                oracle.check_last(seq, self.known);
                self.present = members.names().into_iter().collect();
                assert!(self.present.contains(&*username), "who is welcomed is present");
                assert_eq!(self.present.len(), members.names().len(), "each once");
                self.members.clone_from(&self.present);
                self.name = Some(username.into_owned());
                self.is_live = self.resume.is_none();
                self.n_resumed += usize::from(self.resume.is_some());
                let limit = self.resume.as_ref().and_then(|resume| resume.limit);
                self.skips_to = limit.map(|limit| seq.saturating_sub(limit));
                self.after = match &self.resume {
                    None => seq,
                    Some(resume) if oracle.is_epoch(&resume.epoch) => resume.after.min(seq),
                    Some(_) => 0,
                };
                Some(Heard::Welcome { rest })
            }
            ServerMessage::Record { room: _, seq, time, username, content, id, dup, replay } => {
                oracle.check(seq, time, &username, &content);
                assert!(id.is_none() || self.name() == Some(&*username), "somebody else's id");
                if !dup {
                    self.place(seq, replay);
                }
                assert!(!dup || (id.is_some() && !replay), "a dup answers a text");
                id.map(|id| Heard::Own { id: id.into_owned(), seq, dup })
            }
            ServerMessage::Gap { from, to, .. } => Some(self.on_gap(from, to, oracle)),
            ServerMessage::Skip { from, to, .. } => Some(self.on_skip(from, to)),
            ServerMessage::Page { before, count, start, .. } => {
                self.pages.end(before, count, start, oracle);
                Some(Heard::Page { start })
            }
            ServerMessage::Joined { username, time } => {
                assert!(self.present.insert(username.clone().into_owned()), "{username} is there");
                self.story.push(Event::Joined(username.into_owned(), time));
                None
            }
            ServerMessage::Left { username, time, reason } => {
                assert!(self.present.remove(&*username), "{username} leaves, not being there");
                self.story.push(Event::Left(username.into_owned(), time, reason));
                Some(Heard::Left { reason })
            }
            ServerMessage::Error { code, suggest, retry_ms, .. } => {
                Some(Heard::Error { code, suggest: suggest.map(Into::into), retry_ms })
            }
            ServerMessage::PairCode { code, .. } => Some(Heard::PairCode { code }),
            ServerMessage::DeviceAdded { .. }
            | ServerMessage::Devices { .. }
            | ServerMessage::InviteLink { .. }
            | ServerMessage::Invites { .. }
            | ServerMessage::Operator { .. }
            | ServerMessage::Done { .. }
            | ServerMessage::Bans { .. }
            | ServerMessage::Notice { .. } => None,
            ServerMessage::Room(_)
            | ServerMessage::RoomGone { .. }
            | ServerMessage::Rooms { .. }
            | ServerMessage::Members { .. }
            | ServerMessage::Event { .. }
            | ServerMessage::UnknownRecord { .. }
            | ServerMessage::Typing { .. } => panic!("nobody asked for rooms"),
            ServerMessage::Read { room, seq } => {
                assert!(room == HALL && seq <= oracle.last(), "{seq} was seen by nobody");
                None
            }
            ServerMessage::Ping => Some(Heard::Ping),
            ServerMessage::Pong => {
                self.n_pings = self.n_pings.checked_sub(1).expect("a ping before its pong");
                Some(Heard::Pong)
            }
            ServerMessage::Bye { reason, .. } => {
                self.is_over = true;
                Some(Heard::Bye { reason })
            }
        }
    }

    /// A message is the next in the room's order, or one of a page.
    fn place(&mut self, seq: u64, replay: bool) {
        assert!(self.name.is_some(), "a guest hears number {seq}");
        if replay && (self.is_live || seq != self.after + 1) {
            assert!(0 < self.pages.len(), "{seq} is replayed, {} was heard", self.after);
            assert!(seq <= self.after, "a page is ahead of the talk");
            self.pages.hear(seq);
            return;
        }
        assert_eq!(seq, self.after + 1, "replayed: {replay}");
        self.is_live = !replay;
        self.after = seq;
        self.story.push(Event::Message(seq));
    }

    /// Checks that all is skipped but the last messages, as many as were asked for, or fewer where
    /// they are long.
    fn on_skip(&mut self, from: u64, to: u64) -> Heard {
        let least = self.skips_to.take().expect("it asked for no more than so many, once");
        assert!(!self.is_live && from == self.after + 1 && from <= to && least <= to);
        self.after = to;
        self.n_gaps += 1;
        Heard::Skipped
    }

    fn on_gap(&mut self, from: u64, to: u64, oracle: &Oracle) -> Heard {
        match self.resume.take_if(|_| self.story.is_empty()) {
            Some(Resumption { epoch, after, .. }) if !oracle.is_epoch(&epoch) && after == to => {
                assert_eq!(from, 1, "all of another epoch is gone");
                return Heard::Elsewhere { to };
            }
            Some(Resumption { epoch, after, .. }) if oracle.is_epoch(&epoch) && BEYOND <= to => {
                assert_eq!((from, to), (self.after + 1, after));
                return Heard::Elsewhere { to };
            }
            resume => self.resume = resume,
        }
        assert!(!self.is_live && from == self.after + 1 && from <= to, "a gap in the talk");
        self.after = to;
        self.n_gaps += 1;
        Heard::Forgotten { to }
    }

    /// Returns what its hello must sign, once it was greeted.
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        self.nonce.map(|nonce| Challenge { nonce, ..Challenge::default() })
    }

    /// Returns as whom this peer was welcomed.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the last number that it has, with all before it that it asked for.
    pub(crate) fn after(&self) -> u64 {
        self.after
    }

    /// Returns true if it is being told what it missed.
    pub(crate) fn is_behind(&self) -> bool {
        !self.is_live
    }

    /// Returns true if it waits for the page before `before`.
    pub(crate) fn asked_for(&self, before: u64) -> bool {
        self.pages.are_asked_before(before)
    }

    /// Returns how many pages it waits for.
    pub(crate) fn n_pages(&self) -> usize {
        self.pages.len()
    }

    /// Returns how often it was told that something is not kept any more, or not sent.
    pub(crate) fn n_gaps(&self) -> usize {
        self.n_gaps
    }

    /// Returns who is in the room, as far as it has heard.
    pub(crate) fn present(&self) -> &BTreeSet<String> {
        &self.present
    }

    /// Returns what everybody was told since it joined.
    pub(crate) fn story(&self) -> &[Event] {
        &self.story
    }

    /// Returns how much of a frame was heard whose rest is missing, in bytes.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.decoder.pending_bytes()
    }

    /// Checks that what it heard follows from what `witness` heard after `since` events. If it has
    /// resumed, it may hear texts later than `witness`, but comings and goings in the same order.
    pub(crate) fn check_against(&self, witness: &Self, since: usize) -> Difference {
        let Some(name) = &self.name else { return Difference::default() };
        let counts = |event: &&Event| self.n_resumed == 0 || !matches!(event, Event::Message(_));
        let mut present = witness.members.iter().map(|name| &**name).collect();
        let (before, after) = witness.story.split_at(since);
        for event in before {
            story::Event::change(event).apply(&mut present);
        }
        let events: Vec<_> = self.story.iter().filter(counts).collect();
        let hearing = Hearing { name, members: &self.members, events: &events, is_whole: false };
        let theirs: Vec<_> = after.iter().filter(counts).collect();
        story::follow(&hearing, present, &theirs).unwrap_or_else(|| {
            panic!("{name} heard what the witness did not: {hearing:?} of {theirs:?}")
        })
    }
}
