//! Sentences for an operator at a terminal, which are in no log.

use std::io::{self, IsTerminal};

use pychat_wire::{Link, link::Code};

/// Returns true if standard error is read by a person at a terminal, and kept nowhere.
pub fn is_there() -> bool {
    io::stderr().is_terminal()
}

/// People can join by this link. A code is in no log, so it is only for a terminal that
/// [is there](is_there).
#[expect(clippy::print_stderr, reason = "for the operator's eyes, and for no log")]
pub fn invite(link: &Link) {
    match link.code {
        Some(Code::Invite(_)) => eprintln!(
            "\nNobody has joined yet. The first person opens this link with pychat-gtk, within a day:\n"
        ),
        _ => eprintln!("\nPeople join by opening this link with pychat-gtk:\n"),
    }
    eprintln!("    {link}\n");
}
