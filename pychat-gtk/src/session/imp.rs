//! What a session is made of; how it behaves is in the file above.

use std::{
    cell::{Cell, RefCell},
    sync::OnceLock,
    time::Duration,
};

use gtk::{
    glib,
    glib::{prelude::*, subclass::Signal, subclass::prelude::*},
};
use pychat_wire::UserName;

use super::{Attempt, JOIN_TIMEOUT, Link, SessionState};
use crate::{ending::Ending, model::History, server_address::ServerAddress};

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
    pub(super) identity: RefCell<Option<(UserName, ServerAddress)>>,
    pub(super) ending: RefCell<Option<Ending>>,
    pub(super) link: RefCell<Link>,
    pub(super) attempt: Cell<Attempt>,
    /// True once the room has been entered, until it is left.
    pub(super) has_conversation: Cell<bool>,
    /// True once the server has said that it stops.
    pub(super) is_server_stopping: Cell<bool>,
    pub(super) timeout: Cell<Duration>,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            state: Cell::default(),
            name: RefCell::default(),
            server: RefCell::default(),
            history: History::default(),
            identity: RefCell::default(),
            ending: RefCell::default(),
            link: RefCell::default(),
            attempt: Cell::default(),
            has_conversation: Cell::default(),
            is_server_stopping: Cell::default(),
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
    fn signals() -> &'static [Signal] {
        static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
        SIGNALS.get_or_init(|| {
            vec![Signal::builder("returned").param_types([String::static_type()]).build()]
        })
    }
}
