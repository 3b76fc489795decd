//! The server as people meet it: the real program, over real sockets.
//!
//! Every test has a server of its own on a port that the system chose, so all of them can run at
//! once. A test is a story: who says what, and what everybody then hears, in order and to the end.

#![cfg(test)]

#[path = "kit/keys.rs"]
mod keys;
#[path = "kit/process/mod.rs"]
mod process;

mod server {
    //! The stories, by subject.

    // What is said.
    mod framing;
    mod names;
    mod rooms;
    mod second;
    mod second_refusals;
    mod several;
    mod talk;

    // Who is let in.
    mod invites;

    // What is private.
    mod encryption;
    mod encryption_faults;

    // Who leaves, and how.
    mod leaving;
    mod stopping;

    // Many at once.
    mod crowd;
    mod sockets;

    // What goes wrong.
    mod faults;
    mod faults_churn;
    mod faults_deaf;
    mod faults_line;
    mod faults_reset;

    // What is kept.
    mod history;
    mod history_faults;

    // The program and its operator.
    mod configuration;
    mod control;
    mod control_messages;
    mod limits;
    mod listening;
    mod logging;
    mod metrics;
    mod systemd;
    mod usage;

    // The files of a server, taken elsewhere and back.
    mod archive;
    mod export;
    mod import;

    // What the tests ask the system.
    mod kernel;
}
