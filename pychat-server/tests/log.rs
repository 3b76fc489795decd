//! The log in a file: what it keeps over its own end, what it refuses to open, and what it does when
//! the disk fails it.

#![cfg(test)]

mod log {
    //! The stories, by subject.

    mod checkpoint;
    mod invites;
    mod keeping;
    mod opening;
    mod paging;
    mod shelf;
    mod trouble;
}
