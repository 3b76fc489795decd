//! The things that a checker of protocol 2 knows of its connection.

use std::collections::{BTreeMap, BTreeSet};

use pychat_wire::{key::Challenge, message::HALL};

use super::{Event, V2Checker};
use crate::kit::{pages::Pages, room_hearing::RoomHearing, story::Difference};

impl V2Checker {
    /// Returns what its hello must sign, once it was greeted.
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        self.hello.nonce.map(|nonce| Challenge { nonce, ..Challenge::default() })
    }

    /// Returns as whom this peer was welcomed.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the rooms that it is in, by their ids.
    pub(crate) fn rooms(&self) -> &BTreeMap<String, RoomHearing> {
        &self.rooms
    }

    /// Returns the last number of the hall that it has, with all before it that it asked for.
    pub(crate) fn after(&self) -> u64 {
        self.rooms.get(HALL).map_or(0, RoomHearing::after)
    }

    /// Returns true if it is being told what it missed in the hall.
    pub(crate) fn is_behind(&self) -> bool {
        self.rooms.get(HALL).is_some_and(RoomHearing::is_behind)
    }

    /// Returns true if it waits for the page of a room before `before`.
    pub(crate) fn asked_for(&self, room: &str, before: u64) -> bool {
        self.pages.get(room).is_some_and(|pages| pages.are_asked_before(before))
    }

    /// Returns how many pages it waits for.
    pub(crate) fn n_pages(&self) -> usize {
        self.pages.values().map(Pages::len).sum()
    }

    /// Returns how many pages of rooms that it was not in all the time may come or not.
    pub(crate) fn n_doubtful_pages(&self) -> usize {
        self.pages.values().map(Pages::n_doubtful).sum()
    }

    /// Returns how many searches it waits for the ends of.
    pub(crate) fn n_searches(&self) -> usize {
        self.searches.len()
    }

    /// Returns how often it was told that something is not kept any more, or not sent.
    pub(crate) fn n_gaps(&self) -> usize {
        self.n_gaps
    }

    /// Returns who is in the hall, as far as it has heard.
    pub(crate) fn present(&self) -> &BTreeSet<String> {
        self.people.present()
    }

    /// Returns what everybody in the hall was told since it joined.
    pub(crate) fn story(&self) -> &[Event] {
        self.people.story()
    }

    /// Returns how much of a frame was heard whose rest is missing, in bytes.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.decoder.pending_bytes()
    }

    /// Checks that what it heard follows from what `witness` heard after `since` events. If it has
    /// resumed, it may hear texts later than `witness`, but comings and goings in the same order.
    pub(crate) fn check_against(&self, witness: &Self, since: usize) -> Difference {
        let Some(name) = &self.name else { return Difference::default() };
        self.people.check_against(name, self.has_resumed, &witness.people, since)
    }
}
