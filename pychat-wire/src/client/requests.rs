//! Requests about rooms: lists, and changes, which are made once however often they are sent.

use std::mem;

use super::{CHANGES_MAX, Client, Event, MessageId, Protocol, Room, RoomId, rooms::Cursor};
use crate::message::{ClientMessage, ErrorCode, RoomRequest};

/// A request for the change of a room that is not answered.
#[derive(Debug)]
pub(super) struct PendingChange {
    id: String,
    request: RoomRequest<'static>,
    /// It was told to be done or denied; another answer that is still to come is no news.
    is_done: bool,
    /// The number of answers that are still to come on this line.
    n_sent: u32,
}

impl PendingChange {
    /// Returns the room that is to be changed; `None` where one is to be made.
    fn room(&self) -> Option<&str> {
        match &self.request {
            RoomRequest::CreateRoom { .. } | RoomRequest::Direct { .. } => None,
            RoomRequest::JoinRoom { room }
            | RoomRequest::LeaveRoom { room }
            | RoomRequest::AddMember { room, .. }
            | RoomRequest::RemoveMember { room, .. }
            | RoomRequest::UpdateRoom { room, .. } => Some(room),
        }
    }

    /// Returns true if our person is to leave `room` by it, and an answer is still to come on this line.
    pub(super) fn is_leaving(&self, room: &RoomId) -> bool {
        let is_leave = matches!(self.request, RoomRequest::LeaveRoom { .. });
        is_leave && 0 < self.n_sent && self.room() == Some(room.as_str())
    }

    fn message(&self) -> ClientMessage<'_> {
        ClientMessage::Change { request: self.request.clone(), id: Some(self.id.as_str().into()) }
    }
}

impl Client {
    /// Returns the rooms that our person is in, as far as they are known, each as it is now: the hall
    /// first, then in the order in which they became known.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(client.rooms().iter().all(|room| room.id.is_hall()));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn rooms(&self) -> Vec<Room> {
        self.rooms.described()
    }

    /// Returns a room that our person is in, as it is now, if it is known.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.room(&"r7".into()), None);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn room(&self, room: &RoomId) -> Option<Room> {
        self.rooms.get(room).and_then(Cursor::described)
    }

    /// Asks for the open rooms: [`Event::Rooms`] follows. Returns false if there is no line in
    /// protocol 2 to ask by.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_rooms());
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_rooms(&mut self) -> bool {
        self.request(&ClientMessage::Rooms)
    }

    /// Asks for the members of `room`: [`Event::Members`] follows. Returns false if there is no line
    /// in protocol 2 to ask by.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{RoomId, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_members(&RoomId::hall()));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_members(&mut self, room: &RoomId) -> bool {
        self.request(&ClientMessage::Members { room: room.as_str().into() })
    }

    /// Makes or changes a room. [`Event::RoomRequestDone`] with the id that is returned says that it is
    /// done, and [`Event::Denied`] with that id says why not. Until either comes the request is sent
    /// again on each new line, while this client lives; the server does it once.
    ///
    /// Returns `None`, and does nothing, if [`CHANGES_MAX`] requests wait for their answers, if the
    /// request does not fit into one payload, or if this client was not let in under protocol 2.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved, message::RoomRequest};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.change_room(RoomRequest::JoinRoom { room: "r7".into() }), None);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn change_room(&mut self, request: RoomRequest<'_>) -> Option<String> {
        if self.say_protocol() != Some(Protocol::Second) || CHANGES_MAX <= self.changes.len() {
            return None;
        }
        let id = MessageId::new(self.secret, self.saved.counter).as_str().to_owned();
        let request = request.into_owned();
        let mut change = PendingChange { id: id.clone(), request, is_done: false, n_sent: 0 };
        if self.payload_bytes_max < change.message().payload_bytes() {
            return None;
        }
        self.saved.counter = self.saved.counter.wrapping_add(1);
        self.has_changed = true;
        change.n_sent = u32::from(self.request(&change.message()));
        self.changes.push(change);
        Some(id)
    }

    /// Takes in that no answer comes to what was sent on an earlier line.
    pub(super) fn forget_answers(&mut self) {
        self.changes.iter_mut().for_each(|change| change.n_sent = 0);
    }

    /// Sends every change that is not answered, on a new line.
    pub(super) fn send_changes(&mut self) {
        self.changes.retain(|change| !change.is_done);
        for mut change in mem::take(&mut self.changes) {
            change.n_sent = 1;
            let message = change.message();
            if self.payload_bytes_max < message.payload_bytes() {
                let (code, id) = (ErrorCode::TooLarge, Some(change.id.clone()));
                self.tell(Event::Denied { code, text: "too large".to_owned(), id });
            } else {
                message.encode(&mut self.outgoing);
                self.changes.push(change);
            }
        }
    }

    /// Takes in that the change with this id is answered. Returns `None` if there is none, and whether
    /// the answer is news.
    pub(super) fn end_change(&mut self, id: &str) -> Option<bool> {
        let index = self.changes.iter().position(|change| change.id == id)?;
        let change = &mut self.changes[index];
        change.n_sent = change.n_sent.saturating_sub(1);
        let is_news = !mem::replace(&mut change.is_done, true);
        if change.n_sent == 0 {
            self.changes.remove(index);
        }
        self.send_page_requests();
        Some(is_news)
    }

    /// Takes the server's copy of a record that bears the id of a request.
    pub(super) fn on_change_done(&mut self, id: &str, room: &str) {
        if self.end_change(id) == Some(true) {
            self.tell(Event::RoomRequestDone { room: room.into(), id: id.to_owned() });
        }
    }

    /// Takes in that our person has left `room`: that may be all that the server says of it. Other changes
    /// of the room are asked for again on this line: the answers may be among what is not sent any more.
    pub(super) fn on_left(&mut self, room: &RoomId) {
        let mut done = Vec::new();
        let of_room =
            |change: &&mut PendingChange| !change.is_done && change.room() == Some(room.as_str());
        for change in self.changes.iter_mut().filter(of_room) {
            if let RoomRequest::LeaveRoom { .. } = change.request {
                change.is_done = true;
                done.push(change.id.clone());
            } else if 0 < change.n_sent {
                change.n_sent += 1;
                change.message().encode(&mut self.outgoing);
            }
        }
        for id in done {
            self.tell(Event::RoomRequestDone { room: room.clone(), id });
        }
    }
}
