//! Several servers of one chat: what counts of what they tell, and where the client goes next.

use std::borrow::Cow;

use super::*;
use crate::{link::Address, message::AddressList};

fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn told(texts: &[&str]) -> Cow<'static, AddressList> {
    Cow::Owned(AddressList(addresses(texts)))
}

/// Returns the greeting of a server that tells of these.
fn telling(texts: &[&str]) -> ServerMessage<'static> {
    let mut greeting = greeting(EPOCH);
    if let ServerMessage::Greeting { servers, .. } = &mut greeting {
        *servers = told(texts);
    }
    greeting
}

/// Returns the goodbye of one that stops.
fn stopping(texts: &[&str]) -> ServerMessage<'static> {
    ServerMessage::Bye { reason: Reason::Shutdown, retry_ms: 8_000, servers: told(texts) }
}

impl Stage {
    /// Somebody who has these addresses.
    fn at(given: &[&str]) -> Self {
        let client = Client::new(anna(), saved(0), [7; 32]).persistent();
        Self::of(client.at(addresses(given)))
    }

    /// Joins at `address`, encrypted or not, where these servers are told.
    fn enter_at(&mut self, address: &str, is_encrypted: bool, texts: &[&str]) {
        self.client.reached(&address.parse().unwrap());
        self.client.connected(self.now);
        if is_encrypted {
            self.client.secured(self.now, [1; 32]);
        }
        self.hear(&[telling(texts), welcome(EPOCH, 0)]);
        assert!(self.client.is_joined());
    }

    /// Returns the route, as texts; an address that is only told has a question mark.
    fn route(&mut self) -> Vec<String> {
        let route = self.client.route().into_iter();
        let text =
            |it: Destination| format!("{}{}", it.address.host, if it.is_told { "?" } else { "" });
        route.map(text).collect()
    }

    /// Nothing can be reached.
    fn miss_all(&mut self) {
        for destination in self.client.route() {
            self.client.missed(&destination.address);
        }
        self.client.disconnected(self.now);
    }
}

#[test]
fn what_was_given_comes_first_and_in_order() {
    let mut stage = Stage::at(&["a", "b", "c"]);
    assert_eq!(stage.route(), ["a", "b", "c"]);
    stage.miss_all();
    stage.pass(2_000);
    assert_eq!(stage.route(), ["a", "b", "c"], "nobody was met");
}

#[test]
fn what_is_told_counts_where_the_line_is_encrypted_and_until_other_addresses_are_given() {
    let mut stage = Stage::at(&["a"]);
    stage.enter_at("a", false, &["a", "b"]);
    assert_eq!(stage.client.told(), []);
    stage.hear(&[stopping(&["c"])]);
    assert_eq!(stage.client.told(), []);
    stage.pass(10_000);
    stage.enter_at("a", true, &["a", "b"]);
    assert_eq!(stage.client.told(), addresses(&["a", "b"]));
    let mut stage = stage.killed();
    stage.client = stage.client.at(addresses(&["a"]));
    assert_eq!(stage.route(), ["a", "b?"]);
    stage.enter_at("b", true, &["a", "c", "127.0.0.1", "[::]:7", "x.localhost"]);
    assert_eq!(stage.client.told(), addresses(&["a", "c"]), "the newest list, of other machines");
    stage.hear(&[ServerMessage::bye(Reason::Shutdown, 0)]);
    assert_eq!(stage.client.told(), addresses(&["a", "c"]), "nothing else is said");
    stage.enter_at("c", true, &[]);
    assert_eq!(stage.client.told(), [], "there are no others");
    stage.hear(&[stopping(&["d"])]);
    assert_eq!(stage.client.told(), addresses(&["d"]));
    stage.client.take_saved();
    let mut other = stage.killed();
    other.client = other.client.at(addresses(&["a", "z"]));
    assert_eq!(other.route(), ["a", "z"]);
    assert_eq!(other.client.take_saved().map(Saved::name), Some("Анна"), "it is filed");
}

#[test]
fn who_is_on_this_machine_may_be_told_of_it() {
    let mut stage = Stage::at(&["127.0.0.1:1"]);
    stage.enter_at("127.0.0.1:1", true, &["127.0.0.1:2"]);
    assert_eq!(stage.client.told(), addresses(&["127.0.0.1:2"]));
    stage.client.forget_told();
    assert_eq!(stage.client.told(), []);
}

#[test]
fn another_server_is_tried_at_once_in_random_order_and_the_one_that_stops_last() {
    let mut firsts = std::collections::BTreeSet::new();
    for seed in 0..32 {
        let client = Client::new(anna(), saved(0), [seed; 32]);
        let mut stage = Stage::of(client.at(addresses(&["a"])));
        stage.enter_at("a", true, &["a", "b", "c", "d"]);
        let events = stage.hear(&[stopping(&["a", "b", "c", "d"])]);
        let bye = "offline Bye { reason: Shutdown } Some(0)";
        assert_told(&events, &["disconnect", bye, "connect"]);
        let route = stage.route();
        assert_eq!(route[3], "a");
        firsts.insert(route[0].clone());
        stage.miss_all();
        let Event::Offline { cause: Cause::Unreachable, retry_at_ms: Some(at) } = stage.told()[0]
        else {
            panic!("it waits")
        };
        assert!((750..=1_250).contains(&at), "{at}");
    }
    assert_eq!(firsts.into_iter().collect::<Vec<_>>(), ["b?", "c?", "d?"]);
}

