//! The windows beside those of conversations.

pub mod about;
pub mod connection_details;
pub mod distrust;
pub mod preferences_window;
pub mod shortcuts;
