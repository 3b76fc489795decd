//! `pychat-server`: arguments → `Config` → `Reactor::bind` → `run` → exit code.

use std::{error::Error, process::ExitCode};

use pychat_server::{config::Config, logging, reactor::Reactor};

fn main() -> ExitCode {
    match start() {
        Ok(reactor) => run(reactor),
        Err(error) => {
            complain(&*error);
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<Reactor, Box<dyn Error>> {
    Ok(Reactor::bind(&Config::from_arguments()?)?)
}

fn run(reactor: Reactor) -> ExitCode {
    logging::init();
    match reactor.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::failed(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one line that says why there is no server")]
fn complain(error: &dyn Error) {
    eprintln!("pychat-server: {error}");
}
