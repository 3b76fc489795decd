//! The data that is shown, without any widget.

mod grouping;
mod head_model;
mod history;
mod list_diff;
mod message;
mod people;
mod person;
mod presence;
mod search_query;
mod tail_model;
mod transcript;

pub mod time_watch;

pub use grouping::{GROUP_TIME, Placement};
pub use head_model::HeadModel;
pub use history::{Gap, HISTORY_MESSAGES_MAX, History};
pub(crate) use list_diff::{Change, list_diff};
pub use message::{Deletion, Delivery, Mark, Message, MessageKind, Pending};
pub use people::People;
pub use person::Person;
pub use presence::{PRESENCE_EVENTS_MAX, Presence, PresenceChange, PresenceEvent};
pub use search_query::SearchQuery;
pub use tail_model::TailModel;
pub use transcript::{read_out, transcript};
