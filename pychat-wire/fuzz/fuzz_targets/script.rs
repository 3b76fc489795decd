//! The messages of a server, written down in a few bytes each.

use std::borrow::Cow;

use pychat_wire::{
    ServerMessage,
    key::{InviteCode, InviteId, Nonce, PairCode, Pin, PublicKey},
    link::{Address, Host},
    message::{
        AddressList, Amendment, Ban, BanList, Device, DeviceList, Door, ErrorCode, FoundMessage,
        Invite, InviteList, Limits, Listing, Names, Reactions, Reason, Room, RoomEvent, RoomKind,
        RoomList,
    },
    notice::Notice,
};

/// Strings that mean something somewhere; the last one is made long.
const WORDS: [&str; 8] = ["", "Сервер Чата", "Вы", "Анна", "0f8e", "x, y", "\u{301}🙂", "long"];

/// Emoji, and what is none.
const EMOJI: [&str; 4] = ["👍", "❤️", "👩‍👩‍👧", "ok"];

/// Ids of rooms, the hall's first; the last one is made long.
const ROOMS: [&str; 4] = ["", "r1", "r2", "long"];

/// A script as it is read: what it lacks at its end is zero.
pub struct Script<'a>(&'a [u8]);

/// Returns the frames of the messages that `script` stands for.
pub fn wire(script: &[u8]) -> Vec<u8> {
    let (mut script, mut out) = (Script(script), Vec::new());
    while !script.is_over() {
        script.message().encode(&mut out);
    }
    out
}

impl<'a> Script<'a> {
    pub fn new(script: &'a [u8]) -> Self {
        Self(script)
    }

    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn is(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    pub fn number(&mut self) -> u64 {
        match self.byte() {
            small @ ..=0xf0 => u64::from(small),
            large => u64::MAX - u64::from(0xff - large),
        }
    }

    pub fn word(&mut self) -> Cow<'static, str> {
        let choice = self.byte();
        match WORDS[usize::from(choice) % WORDS.len()] {
            "long" => "e".repeat(usize::from(choice) * 8).into(),
            word => word.into(),
        }
    }

