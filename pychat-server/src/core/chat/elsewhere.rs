//! The things that other servers had carried out, carried out here: people hear of them as if they had been
//! done on this one.

use std::{collections::BTreeSet, time::Instant};

use super::{
    Chat, CloseReason, Deed, Effect, Event, Phase, buckets::Speaker, settling::is_rule, talk::show,
    tell_all,
};
use crate::core::{
    elsewhere::Elsewhere,
    moderation::{AuditEntry, Change, Measure, Sanction, Subject},
    record::{Appended, Kind, PersonChange, Record, Request, RoomChange, ServerId, Stored},
};

impl Chat {
    /// Another server had something carried out. The rest of it, which the store is yet to be asked, is
    /// that server's business.
    pub(super) fn on_elsewhere(
        &mut self,
        now: Instant,
        elsewhere: Elsewhere,
        effects: &mut Vec<Effect>,
    ) {
        let due = self.rooms.take_due();
        match elsewhere {
            Elsewhere::Done { server, request, stored } => {
                self.on_done_elsewhere(now, server, (*request, stored), effects);
            }
            Elsewhere::ServerGone(server) => self.on_server_gone(server, effects),
            Elsewhere::Typing { room, name, person } => {
                self.show_typing(room, &name, person, effects);
            }
        }
        self.rooms.set_due(due);
    }

    fn on_done_elsewhere(
        &mut self,
        now: Instant,
        server: ServerId,
        (request, stored): (Request, Stored),
        effects: &mut Vec<Effect>,
    ) {
        let record = match stored {
            Stored::Appended(Appended::New(record)) => Some(record),
            Stored::Appended(_) | Stored::Recalled(_) | Stored::Changed => None,
        };
        match (request, record) {
            (Request::Append { change, .. }, Some(record)) => {
                self.on_record_elsewhere(now, change, record, effects);
            }
            (Request::Amend { .. }, Some(record)) => {
                self.on_record_elsewhere(now, None, record, effects);
            }
            (Request::Mark(mark), _) => self.on_marked(None, mark, effects),
            (Request::EndRoom(room), _) => self.on_room_over(room, effects),
            (Request::ChangePerson(change), _) => self.on_person_elsewhere(now, &change, effects),
            (Request::Admit { person, invite }, _) => {
                self.people.invites_mut().use_elsewhere(invite);
                self.on_person_elsewhere(now, &PersonChange::Save(person), effects);
            }
            (Request::Moderate { changes, entry, .. }, _) => {
                self.on_ruled_elsewhere(now, &changes, &entry, effects);
            }
            (Request::Enter(presence), _) => self.appear(now, server, &presence, effects),
            (Request::Leave(presence, reason), _) => {
                self.go(server, &presence, reason.into(), effects);
            }
            (Request::Offer(offer), _) => self.people.add_code(now, offer),
            (
                Request::Append { .. }
                | Request::Amend { .. }
                | Request::Recall { .. }
                | Request::Find { .. }
                | Request::Sync,
                _,
            ) => (),
        }
    }

    /// A record was taken that somebody made on another server. Its author is announced first, and heard by
    /// their own devices here.
    fn on_record_elsewhere(
        &mut self,
        now: Instant,
        change: Option<RoomChange>,
        record: Record,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(index) = self.roster.index_of(&record.author) {
            self.announce_listed(index, effects);
        }
        if let (Kind::Text(_), Some(interval)) = (&record.kind, self.people.moderation().slow()) {
            let speaker = Speaker::new(&record.author, record.person);
            self.buckets.hold_slow(now, speaker, now + interval);
        }
        if let Some(change) = change {
            self.publish_change(None, change, record, effects);
        } else if self.rooms.get(record.room).is_some() {
            self.note_record(&record);
            show(None, record, effects);
        }
    }

    fn on_person_elsewhere(
        &mut self,
        now: Instant,
        change: &PersonChange,
        effects: &mut Vec<Effect>,
    ) {
        let replaced = self.people.changed_elsewhere(change);
        if let PersonChange::Forget(person) = change {
            self.forget_seats(*person, effects);
        }
        self.show_replaced(now, &replaced, effects);
    }

    fn on_ruled_elsewhere(
        &mut self,
        now: Instant,
        changes: &[Change],
        entry: &AuditEntry,
        effects: &mut Vec<Effect>,
    ) {
        if changes.iter().any(is_rule) {
            self.requests.open.forget_rules();
        }
        self.people.ruled_elsewhere(changes);
        for change in changes {
            self.enforce(now, change, effects);
        }
        match entry.verb.as_str() {
            "kick" => self.kick_here(&entry.subject, effects),
            "free_name" => self.free_here(&entry.subject, effects),
            "say" => tell_all(Event::Notice(entry.detail.clone()), effects),
            _ => (),
        }
        // Invites are told to those who ask for them.
        if !matches!(entry.verb.as_str(), "invite" | "revoke_invite") {
            self.tell_operators(None, &Deed::new(entry, None), effects);
        }
    }

    /// Keeps a rule that is new: those who are banned are sent away.
    fn enforce(&mut self, now: Instant, change: &Change, effects: &mut Vec<Effect>) {
        match change {
            Change::Impose(Sanction { measure, subject: Subject::Person { keys, .. }, .. }) => {
                let people = keys.iter().filter_map(|key| self.people.of_key(*key));
                for person in people.collect::<BTreeSet<_>>() {
                    self.people.forget_code(person);
                }
                if let Measure::Ban = measure {
                    self.send_banned_away(effects);
                }
            }
            Change::Impose(Sanction { subject: Subject::Network(network), .. }) => {
                self.send_network_away(*network, effects);
            }
            Change::Slow(_) => {
                self.buckets.clear_slow();
                self.end_slow(now, self.peers.keys().copied().collect(), effects);
            }
            Change::Lift(_) | Change::Door(_) | Change::AddInvite(_) | Change::RevokeInvite(_) => {}
        }
    }

    /// Sends away those who are here under names that were freed.
    fn free_here(&mut self, names: &str, effects: &mut Vec<Effect>) {
        let freed: BTreeSet<_> = names.split(", ").collect();
        let is_freed = |peer: &super::Peer| {
            let is_owned = peer.grant.is_some_and(|grant| self.people.is_known(grant.person));
            matches!(&peer.phase, Phase::Joined(name) if freed.contains(name.as_str()) && !is_owned)
        };
        let peers = self.peers.iter().filter(|(_, peer)| is_freed(peer));
        let mut ids: Vec<_> = peers.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        for id in ids {
            self.close(id, CloseReason::Removed, effects);
        }
    }
}
