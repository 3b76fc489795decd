//! `pychat-server`: arguments → `Config` → `Reactor::bind` → `run` → exit code. Or, if a server asks
//! for it, the small part of its work that would make people wait.

use std::{env, error::Error, process::ExitCode};

use pychat_server::{
    config::Config, log::sqlite::child::Job, logging, reactor::Reactor, systemd::Inherited,
};

fn main() -> ExitCode {
    if let Some(job) = Job::from_arguments(env::args_os()) {
        return job.run();
    }
    logging::init();
    match start() {
        Ok(Some(reactor)) => run(reactor),
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => {
            logging::not_started(&*error);
            ExitCode::FAILURE
        }
    }
}

/// Returns nothing if the configuration was only to be checked.
fn start() -> Result<Option<Reactor>, Box<dyn Error>> {
    let config = Config::load()?;
    if config.is_check {
        return Ok(None);
    }
    Ok(Some(Reactor::bind(config, Inherited::take())?))
}

fn run(reactor: Reactor) -> ExitCode {
    match reactor.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::failed(&error);
            ExitCode::FAILURE
        }
    }
}
