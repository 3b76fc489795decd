//! Protocol 1: sentences, and our own words coming back.

use super::{Cause, Client, Event, Message, MessageState, Phase, Protocol, RoomId, Said};
use crate::{
    frame::PAYLOAD_BYTES_MAX,
    message::{ClientMessage, Reason, ServerMessage, bounds},
    name::{SERVER, YOU},
    notice::Notice,
};

impl Client {
    /// Says hello as a client of the original does.
    pub(super) fn ask_original(&mut self, until: u64) {
        self.payload_bytes_max = PAYLOAD_BYTES_MAX;
        ClientMessage::hello(self.name.as_str()).encode(&mut self.outgoing);
        self.phase = Phase::Asked { protocol: Protocol::Original, until };
    }

    /// Takes what a server of protocol 1 says once we have said hello.
    pub(super) fn on_original(&mut self, now: u64, message: ServerMessage<'_>) {
        let (ServerMessage::Message { username, content }
        | ServerMessage::Greeting { username, content, .. }
        | ServerMessage::Record { username, content, .. }) = message
        else {
            return;
        };
        if username == SERVER {
            self.on_notice(now, &content);
        } else {
            self.on_message(username.into_owned(), shown(&content));
        }
    }

    /// Keeps a sentence of a server that has not let us in: it explains why, should the line end.
    pub(super) fn on_last_words(&mut self, content: &str) {
        self.line.farewell = Some(match Notice::parse(content) {
            Notice::Stopping => Cause::Bye { reason: Reason::Shutdown },
            notice => Cause::TurnedAway { code: notice.refusal(), reason: said(content) },
        });
    }

    fn on_message(&mut self, username: String, content: String) {
        let own = self.is_joined() && username == YOU;
        let is_it = |said: &Said| matches!(said, Said::Text { text, .. } if *text == content);
        let said = self.said.pop_front_if(|said| own && is_it(&said.said));
        let author = if own { self.room_name.clone() } else { username };
        self.tell(Event::Message(Message {
            room: RoomId::hall(),
            seq: None,
            time_ms: None,
            author,
            state: MessageState::new(content),
            reply: None,
            own,
            id: said.map(|text| text.id),
            replayed: false,
        }));
    }

    fn on_notice(&mut self, now: u64, content: &str) {
        let is_joined = self.is_joined();
        match Notice::parse(content) {
            Notice::Welcome { name, online, names } if !is_joined => {
                self.on_original_welcome(now, name, online, names);
            }
            Notice::Stopping => self.on_last_words(content),
            _ if !is_joined => self.on_no(now, said(content)),
            Notice::Joined { name } => {
                let name = bounds::name(name).into_owned();
                self.roster.push(name.clone());
                self.tell(Event::MemberJoined { name, time_ms: None });
            }
            Notice::Left { name } => {
                self.roster.remove(name);
                let name = bounds::name(name).into_owned();
                self.tell(Event::MemberLeft { name, time_ms: None, reason: None });
            }
            _ => self.tell(Event::Notice { text: said(content) }),
        }
    }

    fn on_original_welcome(&mut self, now: u64, name: &str, online: usize, names: &str) {
        let name = bounds::name(name).into_owned();
        self.roster.replace_listed(names, online);
        let others = self.roster.names();
        self.roster.push(name.clone());
        self.room_name.clone_from(&name);
        let again = self.enter(now, Protocol::Original);
        let protocol = Protocol::Original.number();
        self.tell(Event::Joined { name, others, protocol, again });
        self.fail_unacknowledged();
    }

    /// Takes any other answer to a hello as a refusal.
    fn on_no(&mut self, now: u64, reason: String) {
        if self.is_coming_back() {
            self.give_up(now, Cause::TurnedAway { code: None, reason }, 0);
        } else {
            self.refuse(None, reason, None);
        }
    }
}

/// Returns a sentence of the server's as it is shown.
fn said(sentence: &str) -> String {
    bounds::sentence(sentence.trim_end()).into_owned()
}

/// Returns a content as it is shown: clients of the original put a newline at its end.
pub(super) fn shown(content: &str) -> String {
    content.strip_suffix('\n').unwrap_or(content).to_owned()
}
