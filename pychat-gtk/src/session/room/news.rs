//! The activity in a room that is new to the reader, by the one rule that the server has too: what
//! others said after the last message that was seen, on whichever device.

use std::ops::RangeInclusive;

use gtk::glib::subclass::prelude::*;
use pychat_wire::client::{self, Message as Heard, UNREAD_MAX};

use super::{Room, RoomNotifications};
use crate::{model::Message, session::state_file::KeptRoom};

/// The number that stands for a message that has none, and is not seen by number.
const UNNUMBERED: u64 = u64::MAX;

impl Room {
    /// Takes in that something may be new, or is no longer. It is told with all that happens at once.
    pub(in crate::session) fn expect_news(&self) {
        self.imp().news.borrow_mut().is_due = true;
        if let Some(session) = self.session() {
            session.expect_news();
        }
    }

    /// Tells what is new, if that was expected.
    pub(in crate::session) fn tell_news(&self) {
        if !std::mem::take(&mut self.imp().news.borrow_mut().is_due) {
            return;
        }
        let id = self.client_id();
        let counted = self.ask_client(|client| (client.unread(id), client.seen(id)));
        let (unread, seen) = match counted.filter(|_| self.has_numbers()) {
            Some((unread, seen)) => (u32::try_from(unread).unwrap_or(u32::MAX), seen),
            None => (self.history().n_unread(), 0),
        };
        self.set_news(if self.is_gone() { 0 } else { unread }, seen);
    }

    /// Takes in a new message of somebody else's.
    pub(super) fn count_mention(&self, message: &Message) {
        let mentioned_at = &mut self.imp().news.borrow_mut().mentioned_at;
        let is_full = UNREAD_MAX <= mentioned_at.len() as u64;
        let is_known = message.seq().is_some_and(|seq| mentioned_at.contains(&seq));
        if message.calls_reader() && !is_full && !is_known {
            mentioned_at.push(message.seq().unwrap_or(UNNUMBERED));
        }
    }

    /// Takes in a message that has the reader's name in it and was said before this client was there. What
    /// it does not have yet is heard later.
    pub(in crate::session) fn count_missed(&self, said: &Heard) {
        let id = self.client_id();
        let room = self.ask_client(|client| client.room(id)).flatten();
        let is_unread =
            |room: client::Room| said.seq.is_some_and(|it| room.read < it && it <= room.last);
        if said.own || !room.is_some_and(is_unread) {
            return;
        }
        let message = self.found(said);
        if !message.is_deleted() {
            self.count_mention(&message);
            self.expect_news();
        }
    }

    /// Takes in that the messages with these numbers are there no more.
    pub(super) fn forget_mentions(&self, seqs: RangeInclusive<u64>) {
        self.imp().news.borrow_mut().mentioned_at.retain(|seq| !seqs.contains(seq));
    }

    /// Takes in that something was said at `time_ms`, in UTC milliseconds since 1970.
    pub(super) fn set_active(&self, time_ms: i64) {
        if self.last_active() < time_ms {
            self.imp().news.borrow_mut().last_active = time_ms;
            self.notify_last_active();
        }
        self.expect_news();
    }

    /// Takes in that nothing is new.
    pub(in crate::session) fn forget_news(&self) {
        self.set_news(0, u64::MAX);
    }

    /// Takes in that the reader has seen everything up to number `seq` here.
    pub(super) fn on_seen(&self, seq: u64) {
        let id = self.client_id();
        self.expect_news();
        self.tell_client(|client| client.see(id, seq));
    }

    /// Where messages have no numbers, the history alone knows what is new.
    pub(super) fn on_unread_changed(&self) {
        if !self.has_numbers() {
            self.expect_news();
            self.tell_client(|_| ());
        }
    }

    /// Takes in that the reader has seen everything up to number `seq` on another device.
    pub(in crate::session) fn on_read(&self, seq: u64) {
        if self.imp().is_open.get() {
            self.history().see_elsewhere(seq);
        }
        let was_counted = 0 < self.unread();
        self.expect_news();
        self.tell_news();
        if !was_counted && self.unread() == 0 {
            self.tell_read(); // Of a message that came just before.
        }
    }

    /// Tells that nothing is new in it any more.
    pub(in crate::session) fn tell_read(&self) {
        if let Some(session) = self.session() {
            session.rooms().tell_read(self);
        }
    }

    /// Takes in what was kept of it.
    pub(super) fn restore(&self, kept: &KeptRoom) {
        self.imp().news.borrow_mut().last_active = kept.last_active;
        self.imp().own_numbers.restore(&kept.own);
        self.set_notifications(RoomNotifications::from_nick(&kept.notifications));
    }

    /// Returns what is to be kept of it; `None` if that is nothing.
    pub(in crate::session) fn kept(&self) -> Option<KeptRoom> {
        let is_hall = self.client_id().is_hall();
        let notifications = match self.notifications() {
            RoomNotifications::Default => "",
            chosen => chosen.nick(),
        };
        let kept = KeptRoom {
            title: if is_hall { String::new() } else { self.title() },
            draft: if is_hall { String::new() } else { self.draft() },
            notifications: notifications.to_owned(),
            last_active: self.last_active(),
            own: self.imp().own_numbers.all(),
        };
        let has_any = !kept.draft.is_empty()
            || !kept.notifications.is_empty()
            || 0 < kept.last_active
            || self.history().has_unsent();
        has_any.then_some(kept)
    }

    fn set_news(&self, unread: u32, seen: u64) {
        let (was_unread, were_mentions, mentions) = {
            let mut news = self.imp().news.borrow_mut();
            news.mentioned_at.retain(|seq| seen < *seq && 0 < unread);
            let n_mentions = u32::try_from(news.mentioned_at.len()).unwrap_or(u32::MAX);
            let mentions = n_mentions.min(unread);
            let before = (news.unread, news.mentions);
            (news.unread, news.mentions) = (unread, mentions);
            (before.0, before.1, mentions)
        };
        if was_unread != unread {
            self.notify_unread();
        }
        if were_mentions != mentions {
            self.notify_mentions();
        }
        if was_unread != 0 && unread == 0 {
            self.tell_read();
        }
    }
}
