//! The windows beside those of conversations.

pub mod about;
pub mod add_device;
pub mod browse_rooms_window;
pub mod connection_details;
pub mod devices_window;
pub mod distrust;
pub mod invite_people;
pub mod link_window;
pub mod moderation_window;
pub mod name_server;
pub mod new_room_window;
pub mod preferences_window;
pub mod room_details_window;
pub mod sanction;
pub mod shortcuts;

mod qr_code;
mod question;
mod room_requests;
