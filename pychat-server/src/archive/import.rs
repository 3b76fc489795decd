//! Rooms of elsewhere, taken into the store of a server that does not run: an export of this program,
//! of Slack, or of Mattermost.
//!
//! A source is read once, from its beginning to its end, into a [`Stage`] that puts it in order; then
//! each channel becomes a room, all of it or nothing. Authors are nobody here: their names are shown as
//! they were, and whoever owns such a name now has not said what they said.

mod database;
mod intake;
mod json;
mod mattermost;
mod own;
mod slack;
mod stage;
mod text;

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

use pychat_wire::{
    UserName,
    message::{ROOM_NAME_CHARS_MAX, RoomKind, TOPIC_CHARS_MAX},
};
use rustix::process::geteuid;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use self::{
    database::Outpost,
    intake::{Channel, Intake},
    stage::Stage,
};
use super::{
    ArchiveError, LOG_FILE,
    files::{failed, give_to_owner_of, is_there},
    format::Line,
    progress::{Progress, bytes_words},
    random,
};
use crate::{
    core::{
        id::HALL,
        record::{Kind, PersonId, Room, StorageError},
        rooms::Rooms,
    },
    store::{
        Retention, SqliteStore, Store,
        postgres::Config,
        sqlite::{Durability, Imported, LOCK_FILE, Place, Reserve, utc_ms},
    },
};

/// The bytes by which an archive is known.
const ZIP_MARK: &[u8] = b"PK";

/// An import that is to be made.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) file: PathBuf,
    /// The format; found out if not given.
    pub(super) format: Option<Format>,
    /// The channel; every one that is open to all if not given.
    pub(super) channel: Option<String>,
    /// The name of the room; that of the channel if not given.
    pub(super) room: Option<String>,
    /// The people who are in it alone, by names that they own; an open room without.
    pub(super) members: Vec<String>,
    /// Lines that cannot be read are left out.
    pub(super) is_lenient: bool,
    /// The space that has to stay free on the disk, in bytes.
    pub(super) reserve_bytes: u64,
}

/// The program that a file comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Own,
    Slack,
    Mattermost,
}

impl Import {
    /// Makes it into the log in a folder, or into that in a database.
    pub(super) fn run(
        self,
        state: &Path,
        database: Option<&Config>,
        mut progress: Progress,
    ) -> Result<(), ArchiveError> {
        let words = match database {
            None => self.fill(state, &mut progress)?,
            Some(config) => {
                let outpost = Outpost::begin(config)?;
                let words = self.fill(&outpost.folder.0, &mut progress)?;
                outpost.give_back()?;
                words
            }
        };
        progress.end(&words);
        Ok(())
    }

    /// Makes the rooms in the log in a folder; returns what was done, in words.
    fn fill(&self, state: &Path, progress: &mut Progress) -> Result<String, ArchiveError> {
        if !is_there(&state.join(LOG_FILE)) {
            let words =
                format!("no server keeps messages in {} yet; start it once", state.display());
            return Err(ArchiveError::Refused(words));
        }
        // Opened first: a server that runs is told of before anything is read.
        let directory = state.to_owned();
        let place = Place { directory, durability: Durability::Power, program: None };
        let retention =
            Retention { disk_reserve_bytes: self.reserve_bytes, ..Retention::default() };
        // For a log that was not closed before the machine was.
        let epoch = random()?;
        let store = SqliteStore::open(&place, retention, epoch)?;
        give_to_owner_of(state, &state.join(LOCK_FILE))?;
        let members = self.members(&store)?;
        let reserve = store.reserve();
        reserve.check().map_err(|error| short(error.into(), &reserve, 0))?;
        let digest = digest(&self.file)?;
        let intake = self.read(reserve.clone(), progress);
        progress.clear();
        let intake = intake.map_err(|error| short(error, &reserve, 0))?;
        let part = progress.part();
        let mut filling = Filling { store, members, digest, progress: part, n_rooms: 0 };
        let is_one = intake.channels.len() == 1;
        for (index, channel) in intake.channels.iter().enumerate() {
            let name = self.room.as_deref().unwrap_or(&channel.name);
            match filling.fill(&intake.stage, index, channel, name) {
                // Of several, those go on that can.
                Err(ArchiveError::Refused(words)) if !is_one => filling.progress.say(&words),
                filled => filled.map_err(|error| short(error, &reserve, filling.n_rooms))?,
            }
        }
        let n_rooms = filling.n_rooms;
        if n_rooms == 0 {
            return Err(ArchiveError::Refused("nothing was imported".to_owned()));
        }
        let left_out = |what, count| match count {
            0 => String::new(),
            count => format!(" {what} left out: {count}."),
        };
        let reactions = left_out("Reactions", intake.n_reactions as u64);
        let lines = left_out("Lines", intake.n_bad);
        let private = left_out("Private channels", intake.n_private);
        Ok(format!("Rooms imported: {n_rooms}.{lines}{reactions}{private}"))
    }

