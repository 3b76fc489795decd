//! The events in a room, made into a conversation that can be read.

use std::{ops::Range, rc::Rc};

use gtk::{
    gio::prelude::ListModelExt,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::{
    Client,
    client::{Event, FailReason, Message as Heard, MessageId, Page, RoomRecord, Said},
    message::{Reason, RoomEvent},
};

use super::{Room, RoomKind, back_pages::PagePlace};
use crate::{
    model::{Message, MessageKind, PresenceChange, PresenceEvent},
    session::{error_text, notices, wall_ms},
    text::MentionTarget,
};

impl Room {
    pub(in crate::session) fn on_event(&self, event: Event) {
        match event {
            Event::Message(said) => self.on_message(&said),
            Event::Amended(amended) => self.on_amended(&amended),
            Event::Page(page) => self.on_page(&page),
            Event::Gap { from, to, .. } => self.on_gap(from, to),
            Event::Skipped { to, .. } => {
                if self.is_open() {
                    self.history().skip_to(to);
                }
                self.expect_news();
            }
            Event::MemberJoined { name, time_ms } => self.on_arrival(&name, time_ms),
            Event::MemberLeft { name, time_ms, reason } => {
                self.on_departure(name, time_ms, reason);
            }
            Event::Accepted { id, .. } => {
                self.history().remove(id.as_str()); // It stands in its place, or will.
                self.on_accepted(id.as_str());
            }
            Event::Failed { id, said: Said::Text { text, reply }, reason, .. } => {
                self.on_failed(id, (&text, reply), &reason);
            }
            Event::Failed { id, said: Said::Amendment(amendment), reason, .. } => {
                self.on_amendment_failed(id.as_str(), &amendment, &reason);
            }
            Event::Withdrawn { id, .. } => self.on_withdrawn(id.as_str()),
            Event::RoomEvent(record) => self.on_record(&record),
            Event::Notice { text } => self.note(None, &text),
            // Whatever a later client tells can be passed over, and nothing is lost by waiting.
            _ => (),
        }
    }

    /// Takes in that the reader has joined, again if `again`, and finds `others` there; `is_new` if
    /// there was no conversation before.
    pub(in crate::session) fn on_joined(&self, others: &[String], is_new: bool, again: bool) {
        let imp = self.imp();
        let text = || notices::welcome(&self.own_name(), others);
        let welcome = || Message::new(MessageKind::Welcome, "", &text(), wall_ms());
        if is_new {
            self.show_unacknowledged();
        }
        if !self.has_numbers() {
            self.history().push(welcome()); // What was said before is not to be had.
        } else if !again {
            imp.welcome.replace(Some(welcome()));
        }
        self.history().flush();
        self.read_from_seen();
        self.expect_news();
    }

    /// Takes in that the reader has come back, or come, to the server that has this room.
    pub(in crate::session) fn on_returned(&self, is_new: bool) {
        if is_new {
            self.show_unacknowledged();
        }
        self.history().flush();
        if !self.is_open() {
            return;
        }
        if self.history().has_numbers() {
            self.read_from_seen();
        } else {
            self.request_first_page();
        }
    }

    /// Takes in that the server has another log than before.
    pub(in crate::session) fn begin_epoch(&self) {
        self.imp().deleters.clear();
        self.imp().own_numbers.clear();
        self.forget_mentions(0..=u64::MAX);
        if self.is_open() {
            self.history().begin_epoch();
            self.read_from_seen();
            self.note(None, &notices::new_epoch());
        }
        self.expect_news();
    }

    /// Shows who came and went since that was shown last.
    pub(in crate::session) fn update_people_if_due(&self) {
        if self.imp().is_people_update_due.get() {
            self.update_people();
        }
    }

    /// Shows who is here.
    pub(in crate::session) fn update_people(&self) {
        let imp = self.imp();
        imp.is_people_update_due.set(false);
        let people = self.ask_client(|it| (it.members(), it.name().to_owned()));
        if let Some((members, name)) = people {
            self.set_people(&members, &name);
        }
    }

    /// Has the history take in which numbers have come that are not shown.
    pub(in crate::session) fn pass_unknown(&self) {
        let id = self.client_id();
        if let Some(seq) = self.ask_client(|client| client.saved().seq(id)) {
            self.history().pass_to(seq);
        }
    }

    /// Shows what was said in an earlier life, with the words that it is to have, unless it is to be
    /// deleted.
    fn show_unacknowledged(&self) {
        let room = self.client_id();
        let texts = self.ask_client(|client| {
            let mine: Vec<_> = client.unacknowledged().filter(|it| it.room == room).collect();
            let texts = mine.iter().filter_map(|it| match it.said {
                Said::Text { text, reply } => Some((it.id, text.as_str(), *reply)),
                Said::Amendment(_) => None,
            });
            let texts = texts.filter_map(|(id, text, reply)| {
                let change = mine.iter().find(|it| it.of == Some(id));
                let text = change.map_or(Some(text), |it| it.said.words())?;
                Some((id.clone(), text.to_owned(), reply))
            });
            texts.collect::<Vec<_>>()
        });
        for (id, text, reply) in texts.unwrap_or_default() {
            if self.history().unsent(id.as_str()).is_none() {
                let message = Message::sending(id, &self.own_name(), &text, wall_ms());
                self.history().say(message.answering(reply));
            }
        }
    }

    fn on_message(&self, said: &Heard) {
        let (seq, time_ms) = (said.seq, said.time_ms.map(local_ms));
        self.set_active(time_ms.unwrap_or_else(wall_ms));
        self.stop_typing(&said.author);
        self.note_own(said);
        let id = said.id.as_ref();
        if !self.is_open() {
            id.and_then(|id| self.history().remove(id.as_str())); // The server has it.
        } else if let Some(unsent) = id.and_then(|id| self.history().unsent(id.as_str())) {
            self.history().arrive(unsent.id().unwrap_or_default(), seq, time_ms);
            if let Some(seq) = seq.filter(|_| unsent.state() != said.state) {
                self.history().amend(seq, said.state.clone(), Rc::default());
            }
            return self.on_arrived(&unsent);
        }
        if said.own && !self.is_open() {
            return;
        }
        let message = self.shown(said);
        if self.is_open() {
            self.history().push(message.clone());
            if let Some(seq) = seq.filter(|_| said.own) {
                self.history().see_elsewhere(seq);
            }
        }
        if !said.own && !message.is_deleted() {
            self.tell_heard(&message);
        }
    }

    /// Tells of a message of somebody else's that is new.
    pub(super) fn tell_heard(&self, message: &Message) {
        self.count_mention(message);
        self.emit_by_name::<()>("heard", &[message]);
        if let Some(session) = self.session() {
            session.rooms().tell_heard(self, message);
        }
    }

    /// Older messages go before all others; after the first of them the newcomer is welcomed. If
    /// the oldest have been forgotten meanwhile, the page is not the one before those that are left.
    fn on_page(&self, page: &Page) {
        let place = self.imp().page_place.take();
        if self.forget() || !self.is_open() {
            return;
        }
        let mut messages = self.records(page);
        if place != PagePlace::Above {
            self.on_page_elsewhere(place, messages);
            return;
        }
        if let Some(last) = messages.last() {
            self.set_active(last.time_ms());
        }
        let first_seq = messages.first().and_then(Message::seq);
        if page.start && first_seq.is_some_and(|seq| 1 < seq) {
            let gap = Message::new(MessageKind::Notice, "", &notices::gap(), wall_ms());
            messages.insert(0, gap);
        }
        messages.extend(self.welcome_below(&messages));
        let is_empty = messages.is_empty();
        self.history().prepend(messages);
        if page.start {
            self.history().reach_start();
        }
        self.fetch_unread(!is_empty);
        self.expect_news();
    }

    /// Shows messages from before all that are here, or in the gap below what is shown. What is missing of
    /// these, as a page has only so many bytes, is requested first.
    fn on_page_elsewhere(&self, place: PagePlace, messages: Vec<Message>) {
        let (history, first) = (self.history(), messages.first().and_then(Message::seq));
        match place {
            PagePlace::Distant(before) if first.is_some() => history.turn_to(before, messages),
            PagePlace::Gap(before) => {
                let is_cut = first.zip(history.gap()).is_some_and(|(first, gap)| {
                    let limit = first.saturating_sub(gap.from) + 1;
                    1 < limit && first < before && self.request_before(first, limit, PagePlace::Gap)
                });
                if !is_cut {
                    history.fill_gap(before, messages);
                }
            }
            PagePlace::Above | PagePlace::Distant(_) => {}
        }
        self.expect_news();
    }

    /// Returns what a page has, as it is shown, in the order of the numbers.
    fn records(&self, page: &Page) -> Vec<Message> {
        let mut messages = Vec::with_capacity(page.messages.len() + page.events.len() + 2);
        for said in &page.messages {
            if let Some(id) = &said.id {
                self.history().remove(id.as_str());
            }
            self.note_own(said);
            messages.push(self.shown(said));
        }
        messages.extend(page.events.iter().filter_map(|record| self.shown_record(record)));
        messages.sort_by_key(Message::seq);
        messages
    }

    fn on_gap(&self, from: u64, to: u64) {
        self.forget_mentions(from..=to);
        if self.is_open() {
            self.history().restart(from.saturating_sub(1));
            self.history().skip_missing(to);
            self.note(None, &notices::gap());
        }
        self.expect_news();
    }

    /// Keeps a text that failed here, wherever the reader is.
    fn on_failed(&self, id: MessageId, (text, reply): (&str, Option<u64>), reason: &FailReason) {
        let history = self.history();
        let message = history.unsent(id.as_str()).unwrap_or_else(|| {
            let message = Message::sending(id, &self.own_name(), text, wall_ms());
            let message = message.answering(reply);
            history.say(message.clone());
            message
        });
        message.fail(&error_text::fail_reason(reason));
        self.show_unless_hidden(&message);
    }

    /// Somebody came, went or changed the room.
    fn on_record(&self, record: &RoomRecord) {
        let subject = record.subject.as_deref().unwrap_or_default();
        self.update_members(record.event, &record.username, subject);
        if self.is_open()
            && let Some(message) = self.shown_record(record)
        {
            self.history().push(message);
        }
        self.set_active(local_ms(record.time_ms));
    }

    /// Returns the welcome of the newcomer below `messages`. That nobody else is here is said where
    /// there are none; elsewhere it would be said at each start.
    fn welcome_below(&self, messages: &[Message]) -> Option<Message> {
        let welcome = self.imp().welcome.take()?;
        if messages.is_empty() || 1 < self.people().n_items() {
            return Some(welcome);
        }
        let text = notices::welcome_alone(&self.own_name());
        Some(Message::new(MessageKind::Welcome, "", &text, welcome.time_ms()))
    }

    fn on_arrival(&self, name: &str, time_ms: Option<u64>) {
        self.imp().is_people_update_due.set(true);
        self.push_presence(name.to_owned(), PresenceChange::Joined, time_ms);
    }

    fn on_departure(&self, name: String, time_ms: Option<u64>, reason: Option<Reason>) {
        self.imp().is_people_update_due.set(true);
        match reason {
            Some(Reason::Lost | Reason::Slow) => {
                self.push_presence(name, PresenceChange::Lost, time_ms);
            }
            _ => self.push_presence(name, PresenceChange::Left, time_ms),
        }
    }

    /// Shows that somebody came or went.
    fn push_presence(&self, name: String, change: PresenceChange, time_ms: Option<u64>) {
        let time_ms = time_ms.map_or_else(wall_ms, local_ms);
        self.history().push(Message::presence(PresenceEvent { name, change, time_ms }));
    }

    /// Shows what the chat itself says, at the server's time if it is known.
    pub(in crate::session) fn note(&self, time_ms: Option<u64>, text: &str) {
        let time_ms = time_ms.map_or_else(wall_ms, local_ms);
        self.history().push(Message::new(MessageKind::Notice, "", text, time_ms));
    }

    /// Returns a message that somebody said, as it is shown.
    fn shown(&self, said: &Heard) -> Message {
        let kind = if said.own { MessageKind::Own } else { MessageKind::Other };
        let time_ms = said.time_ms.map_or_else(wall_ms, local_ms);
        let message = Message::new(kind, &said.author, "", time_ms).in_state(said.state.clone());
        let message = message.numbered(said.seq).answering(said.reply);
        message.set_deletion(self.imp().deleters.deletion(&message));
        message.set_from_bot(self.session().is_some_and(|it| it.is_bot(&said.author)));
        self.note_pending(&message);
        if said.own { message } else { self.read(message) }
    }

    /// Remembers a message of the reader's: others may answer it when it is not here.
    fn note_own(&self, said: &Heard) {
        if let Some(seq) = said.seq.filter(|_| said.own) {
            self.imp().own_numbers.add(seq);
        }
    }

    /// Returns a message that was found, as it is shown: itself, if it is here.
    pub(in crate::session) fn found(&self, said: &Heard) -> Message {
        let here = said.seq.and_then(|seq| self.history().by_seq(seq));
        here.unwrap_or_else(|| self.shown(said))
    }

    /// Returns what somebody did to the room, as it is shown; `None` if that is not known.
    fn shown_record(&self, record: &RoomRecord) -> Option<Message> {
        let subject = record.subject.as_deref().unwrap_or_default();
        let is_direct = self.kind() == RoomKind::Direct;
        let text = match record.event {
            RoomEvent::Created if is_direct => notices::direct_created(&record.username),
            event => notices::room_event(event, &record.username, subject)?,
        };
        let message = Message::new(MessageKind::Notice, "", &text, local_ms(record.time_ms));
        Some(message.numbered(Some(record.seq)))
    }

    /// Returns `message` with what calls us in it.
    fn read(&self, message: Message) -> Message {
        let mentions = self.mentions_in(&message.text());
        let is_answer = message.reply().is_some_and(|seq| self.imp().own_numbers.has(seq));
        message.set_answers_reader(is_answer);
        message.read_by(self.own_name(), mentions)
    }

    /// Returns where `text` calls us, in bytes.
    pub(super) fn mentions_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut target = self.imp().mention_target.borrow_mut();
        let target = target.get_or_insert_with(|| MentionTarget::new(&self.own_name()));
        let members = self.ask_client(Client::members).unwrap_or_default();
        target.mentions(text, members.iter().map(AsRef::as_ref))
    }
}

/// Returns the server's time as a message bears it.
pub(super) fn local_ms(time_ms: u64) -> i64 {
    i64::try_from(time_ms).unwrap_or(i64::MAX)
}
