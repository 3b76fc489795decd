//! The list of the people who are here.

pub mod bot_mark;
pub mod people_flap;
pub mod people_pane;
pub mod person_menu;
pub mod person_row;
