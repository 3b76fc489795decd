//! Presence where servers share the store. Somebody is let in once the store has told all servers, and is
//! gone once it has told that: so names are unique over all of them, and all hear of comings and goings
//! in one order.

use std::time::{Duration, Instant};

use pychat_wire::{message::Reason, notice::Notice};

use super::{
    Chat, CloseReason, Complaint, Effect, Protocol, arrival::Wish, complain, notify,
    requests::Pending,
};
use crate::core::{
    elsewhere::Present,
    id::ConnectionId,
    record::{PersonId, Presence, Request, ServerId, StorageError},
    roster::Gone,
};

/// The time after which the store is told again that somebody is gone, if it could not take that.
const LEAVE_AGAIN: Duration = Duration::from_secs(1);

/// Somebody who is gone from this server, which the store could not take.
#[derive(Debug)]
pub(super) struct Leaving {
    at: Instant,
    presence: Presence,
    reason: CloseReason,
}

impl Chat {
    /// Has it live with other servers, of which this is number `here`, and on which these people are
    /// present; before anybody connects.
    pub fn share(&mut self, here: ServerId, present: Vec<Present>) {
        self.roster.share(here);
        self.people.share();
        self.rooms.share();
        self.requests.share();
        for Present { server, presence } in present {
            self.roster.appear(server, &presence);
        }
    }

    /// `Guest` becomes `Claiming`: what others had done before its hello is to be known here. Whoever comes
    /// from another server finds all that they knew there, and what was made there is good here.
    pub(super) fn sync_first(&mut self, id: ConnectionId, wish: Wish, effects: &mut Vec<Effect>) {
        self.wait_with(id, wish, effects);
        self.requests.make(Pending::Sync { id }, Request::Sync, effects);
    }

    /// The store has answered: all is known that was done before a guest's hello.
    pub(super) fn on_synced(
        &mut self,
        now: Instant,
        id: ConnectionId,
        error: Option<&StorageError>,
        effects: &mut Vec<Effect>,
    ) {
        match (self.take_wish(id, effects), error) {
            (Some(wish), None) => self.on_wish(now, id, wish, effects),
            (Some(_), Some(error)) => self.refuse_entry(id, error, effects),
            (None, _) => (),
        }
    }

    /// `Guest` becomes `Claiming`: the store is to tell all servers that it is present.
    pub(super) fn ask_to_enter(
        &mut self,
        id: ConnectionId,
        wish: Wish,
        presence: Presence,
        effects: &mut Vec<Effect>,
    ) {
        self.wait_with(id, wish, effects);
        self.roster.hold(&presence.name);
        let pending = Pending::Enter { id, presence: presence.clone() };
        self.requests.make(pending, Request::Enter(presence), effects);
    }

    /// The same, of somebody who has proved who they are.
    pub(super) fn ask_to_enter_as(
        &mut self,
        id: ConnectionId,
        wish: Wish,
        person: PersonId,
        effects: &mut Vec<Effect>,
    ) {
        let device = wish.device.as_ref().filter(|_| !self.people.is_known(person));
        let key = device.map(|device| device.key);
        let presence = Presence { name: wish.name.clone(), person: Some(person), key };
        self.ask_to_enter(id, wish, presence, effects);
    }

    /// The store has answered whether somebody is present. If another server was faster, the name may be
    /// another one's by now, so it is asked for anew.
    pub(super) fn on_entered(
        &mut self,
        now: Instant,
        id: ConnectionId,
        presence: &Presence,
        error: Option<&StorageError>,
        effects: &mut Vec<Effect>,
    ) {
        self.roster.release(&presence.name);
        match (self.take_wish(id, effects), error) {
            (wish, None) => self.let_in(now, id, (wish, presence), effects),
            (Some(wish), Some(StorageError::Overtaken)) => self.join_as(now, id, wish, effects),
            (Some(_), Some(error)) => self.refuse_entry(id, error, effects),
            (None, Some(_)) => (),
        }
        self.retry_claims(now, effects);
    }

