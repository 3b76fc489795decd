//! The rights of an operator, and what operators do.

use std::collections::BTreeSet;

use super::{Client, Event};
use crate::message::{Ban, BanList, ClientMessage, OperatorRequest, ServerMessage};

impl Client {
    /// Returns true if our person is an operator, as the server of this line said last.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.is_operator()); // Nobody has said so.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn is_operator(&self) -> bool {
        self.line.is_operator
    }

    /// Asks for something that only an operator may do. [`Event::Moderated`] with the id that is
    /// returned says that it is done, [`Event::Bans`] is a list, and [`Event::Denied`] with that id says why not.
    /// Returns `None` if there is no line in protocol 2 to ask by.
    ///
    /// A request that is not answered when a line ends may be done or not: it is not made again.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved, message::OperatorRequest};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.operate(OperatorRequest::Slow { seconds: 30 }), None);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn operate(&mut self, request: OperatorRequest<'_>) -> Option<String> {
        let id = format!("o-{}", self.line.n_operations);
        let message = ClientMessage::Operate { request, id: Some(id.as_str().into()) };
        let is_sent = self.request(&message);
        self.line.n_operations += u64::from(is_sent);
        is_sent.then_some(id)
    }

    /// Returns the names of those who are bots, as operators have marked them. Nobody is known to be one
    /// without a line.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(client.bots().is_empty()); // Nobody is known to be one.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn bots(&self) -> &BTreeSet<String> {
        &self.line.bots
    }

    /// Takes what a server says of operators and bots; returns anything else.
    pub(super) fn on_operators<'a>(
        &mut self,
        message: ServerMessage<'a>,
    ) -> Option<ServerMessage<'a>> {
        match message {
            ServerMessage::Operator { operator } => {
                if self.line.is_operator != operator {
                    self.line.is_operator = operator;
                    self.tell(Event::OperatorChanged { is_operator: operator });
                }
            }
            ServerMessage::Done { verb, by, subject, text, id } => {
                let [verb, by, subject, text] = [verb, by, subject, text].map(Into::into);
                let id = id.map(Into::into);
                self.tell(Event::Moderated { verb, by, subject, text, id });
            }
            ServerMessage::Bans { bans, mutes, seconds: slow_seconds, admission } => {
                let [bans, mutes] = [bans, mutes].map(owned);
                self.tell(Event::Bans { bans, mutes, slow_seconds, admission });
            }
            ServerMessage::Bots { members } => {
                let bots = members.names().into_iter().collect();
                if self.line.bots != bots {
                    self.line.bots = bots;
                    self.tell(Event::BotsChanged);
                }
            }
            message => return Some(message),
        }
        None
    }
}

fn owned(list: BanList<'_>) -> Vec<Ban<'static>> {
    let owned = |Ban { subject, since, until, by }: Ban<'_>| {
        let [subject, by] = [subject, by].map(|text| text.into_owned().into());
        Ban { subject, since, until, by }
    };
    list.0.into_iter().map(owned).collect()
}
