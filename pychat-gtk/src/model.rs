//! What there is to show, without any widget.

mod history;
mod message;

pub use history::{HISTORY_MESSAGES_MAX, History};
pub use message::{Delivery, Message, MessageKind};
