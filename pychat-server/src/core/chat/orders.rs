//! Orders of operators, carried out. Each takes effect at once; its answer follows once the store has
//! kept it, or could not.

mod acts;
mod invites;
mod lists;
mod messages;
mod operate;

use std::{collections::HashMap, time::Instant};

use pychat_wire::{UserName, key::PublicKey, message::ErrorCode};

pub(super) use self::{messages::Ordered, operate::refuse_other};
use super::{Chat, Complaint, Deed, Effect, Event, complain, requests::Pending, tell};
use crate::core::{
    id::{CallId, ConnectionId},
    moderation::{AuditEntry, Change, Order, Reply},
    record::{Amending, PersonId, Request, StorageError},
    roster::Participant,
};

/// The one who gave an order, and is answered.
#[derive(Clone, Debug)]
pub(super) enum Asker {
    /// A call on the machine.
    Call(CallId),
    /// An operator in the room, whose request had this id.
    Peer { id: ConnectionId, reference: Option<String> },
}

/// An order that waits for the store.
#[derive(Debug)]
pub(super) struct Unanswered {
    asker: Asker,
    order: Order,
    deed: Deed,
    /// The requests that the store has not answered.
    n_pending: usize,
    error: Option<StorageError>,
}

/// The orders that wait for the store, by number.
#[derive(Debug, Default)]
pub(super) struct OpenOrders {
    by_number: HashMap<u64, Unanswered>,
    n_made: u64,
}

/// The outcome of an order that was carried out.
#[derive(Debug, Default)]
struct Done {
    /// The person, address or setting, for the record.
    subject: String,
    /// The rest, for the record.
    detail: String,
    /// The changes that the store is to keep, beside those of people.
    changes: Vec<Change>,
    /// The number of connections that a ban of addresses closed.
    n_closed: Option<usize>,
    /// Nothing was done, as it was so already: that, for people to read.
    old_news: Option<String>,
}

/// Somebody whom an order is about.
#[derive(Debug)]
struct Target {
    /// Their name, as they spell it.
    name: UserName,
    /// The person, if they own a name.
    owner: Option<PersonId>,
    /// Their keys; none of a guest of protocol 1.
    keys: Vec<PublicKey>,
    /// Their connections.
    connections: Vec<ConnectionId>,
}

impl Chat {
    /// Carries out an order that `by` gave.
    pub(super) fn on_order(
        &mut self,
        now: Instant,
        asker: Asker,
        by: &str,
        order: &Order,
        effects: &mut Vec<Effect>,
    ) {
        let done = match order {
            Order::Who => return answer(asker, self.list_people(), effects),
            Order::Rooms => return answer(asker, self.list_rooms(), effects),
            Order::Operators => return answer(asker, self.list_operators(), effects),
            Order::Bots => return answer(asker, self.list_bots(), effects),
            Order::Bans => return answer(asker, self.list_bans(), effects),
            Order::Invites => return answer(asker, self.listed_invites(), effects),
            Order::Invite { uses, for_ms } => {
                return self.order_invite(asker, by, (*uses, *for_ms), effects);
            }
            Order::RemoveMessage { room, number } => {
                let how = (order.key(), Amending::Delete);
                return self.order_amendment(asker, by, how, (room, *number), effects);
            }
            Order::RestoreMessage { room, number } => {
                let how = (order.key(), Amending::Restore(None));
                return self.order_amendment(asker, by, how, (room, *number), effects);
            }
            Order::RevokeInvite { invite } => self.revoke_invite(*invite),
            Order::AddOperator { name } => self.set_operator(now, name, true, effects),
            Order::RemoveOperator { name } => self.set_operator(now, name, false, effects),
            Order::Bot { name, is_bot } => self.set_bot(name, *is_bot),
            Order::FreeName { name } => self.free_name(name, effects),
            Order::Kick { name } => self.kick(name, effects),
            Order::Mute { name, for_ms } => self.mute(name, *for_ms, by),
            Order::Unmute { name } => self.unmute(name),
            Order::Ban { whom, for_ms } => self.ban(whom, *for_ms, by, effects),
            Order::Unban { whom } => self.unban(whom),
            Order::Slow { seconds } => self.slow_down(now, *seconds, effects),
            Order::Door { admission } => Ok(self.set_door(*admission)),
            Order::Say { text } => acts::say(text, effects),
        };
        match done {
            Ok(Done { old_news: Some(text), subject, .. }) => {
                let deed = Deed {
                    verb: order.key().to_owned(),
                    by: by.to_owned(),
                    subject,
                    text,
                    id: None,
                };
                answer_done(asker, deed, effects);
            }
            Ok(done) => self.keep_order(asker, by, order, done, effects),
            Err(text) => answer(asker, Reply::Failed { text }, effects),
        }
    }

