//! How a world ends: everything is accounted for, everybody leaves, and nothing is left.

use std::collections::BTreeMap;

use pychat_server::switchboard::{CLOSING_TIMEOUT, LINGER_TIMEOUT};

use super::{Manner, World};
use crate::fault::Fault;

impl World<'_> {
    /// Ends the world, in peace or while lines are stalled and words unsaid.
    pub(crate) fn finish(mut self) -> BTreeMap<Fault, usize> {
        if self.below(3) == 0 {
            self.fire(Fault::StopUnderLoad);
        } else {
            self.come_to_rest();
        }
        self.stop();
        for ear in &self.buried {
            ear.check_against(&self.peers[0].ear, false);
        }
        self.fired
    }

    /// Everybody reads and everything is carried; then nobody has missed anything.
    fn come_to_rest(&mut self) {
        for peer in 0..self.peers.len() {
            self.unstall(peer);
            self.carry(peer, usize::MAX);
        }
        self.settle();
        let counts = self.peers[0].ear.check_story();
        for peer in &self.peers {
            if !peer.is_leaving {
                assert_eq!(peer.ear.pending_bytes(), 0, "no frame is torn");
                assert_eq!(peer.line.unread(), 0, "no edge is missed");
                if peer.number != 0 {
                    peer.ear.check_against(&self.peers[0].ear, true);
                }
                let is_welcome = peer.ear.name().is_some();
                assert_eq!(is_welcome, peer.manner == Manner::Named, "a hello is answered");
                if is_welcome {
                    self.said.insert(peer.number, peer.texts);
                }
            }
        }
        for (number, said) in &self.said {
            let heard = counts.get(number).unwrap_or(&0);
            assert_eq!(heard, said, "peer {number} was not heard to the end");
        }
    }

    /// The server stops, whatever it owes to whom.
    fn stop(&mut self) {
        self.switchboard.stop(self.now);
        for peer in &mut self.peers {
            peer.is_leaving = true;
        }
        for wait in [LINGER_TIMEOUT, CLOSING_TIMEOUT, LINGER_TIMEOUT] {
            self.settle();
            self.now += wait;
        }
        self.settle();
        assert!(self.switchboard.is_empty() && self.switchboard.next_deadline(self.now).is_none());
        assert!(self.peers.len() == 1 && self.peers[0].line.is_dropped());
    }

    /// Turns until nothing is left to do without an edge.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.turn();
            let delivery = self.switchboard.next_delivery(self.now);
            match self.switchboard.next_release().into_iter().chain(delivery).min() {
                _ if self.switchboard.has_work() => (),
                Some(next) => self.now = self.now.max(next),
                None => return,
            }
        }
        panic!("ten thousand ticks and still at work");
    }
}
