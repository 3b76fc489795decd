//! The search in a conversation, and the list of its results.

pub mod results_pane;
pub mod search_bar;
