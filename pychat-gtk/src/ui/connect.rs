//! The page that asks for a name and a server.

pub mod connect_page;
pub mod input_error;
pub mod recent_chats;
