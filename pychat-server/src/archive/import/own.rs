//! An export of this program.

use std::io::BufRead;

use pychat_wire::message::RoomKind;

use super::{
    super::{
        ArchiveError,
        format::{End, Head, Line, VERSION},
    },
    intake::{Channel, Intake},
    json::Lines,
};
use crate::archive::progress::Progress;

/// Reads the whole room.
pub(super) fn read(
    lines: &mut Lines<impl BufRead>,
    intake: &mut Intake,
    progress: &mut Progress,
) -> Result<(), ArchiveError> {
    let refused = |words: &str| Err(ArchiveError::Refused(words.to_owned()));
    let head = lines.next().map_err(unreadable)?.map_or(&[][..], |line| line.bytes);
    let Ok(head) = serde_json::from_slice::<Head>(head) else {
        return refused("line 1: this is no export of pychat");
    };
    if VERSION < head.pychat_room {
        return refused("the file is of a later version, which this program cannot read");
    }
    let is_private = matches!(head.kind, RoomKind::Closed | RoomKind::Direct);
    let name = if head.name.is_empty() { head.id } else { head.name };
    let Some(channel) = intake.open(Channel { name, topic: head.topic, is_private })? else {
        return if is_private {
            refused("the room is not open to all; say who is in it here: --member NAME")
        } else {
            Ok(())
        };
    };
    let (mut n_lines, mut last) = (0, 0);
    loop {
        let Some(piece) = lines.next().map_err(unreadable)? else {
            return refused("the file has no end, so it is not whole");
        };
        if let Ok(End { end }) = serde_json::from_slice(piece.bytes) {
            if end != n_lines {
                return refused(&format!("the file has {n_lines} messages and events, not {end}"));
            }
            return Ok(());
        }
        n_lines += 1;
        progress.show("Reading", piece.done, piece.all);
        let place = format!("line {}", piece.number);
        match line(piece.bytes, last) {
            Ok(line) => {
                last = line.number;
                let reply = line.reply.map(|reply| reply.to_string());
                intake.put(&place, channel, (&last.to_string(), reply.as_deref()), line)?;
            }
            Err(why) => intake.bad(&place, &why)?,
        }
    }
}

/// Returns the message or the event of a line that comes after number `last`.
fn line(bytes: &[u8], last: u64) -> Result<Line<'_>, String> {
    let line: Line<'_> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if line.number <= last {
        return Err(format!("number {} comes after {last}", line.number));
    }
    if line.text.is_none() && line.event.is_none() && !line.deleted {
        return Err("it is neither a message nor an event".to_owned());
    }
    Ok(line)
}

/// Returns the error of a source that cannot be read on.
pub(super) fn unreadable(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Refused(format!("the file cannot be read: {error}"))
}