    /// Lists somebody as present here, and welcomes them, unless their connection is gone or their device
    /// banned by now. Who was forgotten meanwhile comes in as somebody new.
    fn let_in(
        &mut self,
        now: Instant,
        id: ConnectionId,
        (wish, presence): (Option<Wish>, &Presence),
        effects: &mut Vec<Effect>,
    ) {
        let Some(here) = self.roster.here() else { return };
        if presence.person.is_none() && wish.is_some() {
            self.welcome_any(id, &presence.name, effects);
        }
        self.appear(now, here, presence, effects);
        let key = wish.as_ref().and_then(|wish| Some(wish.device.as_ref()?.key));
        let is_refused = key.is_some_and(|key| self.refuse_banned(id, key, effects));
        match (wish.filter(|_| !is_refused), presence.person) {
            (Some(wish), Some(person))
                if presence.key.is_none() && !self.people.is_known(person) =>
            {
                self.ask_to_leave(presence.clone(), CloseReason::Removed, effects);
                self.claim(id, wish, effects);
            }
            (Some(wish), Some(person)) => {
                self.roster.join_listed(id, presence);
                self.welcome(now, id, wish, person, effects);
            }
            (Some(_), None) => {
                self.roster.join_listed(id, presence);
                self.enter(now, id, presence.name.clone(), None, effects);
            }
            (None, _) => self.ask_to_leave(presence.clone(), CloseReason::Lost, effects),
        }
    }

    fn refuse_entry(&self, id: ConnectionId, error: &StorageError, effects: &mut Vec<Effect>) {
        let text = format!("Nobody can be let in just now ({}).", error.in_short());
        match self.protocol(id) {
            Protocol::V1 => notify(id, Notice::Other(&text), effects),
            Protocol::V2 => complain(id, Complaint::storage(None, error, &text), effects),
        }
    }

    /// Has the store tell all servers that somebody is on this one no more. Until then nobody else on it is
    /// given a name that looks like theirs.
    pub(super) fn ask_to_leave(
        &mut self,
        presence: Presence,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        self.roster.hold(&presence.name);
        let request = Request::Leave(presence.clone(), reason.reason());
        self.requests.make(Pending::Leave { presence, reason }, request, effects);
    }

    /// The store has answered whether somebody is gone; if it could not take that, it is told again.
    pub(super) fn on_left(
        &mut self,
        now: Instant,
        presence: Presence,
        reason: CloseReason,
        is_kept: bool,
        effects: &mut Vec<Effect>,
    ) {
        if !is_kept {
            let at = now + LEAVE_AGAIN;
            return self.timers.leaving.push_back(Leaving { at, presence, reason });
        }
        self.roster.release(&presence.name);
        if let Some(here) = self.roster.here() {
            self.go(here, &presence, reason, effects);
        }
        self.retry_claims(now, effects);
    }

    /// Tells the store again who is gone.
    pub(super) fn leave_again(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        while self.timers.leaving.front().is_some_and(|leaving| leaving.at <= now)
            && let Some(Leaving { presence, reason, .. }) = self.timers.leaving.pop_front()
        {
            self.ask_to_leave(presence, reason, effects);
        }
    }

    /// Returns when the store is to be told again that somebody is gone.
    pub(super) fn next_leaving(&self) -> Option<Instant> {
        self.timers.leaving.front().map(|leaving| leaving.at)
    }

    /// Somebody is present on a server, in place of whoever has a name that looks like theirs and is not the
    /// same person.
    pub(super) fn appear(
        &mut self,
        now: Instant,
        server: ServerId,
        presence: &Presence,
        effects: &mut Vec<Effect>,
    ) {
        for gone in self.roster.displace(presence) {
            self.tell_gone(gone, CloseReason::Displaced, effects);
        }
        let (index, is_new) = self.roster.appear(server, presence);
        if is_new {
            self.timers.announcements.due.set(index, now + self.rules.announce_after);
        }
    }

    /// Somebody is on a server no more.
    pub(super) fn go(
        &mut self,
        server: ServerId,
        presence: &Presence,
        reason: CloseReason,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(gone) = self.roster.go(server, presence) {
            self.tell_gone(gone, reason, effects);
        }
    }

    /// A server is gone, and with it those who were on no other.
    pub(super) fn on_server_gone(&mut self, server: ServerId, effects: &mut Vec<Effect>) {
        for gone in self.roster.go_all(server) {
            self.tell_gone(gone, CloseReason::Lost, effects);
        }
    }

    fn tell_gone(&mut self, gone: Gone, reason: CloseReason, effects: &mut Vec<Effect>) {
        let Gone { name, index, connections } = gone;
        for id in connections {
            self.close(id, reason, effects);
        }
        self.tell_left(name, index, reason, effects);
    }
}

impl From<Reason> for CloseReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Quit => Self::Quit,
            Reason::Lost | Reason::Unknown => Self::Lost,
            Reason::Slow => Self::Slow,
            Reason::Protocol => Self::Protocol,
            Reason::Kicked => Self::Kicked,
            Reason::Removed => Self::Removed,
            Reason::Banned => Self::Banned,
            Reason::Shutdown => Self::Shutdown,
        }
    }
}
