//! Rooms: what people of protocol 2 ask for there, in rooms that they are in and in others.

use pychat_wire::{
    ClientMessage,
    message::{ErrorCode, HALL, RoomEvent, RoomKind, RoomRequest},
};

use super::{
    Checker, NAMES, Peer, World,
    fault::Fault,
    limits::REQUEST_COST,
    people::{PAGES_MAX, Person},
};
use crate::kit::{Knob, knobs, oracle::RoomLog, room_log::Stays};

/// A room that never is.
const NOWHERE: &str = "r99999";

/// So many rooms are made, or a few more.
const ROOMS: usize = 6;

/// The names and topics that rooms are given: some look alike.
const ROOM_NAMES: [&str; 4] = ["Сад", "garden", "Garden", "x"];
const TOPICS: [&str; 3] = ["", "flowers", "цветы"];

knobs! {
    /// Something that somebody asks for, so often in 100 times.
    enum Act {
        Create = 8,
        Direct = 12,
        Join = 12,
        Leave = 5,
        Add = 14,
        Remove = 5,
        Rename = 4,
        SetTopic = 4,
        Read = 14,
        Type = 7,
        List = 4,
        ListMembers = 5,
        Page = 6,
    }
}

/// A request that somebody has made, once or more often.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: RoomRequest<'static>,
    pub(super) answer: Option<Answer>,
}

/// The answer to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Done { room: String, seq: u64 },
    Refused { code: ErrorCode, text: String },
}

