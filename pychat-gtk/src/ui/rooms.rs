//! The rooms, and the people one talks to.

mod found;
pub mod room_finder;
pub mod room_label;
pub mod room_row;
pub mod room_sign;
pub mod rooms_pane;
