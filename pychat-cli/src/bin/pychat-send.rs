//! `pychat-send`: says something in a chat, and ends with 0 once it is accepted.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    pychat_cli::send::main(env::args_os())
}
