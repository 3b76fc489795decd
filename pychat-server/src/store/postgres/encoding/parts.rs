//! People, rooms and rules in the journal.

use std::time::Duration;

use pychat_wire::{
    UserName,
    key::{InviteId, PublicKey},
    message::{Door, RoomKind},
};
use serde::{Deserialize, Serialize};

use super::Unreadable;
use crate::core::{
    id::RoomId,
    moderation::{Change, Measure, Sanction, Subject},
    record::{Device, Invite, InviteTerms, OwnedName, Person, PersonId, Room, RoomChange},
};

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RoomTold {
    Create(RoomMade),
    Add(u64),
    Remove(u64),
    Rename(String),
    SetTopic(String),
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct RoomMade {
    id: u32,
    kind: RoomKind,
    name: String,
    topic: String,
    maker: Option<u64>,
    members: Vec<u64>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PersonTold {
    id: u64,
    is_operator: bool,
    is_bot: bool,
    names: Vec<NameTold>,
    devices: Vec<DeviceTold>,
}

#[derive(Debug, Deserialize, Serialize)]
struct NameTold {
    name: String,
    used_ms: u64,
    is_regular: bool,
}

#[derive(Debug, Deserialize, Serialize)]
struct DeviceTold {
    key: PublicKey,
    label: String,
    added_ms: u64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RuleTold {
    Impose(SanctionTold),
    Lift(u64),
    /// In seconds.
    Slow(Option<u64>),
    Door(Door),
    AddInvite(InviteTold),
    RevokeInvite(InviteId),
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SanctionTold {
    id: u64,
    measure: String,
    name: Option<String>,
    keys: Vec<PublicKey>,
    network: Option<String>,
    until_ms: Option<u64>,
    since_ms: u64,
    by: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct InviteTold {
    hash: [u8; 32],
    uses: Option<u64>,
    expires_ms: Option<u64>,
    by: Option<String>,
}

pub(super) fn user_name(name: &str) -> Result<UserName, Unreadable> {
    UserName::new(name).map_err(|_| Unreadable)
}

impl From<RoomChange> for RoomTold {
    fn from(change: RoomChange) -> Self {
        match change {
            RoomChange::Create(Room { id, kind, name, topic, maker, members }) => {
                Self::Create(RoomMade {
                    id: id.0,
                    kind,
                    name,
                    topic,
                    maker: maker.map(|PersonId(id)| id),
                    members: members.into_iter().map(|PersonId(id)| id).collect(),
                })
            }
            RoomChange::Add(person) => Self::Add(person.0),
            RoomChange::Remove(person) => Self::Remove(person.0),
            RoomChange::Rename(name) => Self::Rename(name),
            RoomChange::SetTopic(topic) => Self::SetTopic(topic),
        }
    }
}

impl TryFrom<RoomTold> for RoomChange {
    type Error = Unreadable;

    fn try_from(told: RoomTold) -> Result<Self, Unreadable> {
        Ok(match told {
            // A later version has kinds that this one knows nothing of.
            RoomTold::Create(RoomMade { kind: RoomKind::Unknown, .. }) => return Err(Unreadable),
            RoomTold::Create(RoomMade { id, kind, name, topic, maker, members }) => {
                let members = members.into_iter().map(PersonId).collect();
                let (id, maker) = (RoomId(id), maker.map(PersonId));
                Self::Create(Room { id, kind, name, topic, maker, members })
            }
            RoomTold::Add(person) => Self::Add(PersonId(person)),
            RoomTold::Remove(person) => Self::Remove(PersonId(person)),
            RoomTold::Rename(name) => Self::Rename(name),
            RoomTold::SetTopic(topic) => Self::SetTopic(topic),
        })
    }
}

impl From<Person> for PersonTold {
    fn from(person: Person) -> Self {
        let Person { id, is_operator, is_bot, names, devices } = person;
        let name = |OwnedName { name, used_ms, is_regular }| NameTold { name, used_ms, is_regular };
        let device = |Device { key, label, added_ms }| {
            let label = str::to_owned(&label);
            DeviceTold { key, label, added_ms }
        };
        let names = names.into_iter().map(name).collect();
        let devices = devices.into_iter().map(device).collect();
        Self { id: id.0, is_operator, is_bot, names, devices }
    }
}

impl From<PersonTold> for Person {
    fn from(told: PersonTold) -> Self {
        let PersonTold { id, is_operator, is_bot, names, devices } = told;
        let name = |NameTold { name, used_ms, is_regular }| OwnedName { name, used_ms, is_regular };
        let device = |DeviceTold { key, label, added_ms }| {
            let label = label.into();
            Device { key, label, added_ms }
        };
        let names = names.into_iter().map(name).collect();
        let devices = devices.into_iter().map(device).collect();
        Self { id: PersonId(id), is_operator, is_bot, names, devices }
    }
}

impl From<Change> for RuleTold {
    fn from(change: Change) -> Self {
        match change {
            Change::Impose(sanction) => Self::Impose(sanction.into()),
            Change::Lift(id) => Self::Lift(id),
            Change::Slow(slow) => Self::Slow(slow.map(|slow| slow.as_secs())),
            Change::Door(door) => Self::Door(door),
            Change::AddInvite(Invite { hash, terms: InviteTerms { uses, expires_ms }, by }) => {
                let by = by.as_deref().map(ToOwned::to_owned);
                Self::AddInvite(InviteTold { hash, uses, expires_ms, by })
            }
            Change::RevokeInvite(invite) => Self::RevokeInvite(invite),
        }
    }
}

impl TryFrom<RuleTold> for Change {
    type Error = Unreadable;

    fn try_from(told: RuleTold) -> Result<Self, Unreadable> {
        Ok(match told {
            RuleTold::Impose(sanction) => Self::Impose(sanction.try_into()?),
            RuleTold::Lift(id) => Self::Lift(id),
            RuleTold::Slow(seconds) => Self::Slow(seconds.map(Duration::from_secs)),
            RuleTold::Door(door) => Self::Door(door),
            RuleTold::AddInvite(InviteTold { hash, uses, expires_ms, by }) => {
                let (terms, by) = (InviteTerms { uses, expires_ms }, by.map(Into::into));
                Self::AddInvite(Invite { hash, terms, by })
            }
            RuleTold::RevokeInvite(invite) => Self::RevokeInvite(invite),
        })
    }
}

impl From<Sanction> for SanctionTold {
    fn from(sanction: Sanction) -> Self {
        let Sanction { id, measure, subject, until_ms, since_ms, by } = sanction;
        let (name, keys, network) = match subject {
            Subject::Person { name, keys } => (Some(name), keys, None),
            Subject::Network(network) => (None, Vec::new(), Some(network.to_string())),
        };
        let measure = measure.key().to_owned();
        Self { id, measure, name, keys, network, until_ms, since_ms, by }
    }
}

impl TryFrom<SanctionTold> for Sanction {
    type Error = Unreadable;

    fn try_from(told: SanctionTold) -> Result<Self, Unreadable> {
        let SanctionTold { id, measure, name, keys, network, until_ms, since_ms, by } = told;
        let known = [Measure::Ban, Measure::Mute];
        let measure = known.into_iter().find(|it| it.key() == measure).ok_or(Unreadable)?;
        let subject = match (name, network) {
            (Some(name), _) => Subject::Person { name, keys },
            (None, Some(network)) => Subject::Network(network.parse().map_err(|_| Unreadable)?),
            (None, None) => return Err(Unreadable),
        };
        Ok(Self { id, measure, subject, until_ms, since_ms, by })
    }
}
