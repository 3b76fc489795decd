//! The fields of a session; its behaviour is in the files beside.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    time::Duration,
};

use gtk::glib::{self, prelude::*, subclass::prelude::*};
use pychat_wire::Client;

use super::{
    Account, Attempt, Connection, JOIN_TIMEOUT, Room, SessionState,
    disconnect_reason::DisconnectReason, state_file::StateFile,
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
    /// The conversation.
    #[property(get)]
    pub(super) room: Room,
    /// When a `Lost` session tries again by itself, in milliseconds on a clock that does not go
    /// back; 0 if it does not.
    #[property(get)]
    pub(super) retry_at_ms: Cell<u64>,
    pub(super) account: RefCell<Option<Account>>,
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
            room: Room::default(),
            retry_at_ms: Cell::default(),
            account: RefCell::default(),
            disconnect_reason: RefCell::default(),
            client: RefCell::default(),
            connection: RefCell::default(),
            attempt: Cell::default(),
            join_timeout: RefCell::default(),
            failure: RefCell::default(),
            has_conversation: Cell::default(),
            protocol: Cell::default(),
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
        self.room.set_session(&self.obj());
    }
}
