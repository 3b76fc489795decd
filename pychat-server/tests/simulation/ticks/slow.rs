//! Clients of the wire in slow mode: all that they say comes, once and in order.

use pychat_server::core::{id::CallId, moderation::Order};
use pychat_wire::{
    Client, UserName,
    client::{Event, RoomId, Saved},
};

use super::*;

const STEP: Duration = Duration::from_millis(100);

/// A client, and the line that it has.
struct Speaker {
    client: Client,
    peer: Peer,
    n_too_soon: usize,
}

impl Speaker {
    fn new(server: &mut Harness, name: &str) -> Self {
        let name = UserName::new(name).expect("a good name");
        let peer = server.connect();
        let client = Client::new(name, Saved::default(), [7; 32]);
        let mut speaker = Self { client, peer, n_too_soon: 0 };
        assert_eq!(speaker.client.next_event(), Some(Event::Connect));
        speaker.client.connected(0);
        speaker
    }

    /// Lets client and server talk until neither has anything to say.
    fn talk(&mut self, server: &mut Harness, now_ms: u64) {
        loop {
            if self.client.next_deadline().is_some_and(|deadline| deadline <= now_ms) {
                self.client.handle_timeout(now_ms);
            }
            self.take_events(server, now_ms);
            let said = self.client.take_outgoing();
            server.send(&self.peer, &said);
            server.settle();
            let heard = self.peer.line.take_heard();
            if said.is_empty() && heard.is_empty() {
                return;
            }
            self.client.receive(now_ms, &heard);
        }
    }

    fn take_events(&mut self, server: &mut Harness, now_ms: u64) {
        while let Some(event) = self.client.next_event() {
            match event {
                Event::SlowDown { .. } => self.n_too_soon += 1,
                Event::Connect => {
                    self.peer = server.connect();
                    self.client.connected(now_ms);
                }
                Event::Failed { .. } | Event::Denied { .. } => panic!("{event:?}"),
                _ => (),
            }
        }
    }
}

#[test]
fn in_slow_mode_all_that_clients_say_comes_once_and_in_order() {
    let mut server = Harness::new(10);
    let witness = server.join("witness");
    server.server.order(server.now, CallId(1), "root", Order::Slow { seconds: 10 });
    server.settle();
    let mut speaker = Speaker::new(&mut server, "Анна");
    speaker.talk(&mut server, 0);
    let expected: Vec<_> = (1..=8).map(|number| format!("Анна: {number}")).collect();
    let mut came = Vec::new();
    for step in 0..900 {
        let now_ms = step * 100;
        match step {
            0 => (1..=5)
                .for_each(|number| drop(speaker.client.say(&RoomId::hall(), &number.to_string()))),
            155 => {
                speaker.peer.line.reset();
                server.server.set_ready(speaker.peer.id, true, false);
                speaker.client.disconnected(now_ms);
            }
            255 => (6..=8)
                .for_each(|number| drop(speaker.client.say(&RoomId::hall(), &number.to_string()))),
            _ => (),
        }
        speaker.talk(&mut server, now_ms);
        let texts = heard(&witness).into_iter().filter(|it| it.starts_with("Анна: "));
        came.extend(texts.map(|text| (now_ms, text)));
        server.pass(STEP);
    }
    let (times, texts): (Vec<u64>, Vec<_>) = came.into_iter().unzip();
    assert_eq!(texts, expected);
    assert!(times.windows(2).all(|pair| 10_000 <= pair[1] - pair[0]), "{times:?}");
    assert!(*times.last().expect("there are some") < 80_000, "and none waits in vain: {times:?}");
    assert!(speaker.n_too_soon <= 2 * expected.len(), "{}", speaker.n_too_soon);
}
