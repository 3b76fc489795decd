//! What there is to show, without any widget.

mod history;
mod message;
mod recent;

pub use history::{HISTORY_MESSAGES_MAX, History};
pub use message::{Delivery, Message, MessageKind};
pub use recent::{RECENT_MESSAGES, Recent};
