//! The widgets, and what else meets the screen.

pub mod window;

pub mod connect;
pub mod conversation;

pub mod composer;
pub mod message_row;
pub mod people;
pub mod rooms;
pub mod search;

pub mod dialogs;
pub mod encryption_button;
pub mod notifications;

pub mod compat;
pub mod desktop;
pub mod highlight;
pub mod menu;
pub mod retry_countdown;
pub mod unread_count;
