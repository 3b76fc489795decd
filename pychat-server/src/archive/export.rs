//! A room, written into a file: for programs as JSON, for people as HTML.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use pychat_wire::message::RoomKind;

use super::{
    ArchiveError,
    files::{create, failed, is_there, remove_all, rename, sync},
    format::{End, Head, Line},
    html,
    place::Place,
    progress::Progress,
};
use crate::{
    core::{
        id::{HALL, RoomId},
        record::Room,
    },
    store::Source,
};

/// The word for the hall, which has no name.
const HALL_WORD: &str = "hall";

/// An export that is to be made.
#[derive(Debug)]
pub(super) struct Export {
    /// The id of the room, its name, or the word for the hall.
    pub(super) room: String,
    pub(super) format: Format,
    /// The file; standard output if there is none.
    pub(super) output: Option<PathBuf>,
}

/// The format of an export.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Jsonl,
    Html,
}

/// The way in which a room is written.
pub(super) trait Writer {
    fn head(&mut self, out: &mut dyn Write, room: &Room) -> io::Result<()>;
    fn line(&mut self, out: &mut dyn Write, line: &Line<'_>) -> io::Result<()>;
    fn end(&mut self, out: &mut dyn Write, n_lines: u64) -> io::Result<()>;
}

impl Export {
    pub(super) fn run(self, place: &Place, progress: Progress) -> Result<(), ArchiveError> {
        let mut log = place.read()?;
        let log = &mut *log;
        let room = find(log.rooms()?, &self.room)?;
        let Some(output) = &self.output else {
            // What is written to the terminal is itself the progress.
            let bar =
                if io::stdout().is_terminal() { Progress::new(true) } else { progress.part() };
            let path = Path::new("standard output");
            let n_lines = self.write(log, &room, io::stdout().lock(), bar).map_err(of(path))?;
            progress.end(&words(&room, n_lines));
            return Ok(());
        };
        if is_there(output) {
            return Err(ArchiveError::InTheWay(output.clone()));
        }
        let mut name = output.file_name().unwrap_or_default().to_owned();
        name.push(".unfinished");
        let new = output.with_file_name(name);
        remove_all([&*new]); // Left by one that was killed.
        let made = create(&new).and_then(|file: File| {
            let n_lines = self.write(log, &room, file, progress.part()).map_err(of(&new))?;
            sync(&new)?;
            rename(&new, output)?;
            Ok(n_lines)
        });
        if made.is_err() {
            remove_all([&*new]);
        }
        progress.end(&format!("{} It is in {}.", words(&room, made?), output.display()));
        Ok(())
    }

    /// Writes the room; returns the number of messages and events.
    fn write(
        &self,
        log: &mut dyn Source,
        room: &Room,
        out: impl Write,
        mut progress: Progress,
    ) -> Result<u64, WriteError> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        let mut writer: Box<dyn Writer> = match self.format {
            Format::Jsonl => Box::new(Jsonl),
            Format::Html => Box::new(html::Page::default()),
        };
        let (first, last) = log.ends(room.id)?;
        writer.head(&mut out, room)?;
        let (mut n_lines, mut written) = (0, Ok(()));
        log.read(room.id, &mut |entry| {
            progress.show("Exporting", entry.seq - first.min(entry.seq), last - first.min(last));
            if let Some(line) = Line::new(entry) {
                n_lines += 1;
                written = writer.line(&mut out, &line);
            }
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        written?;
        writer.end(&mut out, n_lines)?;
        out.flush()?;
        Ok(n_lines)
    }
}

/// Either end of an export that failed.
#[derive(Debug)]
enum WriteError {
    Log(crate::core::record::StorageError),
    Output(io::Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<crate::core::record::StorageError> for WriteError {
    fn from(error: crate::core::record::StorageError) -> Self {
        Self::Log(error)
    }
}

/// Returns the error of an export into the file at `path`.
fn of(path: &Path) -> impl FnOnce(WriteError) -> ArchiveError {
    |error| match error {
        WriteError::Log(error) => error.into(),
        WriteError::Output(error) => failed(path)(error),
    }
}

/// Returns the room that somebody calls so.
fn find(rooms: Vec<Room>, word: &str) -> Result<Room, ArchiveError> {
    let is_hall = word == HALL_WORD || word.is_empty();
    let id = if is_hall { Some(HALL) } else { RoomId::of_wire(word) };
    if id == Some(HALL) {
        return Ok(hall());
    }
    let refused = |words: String| Err(ArchiveError::Refused(words));
    let (by_id, named): (Vec<_>, Vec<_>) = rooms
        .into_iter()
        .filter(|room| Some(room.id) == id || room.name == word)
        .partition(|room| Some(room.id) == id);
    let mut found = if by_id.is_empty() { named } else { by_id };
    let Some(room) = found.pop() else {
        return refused(format!("there is no room {word}"));
    };
    if !found.is_empty() {
        let ids = found.iter().map(|room| room.id).chain([room.id]);
        let ids: Vec<_> = ids.map(|id| id.to_string()).collect();
        return refused(format!("several rooms are called {word}: say {}", ids.join(" or ")));
    }
    if room.kind == RoomKind::Direct {
        return refused(format!("{word} is a direct room, which is exported by nobody"));
    }
    Ok(room)
}

fn hall() -> Room {
    let (name, topic, members) = (String::new(), String::new(), Vec::new());
    Room { id: HALL, kind: RoomKind::Hall, name, topic, maker: None, members }
}

/// Returns what was exported, in words.
fn words(room: &Room, n_lines: u64) -> String {
    let name = if room.id == HALL { "the hall" } else { &room.name };
    let lines = if n_lines == 1 { "message or event" } else { "messages and events" };
    format!("Exported {n_lines} {lines} of {name}.")
}

/// Lines of JSON.
#[derive(Debug)]
struct Jsonl;

impl Jsonl {
    fn put(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut *out, value)?;
        out.write_all(b"\n")
    }
}

impl Writer for Jsonl {
    fn head(&mut self, out: &mut dyn Write, room: &Room) -> io::Result<()> {
        Self::put(out, &Head::new(room))
    }

    fn line(&mut self, out: &mut dyn Write, line: &Line<'_>) -> io::Result<()> {
        Self::put(out, line)
    }

    fn end(&mut self, out: &mut dyn Write, n_lines: u64) -> io::Result<()> {
        Self::put(out, &End { end: n_lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_found_by_its_id_or_by_a_name_that_no_other_has() {
        let room = |number, kind, name: &str| Room {
            id: RoomId(number),
            kind,
            name: name.to_owned(),
            ..hall()
        };
        let rooms = || {
            vec![
                room(1, RoomKind::Open, "tea"),
                room(2, RoomKind::Closed, "tea"),
                room(3, RoomKind::Open, "r1"),
                room(4, RoomKind::Direct, ""),
                room(5, RoomKind::Closed, "board"),
            ]
        };
        for (word, found) in [("hall", 0), ("", 0), ("r1", 1), ("r3", 3), ("board", 5)] {
            assert_eq!(find(rooms(), word).unwrap().id, RoomId(found), "{word}");
        }
        for (word, complaint) in [
            ("tea", "several rooms are called tea: say r1 or r2"),
            ("r4", "r4 is a direct room, which is exported by nobody"),
            ("r9", "there is no room r9"),
        ] {
            assert_eq!(find(rooms(), word).unwrap_err().to_string(), complaint);
        }
    }
}
