//! From the name of a room to a room that our person is in, which may have to be joined or made first.

use pychat_wire::{
    Client,
    client::{Event, Room, RoomId},
    message::{Names, RoomRequest},
};

use crate::{
    failure::Failure,
    rooms::{find, person},
};

/// One room that is looked for.
#[derive(Debug)]
pub(crate) struct Finder {
    wanted: String,
    /// The means to get into a room that our person is not in.
    means: Means,
    stage: Stage,
}

/// The means to get into a room that our person is not in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means {
    /// An open one is joined.
    pub(crate) joins: bool,
    /// A talk with one person is begun.
    pub(crate) begins_talks: bool,
}

#[derive(Debug, Eq, PartialEq)]
enum Stage {
    Begin,
    /// The open rooms are asked for.
    Listing,
    /// The request with this id is to be answered.
    Changing(String),
}

impl Finder {
    pub(crate) fn new(wanted: String, means: Means) -> Self {
        Self { wanted, means, stage: Stage::Begin }
    }

    /// Begins, or goes on after another line took the place of one that was lost. Returns the room if it
    /// is known already.
    pub(crate) fn begin(&mut self, client: &mut Client) -> Result<Option<RoomId>, Failure> {
        match self.stage {
            // The client sends it again.
            Stage::Changing(_) => return Ok(None),
            Stage::Begin | Stage::Listing => (),
        }
        if let Some(room) = find(&client.rooms(), &self.wanted)? {
            return Ok(Some(room));
        }
        if let Some(person) = person(&self.wanted).filter(|_| self.means.begins_talks) {
            let with = Names(vec![person.to_owned().into()]);
            self.change(client, RoomRequest::Direct { with })?;
        } else if self.means.joins {
            client.request_rooms();
            self.stage = Stage::Listing;
        } else {
            let wanted = &self.wanted;
            let words = format!("not in a room {wanted:?}; --join joins it if it is an open one");
            return Err(Failure::Refused(words));
        }
        Ok(None)
    }

    /// Takes what the client tells. Returns the room once our person is in it.
    pub(crate) fn on_event(
        &mut self,
        client: &mut Client,
        event: &Event,
    ) -> Result<Option<RoomId>, Failure> {
        match (event, &self.stage) {
            (Event::Rooms(rooms), Stage::Listing) => self.join(client, rooms).map(|()| None),
            (Event::RoomRequestDone { room, id }, Stage::Changing(request)) if id == request => {
                Ok(Some(room.clone()))
            }
            (Event::Denied { text, id: Some(id), .. }, Stage::Changing(request))
                if id == request =>
            {
                Err(Failure::Refused(text.clone()))
            }
            (Event::Denied { text, id: None, .. }, Stage::Listing) => {
                Err(Failure::Refused(text.clone()))
            }
            _ => Ok(None),
        }
    }

    fn join(&mut self, client: &mut Client, rooms: &[Room]) -> Result<(), Failure> {
        let wanted = &self.wanted;
        let none = || Failure::Refused(format!("there is no open room {wanted:?}"));
        let room = find(rooms, wanted)?.ok_or_else(none)?;
        self.change(client, RoomRequest::JoinRoom { room: room.as_str().to_owned().into() })
    }

    fn change(&mut self, client: &mut Client, request: RoomRequest<'_>) -> Result<(), Failure> {
        let request = client.change_room(request);
        let none = || Failure::Refused("the server knows no rooms".to_owned());
        self.stage = Stage::Changing(request.ok_or_else(none)?);
        Ok(())
    }
}
