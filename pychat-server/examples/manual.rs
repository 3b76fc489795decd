//! Writes what tells people of the programs' options: manual pages and shell completions.
//!
//!     pychat-gtk --help >HELP; cargo run -p pychat-server --example manual -- FOLDER HELP
//!
//! All of it comes from what the programs say themselves, so nothing can miss an option or tell of one
//! that is gone: the client's from its help, those of the others from what reads their arguments. The
//! words around the options stand in `data/man`.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, Command, ValueHint, builder::Str};
use clap_complete::Shell;
use pychat_server::{config::OPTIONS, control};
use roff::{Inline, Roff, bold, italic, roman};

/// The words around the options, in which [`PLACE`] stands for these.
const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/man");

/// The line that the options take the place of.
const PLACE: &str = ".\\\" OPTIONS\n";

/// The line that the subcommands beside `ctl` take the place of.
const SUBCOMMANDS_PLACE: &str = ".\\\" SUBCOMMANDS\n";

/// The line that the verbs of `ctl` take the place of.
const VERBS_PLACE: &str = ".\\\" VERBS\n";

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, help] = arguments.as_slice() else {
        return Err(io::Error::other("usage: manual FOLDER HELP"));
    };
    fs::create_dir_all(folder)?;
    let (server, client) = (control::command(), client(fs::read_to_string(help)?.leak()));
    let (send, tail) = (pychat_cli::send::command(), pychat_cli::tail::command());
    let places = [
        (PLACE, options(&server)),
        (VERBS_PLACE, verbs(&server)),
        (SUBCOMMANDS_PLACE, subcommands(&server)),
    ];
    write_page(folder, "pychat-server.1", &places)?;
    write_page(folder, "pychat-server.toml.5", &[(PLACE, keys())])?;
    write_page(folder, "pychat-gtk.1", &[(PLACE, options(&client))])?;
    write_page(folder, "pychat-send.1", &[(PLACE, options(&send))])?;
    write_page(folder, "pychat-tail.1", &[(PLACE, options(&tail))])?;
    for (mut command, name) in [
        (server, "pychat-server"),
        (client, "pychat-gtk"),
        (send, "pychat-send"),
        (tail, "pychat-tail"),
    ] {
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            clap_complete::generate_to(shell, &mut command, name, folder)?;
        }
    }
    Ok(())
}

/// Returns the client's options as its `help` lists them: `  -n, --name=NAME   The name to join under`.
fn client(help: &'static str) -> Command {
    let server = Arg::new("server").value_hint(ValueHint::Hostname);
    let command = Command::new("pychat-gtk").disable_help_flag(true).disable_version_flag(true);
    let options = help.lines().filter_map(|line| line.trim_start().split_once("  "));
    let options = options.filter(|(flags, _)| flags.starts_with('-'));
    options.fold(command.arg(server), |command, (flags, words)| {
        let (short, long) = flags.split_once(", ").unwrap_or(("", flags));
        let (name, value) = long.split_once('=').unwrap_or((long, ""));
        let name = name.trim_start_matches('-');
        let arg = Arg::new(name).long(name).short(short.chars().nth(1)).help(words.trim());
        command.arg(if value.is_empty() {
            arg.action(ArgAction::SetTrue)
        } else {
            arg.value_name(value)
        })
    })
}

/// Writes the page `name` into `folder`, with texts in their `places`.
fn write_page(folder: &Path, name: &str, places: &[(&str, String)]) -> io::Result<()> {
    let words = fs::read_to_string(Path::new(PAGES).join(format!("{name}.in")))?;
    let page = words.replace("@version@", env!("CARGO_PKG_VERSION"));
    let page = places.iter().fold(page, |page, (place, text)| page.replace(place, text));
    fs::write(folder.join(name), page)
}

/// Returns every option of `command` as its manual tells of it.
fn options(command: &Command) -> String {
    // Building adds what clap itself answers to.
    let mut command = command.clone();
    command.build();
    let mut roff = Roff::new();
    for option in command.get_arguments().filter(|option| !option.is_positional()) {
        let short = option.get_short().map_or(String::new(), |short| format!("-{short}, "));
        let flag = bold(format!("{short}--{}", name(option)));
        let head = match value(option) {
            Some(value) => vec![flag, roman(" "), italic(value)],
            None => vec![flag],
        };
        let help = option.get_long_help().or(option.get_help()).expect("every option has help");
        entry(&mut roff, head, &help.to_string());
    }
    roff.to_roff()
}

/// Returns every verb of the server's `ctl` as its manual tells of it.
fn verbs(command: &Command) -> String {
    let mut roff = Roff::new();
    if let Some(ctl) = command.find_subcommand("ctl") {
        ctl.get_subcommands().for_each(|verb| describe(&mut roff, "", verb));
    }
    roff.to_roff()
}

/// Returns every subcommand of the server but `ctl` as its manual tells of it.
fn subcommands(command: &Command) -> String {
    let mut roff = Roff::new();
    let others = command.get_subcommands().filter(|subcommand| subcommand.get_name() != "ctl");
    others.for_each(|subcommand| describe(&mut roff, "pychat-server ", subcommand));
    roff.to_roff()
}

/// Appends a verb, or those below it, of which `before` is the beginning.
fn describe(roff: &mut Roff, before: &str, verb: &Command) {
    let words = format!("{before}{}", verb.get_name());
    if verb.has_subcommands() {
        let before = format!("{words} ");
        return verb.get_subcommands().for_each(|verb| describe(roff, &before, verb));
    }
    let mut head = vec![bold(words)];
    for argument in verb.get_arguments() {
        match argument.get_long() {
            None => head.extend([roman(" "), italic(argument.get_id().as_str())]),
            Some(long) => {
                head.extend([roman(" ["), bold(format!("--{long}"))]);
                head.extend(value(argument).map(|value| italic(format!(" {value}"))));
                head.push(roman("]"));
            }
        }
    }
    let about = verb.get_about().expect("every verb says what it does");
    entry(roff, head, &format!("{about}."));
}

/// Returns every key of the configuration file.
fn keys() -> String {
    let mut roff = Roff::new();
    for option in OPTIONS {
        let value =
            if option.is_list { format!("[{}, ...]", option.value) } else { option.value.into() };
        let head = vec![bold(option.key), roman(" = "), italic(value)];
        let details = if option.details.is_empty() { "" } else { "\n\n" };
        let help =
            format!("{} [default: {}]{details}{}", option.help, option.default, option.details);
        entry(&mut roff, head, &help);
    }
    roff.to_roff()
}

/// Appends what an option is for, below its `head`.
fn entry(roff: &mut Roff, head: Vec<Inline>, help: &str) {
    roff.control("TP", []).text(head);
    for (place, paragraph) in help.split("\n\n").enumerate() {
        if 0 < place {
            roff.control("IP", []);
        }
        roff.text([roman(paragraph.replace('\n', " "))]);
    }
}

fn name(option: &Arg) -> &str {
    option.get_long().expect("every option has a long name")
}

/// Returns what the value of `option` is called, if it takes one.
fn value(option: &Arg) -> Option<&str> {
    let takes_value = option.get_action().takes_values();
    let names = option.get_value_names().filter(|_| takes_value);
    names.and_then(|names| names.first()).map(Str::as_str)
}
