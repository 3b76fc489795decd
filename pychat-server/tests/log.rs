//! The log in a file: what it keeps over its own end, what it refuses to open, and what it does when
//! the disk fails it.

#![cfg(test)]

#[path = "kit/postgres.rs"]
#[allow(dead_code, reason = "each test crate uses its part")]
mod database;
#[path = "kit/process/mod.rs"]
mod process;

mod log {
    //! The stories, by subject.

    mod amending;
    mod checkpoint;
    mod database;
    mod erased_words;
    mod erasing;
    mod forgetting;
    mod invites;
    mod keeping;
    mod moderating;
    mod opening;
    mod over;
    mod paging;
    mod patient;
    mod rooms;
    mod searching;
    mod several;
    mod shelf;
    mod trouble;
}
