//! One conversation: its messages, the people in it, and the text that is being written.
//!
//! A room belongs to a [`Session`], which has the connection: what is said leaves by it, and what
//! the client tells of the conversation comes from it. What shows a conversation follows a room,
//! never its session, and so can be pointed at another.

mod amending;
mod back_pages;
mod changes;
mod composing;
mod deleters;
mod events;
mod imp;
mod kind;
mod members;
mod news;
mod opening;
mod own_numbers;
mod read_state;
mod saying;
mod typing;

use std::cmp::Ordering;

use gtk::glib::{self, prelude::*, subclass::prelude::*};
use pychat_wire::{
    Client,
    client::{self, RoomId},
};

pub use self::{
    back_pages::PAGE_MESSAGES,
    changes::MessageChange,
    composing::Composing,
    kind::{RoomKind, RoomNotifications, RoomSection},
};
use super::{Session, state_file::KeptRoom};
use crate::{
    model::Message,
    text::{self, names},
};

glib::wrapper! {
    /// One conversation.
    pub struct Room(ObjectSubclass<imp::Room>);
}

impl Default for Room {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Room {
    /// Makes the room of `session` whose id is `id`, which was `kept` like that.
    pub(super) fn new(session: &Session, id: &RoomId, kept: Option<KeptRoom>) -> Self {
        let room = Self::default();
        let _ = room.imp().client_id.set(id.clone()); // It has just been made.
        room.set_session(session);
        if let Some(kept) = kept {
            room.imp().draft.replace(kept.draft.clone());
            room.set_title(kept.title.clone());
            room.restore(&kept);
        }
        room
    }

    /// Keeps what is being written, to be gone on with by the next start.
    pub fn set_draft(&self, draft: &str) {
        if *self.imp().draft.borrow() != draft {
            self.imp().draft.replace(draft.to_owned());
            if let Some(session) = self.session() {
                session.save_soon();
                session.forget_lost_room(self);
            }
        }
    }

    /// Takes in that the reader does not want what they were writing any more.
    pub(super) fn drop_draft(&self) {
        if !self.imp().draft.take().is_empty() {
            self.notify_draft();
        }
    }

    /// Returns true if its id is `id`.
    pub fn has_id(&self, id: &str) -> bool {
        self.client_id().as_str() == id
    }

    /// Calls `f` with each message of somebody else's that is new: not with pages of the past.
    pub fn connect_heard(&self, f: impl Fn(&Self, &Message) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "heard",
            false,
            glib::closure_local!(move |room: &Self, message: &Message| f(room, message)),
        )
    }

    /// Returns a group of signals that calls `f` when its target, a room, gets or loses its connection.
    pub fn online_signals(f: impl Fn() + 'static) -> glib::SignalGroup {
        let signals = glib::SignalGroup::new::<Self>();
        signals.connect_notify_local(Some("is-online"), move |_, _| f());
        signals
    }

    /// Takes in which session leads here.
    pub(super) fn set_session(&self, session: &Session) {
        self.imp().session.set(Some(session));
    }

    /// Begins a new conversation in the hall, in which `draft` is being written.
    pub(super) fn begin(&self, draft: String, kept: &KeptRoom) {
        self.imp().is_open.set(true);
        self.imp().draft.replace(draft);
        self.notify_draft();
        self.history().clear();
        self.imp().welcome.take();
        self.imp().deleters.clear();
        self.forget_news();
        self.restore(kept);
    }

    /// Takes in what the server says of it.
    pub(super) fn describe(&self, room: &client::Room) {
        let imp = self.imp();
        let kind = RoomKind::from(room.kind);
        if kind == RoomKind::Direct {
            self.set_people(&room.with, &self.own_name());
        }
        let title = match kind {
            RoomKind::Hall => self.title(),
            RoomKind::Direct => self.title_of(&room.with),
            RoomKind::Open | RoomKind::Closed => room.name.clone(),
        };
        let (is_other_kind, is_other_topic, is_other_right, was_gone) = {
            let mut known = imp.description.borrow_mut();
            let changes = (
                known.kind != kind,
                known.topic != room.topic,
                known.is_mine != room.is_mine,
                known.is_gone,
            );
            (known.kind, known.is_mine, known.is_gone) = (kind, room.is_mine, false);
            known.topic.clone_from(&room.topic);
            changes
        };
        self.set_title(title);
        for (is_changed, notify) in [
            (is_other_kind, Self::notify_kind as fn(&Self)),
            (is_other_topic, Self::notify_topic),
            (is_other_right, Self::notify_is_mine),
            (was_gone, Self::notify_is_gone),
        ] {
            if is_changed {
                notify(self);
            }
        }
        self.expect_news();
    }

