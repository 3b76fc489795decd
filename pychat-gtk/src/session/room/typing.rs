//! The people who are writing in a room, and that the reader is.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use gtk::{gio::prelude::*, glib, glib::subclass::prelude::*};

use super::{Room, RoomKind};
use crate::session::now_ms;

/// The time for which somebody counts as writing after it was told last, in milliseconds.
const TYPING_MS: u64 = 6_000;

/// The most people who count as writing.
const TYPING_MAX: usize = 20;

/// The most people in a room in which it is told that somebody is writing.
const PEOPLE_MAX: u32 = 20;

/// The people who are writing.
#[derive(Debug, Default)]
pub(super) struct Typing {
    /// Their names, in the order in which they began, and the time until which each counts.
    until: RefCell<Vec<(String, u64)>>,
    /// True while a task waits for the first of these times.
    is_watched: Cell<bool>,
}

impl Typing {
    pub(super) fn names(&self) -> Vec<String> {
        self.until.borrow().iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn clear(&self) {
        self.until.take();
    }

    /// Takes in that somebody writes; returns true if they did not before.
    fn add(&self, name: &str) -> bool {
        let mut until = self.until.borrow_mut();
        let has_place = until.len() < TYPING_MAX;
        let at_ms = now_ms().saturating_add(TYPING_MS);
        match until.iter_mut().find(|(known, _)| known == name) {
            Some((_, known_ms)) => {
                *known_ms = at_ms;
                false
            }
            None if has_place => {
                until.push((name.to_owned(), at_ms));
                true
            }
            None => false,
        }
    }

    /// Leaves those of whom `is_kept` holds; returns true if others were there.
    fn retain(&self, is_kept: impl Fn(&str, u64) -> bool) -> bool {
        let mut until = self.until.borrow_mut();
        let n_before = until.len();
        until.retain(|(name, at_ms)| is_kept(name, *at_ms));
        until.len() < n_before
    }

    /// Returns how long it is until somebody counts no more.
    fn next_in(&self) -> Option<Duration> {
        let next = self.until.borrow().iter().map(|(_, at_ms)| *at_ms).min()?;
        Some(Duration::from_millis(next.saturating_sub(now_ms()).max(1)))
    }
}

impl Room {
    /// Tells the others that the reader is writing, where that is told and the reader has it told.
    /// It may be called with each key that is pressed.
    pub fn set_typing(&self) {
        let is_small = self.kind() == RoomKind::Direct || self.people().n_items() <= PEOPLE_MAX;
        let is_told = self.session().is_some_and(|session| session.sends_typing());
        if is_small && is_told && self.is_online() {
            let id = self.client_id();
            self.tell_client(|client| client.typing(id));
        }
    }

    /// Takes in that somebody is writing.
    pub(in crate::session) fn on_typing(&self, name: &str) {
        if name == self.own_name() || self.is_gone() {
            return;
        }
        if self.imp().typing.add(name) {
            self.notify_typing();
        }
        self.watch_typing();
    }

    /// Takes in that somebody has said what they wrote.
    pub(super) fn stop_typing(&self, name: &str) {
        if self.imp().typing.retain(|known, _| known != name) {
            self.notify_typing();
        }
    }

    /// Takes in that nobody is known to be writing.
    pub(in crate::session) fn forget_typing(&self) {
        if self.imp().typing.retain(|_, _| false) {
            self.notify_typing();
        }
    }

    /// Takes those away who have stopped.
    fn watch_typing(&self) {
        if self.imp().typing.is_watched.replace(true) {
            return;
        }
        let weak = self.downgrade();
        glib::spawn_future_local(async move {
            loop {
                let next = weak.upgrade().and_then(|room| room.imp().typing.next_in());
                if let Some(next) = next {
                    glib::timeout_future(next).await;
                }
                let Some(room) = weak.upgrade() else { break };
                let now_ms = now_ms();
                if room.imp().typing.retain(|_, at_ms| now_ms < at_ms) {
                    room.notify_typing();
                }
                if next.is_none() {
                    room.imp().typing.is_watched.set(false);
                    break;
                }
            }
        });
    }
}