    /// Has the store keep what an order changed, and the record of it.
    fn keep_order(
        &mut self,
        asker: Asker,
        by: &str,
        order: &Order,
        done: Done,
        effects: &mut Vec<Effect>,
    ) {
        let Done { subject, detail, changes, n_closed, old_news: _ } = done;
        let (verb, who, order) = (order.key().to_owned(), by.to_owned(), order.clone());
        let entry = AuditEntry { time_ms: self.wall_clock.utc_ms, who, verb, subject, detail };
        let deed = Deed::new(&entry, n_closed);
        let people = self.take_changes(effects).into_iter().map(Request::ChangePerson);
        let mut requests: Vec<_> = people.collect();
        requests.push(Request::Moderate { changes, entry, by: self.asking(&asker) });
        let n_pending = requests.len();
        let number =
            self.requests.orders.add(Unanswered { asker, order, deed, n_pending, error: None });
        for request in requests {
            self.requests.make(Pending::Order { number }, request, effects);
        }
    }

    /// The store has answered one request of an order; the last answer is the order's. Where another server
    /// was faster, the order is carried out again, by what is so now.
    pub(super) fn on_order_stored(
        &mut self,
        now: Instant,
        number: u64,
        error: Option<StorageError>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(order) = self.requests.orders.by_number.get_mut(&number) else { return };
        order.n_pending -= 1;
        order.error = order.error.take().or(error);
        if order.n_pending == 0
            && let Some(Unanswered { asker, order, deed, error, .. }) =
                self.requests.orders.by_number.remove(&number)
        {
            match error {
                Some(StorageError::Overtaken) => {
                    self.order_again(now, asker, &deed.by, &order, effects);
                }
                Some(error) if self.roster.is_shared() => {
                    answer(asker, undone(&error), effects);
                }
                None => {
                    self.tell_operators(Some(&asker), &deed, effects);
                    answer_done(asker, deed, effects);
                }
                Some(error) => {
                    self.tell_operators(Some(&asker), &deed, effects);
                    answer(asker, unkept(&deed, &error), effects);
                }
            }
        }
    }

    /// Carries out an order again, unless it came from somebody who is an operator no longer.
    fn order_again(
        &mut self,
        now: Instant,
        asker: Asker,
        by: &str,
        order: &Order,
        effects: &mut Vec<Effect>,
    ) {
        match &asker {
            Asker::Peer { id, reference } if self.operator_at(*id).is_none() => {
                refuse_other(*id, reference.as_deref(), effects);
            }
            _ => self.on_order(now, asker, by, order, effects),
        }
    }

    /// Returns the person who gives an order, if they do so in the chat.
    pub(super) fn asking(&self, asker: &Asker) -> Option<PersonId> {
        match asker {
            Asker::Call(_) => None,
            Asker::Peer { id, .. } => self.person_at(*id),
        }
    }

