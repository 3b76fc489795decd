//! The pychat client for GNOME.
//!
//! One thread, one main context. Bytes come in by [`session::transport`], [`session`] makes a
//! conversation of them, [`model`] holds it, and the widgets of [`ui`] show it:
//!
//! ```text
//! socket ─▶ transport ─▶ session ─▶ model ─▶ ui
//!               ▲           ▲                │
//!               └───────────┴── what is said ┘
//! ```
//!
//! A module knows only those that stand below it here. Models and the session know no widget; no
//! widget knows the transport.

pub mod application;
pub mod ui;

pub mod settings;

pub mod session;

pub mod model;

pub mod text;

pub mod config;
