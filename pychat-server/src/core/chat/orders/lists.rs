//! Lists: the people who are here, the rooms, the operators, the bots, and those who are banned or muted.

use pychat_wire::message::RoomKind;

use super::super::{Chat, Protocol};
use crate::core::{
    id::{HALL, RoomId},
    moderation::{Listed, ListedRoom, Measure, Present, Reply, Sanction},
    rooms::KnownRoom,
};

impl Chat {
    pub(super) fn list_people(&self) -> Reply {
        let present = |participant: &crate::core::roster::Participant| {
            let ids = participant.connections();
            let first = ids.first().copied();
            // By which they are on another server: only protocol 2 has proofs.
            let is_proved = participant.person().is_some();
            let elsewhere = if is_proved { Protocol::V2 } else { Protocol::V1 };
            let protocol = first.map_or(elsewhere, |id| self.protocol(id));
            let origins = ids.iter().filter_map(|id| self.peers.get(id)).map(|peer| peer.origin);
            Present {
                name: participant.name().as_str().to_owned(),
                protocol: protocol.number(),
                operator: participant.person().is_some_and(|it| self.people.is_operator(it)),
                muted: first
                    .map_or_else(|| self.is_muted_elsewhere(participant), |id| self.is_muted(id)),
                addresses: origins.map(|origin| origin.network().to_string()).collect(),
            }
        };
        Reply::People { people: self.roster.participants().map(present).collect() }
    }

    pub(super) fn list_rooms(&self) -> Reply {
        let listed = |(id, room): (RoomId, &KnownRoom)| ListedRoom {
            room: id.on_wire().into_owned(),
            kind: room.kind(),
            name: room.name().to_owned(),
            members: if id == HALL { self.roster.len() } else { room.len() },
            last: room.last(),
        };
        let shared = self.rooms.all().filter(|(_, room)| room.kind() != RoomKind::Direct);
        Reply::Rooms { rooms: shared.map(listed).collect() }
    }

    pub(super) fn list_operators(&self) -> Reply {
        let names = |person| self.people.names(person);
        Reply::Operators { operators: self.people.operators().into_iter().map(names).collect() }
    }

    pub(super) fn list_bots(&self) -> Reply {
        let bots = self.people.bots().map(|person| self.people.names(person));
        Reply::Bots { bots: bots.collect() }
    }

    pub(super) fn list_bans(&self) -> Reply {
        let utc_ms = self.wall_clock.utc_ms;
        let list = |measure| {
            let all = self.people.moderation().sanctions(utc_ms);
            all.filter(|sanction| sanction.measure == measure).map(listed).collect()
        };
        let slow = self.people.moderation().slow();
        Reply::Bans {
            bans: list(Measure::Ban),
            mutes: list(Measure::Mute),
            slow_seconds: slow.map_or(0, |slow| slow.as_secs()),
            admission: self.door(),
        }
    }
}

fn listed(sanction: &Sanction) -> Listed {
    Listed {
        subject: sanction.subject.to_string(),
        since_ms: sanction.since_ms,
        until_ms: sanction.until_ms,
        by: sanction.by.clone(),
    }
}
