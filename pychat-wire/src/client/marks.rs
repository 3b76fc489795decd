//! The marks that are saved: everything up to them was shown.

use std::collections::BTreeMap;

use super::{Client, Event, Mark, Queued, RoomId, saved::Spot};

impl Client {
    /// Tells that our person is in `room` no more; once that is taken, nothing of it is saved.
    pub(super) fn tell_gone(&mut self, room: RoomId) {
        let event = Some(Event::RoomGone { room: room.clone() });
        self.events.push_back(Queued { event, mark: Some(Mark::Gone { room }) });
    }

    /// Once the last event that was told is taken, everything up to `seq` of `room` counts as shown.
    pub(super) fn mark_shown(&mut self, room: RoomId, seq: u64) {
        self.mark_last(Mark::One { room, seq });
    }

    /// Once the last event that was told is taken, everything up to the positions of all rooms counts
    /// as shown. Of those whose logs lost their ends, those ends do too.
    pub(super) fn mark_welcome(&mut self, epoch: &str, rewound: &[(RoomId, u64, u64)]) {
        let seqs = self.rooms.iter().map(|(id, cursor)| (id.clone(), cursor.place.last()));
        let mut seqs: BTreeMap<_, _> = seqs.collect();
        seqs.extend(rewound.iter().map(|(id, _, to)| (id.clone(), *to)));
        self.mark_last(Mark::All { epoch: epoch.to_owned(), seqs });
    }

    fn mark_last(&mut self, mark: Mark) {
        match self.events.back_mut() {
            Some(queued) if queued.mark.is_none() => queued.mark = Some(mark),
            _ => self.events.push_back(Queued { event: None, mark: Some(mark) }),
        }
    }

    /// Saves a mark whose event was taken.
    pub(super) fn save_mark(&mut self, mark: Mark) {
        self.has_changed = true;
        match mark {
            Mark::All { epoch, seqs } => {
                let is_other = self.saved.epoch.as_ref() != Some(&epoch);
                self.saved.epoch = Some(epoch);
                let mut spots = std::mem::take(&mut self.saved.rooms);
                for (room, seq) in seqs {
                    let seen = spots.remove(&room).and_then(|spot| spot.seen);
                    let seen = if is_other { seen.map(|_| 0) } else { seen };
                    self.saved.rooms.insert(room.clone(), Spot { seq, seen });
                    self.save_seen(&room, false);
                }
            }
            Mark::One { room, seq } => {
                self.saved.reach(room.clone(), seq);
                self.save_seen(&room, false);
            }
            Mark::Gone { room } => drop(self.saved.rooms.remove(&room)),
        }
    }
}
