//! The page of a conversation, and the list of messages in it.

pub mod conversation_page;

pub mod connection_bar;
pub mod latest_button;
pub mod selection_header;
pub mod unread_bar;

pub mod message_menu;
pub mod selection;
pub mod selection_area;

pub mod kinetic_scroll;
pub mod scroll_anchor;
pub mod stick_to_end;
pub mod talk_layout;
