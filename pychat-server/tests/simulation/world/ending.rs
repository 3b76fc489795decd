//! The end of a world: everything is accounted for, everybody leaves, and nothing is left.

use std::mem;

use pychat_server::server::{CLOSING_TIMEOUT, LINGER_TIMEOUT};

use pychat_wire::{name::SERVER, notice::Notice};

use super::{Buried, Checker, Manner, N_WITNESSES, Peer, World, limits::nothing, people::Text};

use crate::{
    kit::{V2Checker, stored, story::Difference, v2_checker::Event},
    world::fault::Fault,
};

impl World<'_> {
    /// Ends the world, in peace or while lines are stalled and words unsaid.
    pub(crate) fn finish(mut self) {
        if self.below(3) == 0 {
            self.fire(Fault::StopUnderLoad);
        } else {
            self.come_to_rest();
        }
        self.stop();
        self.check_order();
        self.check_store();
        self.check_outsiders();
        self.check_refused();
        let (Checker::V1(first), Checker::V2 { checker: second, .. }) =
            (&self.peers[0].checker, &self.peers[1].checker)
        else {
            unreachable!("there is a witness of each protocol");
        };
        let differences = self.buried.iter().map(|Buried { checker, since, .. }| match checker {
            Checker::V1(checker) => checker.check_against(first, *since, false),
            Checker::V2 { checker, .. } => checker.check_against(second, *since),
        });
        for Difference { is_unannounced, knew_more } in differences.collect::<Vec<_>>() {
            if is_unannounced {
                self.fire(Fault::LeftUnannounced);
            }
            if knew_more {
                self.fire(Fault::KnownByWelcomeOnly);
            }
        }
        for name in &self.replaced {
            assert!(self.may_be_replaced(name), "{name} is sent away for nothing");
        }
    }

    /// The witnesses of both protocols heard the same, which is all that anybody heard.
    fn check_order(&self) {
        let (Checker::V1(first), Checker::V2 { checker: second, .. }) =
            (&self.peers[0].checker, &self.peers[1].checker)
        else {
            unreachable!("there is a witness of each protocol");
        };
        let forgotten_to = self.oracle.last().saturating_sub(self.retention.messages_max);
        let notice = |notice: Notice<'_>| (SERVER.to_owned(), vec![notice.to_string()]);
        let texts = self.told_in_one();
        let mut told = vec![notice(Notice::Joined { name: "second witness" })];
        told.extend(second.story().iter().filter_map(|event| match event {
            Event::Message(seq) => {
                let author = self.oracle.message(*seq).author.clone();
                Some((author, texts.get(seq)?.clone()))
            }
            Event::Joined(name, _) => Some(notice(Notice::Joined { name })),
            Event::Left(name, _, _) => Some(notice(Notice::Left { name })),
        }));
        for ((author, text), (same, texts)) in first.heard().iter().zip(&told) {
            assert_eq!(author, same, "the protocols differ");
            assert!(texts.contains(text), "the protocols differ: {text:?}, and {texts:?}");
        }
        assert_eq!(first.heard().len(), told.len());
        self.check_times(second.story());
        let is_message = |event: &&Event| matches!(event, Event::Message(_));
        let n_messages = second.story().iter().filter(is_message).count() as u64;
        assert_eq!(n_messages, self.oracle.last(), "somebody heard what the witness did not");
        assert!(self.forgotten_to <= forgotten_to, "{} was kept", self.forgotten_to);
    }

    /// All that anybody heard is in the store, in one order for each room; nobody heard anything of a room
    /// that they were not in, and all that anybody was told of rooms was so.
    fn check_store(&mut self) {
        let server = mem::replace(&mut self.server, nothing(&self.limits));
        let (mut store, people) = server.into_parts();
        stored::take_in(&mut self.oracle, &mut *store, &people);
        let lasts = self.oracle.lasts();
        let max = self.retention.messages_max;
        self.oracle.check_whole(|room| lasts.get(room).map_or(0, |last| last.saturating_sub(max)));
    }

    /// Time does not go back. A message bears the time at which it was accepted: where the store
    /// answers late, people may have come and gone since.
    fn check_times(&self, story: &[Event]) {
        let (mut messages, mut others, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for event in story {
            let (kind, time) = match event {
                Event::Message(seq) => (&mut messages, self.oracle.message(*seq).time),
                Event::Joined(_, time) | Event::Left(_, time, _) => (&mut others, *time),
            };
            kind.push(time);
            all.push(time);
        }
        assert!(messages.is_sorted() && others.is_sorted(), "time goes back");
        assert!(0 < self.delay_ticks_max || all.is_sorted(), "time goes back");
    }

    /// Everybody reads and everything is carried; then nobody has missed anything.
    fn come_to_rest(&mut self) {
        while {
            for peer in 0..self.peers.len() {
                self.unstall(peer);
                self.carry(peer, usize::MAX);
            }
            self.settle();
            self.now += self.limits.rules.announce_after;
            self.settle();
            self.peers.iter().any(|peer| !peer.unsent.is_empty())
        } {}
        let Checker::V1(witness) = &self.peers[0].checker else { unreachable!("protocol 1") };
        let counts = witness.check_story();
        for peer in self.peers.iter().filter(|peer| !peer.is_leaving) {
            assert_eq!(peer.checker.pending_bytes(), 0, "no frame is torn");
            assert_eq!(peer.line.unread(), 0, "no edge is missed");
            let is_welcome = peer.checker.name().is_some();
            assert_eq!(is_welcome, peer.manner == Manner::Named, "a hello is answered");
            match &peer.checker {
                Checker::V1(checker) if peer.number != 0 => {
                    checker.check_against(witness, peer.since, true);
                }
                Checker::V2 { checker, person } if is_welcome => {
                    self.check_life(peer, checker, *person);
                }
                _ => (),
            }
            if is_welcome {
                let name = peer.checker.name().unwrap_or_default().to_owned();
                self.said.insert(peer.number, (name, peer.texts));
            }
        }
        for (number, (name, said)) in &self.said {
            let heard = counts.get(number).unwrap_or(&0);
            if heard != said {
                let is_replaced = self.may_be_replaced(name) && heard < said;
                assert!(is_replaced, "peer {number} was not heard to the end: {heard} of {said}");
            }
        }
    }

    /// Checks that a peer of protocol 2 that is still there has heard all and been answered all.
    fn check_life(&self, peer: &Peer, checker: &V2Checker, person: usize) {
        assert_eq!(checker.after(), self.oracle.last(), "nothing is missed");
        let n_open = checker.n_pages()..=checker.n_pages() + checker.n_doubtful_pages();
        assert!(n_open.contains(&peer.refused), "every question is answered");
        assert_eq!(checker.n_searches(), 0, "every search has an end");
        self.check_rooms_of(peer, checker.name().unwrap_or_default());
        // Who came back too late for some messages may have missed its own among them.
        if self.people[person].newest == peer.number && checker.n_gaps() == 0 {
            let texts = &self.people[person].texts;
            let is_answered = |text: &Text| text.seq.is_some() || text.is_refused;
            assert!(texts.iter().all(is_answered), "{texts:?}");
        }
        let Checker::V2 { checker: witness, .. } = &self.peers[1].checker else {
            unreachable!("protocol 2")
        };
        assert_eq!(checker.present(), witness.present(), "who is there");
        for peer in self.peers.iter().filter(|peer| !peer.is_leaving) {
            assert!(peer.checker.name().is_none_or(|name| checker.present().contains(name)));
        }
        for name in checker.present() {
            assert!(
                self.peers.iter().any(|peer| peer.checker.name() == Some(name)),
                "{name} is gone"
            );
        }
    }

    /// The server stops, whatever it owes to whom.
    fn stop(&mut self) {
        if !self.waiting.is_empty() {
            self.fire(Fault::StopWhileUnanswered);
        }
        self.server.stop(self.now);
        for peer in &mut self.peers {
            peer.is_leaving = true;
        }
        for wait in [LINGER_TIMEOUT, CLOSING_TIMEOUT, LINGER_TIMEOUT] {
            self.settle();
            self.now += wait;
        }
        self.settle();
        assert!(self.server.is_empty() && self.server.next_deadline(self.now).is_none());
        assert!(self.peers.len() == N_WITNESSES);
        assert!(self.peers.iter().all(|peer| peer.line.is_dropped()));
    }

    /// Turns until nothing is left to do without an edge.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.tick();
            let delivery = self.server.next_delivery(self.now);
            let replay = self.server.next_replay();
            match self.server.next_release().into_iter().chain(delivery).chain(replay).min() {
                _ if self.has_work() => (),
                Some(next) => self.now = self.now.max(next),
                None => return,
            }
        }
        panic!("ten thousand ticks and still at work");
    }

    /// Returns true if somebody who may own it was welcomed under this name.
    fn may_be_replaced(&self, name: &str) -> bool {
        let minds = self.peers.iter().map(|peer| &peer.checker);
        let minds = minds.chain(self.buried.iter().map(|buried| &buried.checker));
        let of_two = minds.filter(|checker| matches!(checker, Checker::V2 { .. }));
        of_two.filter_map(Checker::name).any(|given| given == name)
    }
}
