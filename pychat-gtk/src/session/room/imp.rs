//! The fields of a room; its behaviour is in the files beside.

use std::{
    cell::{Cell, OnceCell, RefCell},
    marker::PhantomData,
    sync::OnceLock,
};

use gtk::glib::{
    self, clone,
    prelude::*,
    subclass::{Signal, prelude::*},
};
use pychat_wire::client::{Past, RoomId};

use super::{
    Composing, RoomKind, RoomNotifications, Session, amending::Amendments, back_pages::PagePlace,
    deleters::Deleters, own_numbers::OwnNumbers, typing::Typing,
};
use crate::{
    model::{History, Message, People},
    text::MentionTarget,
};

/// The parts of a room that the server tells.
#[derive(Debug, Default)]
pub(super) struct Description {
    pub(super) kind: RoomKind,
    pub(super) title: String,
    pub(super) topic: String,
    pub(super) is_mine: bool,
    pub(super) is_gone: bool,
    /// The key by which rooms are sorted that are alike otherwise.
    pub(super) sort_key: Option<glib::CollationKey>,
}

/// The activity in a room, as far as it is new to the reader.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) unread: u32,
    pub(super) mentions: u32,
    pub(super) last_active: i64,
    /// The numbers of the new messages that mention the reader, each once.
    pub(super) mentioned_at: Vec<u64>,
    /// True once something has changed, until that is told.
    pub(super) is_due: bool,
}

#[derive(Debug, Default, glib::Properties)]
#[properties(wrapper_type = super::Room)]
pub struct Room {
    /// Its id, which no other room of the server has; that of the hall is empty.
    #[property(name = "id", get = |imp: &Self| imp.obj().client_id().as_str().to_owned(), type = String)]
    pub(super) client_id: OnceCell<RoomId>,
    /// Its kind.
    #[property(name = "kind", get, type = RoomKind, member = kind, builder(RoomKind::default()))]
    /// The name to show: of the server, of the room, or of the others in a direct room.
    #[property(name = "title", get, type = String, member = title)]
    /// Its topic; empty if it has none.
    #[property(name = "topic", get, type = String, member = topic)]
    /// True if the reader may rename it, give it a topic and remove members.
    #[property(name = "is-mine", get, type = bool, member = is_mine)]
    /// True if the reader is in it no more. It is still listed where something in it would be lost
    /// otherwise.
    #[property(name = "is-gone", get, type = bool, member = is_gone)]
    pub(super) description: RefCell<Description>,
    /// The number of other people's messages that are new to the reader, on every device.
    #[property(name = "unread", get, type = u32, member = unread)]
    /// The number of these that mention the reader, as far as that is known.
    #[property(name = "mentions", get, type = u32, member = mentions)]
    /// The time of the last message, in UTC milliseconds since 1970; 0 if it is not known.
    #[property(name = "last-active", get, type = i64, member = last_active)]
    pub(super) news: RefCell<News>,
    /// The messages that cause notifications.
    #[property(get, set = Self::set_notifications, explicit_notify, builder(RoomNotifications::default()))]
    pub(super) notifications: Cell<RoomNotifications>,
    /// True if nothing in it causes notifications, by the reader's choice for it.
    #[property(get = |imp: &Self| imp.notifications.get() == RoomNotifications::None)]
    is_muted: PhantomData<bool>,
    /// The names of those who are writing now.
    #[property(name = "typing", get = |imp: &Self| imp.typing.names(), type = Vec<String>)]
    pub(super) typing: Typing,
    /// The messages, once the room was opened.
    #[property(get)]
    pub(super) history: History,
    /// Of the hall, the people who are here; without a connection, those who last were. Of another
    /// room its members, as far as they are known.
    #[property(get)]
    pub(super) people: People,
    /// True while we are in the room, over a connection.
    #[property(get)]
    pub(super) is_online: Cell<bool>,
    /// True while something can be said, now or for when the connection is back.
    #[property(get)]
    pub(super) can_say: Cell<bool>,
    /// True while the reader may moderate.
    #[property(get)]
    pub(super) can_moderate: Cell<bool>,
    /// The time until which the server takes no more of what is said, in milliseconds on a clock
    /// that does not go back; 0 if it takes what comes.
    #[property(get)]
    pub(super) held_until_ms: Cell<u64>,
    /// The text being written: as it was left when the room is entered, then as `set_draft` sets it.
    #[property(get)]
    pub(super) draft: RefCell<String>,
    /// The kind of text that is being written.
    pub(super) composing: RefCell<Composing>,
    /// The other words for an earlier message, while they are being written.
    pub(super) edited: RefCell<String>,
    pub(super) amendments: Amendments,
    pub(super) deleters: Deleters,
    pub(super) own_numbers: OwnNumbers,
    /// The session whose connection leads here.
    pub(super) session: glib::WeakRef<Session>,
    /// True once the room was opened: its messages are kept here, and not only counted.
    pub(super) is_open: Cell<bool>,
    /// The availability of older messages.
    pub(super) back_pages: Cell<Past>,
    /// The place of the page that was requested last.
    pub(super) page_place: Cell<PagePlace>,
    /// True while messages are fetched up to the first that was not seen.
    pub(super) is_fetching_unread: Cell<bool>,
    /// The welcome, which is shown after the first page.
    pub(super) welcome: RefCell<Option<Message>>,
    /// The reader, whom a text may mention; known until somebody comes, goes or is renamed.
    pub(super) mention_target: RefCell<Option<MentionTarget>>,
    /// True once somebody came or went, until that is shown.
    pub(super) is_people_update_due: Cell<bool>,
}

#[glib::object_subclass]
impl ObjectSubclass for Room {
    const NAME: &'static str = "PychatRoom";
    type Type = super::Room;
}

#[glib::derived_properties]
impl ObjectImpl for Room {
    fn constructed(&self) {
        self.parent_constructed();
        self.history.connect_seen_notify(clone!(
            #[weak(rename_to = room)]
            self.obj(),
            move |history| room.on_seen(history.seen())
        ));
        self.history.connect_n_unread_notify(clone!(
            #[weak(rename_to = room)]
            self.obj(),
            move |_| room.on_unread_changed()
        ));
    }

    fn signals() -> &'static [Signal] {
        static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
        SIGNALS.get_or_init(|| {
            vec![
                Signal::builder("heard").param_types([Message::static_type()]).build(),
                Signal::builder("back-pages-changed").build(),
                Signal::builder("composing-changed").build(),
                Signal::builder("removed").param_types([Message::static_type()]).build(),
                Signal::builder("restored").param_types([Message::static_type()]).build(),
            ]
        })
    }
}

impl Room {
    fn set_notifications(&self, notifications: RoomNotifications) {
        if self.notifications.replace(notifications) == notifications {
            return;
        }
        let obj = self.obj();
        obj.notify_notifications();
        obj.notify_is_muted();
        if let Some(session) = obj.session() {
            session.save_soon();
            session.rooms().update();
        }
    }
}