    /// Finds somebody present who has `name`, or else the person who owns it: that may be somebody
    /// whom it was reserved for long ago.
    fn target(&self, name: &str) -> Result<Target, String> {
        let nobody = || format!("Nobody is called {name}.");
        let asked = UserName::new(name).map_err(|_| nobody())?;
        let mut holders: Vec<_> = self.roster.holders(&asked).collect();
        holders.sort_by_key(|holder| *holder.name() != asked);
        let owner = self.owner(name);
        let Some(holder) = holders.first() else {
            return owner.map(|(_, target)| target).ok_or_else(nobody);
        };
        if let Some((person, target)) = owner
            && holder.person() == Some(person)
        {
            return Ok(target);
        }
        let connections = holder.connections().to_vec();
        let grants = connections.iter().filter_map(|id| self.peers.get(id)?.grant);
        let mut keys: Vec<_> = grants.map(|grant| grant.key).chain(holder.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(Target { name: Participant::name(holder).clone(), owner: None, keys, connections })
    }

    /// Finds the person who owns `name`, here or not.
    fn owner(&self, name: &str) -> Option<(PersonId, Target)> {
        let (person, name) = self.people.owner(&UserName::new(name).ok()?)?;
        let keys = self.people.devices(person).iter().map(|device| device.key).collect();
        let connections = self.connections_of(person);
        Some((person, Target { name, owner: Some(person), keys, connections }))
    }

    /// Returns the connections of a person, under whatever names.
    pub(super) fn connections_of(&self, person: PersonId) -> Vec<ConnectionId> {
        let mut ids: Vec<_> =
            self.peers.keys().copied().filter(|id| self.person_at(*id) == Some(person)).collect();
        ids.sort_unstable();
        ids
    }
}

/// Answers that something was done.
fn answer_done(asker: Asker, deed: Deed, effects: &mut Vec<Effect>) {
    match asker {
        Asker::Call(_) => answer(asker, Reply::Done { text: deed.text }, effects),
        Asker::Peer { id, reference } => {
            tell(id, Event::Done(Deed { id: reference, ..deed }), effects);
        }
    }
}

/// Answers with a list, or a reason why not.
pub(super) fn answer(asker: Asker, reply: Reply, effects: &mut Vec<Effect>) {
    match (asker, reply) {
        (Asker::Call(call), reply) => effects.push(Effect::Reply { call, reply }),
        (Asker::Peer { id, .. }, Reply::Bans { bans, mutes, slow_seconds, admission }) => {
            tell(id, Event::Bans { bans, mutes, slow_seconds, admission }, effects);
        }
        (Asker::Peer { id, reference }, Reply::Failed { text }) => {
            let reference = reference.map(Into::into);
            let complaint = Complaint { reference, ..Complaint::new(ErrorCode::NotDone, &text) };
            complain(id, complaint, effects);
        }
        // Nobody asks for anything else on the wire, or it is answered by messages of its own.
        (
            Asker::Peer { .. },
            Reply::Done { .. }
            | Reply::People { .. }
            | Reply::Rooms { .. }
            | Reply::Operators { .. }
            | Reply::Bots { .. }
            | Reply::Invited { .. }
            | Reply::Invites { .. },
        ) => (),
    }
}

/// Returns the answer to an order that is in effect, and that the store did not keep.
fn unkept(deed: &Deed, error: &StorageError) -> Reply {
    let (text, why) = (&deed.text, error.in_short());
    let lost = format!("{text} But this could not be stored ({why}): it ends with the server.");
    Reply::Failed { text: lost }
}

/// Returns the answer to an order that the store did not keep, so that it is undone.
fn undone(error: &StorageError) -> Reply {
    Reply::Failed { text: format!("Not done: this could not be stored ({}).", error.in_short()) }
}

impl Deed {
    /// Returns something that an operator did, by the record of it; of a ban of addresses `n_closed` is how
    /// many connections it closed, where that is known.
    pub(super) fn new(entry: &AuditEntry, n_closed: Option<usize>) -> Self {
        Self {
            verb: entry.verb.clone(),
            by: entry.who.clone(),
            subject: entry.subject.clone(),
            text: entry.in_words(n_closed),
            id: None,
        }
    }
}

impl OpenOrders {
    /// Takes an order in that waits for the store; returns its number.
    fn add(&mut self, order: Unanswered) -> u64 {
        let number = self.n_made;
        self.n_made += 1;
        self.by_number.insert(number, order);
        number
    }
}
