//! What there is to show, without any widget.

mod changes;
mod history;
mod layout;
mod message;
mod people;
mod person;
mod presence;
mod recent;

pub use history::{HISTORY_MESSAGES_MAX, History};
pub use layout::{GROUP_TIME, Placement};
pub use message::{Delivery, Message, MessageKind};
pub use people::People;
pub use person::Person;
pub use presence::{PASSAGES_MAX, Passage, Presence, Turn};
pub use recent::{RECENT_MESSAGES, Recent};