    /// Reads the whole source.
    fn read(&self, reserve: Reserve, progress: &mut Progress) -> Result<Intake, ArchiveError> {
        let mut file = File::open(&self.file).map_err(failed(&self.file))?;
        let mut mark = [0; 2];
        let is_zip = file.read_exact(&mut mark).is_ok() && mark == ZIP_MARK;
        file.rewind().map_err(failed(&self.file))?;
        let has_members = !self.members.is_empty();
        let mut intake = Intake::new(self.is_lenient, self.channel.clone(), has_members, reserve)?;
        if is_zip {
            let archive = ZipArchive::new(BufReader::new(file));
            let mut archive = archive.map_err(|error| self.unreadable(&error))?;
            let is_slack = slack::prefix(&archive).is_some();
            match self.format.unwrap_or(if is_slack { Format::Slack } else { Format::Mattermost }) {
                Format::Slack => slack::read(&mut archive, &mut intake, progress)?,
                Format::Mattermost => {
                    mattermost::read_archive(&mut archive, &mut intake, progress)?;
                }
                Format::Own => return Err(self.unreadable(&"an export of pychat is no archive")),
            }
        } else {
            let all = file.metadata().map_err(failed(&self.file))?.len();
            let mut lines = json::Lines::new(BufReader::new(file), all);
            let format = match self.format {
                Some(format) => format,
                None => self.format_of(&mut lines)?,
            };
            match format {
                Format::Own => own::read(&mut lines, &mut intake, progress)?,
                Format::Mattermost => mattermost::read(&mut lines, &mut intake, progress)?,
                Format::Slack => {
                    return Err(self.unreadable(&"an export of Slack is a zip archive"));
                }
            }
        }
        if intake.channels.is_empty() {
            let words = match &self.channel {
                Some(channel) => format!("there is no channel {channel} in it"),
                None => "there is no channel in it that is open to all".to_owned(),
            };
            return Err(ArchiveError::Refused(words));
        }
        if self.room.is_some() && 1 < intake.channels.len() {
            let words = "several channels cannot have one name; give --channel as well";
            return Err(ArchiveError::Refused(words.to_owned()));
        }
        Ok(intake)
    }

    /// Returns the format of lines, by the first of them, which is read again.
    fn format_of(&self, lines: &mut json::Lines<impl io::BufRead>) -> Result<Format, ArchiveError> {
        let first = lines.peek().map_err(failed(&self.file))?;
        let first: serde_json::Value = serde_json::from_slice(first).unwrap_or_default();
        if first.get("pychat_room").is_some() {
            Ok(Format::Own)
        } else if first.get("type").is_some_and(|it| it == "version") {
            Ok(Format::Mattermost)
        } else {
            Err(self.unreadable(&"neither an export of pychat, nor of Slack or Mattermost"))
        }
    }

    fn unreadable(&self, why: &dyn std::fmt::Display) -> ArchiveError {
        ArchiveError::Refused(format!("cannot read {}: {why}", self.file.display()))
    }

    /// Returns the people who are to be in the rooms.
    fn members(&self, store: &SqliteStore) -> Result<Vec<PersonId>, ArchiveError> {
        let find = |name: &String| {
            let found = store.owner(name)?;
            found.ok_or_else(|| ArchiveError::Refused(format!("nobody owns the name {name}")))
        };
        let mut members = self.members.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        members.sort_unstable();
        members.dedup();
        Ok(members)
    }
}

/// The store, while rooms come into it.
struct Filling {
    store: SqliteStore,
    members: Vec<PersonId>,
    /// The name of the source.
    digest: String,
    progress: Progress,
    n_rooms: u64,
}

