//! The rights of an operator, which the server says that our person has.

use super::{Client, Event};

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

    pub(super) fn on_operator(&mut self, is_operator: bool) {
        if self.line.is_operator != is_operator {
            self.line.is_operator = is_operator;
            self.tell(Event::OperatorChanged { is_operator });
        }
    }
}
