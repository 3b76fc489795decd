//! The fields of a session; its behaviour is in the files beside.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    sync::OnceLock,
    time::Duration,
};

use gtk::{
    glib,
    glib::{
        clone,
        prelude::*,
        subclass::{Signal, prelude::*},
    },
};
use pychat_wire::{Client, UserName, client::Past};

use super::{Attempt, Connection, JOIN_TIMEOUT, SessionState};
use crate::{
    model::{History, Message, People},
    session::{disconnect_reason::DisconnectReason, state_file::StateFile},
    text::{MentionTarget, server_address::ServerAddress},
};

#[derive(Debug, glib::Properties)]
#[properties(wrapper_type = super::Session)]
pub struct Session {
    /// The state of the session.
    #[property(get, builder(SessionState::default()))]
    pub(super) state: Cell<SessionState>,
    /// Our name: as we asked for it, then as the server gave it.
    #[property(get)]
    pub(super) name: RefCell<String>,
    /// The server's address, to be read.
    #[property(get)]
    pub(super) server: RefCell<String>,
    /// The messages of the conversation.
    #[property(get)]
    pub(super) history: History,
    /// The people who are here; without a connection, those who last were.
    #[property(get)]
    pub(super) people: People,
    /// When a `Lost` session tries again by itself, in milliseconds on a clock that does not go
    /// back; 0 if it does not.
    #[property(get)]
    pub(super) retry_at_ms: Cell<u64>,
    /// True while something can be said, now or for when the connection is back.
    #[property(get)]
    pub(super) can_say: Cell<bool>,
    /// The text being written: as it was left when the room is entered, then as `set_draft` sets
    /// it.
    #[property(get)]
    pub(super) draft: RefCell<String>,
    pub(super) identity: RefCell<Option<(UserName, ServerAddress)>>,
    pub(super) disconnect_reason: RefCell<Option<DisconnectReason>>,
    /// The state machine of the protocol, which decides; there is one from joining to leaving.
    pub(super) client: RefCell<Option<Client>>,
    pub(super) connection: RefCell<Connection>,
    pub(super) attempt: Cell<Attempt>,
    /// Ends an attempt that takes too long.
    pub(super) join_timeout: RefCell<Option<glib::JoinHandle<()>>>,
    /// The reason why the last attempt failed, where only we know it.
    pub(super) failure: RefCell<Option<DisconnectReason>>,
    /// True once the room has been entered, until it is left.
    pub(super) has_conversation: Cell<bool>,
    /// The number of the protocol that was last spoken in the room.
    pub(super) protocol: Cell<u64>,
    /// The availability of older messages.
    pub(super) back_pages: Cell<Past>,
    /// True while messages are fetched up to the first that was not seen.
    pub(super) is_fetching_unread: Cell<bool>,
    /// The welcome, which is shown after the first page.
    pub(super) welcome: RefCell<Option<Message>>,
    /// The name of somebody who has just been replaced by themselves, over another connection.
    pub(super) replaced: RefCell<Option<String>>,
    /// The reader, whom a text may mention; known until somebody comes, goes or is renamed.
    pub(super) mention_target: RefCell<Option<MentionTarget>>,
    /// True once somebody came or went, until that is shown.
    pub(super) is_people_update_due: Cell<bool>,
    /// True while events are being carried out.
    pub(super) is_processing: Cell<bool>,
    /// The client's next deadline, in milliseconds, and the task that wakes it then.
    pub(super) alarm: RefCell<Option<(u64, glib::JoinHandle<()>)>>,
    pub(super) state_folder: RefCell<PathBuf>,
    pub(super) state_file: RefCell<Option<StateFile>>,
    /// True while something of little weight waits to be saved.
    pub(super) is_save_due: Cell<bool>,
    pub(super) timeout: Cell<Duration>,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            state: Cell::default(),
            name: RefCell::default(),
            server: RefCell::default(),
            history: History::default(),
            people: People::default(),
            retry_at_ms: Cell::default(),
            can_say: Cell::default(),
            draft: RefCell::default(),
            identity: RefCell::default(),
            disconnect_reason: RefCell::default(),
            client: RefCell::default(),
            connection: RefCell::default(),
            attempt: Cell::default(),
            join_timeout: RefCell::default(),
            failure: RefCell::default(),
            has_conversation: Cell::default(),
            protocol: Cell::default(),
            back_pages: Cell::default(),
            is_fetching_unread: Cell::default(),
            welcome: RefCell::default(),
            replaced: RefCell::default(),
            mention_target: RefCell::default(),
            is_people_update_due: Cell::default(),
            is_processing: Cell::default(),
            alarm: RefCell::default(),
            state_folder: RefCell::new(glib::user_state_dir().join("pychat")),
            state_file: RefCell::default(),
            is_save_due: Cell::default(),
            timeout: Cell::new(JOIN_TIMEOUT),
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for Session {
    const NAME: &'static str = "PychatSession";
    type Type = super::Session;
}

#[glib::derived_properties]
impl ObjectImpl for Session {
    fn constructed(&self) {
        self.parent_constructed();
        self.history.connect_seen_notify(clone!(
            #[weak(rename_to = session)]
            self.obj(),
            move |history| session.see(history.seen())
        ));
    }

    /// Finishes the connection, which does not outlive its session.
    fn dispose(&self) {
        if let Connection::Open(line) = self.connection.take() {
            glib::spawn_future_local(line.finish());
        }
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