impl Filling {
    /// Makes a room of a channel.
    fn fill(
        &mut self,
        stage: &Stage,
        index: usize,
        channel: &Channel,
        name: &str,
    ) -> Result<(), ArchiveError> {
        let refused = |words: String| Err(ArchiveError::Refused(words));
        let all = stage.len(index)?;
        let source = format!("{}/{}", self.digest, channel.name.replace(char::is_whitespace, "_"));
        if let Some(room) = self.store.imported(&source)? {
            return refused(format!("{} was imported before, and is {room}", channel.name));
        }
        if all == 0 {
            return refused(format!("there are no messages in {}", channel.name));
        }
        let room = self.room(channel, name)?;
        let name = room.name.clone();
        let by = match geteuid() {
            uid if uid.is_root() => "root".to_owned(),
            uid => format!("uid {}", uid.as_raw()),
        };
        let progress = &mut self.progress;
        let by = (&*by, &*source, utc_ms()?);
        let id = self.store.import(room, by, |importer| {
            let mut done = 0;
            stage.read(index, |line, reply| {
                done += 1;
                progress.show("Importing", done, all);
                Ok(importer.add(&record(&line, reply)?)?)
            })
        })?;
        self.n_rooms += 1;
        self.progress.clear();
        self.progress.say(&format!("{name} is {id}, with {all} messages and events."));
        Ok(())
    }

    /// Returns the room that a channel becomes, under a name that no other open room has.
    fn room(&mut self, channel: &Channel, name: &str) -> Result<Room, ArchiveError> {
        let one_line = |text: &str, chars_max| -> String {
            let words: Vec<_> = text.split_whitespace().collect();
            words.join(" ").chars().filter(|it| !it.is_control()).take(chars_max).collect()
        };
        let (name, topic) =
            (one_line(name, ROOM_NAME_CHARS_MAX), one_line(&channel.topic, TOPIC_CHARS_MAX));
        let is_open = self.members.is_empty();
        let known = Rooms::new(self.store.rooms()?, []);
        if name.is_empty() || (is_open && !known.is_free(&name, None)) {
            let words =
                format!("a room cannot be called {name:?}, or is so already; give --room NAME");
            return Err(ArchiveError::Refused(words));
        }
        Ok(Room {
            id: HALL,
            kind: if is_open { RoomKind::Open } else { RoomKind::Closed },
            name,
            topic,
            maker: self.members.first().copied(),
            members: self.members.clone(),
        })
    }
}

/// Returns the error of an import that has made so many rooms; one for want of space says what was done.
fn short(error: ArchiveError, reserve: &Reserve, n_rooms: u64) -> ArchiveError {
    let ArchiveError::Storage(StorageError::Reserve) = error else { return error };
    let bytes = bytes_words(reserve.bytes());
    let done = match n_rooms {
        0 => "nothing was imported",
        _ => "nothing was imported but the rooms named above",
    };
    let words = format!("less than {bytes} of the disk would stay free (--disk-reserve); {done}");
    ArchiveError::Refused(words)
}

/// Returns the record of a line that was taken in.
fn record<'a>(line: &'a Line<'_>, reply: Option<u64>) -> Result<Imported<'a>, ArchiveError> {
    let author = UserName::new(&line.author);
    let author = author.map_err(|error| StorageError::Other(error.to_string()))?;
    let kind = match line.event {
        Some(event) => Kind::Event { event, subject: line.subject.as_deref() },
        None => Kind::Text(line.text.as_deref().unwrap_or_default()),
    };
    let mut reactions = Vec::new();
    for (emoji, names) in &line.reactions {
        reactions.extend(names.iter().map(|name| (&**emoji, &**name)));
    }
    Ok(Imported {
        time_ms: line.time_ms,
        author,
        kind,
        is_deleted: line.deleted,
        reply,
        edited_ms: line.edited_ms,
        reactions,
    })
}

/// Returns a name by which a file is known again, whatever it is called.
fn digest(path: &Path) -> Result<String, ArchiveError> {
    let mut file = File::open(path).map_err(failed(path))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let size = file.read(&mut buffer).map_err(failed(path))?;
        if size == 0 {
            break;
        }
        hash.update(&buffer[..size]);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let first = std::array::from_fn(|index| hash[index]);
    Ok(format!("{:032x}", u128::from_be_bytes(first)))
}
