//! The fields of a session; its behaviour is in the files beside.

use std::{
    cell::{Cell, RefCell},
    sync::OnceLock,
};

use gtk::glib::{
    self,
    prelude::*,
    subclass::{Signal, prelude::*},
};
use pychat_wire::Client;

use super::{
    Account, Room, RoomList, SessionState,
    connecting::Connecting,
    devices::Devices,
    disconnect_reason::DisconnectReason,
    invites::Invites,
    moderation::{Deed, Moderation},
    persistence::Persistence,
    room_requests::Requests,
    rooms::Rooms,
    search::Search,
};
use crate::text::server_uri::Access;

#[derive(Debug, Default, glib::Properties)]
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
    /// The name of the server: its own, or else the reader's name for it, or its address.
    #[property(get)]
    pub(super) title: RefCell<String>,
    /// The name that the server gave itself; empty if none.
    pub(super) server_name: RefCell<String>,
    /// The name that the reader gave the server; empty if none.
    pub(super) alias: RefCell<String>,
    /// The hall: the room that everybody is in.
    #[property(get)]
    pub(super) room: Room,
    /// The rooms that the reader is in, the hall among them.
    #[property(get)]
    pub(super) rooms: RoomList,
    /// True if others may be told that the reader is writing.
    #[property(get, set)]
    pub(super) sends_typing: Cell<bool>,
    /// When a `Lost` session tries again by itself, in milliseconds on a clock that does not go
    /// back; 0 if it does not.
    #[property(get)]
    pub(super) retry_at_ms: Cell<u64>,
    pub(super) account: RefCell<Option<Account>>,
    /// The other parts of the link by which it was joined.
    pub(super) access: RefCell<Access>,
    pub(super) disconnect_reason: RefCell<Option<DisconnectReason>>,
    /// The state machine of the protocol, which decides; there is one from joining to leaving.
    pub(super) client: RefCell<Option<Client>>,
    pub(super) connecting: Connecting,
    pub(super) persistence: Persistence,
    pub(super) devices: Devices,
    pub(super) invites: Invites,
    pub(super) requests: Requests,
    pub(super) rooms_state: Rooms,
    pub(super) moderation: Moderation,
    pub(super) search: Search,
    /// True once the room has been entered, until it is left.
    pub(super) has_conversation: Cell<bool>,
    /// The number of the protocol that was last spoken in the room.
    pub(super) protocol: Cell<u64>,
    /// True while events are being carried out.
    pub(super) is_processing: Cell<bool>,
    /// The client's next deadline, in milliseconds, and the task that wakes it then.
    pub(super) alarm: RefCell<Option<(u64, glib::JoinHandle<()>)>>,
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
        self.sends_typing.set(true);
        self.room.set_session(&self.obj());
        self.rooms.replace(vec![self.room.clone()]);
        self.search.set_session(&self.obj());
    }

    fn signals() -> &'static [Signal] {
        static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
        SIGNALS.get_or_init(|| {
            vec![
                Signal::builder("device-added").param_types([String::static_type()]).build(),
                Signal::builder("devices-changed").build(),
                Signal::builder("invite-changed").build(),
                Signal::builder("moderated").param_types([Deed::static_type()]).build(),
                Signal::builder("moderation-failed").param_types([String::static_type()]).build(),
                Signal::builder("open-rooms-changed").build(),
                Signal::builder("pair-code-changed").build(),
                Signal::builder("room-changed").param_types([String::static_type()]).build(),
                Signal::builder("room-failed")
                    .param_types([String::static_type(), String::static_type()])
                    .build(),
                Signal::builder("room-wanted").param_types([Room::static_type()]).build(),
                Signal::builder("rules-changed").build(),
                Signal::builder("rules-outdated").build(),
            ]
        })
    }
}
