//! Rooms in words: their titles, and what is new in them.

use crate::{
    session::{Room, room::RoomKind},
    text::i18n::{gettext, gettext_f, ngettext_f},
};

/// The largest number of new messages that is told: servers count no further.
const COUNTED_MAX: u32 = 99;

/// Returns the title of `room` where others stand beside it.
pub fn title(room: &Room) -> String {
    match room.kind() {
        // Translators: the room that everybody on the server is in.
        RoomKind::Hall => gettext("Everyone"),
        _ => room.title(),
    }
}

/// Returns `count` where there is little room.
pub fn count(count: u32) -> String {
    if COUNTED_MAX <= count {
        // Translators: as many messages as are counted, or more; on a small label.
        return gettext_f("{count}+", &[("count", &COUNTED_MAX.to_string())]);
    }
    count.to_string()
}

/// Returns how a room is read out: its title and what is new in it, as one sentence.
pub fn spoken(room: &Room) -> String {
    let (unread, mentions) = (room.unread(), room.mentions());
    let mut parts = vec![title(room)];
    if 0 < unread {
        parts.push(n_unread(unread));
    }
    if 0 < mentions {
        let mentions = mentions as usize;
        parts.push(ngettext_f("{count} mention", "{count} mentions", mentions, &[]));
    }
    if room.is_muted() {
        // Translators: of a room that causes no notifications.
        parts.push(gettext("muted"));
    }
    parts.join(", ")
}

fn n_unread(unread: u32) -> String {
    if COUNTED_MAX <= unread {
        return gettext_f("{count} or more unread", &[("count", &COUNTED_MAX.to_string())]);
    }
    // Translators: messages that were not read.
    ngettext_f("{count} unread", "{count} unread", unread as usize, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_are_counted_may_be_more() {
        for (n, short, long) in
            [(1, "1", "1 unread"), (98, "98", "98 unread"), (99, "99+", "99 or more unread")]
        {
            assert_eq!((count(n).as_str(), n_unread(n).as_str()), (short, long));
        }
    }
}
