//! What a session is made of; how it behaves is in the files beside.

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

use super::{Attempt, JOIN_TIMEOUT, Link, SessionState};
use crate::{
    ending::Ending,
    model::{History, Message, People},
    server_address::ServerAddress,
    state_file::StateFile,
    text::Callee,
};

#[derive(Debug, glib::Properties)]
#[properties(wrapper_type = super::Session)]
pub struct Session {
    /// Where the session stands.
    #[property(get, builder(SessionState::default()))]
    pub(super) state: Cell<SessionState>,
    /// What we are called: as we asked to be, then as the server calls us.
    #[property(get)]
    pub(super) name: RefCell<String>,
    /// The server's address, to be read.
    #[property(get)]
    pub(super) server: RefCell<String>,
    /// What was said.
    #[property(get)]
    pub(super) history: History,
    /// Who is here; without a connection, who last was.
    #[property(get)]
    pub(super) people: People,
    /// When a `Lost` session tries again by itself, in milliseconds on a clock that does not go
    /// back; 0 if it does not.
    #[property(get)]
    pub(super) retry_at_ms: Cell<u64>,
    /// True while something can be said, now or for when the connection is back.
    #[property(get)]
    pub(super) can_say: Cell<bool>,
    /// What is being written: as it was left when the room is entered, then as it is told.
    #[property(get)]
    pub(super) draft: RefCell<String>,
    pub(super) identity: RefCell<Option<(UserName, ServerAddress)>>,
    pub(super) ending: RefCell<Option<Ending>>,
    /// What decides; there is one from joining to leaving.
    pub(super) client: RefCell<Option<Client>>,
    pub(super) link: RefCell<Link>,
    pub(super) attempt: Cell<Attempt>,
    /// Ends an attempt that takes too long.
    pub(super) patience: RefCell<Option<glib::JoinHandle<()>>>,
    /// Why the last attempt failed, where only we know it.
    pub(super) failure: RefCell<Option<Ending>>,
    /// True once the room has been entered, until it is left.
    pub(super) has_conversation: Cell<bool>,
    /// Which protocol was last spoken in the room.
    pub(super) protocol: Cell<u64>,
    /// What there is to be had of older messages.
    pub(super) past: Cell<Past>,
    /// True while messages are fetched up to the first that was not seen.
    pub(super) is_fetching_unread: Cell<bool>,
    /// What is shown after the first page.
    pub(super) welcome: RefCell<Option<Message>>,
    /// Who has just been replaced by themselves, over another connection.
    pub(super) replaced: RefCell<Option<String>>,
    /// Whom a text may call; known until somebody comes, goes or is called otherwise.
    pub(super) callee: RefCell<Option<Callee>>,
    /// True once somebody came or went, until that is shown.
    pub(super) has_met: Cell<bool>,
    /// True while events are being carried out.
    pub(super) is_attending: Cell<bool>,
    /// When the client wants to be told the time, and who does it.
    pub(super) alarm: RefCell<Option<(u64, glib::JoinHandle<()>)>>,
    pub(super) state_folder: RefCell<PathBuf>,
    pub(super) file: RefCell<Option<StateFile>>,
    /// True while something of little weight waits to be filed.
    pub(super) is_filing: Cell<bool>,
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
            ending: RefCell::default(),
            client: RefCell::default(),
            link: RefCell::default(),
            attempt: Cell::default(),
            patience: RefCell::default(),
            failure: RefCell::default(),
            has_conversation: Cell::default(),
            protocol: Cell::default(),
            past: Cell::default(),
            is_fetching_unread: Cell::default(),
            welcome: RefCell::default(),
            replaced: RefCell::default(),
            callee: RefCell::default(),
            has_met: Cell::default(),
            is_attending: Cell::default(),
            alarm: RefCell::default(),
            state_folder: RefCell::new(glib::user_state_dir().join("pychat")),
            file: RefCell::default(),
            is_filing: Cell::default(),
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

    /// A connection does not outlive who speaks along it.
    fn dispose(&self) {
        if let Link::Open(line) = self.link.take() {
            glib::spawn_future_local(line.finish());
        }
    }

    fn signals() -> &'static [Signal] {
        static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
        SIGNALS.get_or_init(|| {
            vec![
                Signal::builder("heard").param_types([Message::static_type()]).build(),
                Signal::builder("past-changed").build(),
            ]
        })
    }
}
