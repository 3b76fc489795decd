//! Invites: links by which others can join, and the code by which we do.

use super::{Client, Event};
use crate::{
    key::{InviteCode, InviteId},
    link::{Code, Link},
    message::{ClientMessage, Door, ServerMessage},
};

/// One invite that is good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invite {
    /// Its name, by which it can be revoked.
    pub id: InviteId,
    /// The number of people whom it can let in still; any number if `None`.
    pub uses: Option<u64>,
    /// The time for which it is good, in milliseconds from now; until it is revoked if `None`.
    pub expires_ms: Option<u64>,
    /// The name of the person who made it; `None` if it was made on the server's machine.
    pub by: Option<String>,
}

impl Client {
    /// Has this client show the `code` of an invite. The code is used up with the first welcome.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::Saved, key::InviteCode};
    ///
    /// let code: InviteCode = "AAAAAAAAAAAAAAAAAAAAAA".parse()?;
    /// let guest = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]).invited(code);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn invited(mut self, code: InviteCode) -> Self {
        self.code = Some(Code::Invite(code));
        self
    }

    /// Returns the people whom the server lets in, as its greeting on this line says.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved, message::Door};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.admission(), Door::Open); // It has not said anything.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn admission(&self) -> Door {
        self.line.admission
    }

    /// Returns how the server at the other end of the line is called; empty if it has no name, or
    /// there is no line in protocol 2.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.server_name(), "");
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn server_name(&self) -> &str {
        &self.line.server_name
    }

    /// Asks for a link by which as many others can join as it has `uses`, for `for_ms` milliseconds;
    /// `None` is no limit. [`Event::InviteLink`] follows. Returns false if there is no line in
    /// protocol 2 to ask by.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_invite(Some(1), None));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_invite(&mut self, uses: Option<u64>, for_ms: Option<u64>) -> bool {
        self.request(&ClientMessage::Invite { uses, for_ms })
    }

    /// Asks for the invites that are good, as operators may: [`Event::Invites`] follows. Returns
    /// false if there is no line in protocol 2 to ask by.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_invites());
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_invites(&mut self) -> bool {
        self.request(&ClientMessage::Invites)
    }

    /// Revokes an invite, as operators may: [`Event::Invites`] follows. Returns false if there is no
    /// line in protocol 2.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved, key::InviteId};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.revoke_invite(InviteId([0; 6])));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn revoke_invite(&mut self, invite: InviteId) -> bool {
        self.request(&ClientMessage::RevokeInvite { invite })
    }

    /// Takes what a server says of invites; returns anything else.
    pub(super) fn on_invites<'a>(
        &mut self,
        message: ServerMessage<'a>,
    ) -> Option<ServerMessage<'a>> {
        let event = match message {
            ServerMessage::InviteLink { hosts, pin, code, uses, expires_ms } => {
                let code = code.map(Code::Invite);
                let link = Link { addresses: hosts.0, name: None, pin, code };
                Event::InviteLink { link, uses, expires_ms }
            }
            ServerMessage::Invites { invites } => {
                let invites = invites.0.into_iter().map(|invite| Invite {
                    id: invite.id,
                    uses: invite.uses,
                    expires_ms: invite.expires_ms,
                    by: invite.by.map(Into::into),
                });
                Event::Invites(invites.collect())
            }
            other => return Some(other),
        };
        self.tell(event);
        None
    }
}
