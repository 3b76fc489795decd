//! The options that both programs have.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use pychat_wire::{Client, Link, client::Saved, key::Pin, link::Code};

use crate::{
    address::{self, SERVER_VARIABLE, shown},
    failure::Failure,
    identity::{self, Identity, state_folder},
    trust::Trust,
};

/// The file with the certificates by which servers are known again.
const KNOWN_SERVERS: &str = "known-servers";

/// The part of an answer to `--help` that is the same for both programs.
pub(crate) const FILES: &str = "\
Environment:
  PYCHAT_SERVER   The server, where no argument names it; a link in it is seen by nobody else

Files:
  In $XDG_STATE_HOME/pychat/cli, or ~/.local/state/pychat/cli:
  NAME.key        The secret key that proves that NAME is ours, made at the first use
  known-servers   The certificates by which servers are known again, a line each";

/// The server, or several of one chat, and the person to be there.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) server: Link,
    pub(crate) identity: Identity,
    pub(crate) trust: Trust,
}

/// Adds the options to a command.
pub(crate) fn args(command: Command) -> Command {
    let flag = |name, value, help| Arg::new(name).long(name).value_name(value).help(help);
    let server = Arg::new("server").value_name("SERVER").value_hint(ValueHint::Hostname);
    let key =
        flag("key", "FILE", "The file with the name and its secret key, made if there is none");
    let key = key.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::FilePath);
    let join = Arg::new("join").long("join").action(ArgAction::SetTrue);
    let pin = "The pin of the server's certificate, instead of what is known of it";
    command
        .version(env!("CARGO_PKG_VERSION"))
        .arg(server.help(format!(
            "HOST[:PORT], several of them with commas, or a link pychat://…; 12345 unless given \
             [env: {SERVER_VARIABLE}]"
        )))
        .arg(flag(
            "name",
            "NAME",
            "The name to join under [default: the key file's, or the login name]",
        ))
        .arg(key)
        .arg(flag("pin", "PIN", pin).value_parser(|pin: &str| pin.parse::<Pin>()))
        .arg(join.help("Join an open room first, if not in it"))
}

impl Common {
    /// Takes the options from what was parsed.
    ///
    /// # Errors
    ///
    /// [`Failure`] if they mean nothing, or a file of theirs cannot be used.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
        let named = text("server").map(ToOwned::to_owned).or_else(address::from_environment);
        let missing =
            || Failure::Usage(format!("a server is missing: an argument, or {SERVER_VARIABLE}"));
        let server = address::parse(&named.ok_or_else(missing)?)?;
        let name = text("name").map(identity::parse).transpose()?.or_else(|| server.name.clone());
        let folder = state_folder()?;
        let path = matches.get_one::<PathBuf>("key").map(PathBuf::as_path);
        let identity = Identity::load(&folder, path, name)?;
        let pin = matches.get_one("pin").copied().or(server.pin);
        let chat = server.addresses.first().map(shown).unwrap_or_default();
        let trust = Trust { path: folder.join(KNOWN_SERVERS), pin, chat };
        Ok(Self { server, identity, trust })
    }

    /// Returns a client that goes on from `saved`, at the server that is named, and comes back whatever happens.
    ///
    /// # Errors
    ///
    /// [`Failure`] if there is no randomness.
    pub(crate) fn client(&self, saved: Saved) -> Result<Client, Failure> {
        let client = Client::new(self.identity.name.clone(), saved, identity::random()?);
        let client = client.persistent().at(self.server.addresses.clone());
        Ok(match self.server.code {
            Some(Code::Invite(code)) => client.invited(code),
            Some(Code::Pair(code)) => client.pairing(code),
            None => client,
        })
    }
}
