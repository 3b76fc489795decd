//! A store that answers some ticks late, as another machine would.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    ops::ControlFlow,
    rc::Rc,
    time::Instant,
};

use fastrand::Rng;
use pychat_server::{
    core::{
        id::{RoomId, Ticket},
        moderation::{AuditEntry, Rulebook},
        record::{
            Appended, Entry, Invite, Person, PersonId, ReadMark, Request, Room, StorageError,
            Stored,
        },
        time::Time,
    },
    store::{Answer, Looked, Memory, Place, Read, Records, Retention, Store, Wanted},
};

/// The most ticks by which an answer is late.
pub(crate) const DELAY_TICKS_MAX: usize = 20;

/// A store in memory whose answers wait, and that may be full. Those to appends to one room come in
/// order; those of several rooms, of people and of reading as it happens.
#[derive(Debug)]
pub(crate) struct DelayedStore {
    store: Memory,
    waiting: Waiting,
    delay_ticks_max: usize,
    rng: Rng,
    /// History that was fetched late is at hand for one call.
    is_fetched: bool,
}

/// The answers that wait, each with the ticks until it is due. A clone sees the same ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Rc<RefCell<Queues>>);

#[derive(Debug, Default)]
struct Queues {
    appends: BTreeMap<RoomId, VecDeque<(usize, Answer)>>,
    others: VecDeque<(usize, Answer)>,
    /// The number of records that the store has taken, by room.
    taken: BTreeMap<RoomId, u64>,
    /// The store takes nothing.
    is_full: bool,
    /// It did not take something.
    has_refused: bool,
    /// All history is at hand.
    is_prompt: bool,
}

impl Waiting {
    /// Returns true if nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        let queues = self.0.borrow();
        queues.appends.values().all(VecDeque::is_empty) && queues.others.is_empty()
    }

    /// Returns how many records of a room the store has taken, told or not.
    pub(crate) fn n_taken(&self, room: RoomId) -> u64 {
        self.0.borrow().taken.get(&room).copied().unwrap_or_default()
    }

    /// Returns how many records of each room the store has taken, told or not.
    pub(crate) fn taken(&self) -> BTreeMap<RoomId, u64> {
        self.0.borrow().taken.clone()
    }

    /// Nobody is told of what waits; what was taken stays.
    pub(crate) fn clear(&self) {
        let mut queues = self.0.borrow_mut();
        queues.appends.clear();
        queues.others.clear();
    }

    /// Does something while all history is at hand, as to a server that begins.
    pub(crate) fn promptly<T>(&self, act: impl FnOnce() -> T) -> T {
        self.0.borrow_mut().is_prompt = true;
        let done = act();
        self.0.borrow_mut().is_prompt = false;
        done
    }

    /// Lets the store take nothing any more, or everything again.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.0.borrow_mut().is_full = is_full;
    }

    /// Returns true if the store takes nothing.
    pub(crate) fn is_full(&self) -> bool {
        self.0.borrow().is_full
    }

    /// Returns true if the store was full when it was asked to take something.
    pub(crate) fn has_refused(&self) -> bool {
        self.0.borrow().has_refused
    }
}

impl DelayedStore {
    /// Returns a store whose answers are at most `delay_ticks_max` ticks late, by `seed`, and the
    /// answers that wait.
    pub(crate) fn new(store: Memory, delay_ticks_max: usize, seed: u64) -> (Self, Waiting) {
        let (waiting, rng) = (Waiting::default(), Rng::with_seed(seed));
        let delayed =
            Self { store, waiting: waiting.clone(), delay_ticks_max, rng, is_fetched: false };
        (delayed, waiting)
    }

    fn delay(&mut self) -> usize {
        self.rng.usize(..=self.delay_ticks_max)
    }

    /// Returns true if history is at hand; if not, it is being fetched.
    fn is_at_hand(&mut self) -> bool {
        if self.delay_ticks_max == 0
            || self.waiting.0.borrow().is_prompt
            || std::mem::take(&mut self.is_fetched)
            || self.rng.bool()
        {
            return true;
        }
        let delay = self.delay();
        self.waiting.0.borrow_mut().others.push_back((delay, Answer::Fetched));
        false
    }
}

/// Returns true if a message is in the log that was not there before.
fn is_taken(answer: &Answer) -> bool {
    matches!(answer, Answer::Done { outcome: Ok(Stored::Appended(Appended::New(_))), .. })
}

