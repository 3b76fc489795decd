//! The task of a client process, as its command line says it.

use std::time::Duration;

/// The task of a client process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// Shows the window of GNOME's template for an application; nothing of pychat.
    Empty,
    /// Shows the page that asks.
    Start,
    /// Joins, and reads until message number `last` is on show.
    Read { server: String, last: usize },
    /// Joins, and does nothing more.
    Rest { server: String },
    /// Joins a server without rooms, on which nothing was said.
    Alone { server: String },
    /// Joins many rooms.
    Rooms { server: String },
    /// Joins many rooms, and goes from one to another.
    Change { server: String },
    /// Joins, and joins again whenever the line is lost; counts its objects at the first and the
    /// last of these.
    Return { server: String, first: usize, last: usize },
}

impl Part {
    /// Returns what these arguments ask for; anything that is not ours asks for nothing.
    pub(crate) fn from_arguments(arguments: &[String]) -> Option<Self> {
        let mut words = arguments.iter();
        let part = match words.next()?.as_str() {
            "empty" => Self::Empty,
            "start" => Self::Start,
            "read" => {
                Self::Read { server: words.next()?.clone(), last: words.next()?.parse().ok()? }
            }
            "alone" => Self::Alone { server: words.next()?.clone() },
            "rooms" => Self::Rooms { server: words.next()?.clone() },
            "change" => Self::Change { server: words.next()?.clone() },
            "rest" => Self::Rest { server: words.next()?.clone() },
            "return" => Self::Return {
                server: words.next()?.clone(),
                first: words.next()?.parse().ok()?,
                last: words.next()?.parse().ok()?,
            },
            _ => return None,
        };
        Some(part)
    }

    /// Returns the arguments that ask for this.
    pub(crate) fn to_arguments(&self) -> Vec<String> {
        match self {
            Self::Empty => vec!["empty".into()],
            Self::Start => vec!["start".into()],
            Self::Read { server, last } => vec!["read".into(), server.clone(), last.to_string()],
            Self::Alone { server } => vec!["alone".into(), server.clone()],
            Self::Rooms { server } => vec!["rooms".into(), server.clone()],
            Self::Change { server } => vec!["change".into(), server.clone()],
            Self::Rest { server } => vec!["rest".into(), server.clone()],
            Self::Return { server, first, last } => {
                vec!["return".into(), server.clone(), first.to_string(), last.to_string()]
            }
        }
    }

    /// Returns the server that it joins.
    pub(crate) fn server(&self) -> Option<&str> {
        match self {
            Self::Empty | Self::Start => None,
            Self::Read { server, .. }
            | Self::Rest { server }
            | Self::Alone { server }
            | Self::Rooms { server }
            | Self::Change { server }
            | Self::Return { server, .. } => Some(server),
        }
    }
}

/// The words of the lines that a client process writes: each line is a word and a number.
pub(crate) mod word {
    /// The window can be used; at which microsecond of the monotonic clock.
    pub(crate) const USABLE: &str = "usable";
    /// The client is in the room and has come to rest.
    pub(crate) const READY: &str = "ready";
    /// The last message is on show; at which microsecond.
    pub(crate) const SHOWN: &str = "shown";
    /// The time until another room, opened for the first time or once more, was on show, in
    /// microseconds.
    pub(crate) const OTHER_ROOM: &str = "other-room";
    pub(crate) const SEEN_ROOM: &str = "seen-room";
    /// The longest time between two frames meanwhile, in microseconds.
    pub(crate) const FRAME_GAP: &str = "frame-gap";
    /// The longest time for which the main loop did nothing else, in microseconds.
    pub(crate) const STALL: &str = "stall";
    /// Everything has come to rest again.
    pub(crate) const SETTLED: &str = "settled";
    /// Blocks on the heap, open descriptors, widgets.
    pub(crate) const BLOCKS: &str = "blocks";
    pub(crate) const DESCRIPTORS: &str = "descriptors";
    pub(crate) const WIDGETS: &str = "widgets";
}

/// The time for which a client is left alone before it counts as at rest. Whatever is done "in a
/// moment", and all that fades in, is done by then.
pub(crate) const REST: Duration = Duration::from_secs(2);
