//! The service manager: what it passes on when it starts the server, and what it is told.
//!
//! All of it goes through the environment, which only the program that starts the server can set.
//! Without it nothing is taken, nobody is told, and the loop does not wake for anybody. Programs
//! that the server starts itself get neither the descriptors nor the environment.

mod announcement;
mod inherited;
mod manager;

pub use self::{
    announcement::Announcement,
    inherited::{HANDOVER_NAME, Inherited, InheritedError, OWN_LISTENER_NAME},
    manager::{Manager, STATUS_INTERVAL},
};