impl World<'_> {
    /// Somebody asks for something about rooms, by whichever of their connections.
    pub(super) fn act_in_rooms(&mut self, peer: usize) {
        let act = Act::choose(&mut self.chance);
        let (room, any) = (self.some_room(peer), self.below(12));
        let Peer { checker: Checker::V2 { checker, person }, is_leaving: false, .. } =
            &self.peers[peer]
        else {
            return;
        };
        let person = *person;
        if checker.name().is_none() {
            return;
        }
        let known_last = self.oracle.room(&room).last();
        let somebody = self.people[any % self.people.len()].name.clone().into();
        let (name, topic) = (ROOM_NAMES[any % 4].into(), TOPICS[any % 3].into());
        let room = room.into();
        let request = match act {
            Act::Create if ROOMS < self.oracle.rooms().len() => return,
            Act::Create => {
                let kind = if any < 6 { RoomKind::Open } else { RoomKind::Closed };
                RoomRequest::CreateRoom { kind, name, topic }
            }
            Act::Direct => {
                let with = [&*self.people[any % self.people.len()].name, NAMES[any % NAMES.len()]];
                let with = with.map(|name| name.to_owned().into());
                let n_others = 1 + any % 2;
                RoomRequest::Direct { with: pychat_wire::message::Names(with[..n_others].to_vec()) }
            }
            Act::Join => RoomRequest::JoinRoom { room },
            Act::Leave => RoomRequest::LeaveRoom { room },
            Act::Add => RoomRequest::AddMember { room, username: somebody },
            Act::Remove => RoomRequest::RemoveMember { room, username: somebody },
            Act::Rename => RoomRequest::UpdateRoom { room, name: Some(name), topic: None },
            Act::SetTopic => RoomRequest::UpdateRoom { room, name: None, topic: Some(topic) },
            Act::Read => {
                let seq = (known_last * any as u64).div_ceil(10);
                return self.ask(peer, &ClientMessage::Read { room, seq });
            }
            Act::Type => return self.ask(peer, &ClientMessage::Typing { room }),
            Act::List => return self.ask(peer, &ClientMessage::Rooms),
            Act::ListMembers => return self.ask(peer, &ClientMessage::Members { room }),
            Act::Page => return self.ask_for_page_of(peer, &room, PAGES_MAX),
        };
        let number = self.people[person].requests.len();
        self.people[person].requests.push(Asked { request, answer: None });
        self.say_request(peer, person, number);
        if any == 0 {
            self.say_request(peer, person, number);
        }
    }

    /// Returns a room: mostly one that the peer is in, but perhaps any, or one that is not there.
    pub(super) fn some_room(&mut self, peer: usize) -> String {
        let (choice, any) = (self.below(10), self.below(1 << 10));
        let own = match &self.peers[peer].checker {
            Checker::V2 { checker, .. } => checker.rooms().keys().cloned().collect(),
            Checker::V1(_) => Vec::new(),
        };
        let all: Vec<_> = self.oracle.rooms().keys().cloned().collect();
        let rooms = match choice {
            0 => return NOWHERE.to_owned(),
            1..=3 => all,
            _ => own,
        };
        let rooms: Vec<_> = rooms.into_iter().filter(|room| room != HALL).collect();
        if rooms.is_empty() { HALL.to_owned() } else { rooms[any % rooms.len()].clone() }
    }

    /// Says something that bears no id.
    fn ask(&mut self, peer: usize, message: &ClientMessage<'_>) {
        let is_void = match message {
            ClientMessage::Read { room, .. }
            | ClientMessage::Typing { room }
            | ClientMessage::Members { room } => room == NOWHERE,
            _ => false,
        };
        self.peers[peer].units += REQUEST_COST;
        self.peers[peer].void += usize::from(is_void);
        self.say(peer, message);
    }

    /// Says a request, for the first time or again.
    pub(super) fn say_request(&mut self, peer: usize, person: usize, number: usize) {
        let request = self.people[person].requests[number].request.clone();
        self.peers[peer].units += REQUEST_COST;
        let id = Some(format!("{person}.r{number}").into());
        self.say(peer, &ClientMessage::Change { request, id });
    }

    /// A request is answered by the record that it became.
    pub(super) fn acknowledge_request(
        &mut self,
        person: usize,
        number: usize,
        room: &str,
        seq: u64,
    ) {
        let event = self.oracle.rooms().get(room).and_then(|log| log.event(seq));
        let Asked { request, answer } = &mut self.people[person].requests[number];
        let (expected, fault) = match request {
            RoomRequest::CreateRoom { .. } => (RoomEvent::Created, Fault::RoomMade),
            RoomRequest::Direct { .. } => (RoomEvent::Created, Fault::DirectMade),
            RoomRequest::JoinRoom { .. } => (RoomEvent::Joined, Fault::RoomJoined),
            RoomRequest::LeaveRoom { .. } => (RoomEvent::Left, Fault::RoomLeft),
            RoomRequest::AddMember { .. } => (RoomEvent::Added, Fault::MemberAdded),
            RoomRequest::RemoveMember { .. } => (RoomEvent::Removed, Fault::MemberRemoved),
            RoomRequest::UpdateRoom { name: Some(_), .. } => (RoomEvent::Renamed, Fault::Renamed),
            RoomRequest::UpdateRoom { .. } => (RoomEvent::Topic, Fault::TopicSet),
        };
        // The record of a room that was found may not be kept any more.
        assert!(event.is_none_or(|event| event == expected), "{request:?} became {event:?}");
        let done = Answer::Done { room: room.to_owned(), seq };
        if let Some(known @ Answer::Done { .. }) = answer.replace(done.clone()) {
            assert_eq!(known, done, "{request:?} was done twice");
        }
        self.fire(fault);
    }

    /// Something with an id is refused: a text or a request.
    pub(super) fn on_refused(&mut self, peer: usize, id: &str, code: ErrorCode, text: String) {
        let Some((who, number)) = super::people::read_id(id) else { return };
        let Checker::V2 { person, .. } = self.peers[peer].checker else { return };
        if who != person {
            return; // It was somebody else's name.
        }
        if let Some(number) = number.strip_prefix('a') {
            return self.on_amendment_refused(peer, person, number, Answer::Refused { code, text });
        }
        match (code, number.strip_prefix('r')) {
            (ErrorCode::NotJoined, _) => return, // It is said again once they are welcomed.
            (ErrorCode::Storage, request) => {
                // Another connection has said it too, and the store has not answered that.
                self.fire(Fault::StoredAlready);
                let number = request.unwrap_or(number).parse().expect("a number");
                if self.peers[peer].is_leaving {
                    return;
                }
                match request {
                    Some(_) => self.say_request(peer, person, number),
                    None => self.say_text(peer, person, number),
                }
                return;
            }
            (_, Some(number)) => {
                let number: usize = number.parse().expect("a number");
                let Asked { answer, .. } = &mut self.people[person].requests[number];
                answer.get_or_insert(Answer::Refused { code, text });
            }
            (ErrorCode::NoRoom | ErrorCode::Forbidden | ErrorCode::NoMessage, None) => {
                let number: usize = number.parse().expect("a number");
                self.people[person].texts[number].is_refused = true;
            }
            (code, None) => panic!("a text is refused: {code:?}"),
        }
        self.fire(match code {
            ErrorCode::NoRoom => Fault::NoRoom,
            ErrorCode::Forbidden => Fault::RoomForbidden,
            ErrorCode::NoMessage => Fault::NoMessage,
            ErrorCode::NotDone => Fault::NotDone,
            ErrorCode::NameTaken => Fault::RoomNameTaken,
            code => panic!("{id} is refused: {code:?}"),
        });
    }

    /// Somebody is told that there is no such room, always in the same words.
    pub(super) fn on_no_room(&mut self, text: &str) {
        let known = self.no_room.get_or_insert_with(|| text.to_owned());
        assert_eq!(known, text, "whether a room is there can be told by the words");
    }

    /// Checks that a peer that is still there is in the rooms of its person, has heard all of them, and
    /// was denied what it asked of rooms that are not there.
    pub(super) fn check_rooms_of(&self, peer: &Peer, name: &str) {
        let Checker::V2 { checker, person } = &peer.checker else { return };
        for (room, log) in self.oracle.rooms() {
            let hearing = checker.rooms().get(room);
            if let Some(hearing) = hearing {
                let last = log.last_known();
                assert_eq!(hearing.after(), last, "{name} has missed something in {room:?}");
            }
            if let Some(stays) = stays(room, log) {
                let is_there = stays.has_after(name, log.last());
                assert_eq!(is_there, hearing.is_some(), "{name} in {room:?}: {stays:?}");
            }
        }
        assert!(peer.void <= peer.denied, "{name} was not denied {} times", peer.void);
        if self.people[*person].newest == peer.number && checker.n_gaps() == 0 {
            let requests = &self.people[*person].requests;
            assert!(requests.iter().all(|asked| asked.answer.is_some()), "{requests:?}");
            let amendments = &self.people[*person].amendments;
            assert!(amendments.iter().all(|asked| asked.answer.is_some()), "{amendments:?}");
        }
    }

    /// Checks that who never was in a closed or direct room was told what they are told of one that is
    /// not there.
    pub(super) fn check_outsiders(&self) {
        for Person { name, requests, amendments, .. } in &self.people {
            let requests = requests.iter().filter_map(|Asked { request, answer }| match request {
                RoomRequest::JoinRoom { room }
                | RoomRequest::LeaveRoom { room }
                | RoomRequest::AddMember { room, .. }
                | RoomRequest::RemoveMember { room, .. }
                | RoomRequest::UpdateRoom { room, .. } => Some((&**room, answer.as_ref()?)),
                RoomRequest::CreateRoom { .. } | RoomRequest::Direct { .. } => None,
            });
            let amendments = amendments.iter();
            let amendments = amendments.filter_map(|it| Some((&*it.room, it.answer.as_ref()?)));
            for (room, answer) in requests.chain(amendments) {
                let is_outsider = match self.oracle.rooms().get(room) {
                    Some(log) if log.kind() == Some(RoomKind::Open) || room == HALL => false,
                    Some(log) => stays(room, log).is_some_and(|it| !it.had(name)),
                    None => true,
                };
                let is_denied = match answer {
                    Answer::Refused { code: ErrorCode::NoRoom, .. } => true,
                    Answer::Refused { code, text } => {
                        *code == ErrorCode::Forbidden && text.contains("own their name")
                    }
                    Answer::Done { .. } => false,
                };
                assert!(!is_outsider || is_denied, "{name} is outside {room:?}: {answer:?}");
            }
        }
    }
}

/// Returns who was in a room when, if all of it is known; everybody is in the hall.
fn stays(room: &str, log: &RoomLog) -> Option<Stays> {
    let is_known = room != HALL && log.is_known_from_the_start();
    is_known.then(|| log.stays())
}
