//! One person's conversation with a server, and its state, over its whole life.
//!
//! It wraps [`pychat_wire::Client`], which decides: when to connect, what to send and send again,
//! what was seen. The session does what the client says, over one [`Line`](transport::Line) after
//! another; what it tells of the conversation is gathered in a [`Room`]. The session never meets a
//! widget.
//!
//! ```text
//!                 join              connected           welcome
//!  Disconnected ───────▶ Connecting ─────────▶ Joining ─────────▶ Joined
//!       ▲                 │ ▲   │                 │                 │
//!       └── failed, ──────┘ │   └──── failed, ────┤                 │ line broke,
//!           not been in     │         been in     ▼                 ▼ server stopped
//!                           └───────────────────────── Lost ◀───────┘
//!                             by itself, or rejoin
//! ```
//!
//! Where a first attempt fails for a reason that may pass, the session is `Waiting` for the next
//! one instead of `Disconnected`. `leave` goes back to `Disconnected` from every state. Each
//! attempt has a number that is never used again; what arrives late, from an attempt that is over,
//! is ignored.

mod connecting;
mod events;
mod imp;
mod joining;
mod key_storage;
mod missed_mentions;
mod notices;
mod persistence;
mod private_file;
mod room_list;
mod room_requests;
mod rooms;
mod secret_service;
mod title;

pub mod account;
pub mod attempt;
pub mod connection_report;
pub mod devices;
pub mod disconnect_reason;
pub mod discovery;
pub mod encryption;
pub mod error_text;
pub mod invites;
pub mod moderation;
pub mod room;
pub mod search;
pub mod state_file;
pub mod step;
pub mod transport;
pub mod trust;

use std::{mem, path::Path, time::Duration};

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::Client;

pub use self::{account::Account, room::Room, room_list::RoomList, room_requests::OpenRoom};
use self::{
    connecting::Connection, disconnect_reason::DisconnectReason, encryption::Encryption,
    search::Search,
};

/// The time limit for each step of connecting; being let in has one of its own.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// The state of a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, glib::Enum)]
#[enum_type(name = "PychatSessionState")]
pub enum SessionState {
    /// There is no connection, and no conversation.
    #[default]
    Disconnected,
    /// The server is being called.
    Connecting,
    /// The server has answered, and has not let us in yet.
    Joining,
    /// We are in the room.
    Joined,
    /// We have not been in the room yet, and the next attempt begins [by
    /// itself](Session::retry_at_ms).
    Waiting,
    /// We were in the room; what was said there can still be read. Unless somebody has to decide
    /// something first, the next attempt begins [by itself](Session::retry_at_ms).
    Lost,
}

glib::wrapper! {
    /// One person's conversation with a server.
    ///
    /// Emits `devices-changed` when their devices are listed, `device-added` with the name of one
    /// that is new, and `pair-code-changed` with each code by which another can be added. To operators
    /// it emits `moderated` with a [`Deed`](moderation::Deed) of theirs, `moderation-failed` with the
    /// reason why something was not done, `rules-changed` when the rules were told, and
    /// `rules-outdated` when they are no longer those that were.
    ///
    /// Of rooms it emits `room-wanted` with a [`Room`] that is there and that the reader asked for, to
    /// be shown, `room-changed` with the id of a request that was granted, `room-failed` with the id of
    /// one that was not and the reason, and `open-rooms-changed` when the open rooms are listed.
    pub struct Session(ObjectSubclass<imp::Session>);
}

impl Default for Session {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Session {
    /// Makes it give up each step of connecting after `timeout` instead of [`STEP_TIMEOUT`].
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.imp().connecting.time_limit.set(timeout);
        self
    }

    /// Makes it keep what outlives the program in `folder` instead of the user's own, and nothing of
    /// it elsewhere.
    #[must_use]
    pub fn with_state_folder(self, folder: &Path) -> Self {
        self.imp().persistence.folder.replace(folder.to_owned());
        self.imp().persistence.uses_secret_service.set(false);
        self
    }

    /// Joins again at once, where and as before, and keeps the conversation. Does nothing unless
    /// `Lost`.
    pub fn rejoin(&self) {
        if self.state() == SessionState::Lost {
            self.tell_client(Client::reconnect);
        }
    }

