//! The pychat client for GNOME.
//!
//! One thread, one main context. Bytes come in by [`transport`], [`session`] makes a conversation
//! of them, [`model`] holds it, and the widgets, from [`window`] on, show it:
//!
//! ```text
//! socket ─▶ transport ─▶ session ─▶ model ─▶ widgets
//!               ▲           ▲                   │
//!               └───────────┴─── what is said ──┘
//! ```
//!
//! Models and the session know no widget; no widget knows the transport.

pub mod about;
pub mod application;
pub mod window;

pub mod connect_page;
pub mod conversation_page;

pub mod announcer;
pub mod compat;
pub mod composer;
pub mod connection_bar;
pub mod emoji_button;
pub mod failure_note;
pub mod follow_end;
pub mod highlight;
pub mod latest_button;
pub mod message_menu;
pub mod message_row;
pub mod name_completion;
pub mod notifier;
pub mod people_flap;
pub mod people_pane;
pub mod person_row;
pub mod picture;
pub mod place;
pub mod preferences_window;
pub mod recent_group;
pub mod results_pane;
pub mod retry_countdown;
pub mod search_bar;
pub mod selection;
pub mod selection_area;
pub mod selection_header;
pub mod shortcuts;
pub mod swipe;
pub mod talk_layout;
pub mod unread_bar;

pub mod ending;
pub mod model;
pub mod search;
pub mod session;
pub mod state_file;
pub mod time_watch;
pub mod transport;

pub mod config;
pub mod desktop;
pub mod host_name;
pub mod i18n;
pub mod name_color;
pub mod server_address;
pub mod server_link;
pub mod settings;
pub mod text;
pub mod times;
pub mod wording;
