//! The log in a file: what it keeps over its own end, what it refuses to open, and what it does when
//! the disk fails it.

#![cfg(test)]

mod log {
    //! The stories, by subject.

    mod amending;
    mod checkpoint;
    mod erasing;
    mod forgetting;
    mod invites;
    mod keeping;
    mod moderating;
    mod opening;
    mod over;
    mod paging;
    mod rooms;
    mod searching;
    mod shelf;
    mod trouble;
}