    /// Tries again at once, if that would be done by itself later; a connection that there is must
    /// prove itself. For when the network has returned, or somebody looks at the conversation.
    pub fn wake(&self) {
        self.tell_client(|client| client.wake(now_ms()));
    }

    /// Gives up joining, and trying to. Does nothing once joined.
    pub fn cancel(&self) {
        if matches!(self.state(), SessionState::Disconnected | SessionState::Joined) {
            return;
        }
        if self.has_conversation() {
            self.tell_client(Client::leave);
            self.lose(None, None);
        } else {
            self.give_up(None);
        }
    }

    /// Leaves the room; resolves when the connection has been closed in order.
    pub async fn leave(&self) {
        self.send_deletions();
        self.with_client(Client::leave);
        let line = self.take_line();
        self.forget_client();
        self.flush_histories();
        self.imp().has_conversation.set(false);
        self.imp().disconnect_reason.take();
        self.set_retry_at(None);
        self.set_state(SessionState::Disconnected);
        if let Some(line) = line {
            line.finish().await;
        }
    }

    /// Returns the account that was asked for; `None` before the first attempt.
    pub fn account(&self) -> Option<Account> {
        self.imp().account.borrow().clone()
    }

    /// Returns the search through its rooms.
    pub fn search(&self) -> Search {
        self.imp().search.clone()
    }

    /// Returns why there is no connection, if that was nobody's wish.
    pub fn disconnect_reason(&self) -> Option<DisconnectReason> {
        self.imp().disconnect_reason.borrow().clone()
    }

    /// Returns how the connection is protected; `None` before the first.
    pub fn encryption(&self) -> Option<Encryption> {
        self.imp().connecting.encryption.borrow().clone()
    }

    /// Returns true if there is a conversation to be read, connected or not.
    pub fn has_conversation(&self) -> bool {
        self.imp().has_conversation.get()
    }

    /// Returns true while connecting or joining.
    pub fn is_joining(&self) -> bool {
        matches!(self.state(), SessionState::Connecting | SessionState::Joining)
    }

    /// Returns how long it is until the next attempt, if there will be one by itself.
    pub fn retry_in(&self) -> Option<Duration> {
        let at = Some(self.retry_at_ms()).filter(|at| 0 < *at)?;
        Some(Duration::from_millis(at.saturating_sub(now_ms())))
    }

    /// Lets something happen to the client, if there is one, and does what follows from it.
    fn tell_client<T>(&self, f: impl FnOnce(&mut Client) -> T) {
        self.with_client(f);
        self.process_events();
    }

    /// Asks the client something; it may be told something from elsewhere meanwhile.
    fn ask_client<T>(&self, f: impl FnOnce(&Client) -> T) -> Option<T> {
        self.imp().client.borrow().as_ref().map(f)
    }

    /// Calls `f` with the client, if there is one. Nothing may be emitted meanwhile: who hears of it
    /// may need the client.
    fn with_client<T>(&self, f: impl FnOnce(&mut Client) -> T) -> Option<T> {
        self.imp().client.borrow_mut().as_mut().map(f)
    }

    /// Does what the client wants done. What is done here may want more; then this, being at it
    /// already, does that too.
    fn process_events(&self) {
        let imp = self.imp();
        if imp.is_processing.replace(true) {
            return;
        }
        loop {
            while let Some(event) = self.with_client(Client::next_event).flatten() {
                self.on_event(event);
            }
            if !self.tell_news() {
                break;
            }
        }
        imp.room.update_people_if_due();
        self.show_bots_if_due();
        self.search_missed_mentions();
        imp.is_processing.set(false);
        self.send();
        self.set_alarm();
        self.update_back_pages();
    }

    /// Keeps what is to be kept, and only then lets bytes leave.
    fn send(&self) {
        self.save_changes();
        let bytes = self.with_client(Client::take_outgoing).unwrap_or_default();
        if let Connection::Open(line) = &*self.imp().connecting.connection.borrow() {
            line.send(bytes);
        }
    }

