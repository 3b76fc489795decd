//! The devices of our person: another one joins by a code, and any of them can be removed.

use super::{Client, Event, Phase, Protocol};
use crate::{
    key::{PairCode, PublicKey},
    link::Code,
    message::{ClientMessage, ServerMessage},
};

/// One device of our person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Device {
    /// Its key.
    pub key: PublicKey,
    /// Its name; empty if it gave none.
    pub label: String,
    /// When it was added, in UTC milliseconds since 1970.
    pub added_ms: u64,
}

impl Client {
    /// Has this client join the person whose other device was told this `code`, under that person's
    /// name. The code is used up with the first welcome.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::Saved, key::PairCode};
    ///
    /// let code: PairCode = "AAAAAAAAAAAAAAAAAAAAAA".parse()?;
    /// let phone = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]).pairing(code);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn pairing(mut self, code: PairCode) -> Self {
        self.code = Some(Code::Pair(code));
        self
    }

    /// Sets the name of this device, by which its person tells it from others.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let name = UserName::new("Анна")?;
    /// let client = Client::new(name, Saved::default(), [7; 32]).labelled("ThinkPad");
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = (!label.is_empty()).then(|| label.to_owned());
        self
    }

    /// Asks for a code by which another device can join our person: [`Event::PairCode`] follows.
    /// Returns false if there is no line in protocol 2 to ask by.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_pair_code());
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_pair_code(&mut self) -> bool {
        self.request(&ClientMessage::Pair)
    }

    /// Asks for the devices of our person: [`Event::Devices`] follows. Returns false if there is no
    /// line in protocol 2 to ask by.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_devices());
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_devices(&mut self) -> bool {
        self.request(&ClientMessage::Devices)
    }

    /// Removes another device of our person, which can say and hear nothing more as us:
    /// [`Event::Devices`] follows. Returns false if there is no line in protocol 2.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved, key::SecretKey};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.remove_device(SecretKey([8; 32]).public()));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn remove_device(&mut self, key: PublicKey) -> bool {
        self.request(&ClientMessage::RemoveDevice { key })
    }

    pub(super) fn request(&mut self, message: &ClientMessage<'_>) -> bool {
        let Phase::Joined { protocol: Protocol::Second, .. } = self.phase else { return false };
        message.encode(&mut self.outgoing);
        true
    }

    /// Takes what a server says of our devices; returns anything else.
    pub(super) fn on_devices<'a>(
        &mut self,
        message: ServerMessage<'a>,
    ) -> Option<ServerMessage<'a>> {
        let event = match message {
            ServerMessage::PairCode { code, expires_ms } => Event::PairCode { code, expires_ms },
            ServerMessage::DeviceAdded { key, label } => {
                Event::DeviceAdded { key, label: label.into_owned() }
            }
            ServerMessage::Devices { devices } => {
                let devices = devices.0.into_iter().map(|device| Device {
                    key: device.key,
                    label: device.label.into_owned(),
                    added_ms: device.time,
                });
                Event::Devices(devices.collect())
            }
            other => return Some(other),
        };
        self.tell(event);
        None
    }
}
