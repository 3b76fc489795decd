//! The records that somebody was shown, room by room.

use std::collections::BTreeMap;

use pychat_wire::client::{Amended, Message, Page, RoomId, RoomRecord};

/// One thing on somebody's screen.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Message(Message),
    Event(RoomRecord),
    Amended(Amended),
    Gap {
        from: u64,
        to: u64,
    },
    /// Numbers that a page left out.
    LeftOut {
        from: u64,
        to: u64,
    },
}

impl Shown {
    /// Returns the first and the last number that it stands for.
    pub(crate) fn range(&self) -> (u64, u64) {
        match self {
            Self::Message(message) => {
                let seq = message.seq.expect("protocol 2 has numbers");
                (seq, seq)
            }
            Self::Event(record) => (record.seq, record.seq),
            Self::Amended(amended) => (amended.seq, amended.seq),
            Self::Gap { from, to } | Self::LeftOut { from, to } => (*from, *to),
        }
    }
}

/// The things that were shown of a room without a break.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The log that they belong to.
    pub(crate) epoch: usize,
    /// The number after which it began, if that was told.
    pub(crate) after: Option<u64>,
    pub(crate) shown: Vec<Shown>,
    /// Nothing more may come: the room was left, or its log was lost.
    pub(crate) is_over: bool,
    /// It ends with a page, which may have left out what follows.
    pub(crate) ends_with_page: bool,
}

impl Run {
    /// Returns the last number that was shown, or that it begins after.
    pub(crate) fn last(&self) -> Option<u64> {
        self.shown.last().map(|shown| shown.range().1).or(self.after)
    }
}

/// All that somebody was shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Screen {
    pub(crate) rooms: BTreeMap<RoomId, Vec<Run>>,
}

impl Screen {
    /// Begins with what comes after a number of a room, if that is known.
    pub(crate) fn begin(&mut self, room: &RoomId, epoch: usize, after: Option<u64>) {
        let (shown, is_over, ends_with_page) = (Vec::new(), false, false);
        let run = Run { epoch, after, shown, is_over, ends_with_page };
        self.rooms.entry(room.clone()).or_default().push(run);
    }

    /// Returns true if more of a room may come.
    pub(crate) fn has(&self, room: &RoomId) -> bool {
        let runs = self.rooms.get(room);
        runs.and_then(|runs| runs.last()).is_some_and(|run| !run.is_over)
    }

    /// Shows the next thing of a room in a log.
    pub(crate) fn show(&mut self, room: &RoomId, epoch: usize, shown: Shown) {
        if !self.has(room) || self.rooms[room].last().is_some_and(|run| run.epoch != epoch) {
            // A bot is shown everything of the hall; of any other room that it was not in, the next.
            self.begin(room, epoch, None);
        }
        let run = self.rooms.get_mut(room).and_then(|runs| runs.last_mut()).expect("it has begun");
        if std::mem::take(&mut run.ends_with_page) {
            fill(&mut run.shown, shown.range().0);
        }
        run.shown.push(shown);
    }

    /// Shows the next amendment of a room in a log, and what it makes of its message.
    pub(crate) fn amend(&mut self, epoch: usize, amended: &Amended) {
        let room = &amended.room;
        self.show(room, epoch, Shown::Amended(amended.clone()));
        let run = self.rooms.get_mut(room).and_then(|runs| runs.last_mut()).expect("it has begun");
        for shown in &mut run.shown {
            if let Shown::Message(message) = shown {
                message.amend(amended);
            }
        }
    }

    /// Nothing more comes of a room.
    pub(crate) fn end(&mut self, room: &RoomId) {
        if let Some(run) = self.rooms.get_mut(room).and_then(|runs| runs.last_mut()) {
            run.is_over = true;
        }
    }

    /// Shows a page. What was forgotten while it was sent may be missing from it, or after it.
    pub(crate) fn show_page(&mut self, epoch: usize, page: Page) {
        let Page { room, messages, events, .. } = page;
        let messages = messages.into_iter().map(Shown::Message);
        let mut older: Vec<_> = messages.chain(events.into_iter().map(Shown::Event)).collect();
        older.sort_by_key(Shown::range);
        if older.is_empty() {
            return;
        }
        if !self.has(&room) {
            self.begin(&room, epoch, None);
        }
        let run = self.rooms.get_mut(&room).and_then(|runs| runs.last_mut()).expect("it has begun");
        assert_eq!(run.epoch, epoch, "a page of another log");
        let next = run.shown.first().map(|shown| shown.range().0).or(run.after.map(|it| it + 1));
        let newer = std::mem::take(&mut run.shown);
        for shown in older {
            fill(&mut run.shown, shown.range().0);
            run.shown.push(shown);
        }
        match next {
            Some(next) => fill(&mut run.shown, next),
            None => run.ends_with_page = true,
        }
        run.shown.extend(newer);
        run.after = None;
    }
}

/// Shows that something was left out before number `next`, if that is so.
fn fill(shown: &mut Vec<Shown>, next: u64) {
    if let Some(from) = shown.last().map(|last| last.range().1 + 1)
        && from < next
    {
        shown.push(Shown::LeftOut { from, to: next - 1 });
    }
}