    pub fn room_id(&mut self) -> Cow<'static, str> {
        let choice = self.byte();
        match ROOMS[usize::from(choice) % ROOMS.len()] {
            "long" => "r".repeat(usize::from(choice)).into(),
            id => id.into(),
        }
    }

    fn room(&mut self) -> Room<'static> {
        let kinds = [RoomKind::Hall, RoomKind::Open, RoomKind::Closed, RoomKind::Direct];
        let with = Names(vec![self.word(); usize::from(self.byte() % 16)]);
        Room {
            room: self.room_id(),
            kind: kinds[usize::from(self.byte()) % kinds.len()],
            name: self.word(),
            topic: self.word(),
            with: self.is().then_some(with),
            mine: self.is(),
            last: self.number(),
            read: self.number(),
            unread: self.number(),
        }
    }

    fn rooms(&mut self) -> RoomList<'static> {
        RoomList((0..self.byte() % 8).map(|_| self.room()).collect())
    }

    fn event(&mut self) -> ServerMessage<'static> {
        let events = [
            RoomEvent::Created,
            RoomEvent::Joined,
            RoomEvent::Left,
            RoomEvent::Added,
            RoomEvent::Removed,
            RoomEvent::Renamed,
            RoomEvent::Topic,
            RoomEvent::Unknown,
        ];
        ServerMessage::Event {
            room: self.room_id(),
            seq: self.number(),
            time: self.number(),
            username: self.word(),
            event: events[usize::from(self.byte()) % events.len()],
            subject: self.is().then(|| self.word()),
            id: self.is().then(|| self.word()),
            dup: self.is(),
            replay: self.is(),
        }
    }

    pub fn amendment(&mut self) -> Amendment<'static> {
        let target = self.number();
        match self.byte() % 4 {
            0 => Amendment::Edit { target, content: self.is().then(|| self.word()) },
            1 => Amendment::Delete { target },
            2 => Amendment::React { target, emoji: self.is().then(|| self.emoji()) },
            _ => Amendment::Restore { target, content: self.is().then(|| self.word()) },
        }
    }

    fn emoji(&mut self) -> Cow<'static, str> {
        EMOJI[usize::from(self.byte()) % EMOJI.len()].into()
    }

    fn reactions(&mut self) -> Reactions<'static> {
        let n_emoji = self.byte() % 8;
        let of_emoji = (0..n_emoji).map(|_| {
            let (emoji, name) = (self.emoji(), self.word());
            (emoji, vec![name; usize::from(self.byte())])
        });
        Reactions(of_emoji.collect())
    }

    fn record(&mut self) -> ServerMessage<'static> {
        ServerMessage::Record {
            room: self.room_id(),
            seq: self.number(),
            time: self.number(),
            username: self.word(),
            content: self.word(),
            id: self.is().then(|| self.word()),
            dup: self.is(),
            replay: self.is(),
            reply: self.is().then(|| self.number()),
            edited: self.is().then(|| self.number()),
            deleted: self.is(),
            reactions: self.reactions(),
        }
    }

    /// An answer to a search, mostly to the first one.
    fn found(&mut self) -> ServerMessage<'static> {
        let reference = if self.is() { self.word() } else { "s-0".into() };
        if self.is() {
            let before = self.is().then(|| self.word());
            return ServerMessage::FoundEnd { reference, before };
        }
        let message = FoundMessage {
            room: self.room_id(),
            seq: self.number(),
            time: self.number(),
            username: self.word(),
            content: self.word(),
            id: self.is().then(|| self.word()),
            reply: self.is().then(|| self.number()),
            edited: self.is().then(|| self.number()),
            reactions: self.reactions(),
        };
        ServerMessage::Found { reference, message }
    }

    fn amended(&mut self) -> ServerMessage<'static> {
        ServerMessage::Amended {
            amendment: self.amendment(),
            room: self.room_id(),
            seq: self.number(),
            time: self.number(),
            username: self.word(),
            id: self.is().then(|| self.word()),
            dup: self.is(),
            replay: self.is(),
        }
    }

    /// Something about a room.
    fn of_room(&mut self) -> ServerMessage<'static> {
        match self.byte() % 8 {
            0 => ServerMessage::Room(self.room()),
            1 => ServerMessage::RoomGone { room: self.room_id() },
            2 => ServerMessage::Rooms { rooms: self.rooms() },
            3 => {
                let (room, members) = (self.room_id(), Cow::Owned(self.names()));
                ServerMessage::Members { room, members }
            }
            4 => ServerMessage::UnknownRecord { room: self.room_id(), seq: self.number() },
            5 => ServerMessage::Read { room: self.room_id(), seq: self.number() },
            6 => ServerMessage::Typing { room: self.room_id(), username: self.word() },
            _ => self.event(),
        }
    }

    fn names(&mut self) -> Listing {
        let names: Vec<_> = (0..self.byte() % 8).map(|_| self.word()).collect();
        names.iter().map(|name| &**name).collect()
    }

    fn notice(&mut self) -> ServerMessage<'static> {
        let (name, names) = (self.word(), self.word());
        let (name, names) = (&*name, &*names);
        let content = match self.byte() % 6 {
            0 => Notice::Greeting,
            1 => Notice::Welcome { name, online: usize::from(self.byte() % 4), names },
            2 => Notice::Joined { name },
            3 => Notice::Left { name },
            4 => Notice::Stopping,
            _ => Notice::Other(name),
        };
        ServerMessage::Message { username: self.word(), content: content.to_string().into() }
    }

    fn reason(&mut self) -> Reason {
        let reasons = [
            Reason::Shutdown,
            Reason::Kicked,
            Reason::Removed,
            Reason::Banned,
            Reason::Slow,
            Reason::Protocol,
        ];
        reasons[usize::from(self.byte()) % reasons.len()]
    }

    fn error(&mut self) -> ServerMessage<'static> {
        let codes = [
            ErrorCode::NameTaken,
            ErrorCode::IdReused,
            ErrorCode::SlowDown,
            ErrorCode::Storage,
            ErrorCode::AlreadyJoined,
            ErrorCode::TooLarge,
            ErrorCode::NoMessage,
            ErrorCode::NoRoom,
            ErrorCode::Forbidden,
            ErrorCode::NotDone,
            ErrorCode::Muted,
            ErrorCode::BadSignature,
            ErrorCode::NotAdmitted,
            ErrorCode::Full,
        ];
        ServerMessage::Error {
            code: codes[usize::from(self.byte()) % codes.len()],
            text: self.word(),
            reference: self.is().then(|| self.word()),
            retry_ms: self.is().then(|| self.number()),
            suggest: self.is().then(|| self.word()),
        }
    }

    fn devices(&mut self) -> ServerMessage<'static> {
        let (key, label) = (PublicKey([self.byte(); 32]), self.word());
        let device = Device { key, label: label.clone(), time: self.number() };
        match self.byte() % 3 {
            0 => {
                let (code, expires_ms) = (PairCode([self.byte(); 16]), self.number());
                ServerMessage::PairCode { code, expires_ms }
            }
            1 => ServerMessage::DeviceAdded { key, label },
            _ => ServerMessage::Devices {
                devices: DeviceList(vec![device; usize::from(self.byte())]),
            },
        }
    }

    fn invites(&mut self) -> ServerMessage<'static> {
        let (uses, expires_ms) =
            (self.is().then(|| self.number()), self.is().then(|| self.number()));
        if self.is() {
            let (id, by) = (InviteId([self.byte(); 6]), self.is().then(|| self.word()));
            let invite = Invite { id, uses, expires_ms, by };
            let invites = InviteList(vec![invite; 4 * usize::from(self.byte())]);
            return ServerMessage::Invites { invites };
        }
        ServerMessage::InviteLink {
            hosts: self.addresses(),
            pin: self.is().then(|| Pin([self.byte(); 32])),
            code: self.is().then(|| InviteCode([self.byte(); 16])),
            uses,
            expires_ms,
        }
    }

    fn addresses(&mut self) -> AddressList {
        let n_addresses = u16::from(self.byte()) % 20;
        let address = |n| Address {
            host: Host::Domain(self.word().into_owned()),
            port: u16::from(self.byte()) + n,
        };
        AddressList((0..n_addresses).map(address).collect())
    }

    fn bans(&mut self) -> BanList<'static> {
        let (subject, by) = (self.word(), self.word());
        let until = self.is().then(|| self.number());
        let ban = Ban { subject, since: self.number(), until, by };
        BanList(vec![ban; 4 * usize::from(self.byte())])
    }

    /// Something about operators, or by them.
    fn moderation(&mut self) -> ServerMessage<'static> {
        match self.byte() % 4 {
            0 if self.is() => ServerMessage::Bots { members: std::borrow::Cow::default() },
            0 => ServerMessage::Operator { operator: self.is() },
            1 => ServerMessage::Done {
                verb: self.word(),
                by: self.word(),
                subject: self.word(),
                text: self.word(),
                id: self.is().then(|| self.word()),
            },
            2 => ServerMessage::Bans {
                bans: self.bans(),
                mutes: self.bans(),
                seconds: self.number(),
                admission: if self.is() { Door::Invite } else { Door::Open },
            },
            _ => ServerMessage::Notice { text: self.word() },
        }
    }

    fn message(&mut self) -> ServerMessage<'static> {
        match self.byte() % 21 {
            0 | 1 => ServerMessage::Greeting {
                username: self.word(),
                content: self.word(),
                protocol: self.number(),
                server: self.word(),
                epoch: self.word(),
                nonce: Nonce([self.byte(); 16]),
                limits: Limits { payload: self.number(), name: 32, burst: 0, per_second: 0 },
                tls: self.number().is_multiple_of(2),
                admission: if self.is() { Door::Invite } else { Door::Open },
                servers: Cow::Owned(self.addresses()),
                ping_seconds: self.number(),
            },
            2 => self.notice(),
            3 | 4 => self.record(),
            5 => ServerMessage::Welcome {
                username: self.word(),
                epoch: self.word(),
                time: self.number(),
                operator: self.is(),
                members: Cow::Owned(self.names()),
                rooms: self.rooms(),
            },
            6 => {
                let (room, from, to) = (self.room_id(), self.number(), self.number());
                ServerMessage::Gap { room, from, to }
            }
            7 => {
                let (room, before, start) = (self.room_id(), self.number(), self.is());
                ServerMessage::Page { room, before, count: 1, start }
            }
            8 => ServerMessage::Joined { username: self.word(), time: self.number() },
            9 => {
                let (username, time) = (self.word(), self.number());
                ServerMessage::Left { username, time, reason: self.reason() }
            }
            10 => self.error(),
            11 => {
                let (room, from, to) = (self.room_id(), self.number(), self.number());
                ServerMessage::Skip { room, from, to }
            }
            12 => self.devices(),
            13 => self.invites(),
            14 | 15 => self.of_room(),
            16 => self.amended(),
            17 => self.moderation(),
            19 => self.found(),
            18 if self.is() => ServerMessage::Ping,
            18 => ServerMessage::Pong,
            _ => ServerMessage::Bye {
                reason: self.reason(),
                retry_ms: self.number(),
                servers: Cow::Owned(self.addresses()),
            },
        }
    }
}