    /// Calls the client at its deadline, wherever that has moved: an old alarm would wake a quiet
    /// client for nothing.
    fn set_alarm(&self) {
        let deadline = self.ask_client(Client::next_deadline).flatten();
        let mut alarm = self.imp().alarm.borrow_mut();
        if alarm.as_ref().map(|(armed, _)| *armed) == deadline {
            return;
        }
        let next = deadline.map(|at| (at, glib::spawn_future_local(wake(self.downgrade(), at))));
        if let Some((_, before)) = mem::replace(&mut *alarm, next) {
            before.abort();
        }
    }

    /// There is neither a connection nor a conversation, and another attempt will be made.
    fn wait(&self, reason: DisconnectReason, retry_at_ms: Option<u64>) {
        self.set_retry_at(retry_at_ms);
        self.end(Some(reason), SessionState::Waiting);
    }

    /// Ends an attempt that led to no conversation.
    fn give_up(&self, reason: Option<DisconnectReason>) {
        self.set_retry_at(None);
        self.with_client(Client::leave);
        drop(self.take_line());
        self.forget_client();
        self.end(reason, SessionState::Disconnected);
    }

    /// There is no connection, and there is a conversation.
    fn lose(&self, reason: Option<DisconnectReason>, retry_at_ms: Option<u64>) {
        self.flush_histories();
        self.set_retry_at(retry_at_ms);
        self.end(reason, SessionState::Lost);
    }

    fn end(&self, reason: Option<DisconnectReason>, state: SessionState) {
        if let Some(reason) = &reason {
            glib::g_info!("pychat", "{}: {reason:?}", self.server());
        }
        self.imp().disconnect_reason.replace(reason);
        self.forget_invite_request();
        self.fail_moderation();
        self.set_state(state);
    }

    fn forget_client(&self) {
        if self.imp().persistence.is_save_due.get() {
            self.save_now();
        }
        self.imp().client.take();
        self.imp().room.forget_people();
        self.forget_devices();
        self.forget_room_requests();
        self.forget_moderation();
        self.imp().persistence.file.take();
        if let Some((_, alarm)) = self.imp().alarm.take() {
            alarm.abort();
        }
    }

    fn set_state(&self, state: SessionState) {
        let is_other = self.imp().state.replace(state) != state;
        let can_say = self.can_say();
        for room in self.rooms().all() {
            room.set_can_say(can_say);
            if is_other {
                room.set_online(state == SessionState::Joined);
                room.forget_typing();
            }
        }
        if is_other {
            self.update_rights();
            self.notify_state();
        }
        self.update_back_pages();
    }

    /// Returns true if something can be said, now or for when the connection is back.
    fn can_say(&self) -> bool {
        let can_keep = self.has_conversation() && 2 <= self.imp().protocol.get();
        self.state() == SessionState::Joined || can_keep
    }

    /// Tells of everything that was deleted: nobody can take that back any more.
    pub fn send_deletions(&self) {
        self.rooms().all().iter().for_each(Room::send_deletions);
    }

    fn flush_histories(&self) {
        self.rooms().all().iter().for_each(|room| room.history().flush());
    }

    fn set_retry_at(&self, at_ms: Option<u64>) {
        let at_ms = at_ms.unwrap_or_default();
        if self.imp().retry_at_ms.replace(at_ms) != at_ms {
            self.notify_retry_at_ms();
        }
    }

    fn set_name(&self, name: &str) {
        if self.imp().name.replace(name.to_owned()) != name {
            self.rooms().all().iter().for_each(Room::forget_mention_target);
            self.notify_name();
        }
    }

    fn set_server(&self, server: &str) {
        if self.imp().server.replace(server.to_owned()) != server {
            self.notify_server();
        }
    }
}

/// Returns milliseconds on a clock that does not go back.
fn now_ms() -> u64 {
    u64::try_from(glib::monotonic_time() / 1_000).unwrap_or_default()
}

/// Calls the client at `at`, in milliseconds of [`now_ms`].
async fn wake(session: glib::WeakRef<Session>, at: u64) {
    glib::timeout_future(Duration::from_millis(at.saturating_sub(now_ms()))).await;
    if let Some(session) = session.upgrade() {
        session.imp().alarm.take(); // The task that runs this; it is about to end.
        session.tell_client(|client| client.handle_timeout(now_ms()));
    }
}

/// Returns UTC milliseconds since 1970.
fn wall_ms() -> i64 {
    glib::real_time() / 1_000
}
