//! The things that requests rely on and change. A request is overtaken if another server changed one
//! of them after the state by which it was decided.

use std::collections::BTreeSet;

use pychat_wire::{
    UserName,
    key::{InviteId, PublicKey},
};

use super::{Draft, Person, PersonChange, PersonId, Presence, ReadMark, Request, RoomChange};
use crate::core::{
    id::{HALL, RoomId},
    moderation::Change,
};

/// A thing that requests rely on or change.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// A person: their names, devices and marks, and that they are an operator.
    Person(PersonId),
    /// The owner of names that look so.
    Name(String),
    /// The person who has a key.
    DeviceKey(PublicKey),
    /// A room: that it is there, and its kind, name and topic.
    Room(RoomId),
    /// The people in a room, all of them.
    Members(RoomId),
    /// Somebody's being in a room.
    Member(RoomId, PersonId),
    /// The names of open rooms, and the people of direct ones.
    RoomNames,
    /// Bans, mutes, slow mode, and who is let in.
    Rules,
    /// An invite.
    Invite(InviteId),
    /// Those present whose names look so.
    Present(String),
}

/// The keys of a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Keys {
    /// Those that it relies on.
    pub relied: BTreeSet<Key>,
    /// Those that it changes.
    pub changed: BTreeSet<Key>,
}

impl Keys {
    /// Returns the keys of a request.
    pub fn of(request: &Request) -> Self {
        let mut keys = Self::default();
        match request {
            Request::Append { room, draft, change } => {
                keys.append(*room, draft);
                if let Some(change) = change {
                    keys.change_room(*room, change);
                    keys.rely(draft.person.filter(|it| is_for_some(change, *it)).map(Key::Person));
                }
            }
            Request::Amend { room, draft, entry } => {
                keys.append(*room, draft);
                keys.rely(draft.person.filter(|_| entry.is_some()).map(Key::Person));
            }
            Request::Recall { .. } | Request::Find { .. } | Request::Sync => (),
            Request::Mark(ReadMark { room: HALL, person, .. }) => keys.rely([Key::Person(*person)]),
            Request::Mark(mark) => keys.rely([Key::Member(mark.room, mark.person)]),
            Request::EndRoom(room) => {
                keys.rely([Key::Members(*room)]);
                keys.change([Key::Room(*room), Key::RoomNames]);
            }
            Request::ChangePerson(PersonChange::Save(person)) => keys.save(person),
            Request::ChangePerson(PersonChange::Forget(person)) => {
                keys.change([Key::Person(*person)]);
            }
            Request::Moderate { changes, by, .. } => {
                keys.rely(by.map(Key::Person));
                keys.change(changes.iter().map(ruled));
            }
            Request::Admit { person, invite } => {
                keys.save(person);
                keys.change([Key::Invite(*invite)]);
            }
            Request::Enter(presence) => {
                keys.rely(presence.person.map(Key::Person).into_iter().chain([Key::Rules]));
                keys.change(present(presence));
            }
            // Somebody is gone, whatever others did.
            Request::Leave(presence, _) => keys.changed.extend(present(presence)),
            Request::Offer(offer) => keys.rely([Key::Person(offer.person), Key::Rules]),
        }
        keys
    }

    /// Returns true if something with these keys was decided by a state that one with the keys `earlier`
    /// has changed.
    pub fn are_overtaken_by(&self, earlier: &Self) -> bool {
        earlier.changed.iter().any(|key| self.relied.contains(key))
    }

    fn append(&mut self, room: RoomId, draft: &Draft) {
        let author = draft.person.filter(|_| room != HALL);
        self.rely(author.map(|author| Key::Member(room, author)).into_iter().chain([Key::Rules]));
    }

    fn change_room(&mut self, room: RoomId, change: &RoomChange) {
        match change {
            RoomChange::Create(new) => {
                self.rely(new.members.iter().copied().map(Key::Person));
                self.change(new.members.iter().map(|person| Key::Member(room, *person)));
                self.change([Key::Room(room), Key::Members(room), Key::RoomNames]);
            }
            RoomChange::Add(person) => {
                self.rely([Key::Room(room), Key::Person(*person)]);
                self.change([Key::Member(room, *person)]);
                self.changed.insert(Key::Members(room));
            }
            RoomChange::Remove(person) => {
                self.rely([Key::Room(room)]);
                self.change([Key::Member(room, *person)]);
                self.changed.insert(Key::Members(room));
            }
            RoomChange::Rename(_) => self.change([Key::Room(room), Key::RoomNames]),
            RoomChange::SetTopic(_) => self.change([Key::Room(room)]),
        }
    }

    fn save(&mut self, person: &Person) {
        let names = person.names.iter().filter_map(|owned| UserName::new(&owned.name).ok());
        self.change(names.flat_map(|name| looks(&name).map(Key::Name)));
        self.change(person.devices.iter().map(|device| Key::DeviceKey(device.key)));
        self.change([Key::Person(person.id)]);
    }

    fn rely(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.relied.extend(keys);
    }

    /// Takes in keys of things that are changed, and must be as they were until then.
    fn change(&mut self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.relied.insert(key.clone());
            self.changed.insert(key);
        }
    }
}

/// Returns the key of a rule.
fn ruled(change: &Change) -> Key {
    match change {
        Change::Impose(_) | Change::Lift(_) | Change::Slow(_) | Change::Door(_) => Key::Rules,
        Change::AddInvite(invite) => Key::Invite(invite.id()),
        Change::RevokeInvite(invite) => Key::Invite(*invite),
    }
}

