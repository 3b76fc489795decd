//! `pychat-tail`: prints what is said in a chat.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    pychat_cli::tail::main(env::args_os())
}
