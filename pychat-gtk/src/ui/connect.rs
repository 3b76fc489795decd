//! The page that asks for a name and a server.

pub mod account_form;
pub mod connect_page;
pub mod input_error;
pub mod join_button;
pub mod nearby_servers;
pub mod recent_chats;
