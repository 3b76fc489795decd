//! Searches: the gate is asked first, for each room that is to be searched.

use std::{sync::Arc, time::Instant};

use pychat_wire::{
    message::{self, ErrorCode, SEARCH_LIMIT_MAX},
    search::Query,
};

use super::{
    super::{Complaint, Search, complain},
    Action, Chat, Effect, act,
};
use crate::core::{
    gate::Verb,
    id::{ConnectionId, HALL, RoomId},
};

impl Chat {
    /// Somebody searches for messages.
    pub(in super::super) fn on_search(
        &mut self,
        now: Instant,
        id: ConnectionId,
        search: &message::Search<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let reference: Arc<str> = Arc::from(&*search.reference);
        let rooms = match &search.room {
            Some(room) => self.may(id, room, Verb::Search).map(|room| vec![room]),
            None => Ok(self.searched_rooms(id)),
        };
        let rooms = match rooms {
            Ok(rooms) => rooms,
            Err(complaint) => {
                let complaint = Complaint { reference: Some(reference), ..complaint };
                return self.deny(now, id, complaint, effects);
            }
        };
        let before = search.before.as_deref().map(|cursor| self.place_of(id, cursor));
        if let Some(None) = before {
            let text = "this is not where a search ended";
            let complaint = Complaint::new(ErrorCode::NoMessage, text);
            complain(id, Complaint { reference: Some(reference), ..complaint }, effects);
            return self.pay(now, id, 1, effects);
        }
        let query = Query::new(&search.query, search.from.as_deref());
        let limit = search.limit.min(SEARCH_LIMIT_MAX);
        let search = Search { reference, query, rooms, before: before.flatten(), limit };
        act(id, Action::Search(Box::new(search)), effects);
    }

    /// Returns every room that somebody may search.
    fn searched_rooms(&self, id: ConnectionId) -> Vec<RoomId> {
        let rooms = [HALL].into_iter().chain(self.rooms_of(id));
        rooms.filter_map(|room| self.may(id, &room.on_wire(), Verb::Search).ok()).collect()
    }

    /// Returns the message that a cursor names, if that is in a room that somebody may search.
    fn place_of(&self, id: ConnectionId, cursor: &str) -> Option<(RoomId, u64)> {
        let (seq, room) = cursor.split_once('.')?;
        Some((self.may(id, room, Verb::Search).ok()?, seq.parse().ok()?))
    }
}

/// Returns the cursor by which a search goes on before a message.
pub fn cursor(room: RoomId, seq: u64) -> String {
    format!("{seq}.{room}")
}
