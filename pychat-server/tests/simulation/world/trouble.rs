//! The faults that happen in a world, and the turns in between.

use std::{mem, time::Duration};

use pychat_server::{
    core::secret::Secret,
    handover::Snapshot,
    server::{LINGER_TIMEOUT, Server, load_rooms},
};

use super::{
    Buried, CROWD, Checker, N_WITNESSES, Peer, Pulse, World,
    limits::{limits, nothing},
};
use crate::{kit::Line, world::fault::Fault};

/// One more payload that means nothing, in a row of so many, is one too many.
pub(super) const NONSENSE_MAX: u32 = 16;

impl World<'_> {
    /// Something goes wrong, with the line of `peer` if it is one of those.
    pub(super) fn trouble(&mut self, fault: Fault, peer: usize) {
        let is_witness = peer < N_WITNESSES;
        match fault {
            Fault::Trickle => self.trickle(peer),
            Fault::SpuriousEdge | Fault::StaleEdge => self.stray_edge(fault, peer),
            Fault::TimeJump => {
                let hours = 1 + self.below(100);
                self.now += Duration::from_hours(hours as u64);
                self.fire(fault);
            }
            Fault::ClockSet => {
                self.clock_ms = 1_000_000_000_000 + self.below(10_000_000) as u64;
                self.fire(fault);
            }
            Fault::Reload => self.reload(),
            Fault::Restart => self.restart(),
            Fault::Operator => self.change_operators(),
            Fault::Crowd => (0..CROWD).for_each(|_| self.connect()),
            Fault::TooManySearches => self.search_much(peer),
            Fault::TooManyPages => (0..8).for_each(|_| self.ask_for_page(peer, usize::MAX)),
            _ if is_witness => self.tick(),
            Fault::Stall => self.stall(peer),
            Fault::Reset | Fault::WriteFails | Fault::Interrupted => self.harm(fault, peer),
            _ => self.leave(fault, peer),
        }
    }

    /// The line takes up to `bytes` of what the peer said to the server.
    pub(super) fn carry(&mut self, peer: usize, bytes: usize) {
        let is_writable = self.below(2) == 0;
        let Peer { id, line, unsent, .. } = &mut self.peers[peer];
        let piece: Vec<_> = unsent.drain(..bytes.min(unsent.len())).collect();
        line.send(&piece);
        self.server.set_ready(*id, true, is_writable);
    }

    /// Somebody goes, or says what ends the connection.
    fn leave(&mut self, fault: Fault, peer: usize) {
        if self.peers[peer].is_leaving {
            // Whatever made it leave: now it closes its side.
            self.carry(peer, usize::MAX);
            self.peers[peer].line.finish();
            return;
        }
        match fault {
            Fault::HalfClose => {
                self.carry(peer, usize::MAX);
                self.peers[peer].line.finish();
            }
            Fault::Goodbye => self.peers[peer].unsent.extend_from_slice(b"0:"),
            Fault::Garbage => {
                let garbage: &[u8] =
                    [&b"\n-garbage"[..], b"99999999:", b"{]", b"12a"][self.below(4)];
                self.peers[peer].unsent.extend_from_slice(garbage);
                if self.below(2) == 0 {
                    self.babble(peer);
                }
            }
            Fault::TooMuchNonsense => {
                self.peers[peer].unsent.extend(b"2:{}".repeat(NONSENSE_MAX as usize));
            }
            Fault::Nonsense => {
                self.peers[peer].unsent.extend_from_slice(b"7:[1,2,3]{\"type\":1}");
                self.fire(fault);
                return self.text(peer);
            }
            _ => unreachable!("{fault:?} follows from others"),
        }
        self.peers[peer].is_leaving = true;
        self.server.set_ready(self.peers[peer].id, true, false);
        self.fire(fault);
    }

    /// Bytes that may mean anything.
    fn babble(&mut self, peer: usize) {
        for _ in 0..self.below(100) {
            let byte = self.below(256);
            self.peers[peer].unsent.push(u8::try_from(byte).expect("a byte"));
        }
    }

    /// The line breaks, in one way or another.
    fn harm(&mut self, fault: Fault, peer: usize) {
        // Who is owed something is reset: nothing of that may be counted on.
        let fault = if self.peers[peer].stalled_at.is_some() { Fault::Reset } else { fault };
        let calls = self.below(10);
        let is_noted = self.below(2) == 0;
        let Peer { id, line, is_harmed, is_leaving, .. } = &mut self.peers[peer];
        match fault {
            Fault::Reset => line.reset(),
            Fault::WriteFails => line.break_writes(),
            _ => {
                line.interrupt(calls);
                return self.fire(fault);
            }
        }
        (*is_harmed, *is_leaving) = (true, true);
        if is_noted {
            self.server.set_ready(*id, true, true);
        }
        self.fire(fault);
    }

    fn stall(&mut self, peer: usize) {
        let room = self.below(300);
        let Peer { line, is_harmed, stalled_at, .. } = &mut self.peers[peer];
        line.set_room(Some(room));
        stalled_at.get_or_insert(self.witnessed);
        *is_harmed = true;
        self.fire(Fault::Stall);
    }

    /// Somebody who was stalled reads a little, or reads on.
    fn trickle(&mut self, peer: usize) {
        if self.peers[peer].stalled_at.is_none() {
            return;
        }
        if self.below(2) == 0 {
            return self.unstall(peer);
        }
        let room = self.below(500);
        self.peers[peer].line.set_room(Some(room));
        self.server.set_ready(self.peers[peer].id, false, true);
        self.fire(Fault::Trickle);
    }

    pub(super) fn unstall(&mut self, peer: usize) {
        self.peers[peer].line.set_room(None);
        self.peers[peer].stalled_at = None;
        self.server.set_ready(self.peers[peer].id, false, true);
    }

    /// An edge that means nothing, or one for somebody who is no more.
    fn stray_edge(&mut self, fault: Fault, peer: usize) {
        let (readable, writable) = (self.below(2) == 0, self.below(2) == 0);
        if self.dead.is_empty() || fault == Fault::SpuriousEdge {
            self.server.set_ready(self.peers[peer].id, readable, writable);
            self.fire(Fault::SpuriousEdge);
        } else {
            let dead = self.below(self.dead.len());
            self.server.set_ready(self.dead[dead], true, true);
            self.fire(Fault::StaleEdge);
        }
    }

    /// Nobody says anything for a while but who answers pings.
    pub(super) fn idle(&mut self) {
        for _ in 0..4 {
            self.now += Duration::from_secs(21);
            self.tick();
        }
    }

    /// Returns what the server's clock shows, in UTC milliseconds since 1970.
    fn utc_ms(&self) -> u64 {
        let run = self.now - self.begin;
        self.clock_ms + u64::try_from(run.as_millis()).expect("a short time")
    }

    /// The operator changes what may change without harm to those who are here.
    fn reload(&mut self) {
        let new = limits(&mut self.chance);
        self.limits.connections_max = new.connections_max;
        self.limits.rules = new.rules;
        self.is_paced |= new.rules.rate_limit.is_some();
        self.is_limited |= new.rules.connections_per_address_max != 0;
        self.server.set_limits(self.limits);
        self.fire(Fault::Reload);
    }

    /// The server is restarted in order: another one goes on with every line that is not closing.
    fn restart(&mut self) {
        self.tick();
        while !self.waiting.is_empty() {
            self.tick();
        }
        let (snapshot, sockets) = self.server.save(self.now);
        let sockets: Vec<Line> = sockets.into_iter().cloned().collect();
        let snapshot = Snapshot::from_bytes(&snapshot.to_bytes()).expect("the same format");
        let empty = nothing(&self.limits);
        let (mut store, people) = mem::replace(&mut self.server, empty).into_parts();
        let secret = self.below(256).to_le_bytes();
        let nonces = Secret::new(std::array::from_fn(|index| secret[index % secret.len()]));
        let rooms = self.waiting.promptly(|| load_rooms(&mut *store));
        let rooms = rooms.expect("a store that can be read");
        self.server = Server::new(self.limits, store, people, rooms, nonces);
        self.drained_ns.clear();
        self.dead.clear(); // Their ids were the other server's.
        let peers = &mut self.peers;
        self.server.restore(self.now, snapshot, sockets, |transport, id| {
            let peer = peers.iter_mut().find(|peer| peer.line.is(transport.socket()));
            peer.expect("a line of this world").id = id;
            Ok(())
        });
        for peer in &mut self.peers {
            if peer.line.is_dropped() {
                peer.ended_at = Some(self.begin); // It had its last word, and is not waited for.
            }
        }
        self.tick();
        self.fire(Fault::Restart);
    }

    /// Finds out what the server owes, by a turn in which everybody reads and nobody speaks.
    pub(super) fn reckon(&mut self) {
        self.tick(); // Whatever is due by now.
        for _ in 0..1_000 * (1 + self.delay_ticks_max) {
            if !self.has_work() {
                break;
            }
            self.tick();
        }
        assert!(!self.has_work(), "ticks and ticks, and still at work");
        for peer in 0..self.peers.len() {
            self.unstall(peer);
        }
        let utc_ms = self.utc_ms();
        self.server.tick(self.now, utc_ms);
        let mut owed: Vec<_> = (0..self.peers.len()).map(|peer| self.listen(peer)).collect();
        for (owed, peer) in owed.iter_mut().zip(&self.peers) {
            if peer.is_leaving && peer.checker.name().is_some() {
                *owed = 0; // Who was too slow is owed what was too much, and a farewell.
            }
        }
        let most = owed.iter().max().expect("a witness");
        assert!(*most <= self.limits.backlog_bytes_max, "{most} bytes are owed to one");
        let (sum, limit) = (owed.iter().sum::<usize>(), self.limits.backlog_total_bytes_max);
        assert!(sum <= limit, "{sum} bytes are owed");
        if limit / 2 < sum {
            self.fire(Fault::NearBacklogTotal);
        }
    }

    /// One turn of the server, after which everybody hears what there is to hear.
    pub(super) fn tick(&mut self) {
        let utc_ms = self.utc_ms();
        self.server.tick(self.now, utc_ms);
        let owed = self.server.backlog_bytes();
        assert!(owed <= self.limits.backlog_total_bytes_max, "{owed} bytes are owed");
        if !self.waiting.is_empty() {
            self.fire(Fault::AnsweredLate);
        }
        for peer in 0..self.peers.len() {
            self.listen(peer);
            let Peer { line, ended_at, checker, is_leaving, is_harmed, .. } = &mut self.peers[peer];
            if line.is_ended() {
                ended_at.get_or_insert(self.now);
            }
            if line.is_ended() && !*is_leaving {
                // Nothing else ends the stream of who did nothing than the owner of the name.
                let Checker::V1(checker) = checker else { panic!("ended without a bye") };
                self.replaced.push(checker.name().expect("a name to take over").to_owned());
                (*is_leaving, *is_harmed) = (true, true);
            }
        }
        self.look_who_waits();
        for Peer { line, is_leaving, .. } in self.peers.iter().take(N_WITNESSES) {
            assert!(*is_leaving || !line.is_dropped(), "a witness is cut");
        }
        for index in (N_WITNESSES..self.peers.len()).rev() {
            if self.peers[index].line.is_dropped() {
                let peer = self.peers.swap_remove(index);
                self.bury(peer);
            }
        }
    }

    /// Checks that a peer at rest that has not been read, or not been answered, waits for a limit.
    fn look_who_waits(&mut self) {
        if self.has_work() {
            return;
        }
        let burst = self.limits.rules.rate_limit.map_or(0, |limit| limit.numbers().0 as usize);
        let mut waits = Vec::new();
        for peer in self.peers.iter().filter(|peer| !peer.is_leaving && !peer.is_harmed) {
            let is_read = peer.line.unread() == 0;
            match (&peer.checker, peer.checker.name()) {
                (_, None) if !is_read => waits.push(Fault::HeldGuest),
                (_, Some(name)) if !is_read => {
                    if self.is_new(peer, name) && peer.units < burst {
                        waits.push(Fault::AddressHeld);
                    } else if self.is_paced {
                        self.fire(Fault::Held);
                    }
                }
                // What a limit on texts holds back may have been read from the line.
                (Checker::V2 { checker, .. }, Some(_))
                    if !self.is_paced
                        && peer.unsent.is_empty()
                        && peer.refused < checker.n_pages() =>
                {
                    waits.push(Fault::ReplayWaited);
                }
                _ => (),
            }
        }
        assert!(self.is_limited || waits.is_empty(), "{waits:?} without a limit");
        for fault in waits {
            self.fire(fault);
        }
    }

    /// Returns true if nobody but `peer` was ever called `name`, nor may have been without hearing so.
    fn is_new(&self, peer: &Peer, name: &str) -> bool {
        let gone = self.buried.iter().map(|gone| (&gone.checker, &gone.asked));
        let there = self.peers.iter().filter(|other| other.number != peer.number);
        let others = gone.chain(there.map(|other| (&other.checker, &other.asked)));
        let may_be = |(checker, asked): (&Checker, &Option<String>)| match checker.name() {
            Some(given) => given == name,
            None => asked.as_deref().is_some_and(|asked| name.starts_with(asked)),
        };
        !others.into_iter().any(may_be)
    }

    /// Checks that a peer that is gone was not cut for nothing, and keeps what it heard: that must
    /// be a part of what the witness heard.
    fn bury(&mut self, peer: Peer) {
        let is_silent = matches!(peer.pulse, Pulse::Mute { is_asked: true });
        let is_meant = peer.is_leaving || peer.is_harmed || is_silent;
        assert!(is_meant, "{:?} is cut for nothing", peer.checker.name());
        // Who goes on talking past the farewell for too long is left in the middle of it.
        let is_overdue =
            peer.ended_at.is_some_and(|ended_at| ended_at + LINGER_TIMEOUT <= self.now);
        if peer.line.is_ended() && !is_overdue {
            assert_eq!(peer.line.unread(), 0, "a reset would overtake the farewell");
        }
        if let Some(stalled_at) = peer.stalled_at
            && !peer.is_leaving
            && peer.checker.name().is_some()
        {
            self.fire(Fault::SlowReaderCut);
            if self.witnessed - stalled_at < self.limits.backlog_bytes_max * 3 / 4 {
                self.fire(Fault::LargestCut);
            }
        }
        if !peer.is_leaving && !peer.is_harmed {
            self.fire(Fault::Silent);
        }
        if let Some(name) = peer.checker.name()
            && !peer.is_harmed
        {
            self.said.insert(peer.number, (name.to_owned(), peer.texts));
        }
        self.dead.push(peer.id);
        let Peer { checker, asked, since, .. } = peer;
        self.buried.push(Buried { checker, asked, since });
    }
}
