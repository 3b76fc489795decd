//! The events of the client, printed in order, and the state that says how far that was.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind, Write},
    os::fd::AsFd,
    time::Instant,
};

use pychat_wire::client::{Event, RoomId};

use super::{Order, backlog::Backlog};
use crate::{
    failure::Failure,
    finding::{Finder, Means},
    private_file,
    records::Record,
    rooms::name_of,
    session::{Others, Session},
};

/// The most that is kept of what is said while older messages are fetched, in bytes. Beyond that, no more
/// of those are waited for.
const HELD_BYTES_MAX: usize = 16 << 20;

/// The program at work.
#[derive(Debug)]
pub(super) struct Following {
    session: Session,
    order: Order,
    /// The rooms that are still looked for.
    finders: Vec<Finder>,
    /// The rooms that are followed; all while no names were given.
    rooms: BTreeSet<RoomId>,
    backlog: Backlog,
    /// True once the rooms were found, and asked for what was said before.
    has_begun: bool,
    /// The lines that are to be printed.
    lines: String,
}

impl Following {
    pub(super) fn new(session: Session, order: Order) -> Self {
        let means = Means { joins: order.joins, begins_talks: order.joins };
        let finders = order.rooms.iter().map(|room| Finder::new(room.clone(), means)).collect();
        let backlog = Backlog::new(order.wanted);
        let (rooms, has_begun, lines) = (BTreeSet::new(), false, String::new());
        Self { session, order, finders, rooms, backlog, has_begun, lines }
    }

    /// Follows until it is told to stop.
    pub(super) fn run(mut self) -> Result<(), Failure> {
        let outcome = self.follow();
        self.session.finish();
        outcome
    }

    fn follow(&mut self) -> Result<(), Failure> {
        let stdout = io::stdout();
        loop {
            while let Some(event) = self.session.next_event()? {
                self.on_event(event)?;
            }
            if !self.print()? {
                return Ok(());
            }
            if !self.order.follows && self.is_complete() {
                return Ok(());
            }
            self.watch_the_time();
            let output = Some(stdout.as_fd());
            let woken = self.session.wait(Others { output, ..Others::default() })?;
            if woken.is_stopped || woken.is_output_closed {
                return Ok(());
            }
        }
    }

    fn on_event(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Joined { .. } => return self.find(None),
            Event::Message(message) => self.add(&message.room, &Record::Message(&message)),
            Event::Amended(amended) => self.add(&amended.room, &Record::Amended(&amended)),
            Event::RoomEvent(record) => self.add(&record.room, &Record::Event(&record)),
            Event::Gap { room, from, to } => self.add(&room, &Record::Gap { from, to }),
            Event::RoomGone { room } => {
                self.backlog.forget(&room);
                self.add(&room, &Record::Gone);
            }
            Event::NewEpoch => self.backlog.forget_all(),
            Event::Page(page) => {
                self.backlog.on_page(&mut self.session.client, page);
            }
            event => return self.find(Some(&event)),
        }
        Ok(())
    }

    /// Looks for the rooms that were named, one after another, and begins once they are found.
    fn find(&mut self, mut event: Option<&Event>) -> Result<(), Failure> {
        while let Some(finder) = self.finders.first_mut() {
            let client = &mut self.session.client;
            let found = match event.take() {
                Some(event) => finder.on_event(client, event)?,
                None => finder.begin(client)?,
            };
            let Some(room) = found else { return Ok(()) };
            self.rooms.insert(room);
            self.finders.remove(0);
        }
        if !self.has_begun && self.session.client.is_joined() {
            self.has_begun = true;
            self.begin();
        }
        Ok(())
    }

    /// Asks for what was said before in rooms of which nothing was known.
    fn begin(&mut self) {
        for room in self.session.client.rooms() {
            if self.is_followed(&room.id) {
                self.backlog.ask(&mut self.session.client, &room.id);
            }
        }
    }

    fn is_followed(&self, room: &RoomId) -> bool {
        self.order.rooms.is_empty() || self.rooms.contains(room)
    }

    /// Adds a line, unless the room is not followed.
    fn add(&mut self, room: &RoomId, record: &Record<'_>) {
        if self.is_followed(room) {
            let line = self.line(room, record);
            self.lines += &line;
        }
    }

    fn line(&self, room: &RoomId, record: &Record<'_>) -> String {
        let name = self.session.client.room(room).map(|room| name_of(&room)).unwrap_or_default();
        record.line(self.order.format, room.as_str(), &name)
    }

    /// Prints what there is, and then files how far that was; but nothing while something that comes
    /// before it is on its way. Returns false if nobody reads it.
    fn print(&mut self) -> Result<bool, Failure> {
        if !self.has_begun {
            return Ok(true);
        }
        if HELD_BYTES_MAX < self.lines.len() {
            self.backlog.forget_all();
        }
        if self.backlog.is_waiting() {
            return Ok(true);
        }
        let found = self.backlog.take();
        let mut lines: String =
            found.iter().map(|found| self.line(found.room(), &found.record())).collect();
        lines += &std::mem::take(&mut self.lines);
        let mut stdout = io::stdout().lock();
        match stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => self.save().map(|()| true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::Refused(format!("standard output: {error}"))),
        }
    }

    fn save(&mut self) -> Result<(), Failure> {
        let Some(path) = &self.order.state else { return Ok(()) };
        let Some(saved) = self.session.client.take_saved() else { return Ok(()) };
        let json = serde_json::to_vec(&saved.without_key()).unwrap_or_default();
        let failed = |error| Failure::Refused(format!("{}: {error}", path.display()));
        private_file::replace(path, &json).map_err(failed)
    }

    /// Returns true if everything is printed that was said before we came.
    fn is_complete(&self) -> bool {
        let client = &self.session.client;
        let is_printed = |room: &RoomId| client.welcomed_at(room) <= client.saved().seq(room);
        let is_done = self.has_begun && client.is_joined() && !self.backlog.is_waiting();
        is_done
            && client.rooms().iter().all(|room| !self.is_followed(&room.id) || is_printed(&room.id))
    }

    /// Gives up in time, while we are not let in.
    fn watch_the_time(&mut self) {
        let Some(timeout) = self.order.timeout else { return };
        if self.session.client.is_joined() && self.finders.is_empty() {
            self.session.deadline = None;
        } else {
            self.session.deadline.get_or_insert_with(|| Instant::now() + timeout);
        }
    }
}
