//! Texts and edits under ids that the shell chose, so that they are said once, also by another process.

use super::{Client, MessageId, RoomId, Said, SayError, saved::Unacknowledged, texts::checked};
use crate::message::{Amendment, MESSAGE_ID_BYTES_MAX};

impl MessageId {
    /// Returns an id of one's own choosing: 1 to [`MESSAGE_ID_BYTES_MAX`] bytes, none of them of a control
    /// character; `None` if that is something else.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::client::MessageId;
    ///
    /// assert_eq!(MessageId::chosen("backup 7").unwrap().as_str(), "backup 7");
    /// assert_eq!(MessageId::chosen(""), None);
    /// ```
    pub fn chosen(id: &str) -> Option<Self> {
        let is_good = (1..=MESSAGE_ID_BYTES_MAX).contains(&id.len());
        let is_good = is_good && !id.contains(char::is_control);
        is_good.then(|| Self::from_shell(id))
    }
}

impl Client {
    /// Says a text in `room`, or edits a message there, under an id of the shell's: said again under it, by
    /// whatever client of our person, it is accepted and said once. Other words under an id that the server
    /// knows are refused: they [fail](super::Event::Failed) with
    /// [`IdReused`](crate::message::ErrorCode::IdReused).
    ///
    /// # Errors
    ///
    /// [`SayError`] if it is not taken; then nothing has changed. In protocol 1 it is
    /// [`SayError::NotSupported`].
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::{MessageId, RoomId, Said, Saved, SayError}};
    ///
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// let (id, text) = (MessageId::chosen("backup 7").unwrap(), "done".to_owned());
    /// let said = Said::Text { text, reply: None };
    /// assert_eq!(client.say_as(&id, &RoomId::hall(), said), Err(SayError::NotJoined));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn say_as(&mut self, id: &MessageId, room: &RoomId, said: Said) -> Result<(), SayError> {
        let said = match said {
            Said::Text { text, reply } => Said::Text { text: checked(&text)?.to_owned(), reply },
            Said::Amendment(Amendment::Edit { target, content }) => {
                let words = checked(content.as_deref().unwrap_or_default())?.to_owned();
                Said::Amendment(Amendment::Edit { target, content: Some(words.into()) })
            }
            amendment @ Said::Amendment(_) => amendment,
        };
        if self.unacknowledged().any(|pending| pending.id == id) {
            return Err(SayError::IdInUse);
        }
        let said = Unacknowledged::new(room, id.clone(), said);
        self.take(Unacknowledged { is_chosen: true, ..said }).map(drop)
    }
}