    /// Takes in that the reader is in it no more.
    pub(super) fn lose(&self) {
        let was_gone = std::mem::replace(&mut self.imp().description.borrow_mut().is_gone, true);
        self.imp().typing.clear();
        self.notify_typing();
        self.forget_news();
        self.set_online(false);
        self.set_can_say(false);
        if !was_gone {
            self.notify_is_gone();
        }
    }

    /// Takes in that nothing is known of it but its id: the reader is in it no more.
    pub(super) fn set_unknown(&self) {
        self.imp().description.borrow_mut().kind = RoomKind::Closed;
        self.notify_kind();
        self.lose();
    }

    /// Returns true if something that the reader wrote would be lost with it.
    pub(super) fn has_words(&self) -> bool {
        self.history().has_unsent() || !text::is_blank(&self.imp().draft.borrow())
    }

    /// Takes in that nobody is known to be here.
    pub(super) fn forget_people(&self) {
        self.set_people(&[], "");
    }

    /// Takes in who is here, or in it: these, of whom the reader is the first called `own`.
    pub(super) fn set_people(&self, names: &[String], own: &str) {
        let session = self.session();
        let is_bot = |name: &str| session.as_ref().is_some_and(|session| session.is_bot(name));
        self.imp().people.update(names, own, is_bot);
    }

    /// Shows who is a bot.
    pub(super) fn show_bots(&self) {
        let Some(session) = self.session() else { return };
        self.history().mark_bots(|name| session.is_bot(name));
        self.imp().people.mark_bots(|name| session.is_bot(name));
    }

    /// Takes in that the reader is called otherwise.
    pub(super) fn forget_mention_target(&self) {
        self.imp().mention_target.take();
    }

    pub(super) fn set_title(&self, title: String) {
        let mut description = self.imp().description.borrow_mut();
        if description.title != title {
            description.sort_key = Some(text::fold(&title).into());
            description.title = title;
            drop(description);
            self.notify_title();
        }
    }

    /// Compares the titles of two rooms as the reader's language does.
    pub(super) fn cmp_title(&self, other: &Self) -> Ordering {
        let [one, other] = [self, other].map(|room| room.imp().description.borrow());
        one.sort_key.cmp(&other.sort_key)
    }

    pub(super) fn set_online(&self, is_online: bool) {
        self.hold(0);
        let is_online = is_online && self.is_reachable();
        if self.imp().is_online.replace(is_online) != is_online {
            self.notify_is_online();
        }
    }

    pub(super) fn set_can_moderate(&self, can_moderate: bool) {
        if self.imp().can_moderate.replace(can_moderate) != can_moderate {
            self.notify_can_moderate();
        }
    }

    pub(super) fn set_can_say(&self, can_say: bool) {
        let can_say = can_say && self.is_reachable();
        if self.imp().can_say.replace(can_say) != can_say {
            self.notify_can_say();
        }
    }

    /// Returns true if the reader is in it, and the server knows it: of the original it knows the hall
    /// alone.
    fn is_reachable(&self) -> bool {
        !self.is_gone() && (self.client_id().is_hall() || self.has_numbers())
    }

    /// Returns its id as the client knows it.
    pub(super) fn client_id(&self) -> &RoomId {
        self.imp().client_id.get_or_init(RoomId::hall)
    }

    /// Returns the names of the others among the people of a direct room.
    fn title_of(&self, with: &[String]) -> String {
        let own = self.own_name();
        let others: Vec<_> = with.iter().filter(|name| **name != own).map(String::as_str).collect();
        if others.is_empty() { own } else { names::in_a_row(&others) }
    }

    fn session(&self) -> Option<Session> {
        self.imp().session.upgrade()
    }

    /// Returns what the reader is called here.
    fn own_name(&self) -> String {
        self.session().map(|session| session.name()).unwrap_or_default()
    }

    /// Returns true if messages have numbers here, and are kept by the server.
    fn has_numbers(&self) -> bool {
        self.session().is_some_and(|session| !session.speaks_original())
    }

    fn ask_client<T>(&self, f: impl FnOnce(&Client) -> T) -> Option<T> {
        self.session()?.ask_client(f)
    }

    fn tell_client<T>(&self, f: impl FnOnce(&mut Client) -> T) {
        if let Some(session) = self.session() {
            session.tell_client(f);
        }
    }
}
