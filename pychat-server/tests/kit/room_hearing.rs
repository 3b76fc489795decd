//! One room, as somebody in it hears it over one connection.

use pychat_wire::message::HALL;

use super::{Oracle, claims::Claim, heard::Heard};

/// A number that no room comes to.
pub(crate) const BEYOND: u64 = 1 << 40;

/// The place in a room up to which one connection has heard it.
#[derive(Debug)]
pub(crate) struct RoomHearing {
    room: String,
    /// As whom it hears it.
    name: String,
    /// The number that must come next is the one after this.
    after: u64,
    /// It has heard all that it missed: nothing but pages is replayed.
    is_live: bool,
    /// Nothing of the room was heard yet.
    is_fresh: bool,
    /// The resumption that its hello asked for, if any.
    resume: Option<Resumption>,
    /// The number up to which records are left out at least, if it wants no more than so many.
    skips_to: Option<u64>,
    /// The last number of the room that it was told of when it began.
    last_told: u64,
    /// The greatest mark that it was told of.
    read: u64,
}

/// The part of a hello that asks to resume a room.
#[derive(Clone, Debug)]
pub(crate) struct Resumption {
    pub(crate) epoch: String,
    pub(crate) after: u64,
    /// The most records that it wants.
    pub(crate) limit: Option<u64>,
}

impl RoomHearing {
    /// Returns how somebody called `name` hears a room whose last number is `last`, from now on or
    /// from where they left off.
    pub(crate) fn new(
        room: &str,
        name: &str,
        last: u64,
        resume: Option<Resumption>,
        oracle: &Oracle,
    ) -> Self {
        let limit = resume.as_ref().and_then(|resume| resume.limit);
        Self {
            room: room.to_owned(),
            name: name.to_owned(),
            after: match &resume {
                None => last,
                Some(resume) if oracle.is_epoch(&resume.epoch) => resume.after.min(last),
                Some(_) => 0,
            },
            is_live: resume.is_none(),
            is_fresh: true,
            skips_to: limit.map(|limit| last.saturating_sub(limit)),
            resume,
            last_told: last,
            read: 0,
        }
    }

    /// Hears a record that is not part of a page: it is the next in the room's order. Returns false if
    /// it can only be part of one.
    pub(crate) fn place(&mut self, seq: u64, is_replay: bool, oracle: &mut Oracle) -> bool {
        if is_replay && (self.is_live || seq != self.after + 1) {
            assert!(seq <= self.after, "a page is ahead of the talk");
            return false;
        }
        assert_eq!(seq, self.after + 1, "replayed: {is_replay}, in {:?}", self.room);
        (self.is_live, self.after, self.is_fresh) = (!is_replay, seq, false);
        if self.is_live && self.room != HALL {
            let (room, name) = (self.room.clone(), self.name.clone());
            oracle.note(Claim::Heard { room, name, from: seq, to: seq });
        }
        true
    }

    /// Checks that all is skipped but the last records, as many as were asked for, or fewer where
    /// they are long.
    pub(crate) fn skip(&mut self, from: u64, to: u64) {
        let least = self.skips_to.take().expect("it asked for no more than so many, once");
        assert!(!self.is_live && from == self.after + 1 && from <= to && least <= to);
        (self.after, self.is_fresh) = (to, false);
    }

    /// Checks that what is not to be had comes next, while nothing is live.
    pub(crate) fn leave_out(&mut self, from: u64, to: u64, oracle: &Oracle) -> Heard {
        let room = self.room.clone();
        match self.resume.take_if(|_| self.is_fresh) {
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
        (self.after, self.is_fresh) = (to, false);
        Heard::Forgotten { room, to }
    }

    /// Hears how far its person has seen the room, which is never less than before.
    pub(crate) fn mark(&mut self, read: u64) {
        assert!(self.read <= read, "{:?} was seen up to {}, then {read}", self.room, self.read);
        self.read = read;
    }

    /// Hears that the room has changed, when `last` was its last number.
    pub(crate) fn update(&self, last: u64) {
        assert!(self.after <= last, "{:?} has {}, the last is {last}", self.room, self.after);
    }

    /// Returns the last number that it has, with all before it that it asked for.
    pub(crate) fn after(&self) -> u64 {
        self.after
    }

    /// Returns the last number of which it knows that it was said.
    pub(crate) fn known(&self) -> u64 {
        self.after.max(self.last_told)
    }

    /// Returns true if it is being told what it missed.
    pub(crate) fn is_behind(&self) -> bool {
        !self.is_live
    }
}