#[test]
fn a_lost_line_goes_elsewhere_first_if_that_was_told() {
    let mut stage = Stage::at(&["a", "lan"]);
    stage.enter_at("a", true, &["a", "b"]);
    stage.pass(STEADY_MS);
    stage.client.disconnected(stage.now);
    assert_told(&stage.told(), &["offline Lost Some(30000)", "connect"]);
    assert_eq!(stage.route(), ["b?", "a", "lan"], "nobody knows if there is somebody");
    stage.client.missed(&"b".parse().unwrap());
    stage.enter_at("a", true, &["a", "b"]);
    stage.pass(STEADY_MS);
    stage.client.disconnected(stage.now);
    assert_eq!(stage.route(), ["b?", "a", "lan"], "a line was steady, so all is worth trying");
}

#[test]
fn servers_that_end_each_line_at_once_are_tried_in_turn_and_then_ever_later() {
    let mut stage = Stage::at(&["a", "b", "c"]);
    stage.told();
    for expected_ms in [1_000, 2_000, 4_000] {
        let mut order = Vec::new();
        for n in 0..3 {
            let first = stage.client.route()[0].address.to_string();
            order.push(first.clone());
            stage.enter_at(&first, true, &["a", "b", "c"]);
            stage.client.disconnected(stage.now);
            let told = stage.told();
            let [Event::Offline { retry_at_ms: Some(at), .. }, ..] = told[..] else {
                panic!("{told:?}")
            };
            let delay_ms = at - stage.now;
            let range = if n < 2 { 0..=0 } else { expected_ms * 3 / 4..=expected_ms * 5 / 4 };
            assert!(range.contains(&delay_ms), "{n}: {delay_ms}");
        }
        order.sort();
        assert_eq!(order, ["a:12345", "b:12345", "c:12345"]);
        stage.pass(expected_ms * 5 / 4);
    }
}

#[test]
fn one_server_that_tells_of_itself_alone_is_waited_for() {
    let mut stage = Stage::at(&["a"]);
    stage.enter_at("a", true, &["a"]);
    let events = stage.hear(&[stopping(&["a"])]);
    let [_, Event::Offline { retry_at_ms: Some(at), .. }] = events[..] else {
        panic!("{events:?}")
    };
    assert!((8_000..=10_000).contains(&at), "{at}");
}

#[test]
fn what_was_only_given_may_be_the_same_server_which_comes_first() {
    let mut stage = Stage::at(&["a", "lan", "b"]);
    stage.enter_at("a", true, &[]);
    let events = stage.hear(&[stopping(&[])]);
    let [_, Event::Offline { retry_at_ms: Some(at), .. }] = events[..] else {
        panic!("{events:?}")
    };
    assert!((8_000..=10_000).contains(&at), "{at}");
    assert_eq!(stage.route()[0], "a");
    stage.pass(10_000);
    stage.client.missed(&"a".parse().unwrap());
    stage.enter_at("b", true, &[]);
    stage.pass(STEADY_MS);
    stage.client.disconnected(stage.now);
    assert_told(&stage.told(), &["offline Lost Some(40000)", "connect"]);
    assert_eq!(stage.route(), ["a", "b", "lan"], "there was a line at these");
}

#[test]
fn who_was_sent_away_goes_nowhere_else() {
    let mut stage = Stage::at(&["a", "b"]);
    stage.enter_at("a", true, &["a", "b"]);
    let events = stage.hear(&[ServerMessage::bye(Reason::Banned, 0)]);
    assert_told(&events, &["disconnect", "offline Bye { reason: Banned } None"]);
}

#[test]
fn a_bot_that_knows_one_address_of_its_own_comes_back_as_ever() {
    let mut stage = Stage::new();
    stage.client.connected(0);
    stage.client.secured(0, [1; 32]);
    stage.hear(&[telling(&["a", "b"]), welcome(EPOCH, 0)]);
    stage.client.disconnected(0);
    assert_told(&stage.told(), &["offline Lost Some(0)", "connect"]);
    stage.client.connected(0);
    stage.client.disconnected(0);
    let told = stage.told();
    assert!(matches!(told[0], Event::Offline { retry_at_ms: Some(750..), .. }), "{told:?}");
}

#[test]
fn a_server_that_was_told_of_and_has_other_logs_is_one_whose_logs_are_new() {
    let mut stage = Stage::at(&["a"]);
    stage.enter_at("a", true, &["a", "b"]);
    stage.client.disconnected(0);
    stage.told();
    stage.client.reached(&"b".parse().unwrap());
    stage.client.connected(0);
    stage.client.secured(0, [1; 32]);
    let events = stage.hear(&[greeting("other"), welcome("other", 0)]);
    assert_told(&events, &["back", "new epoch"]);
}

#[test]
fn addresses_are_read_from_a_file_one_by_one() {
    let json = r#"{"name":"Анна","servers":{"given":["a","b c","b:7"],"told":["","d"]}}"#;
    let saved: Saved = serde_json::from_str(json).unwrap();
    let client = Client::new(anna(), saved, [7; 32]);
    assert_eq!(client.given(), addresses(&["a", "b:7"]));
    assert_eq!(client.told(), addresses(&["d"]));
    let none = serde_json::to_string(&Saved::default()).unwrap();
    assert!(!none.contains("servers"), "{none}");
}
