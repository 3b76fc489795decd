//! `pychat-server`: arguments → `Config` → `Reactor::bind` → `run` → exit code. Or, if a server asks
//! for it, the small part of its work that would make people wait. `pychat-server ctl` calls one that
//! runs, and the subcommands beside it work on what one keeps.

use std::{env, error::Error, process::ExitCode};

use pychat_server::{
    archive,
    config::{Config, ConfigError},
    control, logging,
    reactor::Reactor,
    store::sqlite::child::Job,
    systemd::Inherited,
};

/// The exit code of wrong usage, and of a configuration that cannot be used.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    if let Some(job) = Job::from_arguments(env::args_os()) {
        return job.run();
    }
    if let Some(ctl) = control::parse(env::args_os()) {
        return finish(ctl.map(|ctl| ctl.run()));
    }
    if let Some(work) = archive::parse(env::args_os()) {
        return finish(work.map(archive::Work::run));
    }
    logging::init();
    match start() {
        Ok(Some(reactor)) => run(reactor),
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => {
            if error.is::<ConfigError>() {
                logging::config_is_bad(&*error);
                return EXIT_USAGE.into();
            }
            logging::not_started(&*error);
            ExitCode::FAILURE
        }
    }
}

/// Returns the exit code of work that ended so, having said why if it was not done.
fn finish(outcome: Result<Result<(), impl Error>, ConfigError>) -> ExitCode {
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            logging::not_started(&error);
            ExitCode::FAILURE
        }
        Err(error) => {
            logging::config_is_bad(&error);
            EXIT_USAGE.into()
        }
    }
}

/// Returns nothing if the configuration was only to be checked.
fn start() -> Result<Option<Reactor>, Box<dyn Error>> {
    let config = Config::load()?;
    config.unknown_variables.iter().for_each(|variable| logging::variable_unknown(variable));
    if config.is_check() {
        logging::config_is_good(config.file());
        return Ok(None);
    }
    Ok(Some(Reactor::bind(config, Inherited::take()?)?))
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
