//! The events in a room, made into a conversation that can be read.

use gtk::{
    gio::prelude::ListModelExt,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::{
    Client,
    client::{Event, Message as Said, Page},
    message::Reason,
};

use super::Room;
use crate::{
    model::{Message, MessageKind, PresenceChange, PresenceEvent},
    session::{error_text, notices, wall_ms},
    text::MentionTarget,
};

impl Room {
    pub(in crate::session) fn on_event(&self, event: Event) {
        match event {
            Event::Message(said) => self.on_message(&said),
            Event::Page(page) => self.on_page(&page),
            Event::Gap { from, to } => {
                self.history().restart(from.saturating_sub(1));
                self.history().skip_missing(to);
                self.note(None, &notices::gap());
            }
            Event::Skipped { to, .. } => self.history().skip_to(to),
            Event::NewEpoch => {
                self.history().begin_epoch();
                self.read_from_seen();
                self.note(None, &notices::new_epoch());
            }
            Event::MemberJoined { name, time_ms } => self.on_arrival(&name, time_ms),
            Event::MemberLeft { name, time_ms, reason } => {
                self.on_departure(name, time_ms, reason);
            }
            Event::Accepted { id, .. } => {
                self.history().remove(id.as_str()); // It stands in its place, or will.
            }
            Event::Failed { id, text, reason } => {
                let history = self.history();
                let message = history.unsent(id.as_str()).unwrap_or_else(|| {
                    let message = Message::sending(id, &self.own_name(), &text, wall_ms());
                    history.say(message.clone());
                    message
                });
                message.fail(&error_text::fail_reason(&reason));
            }
            Event::Notice { text } => self.note(None, &text),
            Event::SlowDown { retry_ms: Some(retry_ms) } => self.hold(retry_ms),
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
        imp.mention_target.take();
        let people = self.ask_client(|it| (it.members(), it.name().to_owned()));
        if let Some((members, name)) = people {
            imp.people.update(&members, &name);
        }
    }

    /// Shows what was said in an earlier life.
    fn show_unacknowledged(&self) {
        let texts = self.ask_client(|client| {
            let texts = client.unacknowledged();
            texts.map(|(id, text)| (id.clone(), text.to_owned())).collect::<Vec<_>>()
        });
        for (id, text) in texts.unwrap_or_default() {
            if self.history().unsent(id.as_str()).is_none() {
                self.history().say(Message::sending(id, &self.own_name(), &text, wall_ms()));
            }
        }
    }

    fn on_message(&self, said: &Said) {
        let (seq, time_ms) = (said.seq, said.time_ms.map(local_ms));
        let has_arrived =
            said.id.as_ref().is_some_and(|id| self.history().arrive(id.as_str(), seq, time_ms));
        if has_arrived {
            return;
        }
        let message = self.shown(said);
        self.history().push(message.clone());
        if !said.own {
            self.emit_by_name::<()>("heard", &[&message]);
        }
    }

    /// Older messages go before all others; after the first of them the newcomer is welcomed. If
    /// the oldest have been forgotten meanwhile, the page is not the one before those that are left.
    fn on_page(&self, page: &Page) {
        if self.forget() {
            return;
        }
        let mut messages = Vec::with_capacity(page.messages.len() + 2);
        let first_seq = page.messages.first().and_then(|said| said.seq);
        if page.start && first_seq.is_some_and(|seq| 1 < seq) {
            messages.push(Message::new(MessageKind::Notice, "", &notices::gap(), wall_ms()));
        }
        for said in &page.messages {
            if let Some(id) = &said.id {
                self.history().remove(id.as_str());
            }
            messages.push(self.shown(said));
        }
        messages.extend(self.welcome_below(&messages));
        let is_empty = messages.is_empty();
        self.history().prepend(messages);
        if page.start {
            self.history().reach_start();
        }
        self.fetch_unread(!is_empty);
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
    fn shown(&self, said: &Said) -> Message {
        let kind = if said.own { MessageKind::Own } else { MessageKind::Other };
        let time_ms = said.time_ms.map_or_else(wall_ms, local_ms);
        let message = Message::new(kind, &said.author, &said.content, time_ms);
        let message = message.numbered(said.seq);
        if said.own { message } else { self.read(message) }
    }

    /// Returns `message` with what calls us in it.
    fn read(&self, message: Message) -> Message {
        let mut target = self.imp().mention_target.borrow_mut();
        let target = target.get_or_insert_with(|| MentionTarget::new(&self.own_name()));
        let members = self.ask_client(Client::members).unwrap_or_default();
        message.read_by(target, members.iter().map(AsRef::as_ref))
    }
}

/// Returns the server's time as a message bears it.
fn local_ms(time_ms: u64) -> i64 {
    i64::try_from(time_ms).unwrap_or(i64::MAX)
}
