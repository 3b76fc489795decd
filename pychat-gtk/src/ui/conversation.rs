//! The page of a conversation, and the list of messages in it.

pub mod conversation_page;

pub mod connection_banner;
pub mod scroll_to_end_button;
pub mod selection_header;
pub mod send_pause;
pub mod typing_line;
pub mod unread_bar;

pub mod context_menu;
pub mod message_selection;
pub mod reaction_picker;
pub mod selection_area;

pub mod kinetic_scroll;
pub mod message_list_layout;
pub mod scroll_anchor;
pub mod stick_to_end;