impl Store for DelayedStore {
    fn submit(&mut self, now: Instant, utc_ms: u64, batch: &mut Vec<(Ticket, Request)>) {
        let room = |request: &Request| match request {
            Request::Append { room, .. }
            | Request::Amend { room, .. }
            | Request::Find { room, .. } => Some(*room),
            _ => None,
        };
        let rooms: Vec<_> = batch.iter().map(|(_, request)| room(request)).collect();
        let mut answers = Vec::new();
        if self.waiting.is_full() {
            self.waiting.0.borrow_mut().has_refused |= !batch.is_empty();
            let refused = |(ticket, _)| Answer::Done { ticket, outcome: Err(StorageError::Full) };
            answers.extend(batch.drain(..).map(refused));
        } else {
            self.store.submit(now, utc_ms, batch);
            self.store.poll(now, &mut answers);
        }
        for (room, answer) in rooms.into_iter().zip(answers) {
            let delay = self.delay();
            let mut queues = self.waiting.0.borrow_mut();
            if let Some(room) = room.filter(|_| is_taken(&answer)) {
                *queues.taken.entry(room).or_default() += 1;
            }
            match room {
                Some(room) => queues.appends.entry(room).or_default().push_back((delay, answer)),
                None => queues.others.push_back((delay, answer)),
            }
        }
    }

    fn poll(&mut self, _now: Instant, answers: &mut Vec<Answer>) {
        let mut queues = self.waiting.0.borrow_mut();
        let Queues { appends, others, .. } = &mut *queues;
        for appends in appends.values_mut() {
            while let Some((delay, _)) = appends.front_mut() {
                match delay.checked_sub(1) {
                    Some(left) => {
                        *delay = left;
                        break;
                    }
                    None => answers.extend(appends.pop_front().map(|(_, answer)| answer)),
                }
            }
        }
        others.retain_mut(|(delay, answer)| {
            if let Some(left) = delay.checked_sub(1) {
                *delay = left;
                return true;
            }
            self.is_fetched |= *answer == Answer::Fetched;
            answers.push(answer.clone());
            false
        });
    }

    fn read(
        &mut self,
        room: RoomId,
        after: u64,
        records: Records,
        each: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Read, StorageError> {
        if self.is_at_hand() {
            self.store.read(room, after, records, each)
        } else {
            Ok(Read::Later)
        }
    }

    fn page_start(
        &mut self,
        room: RoomId,
        before: u64,
        limit: u64,
        bytes_max: usize,
        records: Records,
    ) -> Result<Option<u64>, StorageError> {
        if self.is_at_hand() {
            self.store.page_start(room, before, limit, bytes_max, records)
        } else {
            Ok(None)
        }
    }

    fn search(
        &mut self,
        wanted: &Wanted<'_>,
        place: &mut Place,
        budget: &mut usize,
        each: &mut dyn FnMut(RoomId, Entry<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, StorageError> {
        if self.is_at_hand() {
            self.store.search(wanted, place, budget, each)
        } else {
            Ok(Looked::Later)
        }
    }

    fn epoch(&self) -> &str {
        self.store.epoch()
    }

    fn first_seq(&self, room: RoomId) -> u64 {
        self.store.first_seq(room)
    }

    fn last_seq(&self, room: RoomId) -> u64 {
        self.store.last_seq(room)
    }

    fn people(&mut self) -> Result<(Vec<Person>, PersonId), StorageError> {
        self.store.people()
    }

    fn rooms(&mut self) -> Result<Vec<Room>, StorageError> {
        self.store.rooms()
    }

    fn last_room(&self) -> RoomId {
        self.store.last_room()
    }

    fn marks(&mut self) -> Result<Vec<ReadMark>, StorageError> {
        self.store.marks()
    }

    fn rulebook(&mut self) -> Result<Rulebook, StorageError> {
        self.store.rulebook()
    }

    fn audit(&mut self, limit: usize) -> Result<Option<Vec<AuditEntry>>, StorageError> {
        if self.is_at_hand() { self.store.audit(limit) } else { Ok(None) }
    }

    fn invites(&mut self) -> Result<Vec<Invite>, StorageError> {
        self.store.invites()
    }

    fn maintain(&mut self, time: &Time) {
        self.store.maintain(time);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.store.next_deadline()
    }

    fn take_forgotten(&mut self) -> u64 {
        self.store.take_forgotten()
    }

    fn set_retention(&mut self, retention: Retention) {
        self.store.set_retention(retention);
    }
}
