//! The greeting of a connection and its hello, and what was known by then.

use std::collections::BTreeMap;

use pychat_wire::{key::Nonce, message::Hello};

use super::{Oracle, room_hearing::Resumption};

/// The things that were said and known before a connection was let in.
#[derive(Debug, Default)]
pub(super) struct Introduction {
    /// The nonce that it was greeted with.
    pub(super) nonce: Option<Nonce>,
    /// The name that it asked for.
    pub(super) username: String,
    /// The resumption that it asked for of each room.
    pub(super) resume: BTreeMap<String, Resumption>,
    /// The last number of each room that anybody had heard.
    pub(super) known: BTreeMap<String, u64>,
    /// The marks of its person that anybody had been told of.
    marks: BTreeMap<String, u64>,
}

impl Introduction {
    /// Takes in a hello, when this is what is known.
    pub(super) fn hear(&mut self, hello: &Hello<'_>, oracle: &Oracle) {
        self.username = hello.username.to_string();
        let positions = hello.resume.iter().flat_map(|resume| {
            resume.rooms.0.iter().map(|(room, after)| {
                let (epoch, limit) = (resume.epoch.to_string(), resume.limit);
                (room.to_string(), Resumption { epoch, after: *after, limit })
            })
        });
        self.resume = positions.collect();
        self.known = oracle.lasts();
        let rooms = oracle.rooms().keys();
        self.marks = rooms.map(|room| (room.clone(), oracle.mark(room, &self.username))).collect();
    }

    /// Returns the mark that is known of somebody who is let in under `name`; 0 if there is none.
    pub(super) fn mark(&self, room: &str, name: &str) -> u64 {
        let mark = self.marks.get(room).filter(|_| self.username == name);
        mark.copied().unwrap_or_default()
    }
}
