//! The things that operators do.

use std::time::{Duration, Instant};

use pychat_wire::{
    UserName,
    message::{Door, SENTENCE_CHARS_MAX},
    notice::Notice,
};

use super::{
    super::{Chat, CloseReason, Effect, Event, Peer, tell_all},
    ConnectionId, Done, Target,
};
use crate::core::{
    moderation::{
        Change, Measure, SANCTIONS_MAX, Sanction, Subject, Whom, for_words, guest_detail,
    },
    networks::{Network, NetworkError},
    people::BOTS_MAX,
};

/// The longest time from one text of a person to their next, in seconds.
pub(super) const SLOW_SECONDS_MAX: u64 = 3_600;

/// The shortest prefixes that a ban may have: wider ones would ban a part of the world.
const V4_PREFIX_MIN: u8 = 8;
const V6_PREFIX_MIN: u8 = 16;

/// The sentence for those of protocol 1 who are sent away.
const KICKED: &str = "You were sent away by an operator. Bye!\n";

/// Those whom a ban is about.
enum Found<'a> {
    Name(&'a str),
    Network(Network),
}

impl Chat {
    pub(super) fn set_operator(
        &mut self,
        now: Instant,
        name: &str,
        is_operator: bool,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, String> {
        let Some((person, Target { name, .. })) = self.owner(name) else {
            let name = self.target(name)?.name;
            return Err(format!("{name} has no name that is theirs, so cannot be an operator."));
        };
        let is_news = self.people.set_operator(person, is_operator);
        if is_news {
            self.show_operator(now, person, is_operator, effects);
        }
        let old_news = match (is_news, is_operator) {
            (true, _) => None,
            (false, true) => Some(format!("{name} is an operator already.")),
            (false, false) => Some(format!("{name} is not an operator.")),
        };
        Ok(Done { subject: name.as_str().to_owned(), old_news, ..Done::default() })
    }

    pub(super) fn set_bot(&mut self, name: &str, is_bot: bool) -> Result<Done, String> {
        let Some((person, Target { name, .. })) = self.owner(name) else {
            let name = self.target(name)?.name;
            return Err(format!("{name} has no name that is theirs, so cannot be marked."));
        };
        let is_news = self.people.set_bot(person, is_bot);
        let is_news = is_news.map_err(|_| format!("There are {BOTS_MAX} bots already."))?;
        let old_news = match (is_news, is_bot) {
            (true, _) => None,
            (false, true) => Some(format!("{name} is a bot already.")),
            (false, false) => Some(format!("{name} is not a bot.")),
        };
        let detail = if is_bot { "on" } else { "off" }.to_owned();
        let subject = name.as_str().to_owned();
        Ok(Done { subject, detail, old_news, ..Done::default() })
    }

    pub(super) fn free_name(
        &mut self,
        name: &str,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, String> {
        let Some((person, Target { connections, .. })) = self.owner(name) else {
            let name = self.target(name)?.name;
            return Err(format!("Nobody owns the name {name}."));
        };
        let names = self.people.names(person);
        let was_operator = self.people.is_operator(person);
        self.people.forget_all(person);
        for id in connections {
            self.close(id, CloseReason::Removed, effects);
        }
        let detail = if was_operator { "an operator no longer" } else { "" }.to_owned();
        Ok(Done { subject: names.join(", "), detail, ..Done::default() })
    }

    pub(super) fn kick(&mut self, name: &str, effects: &mut Vec<Effect>) -> Result<Done, String> {
        let Target { name, mut connections, .. } = self.target(name)?;
        connections.retain(|id| self.is_open(*id));
        if connections.is_empty() && !self.is_elsewhere(&name) {
            return Err(format!("{name} is not here."));
        }
        for id in connections {
            self.dismiss_for(id, CloseReason::Kicked, KICKED, effects);
        }
        Ok(Done { subject: name.as_str().to_owned(), ..Done::default() })
    }

    /// Sends away whoever is on this server under a name, as an operator did on another one.
    pub(in super::super) fn kick_here(&mut self, name: &str, effects: &mut Vec<Effect>) {
        let Ok(Target { connections, .. }) = self.target(name) else { return };
        for id in connections.into_iter().filter(|id| self.is_open(*id)).collect::<Vec<_>>() {
            self.dismiss_for(id, CloseReason::Kicked, KICKED, effects);
        }
    }

    /// Returns true if whoever has this name is on another server.
    fn is_elsewhere(&self, name: &UserName) -> bool {
        let here = self.roster.here();
        self.roster.holders(name).any(|it| it.name() == name && it.is_elsewhere(here))
    }

    pub(super) fn mute(
        &mut self,
        name: &str,
        for_ms: Option<u64>,
        by: &str,
    ) -> Result<Done, String> {
        let Target { name, owner, keys, .. } = self.target(name)?;
        let subject = Subject::Person { name: name.as_str().to_owned(), keys };
        let changes = self.impose(Measure::Mute, subject, for_ms, by)?;
        if let Some(person) = owner {
            self.people.forget_code(person); // Another device would not be muted alone.
        }
        let (subject, detail) = (name.as_str().to_owned(), for_words(for_ms));
        Ok(Done { subject, detail, changes, ..Done::default() })
    }

    pub(super) fn unmute(&mut self, name: &str) -> Result<Done, String> {
        let lifted = self.lift_of_person(Measure::Mute, name);
        self.lifted(&lifted, name, "muted")
    }

    pub(super) fn ban(
        &mut self,
        whom: &Whom,
        for_ms: Option<u64>,
        by: &str,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, String> {
        match self.find(whom)? {
            Found::Name(name) => self.ban_person(name, for_ms, by, effects),
            Found::Network(network) => self.ban_network(network, for_ms, by, effects),
        }
    }

    fn ban_person(
        &mut self,
        name: &str,
        for_ms: Option<u64>,
        by: &str,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, String> {
        let Target { name, owner, keys, connections } = self.target(name)?;
        if keys.is_empty() {
            return self.ban_guest(&name, &connections, for_ms, by, effects);
        }
        let subject = Subject::Person { name: name.as_str().to_owned(), keys };
        let changes = self.impose(Measure::Ban, subject, for_ms, by)?;
        if let Some(person) = owner {
            self.people.forget_code(person);
        }
        self.send_banned_away(effects);
        let (subject, detail) = (name.as_str().to_owned(), for_words(for_ms));
        Ok(Done { subject, detail, changes, ..Done::default() })
    }

    /// Bans the addresses of somebody who has no key to be known by.
    fn ban_guest(
        &mut self,
        name: &UserName,
        connections: &[ConnectionId],
        for_ms: Option<u64>,
        by: &str,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, String> {
        let origins = connections.iter().filter_map(|id| self.peers.get(id));
        let Some(network) = origins.map(|peer| peer.origin.network()).next() else {
            let text = if self.is_elsewhere(name) {
                "has no device to be known by, and is on another server: ban them there."
            } else {
                "has no device to be known by, and is not here."
            };
            return Err(format!("{name} {text}"));
        };
        let done = self.ban_network(network, for_ms, by, effects)?;
        Ok(Done { detail: guest_detail(name.as_str(), &done.detail), ..done })
    }

    fn ban_network(
        &mut self,
        network: Network,
        for_ms: Option<u64>,
        by: &str,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, String> {
        let (is_v4, prefix) = network.shape();
        let widest = if is_v4 { V4_PREFIX_MIN } else { V6_PREFIX_MIN };
        if prefix < widest {
            return Err(format!(
                "{network} has too many addresses: a prefix of /{widest} is the widest."
            ));
        }
        let is_own = |(id, peer): (&ConnectionId, &Peer)| {
            network.contains(peer.origin.network()) && self.operator_at(*id).as_deref() == Some(by)
        };
        if self.peers.iter().any(is_own) {
            return Err(format!("You are connected from {network} yourself."));
        }
        let changes = self.impose(Measure::Ban, Subject::Network(network), for_ms, by)?;
        let n_closed = Some(self.send_network_away(network, effects));
        let (subject, detail) = (network.to_string(), for_words(for_ms));
        Ok(Done { subject, detail, changes, n_closed, ..Done::default() })
    }

    pub(super) fn unban(&mut self, whom: &Whom) -> Result<Done, String> {
        match self.find(whom)? {
            Found::Name(name) => {
                let lifted = self.lift_of_person(Measure::Ban, name);
                self.lifted(&lifted, name, "banned")
            }
            Found::Network(network) => {
                let lifted = self.people.moderation_mut().lift_of_network(network);
                self.lifted(&lifted, &network.to_string(), "banned")
            }
        }
    }

    /// Finds out who is meant. Somebody may be called like an address: then neither they nor those
    /// who call from there are taken for the other.
    fn find<'a>(&self, whom: &'a Whom) -> Result<Found<'a>, String> {
        let (Whom::Name(text) | Whom::Network(text) | Whom::Typed(text)) = whom;
        match (whom, text.parse::<Network>()) {
            (Whom::Name(_), _) | (Whom::Typed(_), Err(NetworkError::Form)) => Ok(Found::Name(text)),
            (Whom::Typed(_), Ok(_)) if self.target(text).is_ok() => Err(format!(
                "Somebody is called {text}. Write the address as a prefix, or ban them from within \
                 the chat."
            )),
            (_, Ok(network)) => Ok(Found::Network(network)),
            (_, Err(error)) => Err(format!("{text}: {error}.")),
        }
    }

    /// Ends what is done against whoever has `name`, or had it then.
    fn lift_of_person(&mut self, measure: Measure, name: &str) -> Vec<Sanction> {
        let Ok(asked) = UserName::new(name) else { return Vec::new() };
        let keys = self.target(name).map(|target| target.keys).unwrap_or_default();
        self.people.moderation_mut().lift_of_person(measure, &keys, &asked)
    }

    /// Returns the outcome of undoing these.
    fn lifted(&self, lifted: &[Sanction], whom: &str, what: &str) -> Result<Done, String> {
        let utc_ms = self.wall_clock.utc_ms;
        if lifted.iter().all(|sanction| sanction.is_over(utc_ms)) {
            return Err(format!("{whom} is not {what}."));
        }
        let subjects: Vec<_> = lifted.iter().map(|it| it.subject.to_string()).collect();
        let subject = subjects.join(", ");
        let changes = lifted.iter().map(|sanction| Change::Lift(sanction.id)).collect();
        Ok(Done { subject, changes, ..Done::default() })
    }

    fn impose(
        &mut self,
        measure: Measure,
        subject: Subject,
        for_ms: Option<u64>,
        by: &str,
    ) -> Result<Vec<Change>, String> {
        if for_ms == Some(0) {
            return Err("Choose a longer time.".to_owned());
        }
        let utc_ms = self.wall_clock.utc_ms;
        let until_ms = for_ms.map(|for_ms| utc_ms.saturating_add(for_ms));
        let moderation = self.people.moderation_mut();
        moderation.impose(measure, subject, until_ms, utc_ms, by).ok_or_else(|| {
            format!("There are {SANCTIONS_MAX} bans and mutes, and no room for more.")
        })
    }

    pub(super) fn slow_down(
        &mut self,
        now: Instant,
        seconds: u64,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, String> {
        if SLOW_SECONDS_MAX < seconds {
            return Err(format!("Choose a time of at most {SLOW_SECONDS_MAX} seconds."));
        }
        let slow = (0 < seconds).then_some(Duration::from_secs(seconds));
        let changes = vec![self.people.moderation_mut().set_slow(slow)];
        self.buckets.clear_slow(); // Who waits for the old time need not.
        self.end_slow(now, self.peers.keys().copied().collect(), effects);
        let subject = if seconds == 0 { "off".to_owned() } else { format!("{seconds} s") };
        Ok(Done { subject, changes, ..Done::default() })
    }

    pub(super) fn set_door(&mut self, door: Door) -> Done {
        let subject = match door {
            Door::Open => "open",
            Door::Invite => "invite",
        };
        let changes = vec![self.people.moderation_mut().set_door(door)];
        Done { subject: subject.to_owned(), changes, ..Done::default() }
    }
}

pub(super) fn say(text: &str, effects: &mut Vec<Effect>) -> Result<Done, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("There is nothing to say.".to_owned());
    }
    if SENTENCE_CHARS_MAX < text.chars().count() {
        return Err(format!("This is too long: at most {SENTENCE_CHARS_MAX} characters."));
    }
    if text.chars().any(|character| character.is_control() && character != '\n') {
        return Err("This has control characters.".to_owned());
    }
    if text.lines().any(is_sentence) {
        return Err("Clients would take this for a sentence of the server's own.".to_owned());
    }
    tell_all(Event::Notice(text.to_owned()), effects);
    Ok(Done { detail: text.to_owned(), ..Done::default() })
}

/// Returns true if a client of protocol 1 takes a line for more than words.
fn is_sentence(line: &str) -> bool {
    let with_newline = format!("{line}\n"); // Some of them end with one.
    [line, &with_newline]
        .map(Notice::parse)
        .iter()
        .any(|notice| !matches!(notice, Notice::Other(_)) || notice.refusal().is_some())
}
