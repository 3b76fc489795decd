//! Writes what tells people of the server's options: manual pages and shell completions.
//!
//!     cargo run -p pychat-server --example manual -- FOLDER
//!
//! Both come from the command line itself, so neither can miss an option or tell of one that is
//! gone. The words around the options stand in `data/man`, and so does the client's page.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, builder::Str};
use clap_complete::Shell;
use pychat_server::config;
use roff::{Inline, Roff, bold, italic, roman};

/// The words around the options, in which [`PLACE`] stands for these.
const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/man");

/// The line that the options take the place of.
const PLACE: &str = ".\\\" OPTIONS\n";

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("usage: manual FOLDER"));
    };
    fs::create_dir_all(&folder)?;
    write_page(&folder, "pychat-server.1", &options())?;
    write_page(&folder, "pychat-server.toml.5", &keys())?;
    write_page(&folder, "pychat-gtk.1", "")?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut config::command(), "pychat-server", &folder)?;
    }
    Ok(())
}

/// Writes the page `name` into `folder`, with `options` in their place if it has one.
fn write_page(folder: &Path, name: &str, options: &str) -> io::Result<()> {
    let words = fs::read_to_string(Path::new(PAGES).join(format!("{name}.in")))?;
    let page = words.replace("@version@", env!("CARGO_PKG_VERSION")).replace(PLACE, options);
    fs::write(folder.join(name), page)
}

/// Returns every option as the manual of the program tells of it.
fn options() -> String {
    // Building adds what clap itself answers to.
    let mut command = config::command();
    command.build();
    let mut roff = Roff::new();
    for option in command.get_arguments() {
        let short = option.get_short().map_or(String::new(), |short| format!("-{short}, "));
        let flag = bold(format!("{short}--{}", name(option)));
        match value(option) {
            Some(value) => entry(&mut roff, [flag, roman(" "), italic(value)], option),
            None => entry(&mut roff, [flag], option),
        }
    }
    roff.to_roff()
}

/// Returns every key of the configuration file.
fn keys() -> String {
    let mut roff = Roff::new();
    for option in config::command().get_arguments() {
        let Some(value) = value(option).filter(|_| name(option) != "config") else { continue };
        let value = match option.get_action() {
            ArgAction::Append => format!("[{value}, ...]"),
            _ => value.to_owned(),
        };
        entry(&mut roff, [bold(name(option)), roman(" = "), italic(value)], option);
    }
    roff.to_roff()
}

/// Appends what `option` is for, below its `head`.
fn entry(roff: &mut Roff, head: impl Into<Vec<Inline>>, option: &Arg) {
    let help = option.get_long_help().or(option.get_help()).expect("every option has help");
    roff.control("TP", []).text(head);
    for (place, paragraph) in help.to_string().split("\n\n").enumerate() {
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
    option.get_value_names().and_then(|names| names.first()).map(Str::as_str)
}