/// Returns true if not everybody in a room may change it so, but its maker and operators.
fn is_for_some(change: &RoomChange, author: PersonId) -> bool {
    match change {
        RoomChange::Rename(_) | RoomChange::SetTopic(_) => true,
        RoomChange::Remove(person) => *person != author,
        RoomChange::Create(_) | RoomChange::Add(_) => false,
    }
}

fn present(presence: &Presence) -> [Key; 2] {
    looks(&presence.name).map(Key::Present)
}

fn looks(name: &UserName) -> [String; 2] {
    name.skeletons().each_ref().map(|skeleton| skeleton.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        moderation::AuditEntry,
        record::{Amending, Kind, PairOffer},
    };

    const ROOM: RoomId = RoomId(7);

    fn text(room: RoomId, person: Option<u64>, change: Option<RoomChange>) -> Keys {
        let kind = Kind::Text("x".into());
        let author = UserName::new("Anna").unwrap();
        let person = person.map(PersonId);
        let draft = Draft { author, person, kind, id: None, reply: None };
        Keys::of(&Request::Append { room, draft, change })
    }

    fn entry() -> AuditEntry {
        let [who, verb, subject, detail] = [const { String::new() }; 4];
        AuditEntry { time_ms: 0, who, verb, subject, detail }
    }

    fn moderate(changes: Vec<Change>, by: Option<u64>) -> Keys {
        Keys::of(&Request::Moderate { changes, entry: entry(), by: by.map(PersonId) })
    }

    /// A person is an operator no longer, or something else of them changes.
    fn save(id: u64) -> Keys {
        let (names, devices, is_operator, is_bot) = (Vec::new(), Vec::new(), false, false);
        let person = Person { id: PersonId(id), is_operator, is_bot, names, devices };
        Keys::of(&Request::ChangePerson(PersonChange::Save(person)))
    }

    fn delete(person: u64, entry: Option<AuditEntry>) -> Keys {
        let (author, person) = (UserName::new("Anna").unwrap(), Some(PersonId(person)));
        let kind = Kind::Amendment { target: 1, amending: Amending::Delete };
        let draft = Draft { author, person, kind, id: None, reply: None };
        Keys::of(&Request::Amend { room: ROOM, draft, entry })
    }

    fn enter(name: &str, person: Option<u64>) -> Request {
        let name = UserName::new(name).unwrap();
        Request::Enter(Presence { name, person: person.map(PersonId), key: None })
    }

    #[test]
    fn texts_overtake_nothing_and_are_overtaken_by_bans_and_where_their_author_is_removed() {
        let said = text(ROOM, Some(1), None);
        let remove = |person| text(ROOM, Some(9), Some(RoomChange::Remove(PersonId(person))));
        let slow = moderate(vec![Change::Slow(None)], None);
        assert!(said.are_overtaken_by(&remove(1)) && said.are_overtaken_by(&slow));
        assert!(!said.are_overtaken_by(&remove(2)) && !said.are_overtaken_by(&said));
        assert!(!text(HALL, Some(1), None).are_overtaken_by(&remove(1)));
    }

    #[test]
    fn what_only_operators_may_do_is_overtaken_where_they_are_changed() {
        let forgotten = Keys::of(&Request::ChangePerson(PersonChange::Forget(PersonId(1))));
        let rename = |by| text(ROOM, Some(by), Some(RoomChange::Rename("Tea".into())));
        let remove = |by, whom| text(ROOM, Some(by), Some(RoomChange::Remove(PersonId(whom))));
        for change in [save(1), forgotten] {
            for by_operator in [
                moderate(Vec::new(), Some(1)),
                moderate(vec![Change::Slow(None)], Some(1)),
                delete(1, Some(entry())),
                rename(1),
                remove(1, 2),
            ] {
                assert!(by_operator.are_overtaken_by(&change), "{by_operator:?}");
            }
            for other in [
                moderate(Vec::new(), Some(2)),
                moderate(Vec::new(), None),
                delete(2, Some(entry())),
                delete(1, None),
                text(ROOM, Some(1), None),
                rename(2),
                remove(1, 1),
            ] {
                assert!(!other.are_overtaken_by(&change), "{other:?}");
            }
        }
        assert!(!moderate(Vec::new(), Some(1)).are_overtaken_by(&moderate(Vec::new(), Some(1))));
    }

    #[test]
    fn names_present_are_claimed_once_and_given_back_whatever_others_did() {
        let enters = Keys::of(&enter("Anna", Some(1)));
        assert!(Keys::of(&enter("ANNA", None)).are_overtaken_by(&enters));
        assert!(!Keys::of(&enter("Boris", None)).are_overtaken_by(&enters));
        let Request::Enter(presence) = enter("Anna", Some(1)) else { unreachable!() };
        let leaves = Keys::of(&Request::Leave(presence, pychat_wire::message::Reason::Quit));
        assert!(enters.are_overtaken_by(&leaves) && !leaves.are_overtaken_by(&enters));
    }

    #[test]
    fn a_room_ends_only_if_nobody_came() {
        let add = |person| text(ROOM, Some(9), Some(RoomChange::Add(PersonId(person))));
        let end = Keys::of(&Request::EndRoom(ROOM));
        assert!(end.are_overtaken_by(&add(1)) && add(1).are_overtaken_by(&end));
        assert!(!add(1).are_overtaken_by(&add(2)));
        let offer = PairOffer { person: PersonId(1), hash: [0; 32] };
        let forget = Request::ChangePerson(PersonChange::Forget(PersonId(1)));
        assert!(Keys::of(&Request::Offer(offer)).are_overtaken_by(&Keys::of(&forget)));
    }
}
