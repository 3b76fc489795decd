//! One conversation: its messages, the people in it, and the text that is being written.
//!
//! A room belongs to a [`Session`], which has the connection: what is said leaves by it, and what
//! the client tells of the conversation comes from it. What shows a conversation follows a room,
//! never its session, and so can be pointed at another.

mod back_pages;
mod events;
mod kind;
mod members;
mod opening;
mod read_state;
mod saying;
mod typing;

use gtk::{
    glib,
    glib::{clone, prelude::*, subclass::prelude::*},
};
use pychat_wire::Client;

pub use self::{
    back_pages::{PAGE_MESSAGES, SEARCH_PAGE_MESSAGES},
    kind::{RoomKind, RoomNotifications, RoomSection},
};
use super::Session;
use crate::model::Message;

mod imp {
    use std::{
        cell::{Cell, RefCell},
        marker::PhantomData,
        sync::OnceLock,
    };

    use gtk::glib::subclass::Signal;
    use pychat_wire::client::Past;

    use super::*;
    use crate::{
        model::{History, People},
        text::MentionTarget,
    };

    /// The parts of a room that the server tells.
    #[derive(Debug, Default)]
    pub(in crate::session) struct Description {
        pub(in crate::session) id: String,
        pub(in crate::session) kind: RoomKind,
        pub(in crate::session) title: String,
        pub(in crate::session) topic: String,
        pub(in crate::session) is_mine: bool,
        pub(in crate::session) is_gone: bool,
    }

    /// The activity in a room, as far as it is new to the reader.
    #[derive(Debug, Default)]
    pub(in crate::session) struct News {
        pub(in crate::session) unread: u32,
        pub(in crate::session) mentions: u32,
        pub(in crate::session) last_active: i64,
    }

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::Room)]
    pub struct Room {
        /// Its id, which nothing else on the server has; that of the hall is empty.
        #[property(name = "id", get, type = String, member = id)]
        /// Its kind.
        #[property(name = "kind", get, type = RoomKind, member = kind, builder(RoomKind::default()))]
        /// The name to show: of the server, of the room, or of the others in a direct room.
        #[property(name = "title", get, type = String, member = title)]
        /// Its topic; empty if it has none.
        #[property(name = "topic", get, type = String, member = topic)]
        /// True if the reader may rename it, give it a topic and remove members.
        #[property(name = "is-mine", get, type = bool, member = is_mine)]
        /// True if the reader is in it no more. It is still listed where something in it would be
        /// lost otherwise.
        #[property(name = "is-gone", get, type = bool, member = is_gone)]
        pub(super) description: RefCell<Description>,
        /// The number of other people's messages that are new to the reader, on every device.
        #[property(name = "unread", get, type = u32, member = unread)]
        /// The number of these that mention the reader, as far as they have come.
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
        #[property(get)]
        pub(super) typing: RefCell<Vec<String>>,
        /// The messages.
        #[property(get)]
        pub(super) history: History,
        /// The people who are here; without a connection, those who last were.
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
        /// The text being written: as it was left when the room is entered, then as `set_draft`
        /// sets it.
        #[property(get)]
        pub(super) draft: RefCell<String>,
        /// The session whose connection leads here.
        pub(super) session: glib::WeakRef<Session>,
        /// The availability of older messages.
        pub(super) back_pages: Cell<Past>,
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
                move |history| room.tell_client(|client| client.see(history.seen()))
            ));
        }

        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                vec![
                    Signal::builder("heard").param_types([Message::static_type()]).build(),
                    Signal::builder("back-pages-changed").build(),
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
            }
        }
    }
}

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
    /// Keeps what is being written, to be gone on with by the next start.
    pub fn set_draft(&self, draft: &str) {
        if *self.imp().draft.borrow() != draft {
            self.imp().draft.replace(draft.to_owned());
            if let Some(session) = self.session() {
                session.save_soon();
            }
        }
    }

    /// Returns true if its id is `id`.
    pub fn has_id(&self, id: &str) -> bool {
        self.imp().description.borrow().id == id
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

    /// Begins a new conversation, in which `draft` is being written.
    pub(super) fn begin(&self, draft: String) {
        self.imp().draft.replace(draft);
        self.notify_draft();
        self.history().clear();
        self.imp().welcome.take();
    }

    /// Takes in that nobody is known to be here.
    pub(super) fn forget_people(&self) {
        self.imp().people.update(&[], "");
    }

    /// Takes in that the reader is called otherwise.
    pub(super) fn forget_mention_target(&self) {
        self.imp().mention_target.take();
    }

    pub(super) fn set_title(&self, title: String) {
        let mut description = self.imp().description.borrow_mut();
        if description.title != title {
            description.title = title;
            drop(description);
            self.notify_title();
        }
    }

    pub(super) fn set_online(&self, is_online: bool) {
        self.hold(0);
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
        if self.imp().can_say.replace(can_say) != can_say {
            self.notify_can_say();
        }
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
