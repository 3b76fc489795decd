//! What there is to show, without any widget.

mod changes;
mod history;
mod message;
mod people;
mod person;
mod recent;

pub use history::{HISTORY_MESSAGES_MAX, History};
pub use message::{Delivery, Message, MessageKind};
pub use people::People;
pub use person::Person;
pub use recent::{RECENT_MESSAGES, Recent};
