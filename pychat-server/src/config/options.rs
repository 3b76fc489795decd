//! Every option there is: the one table behind flags, variables, keys of the file, help and manuals.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, ValueHint, value_parser};

/// An option that can be set by a flag, in the environment and in a file alike.
#[derive(Debug)]
pub struct ConfigOption {
    /// Its name in the file; `--` and this is the flag.
    pub key: &'static str,
    /// The name of its value, as the help shows it.
    pub value: &'static str,
    /// The heading below which the help lists it.
    pub heading: &'static str,
    /// Its purpose, in one line.
    pub help: &'static str,
    /// Further details.
    pub details: &'static str,
    /// Its default, in words.
    pub default: &'static str,
    /// A value as it stands in the file.
    pub example: &'static str,
    /// True if it may be given several times, and be a list.
    pub is_list: bool,
}

const LISTENING: &str = "Listening";
const ADMISSION: &str = "Admission";
const ENCRYPTION: &str = "Encryption";
const LIMITS: &str = "Limits";
const HISTORY: &str = "History";

/// An option to begin the entries of [`OPTIONS`] with.
const PLAIN: ConfigOption = ConfigOption {
    key: "",
    value: "N",
    heading: LIMITS,
    help: "",
    details: "",
    default: "",
    example: "",
    is_list: false,
};

/// The options, in the order in which help and manuals list them.
pub const OPTIONS: &[ConfigOption] = &[
    ConfigOption {
        key: "listen",
        value: "ADDRESS:PORT",
        heading: LISTENING,
        help: "Listen on this address; may be given several times",
        details: "ADDRESS is an IPv4 address, an IPv6 address in brackets, or a host name, which \
            stands for all its addresses that this machine has. PORT is 12345 unless given; 0 lets \
            the system choose one, and the log says which. An IPv6 address takes IPv6 connections \
            only: use [::] and 0.0.0.0 together.",
        default: "every address, port 12345",
        example: "[\"127.0.0.1:12345\", \"[::1]:12345\"]",
        is_list: true,
    },
    ConfigOption {
        key: "public-address",
        value: "HOST[:PORT]",
        heading: LISTENING,
        help: "Where others can reach this server, for the links by which they join",
        details: "It comes first in every link, before the addresses of this machine. With another \
            port than the server listens on, as behind a router that forwards one, it stands there \
            alone.",
        default: "the addresses of this machine",
        example: "\"chat.example.org\"",
        ..PLAIN
    },
    ConfigOption {
        key: "servers",
        value: "HOST[:PORT]",
        heading: LISTENING,
        help: "Where all servers of this chat can be reached, this one too; may be given several times",
        details: "Give every server the same list, of up to 16 addresses. PORT is 12345 unless given. \
            Clients that are connected by TLS go to another server when theirs stops or cannot be reached, \
            and links lead to all. All have to show the same certificate, or ones of a public authority.",
        default: "none",
        example: "[\"a.example.org\", \"b.example.org\"]",
        is_list: true,
    },
    ConfigOption {
        key: "name",
        value: "NAME",
        heading: LISTENING,
        help: "The name by which people know this server",
        default: "the name of this machine",
        example: "\"Office\"",
        ..PLAIN
    },
    ConfigOption {
        key: "control-socket",
        value: "FILE",
        heading: LISTENING,
        help: "The Unix socket at which operators are listened to, see pychat-server ctl",
        details: "Without this option a server that cannot listen there starts all the same.",
        default: "control.sock in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR/pychat-server, or the state folder",
        example: "\"/run/pychat-server/control.sock\"",
        ..PLAIN
    },
    ConfigOption {
        key: "metrics-file",
        value: "FILE",
        heading: LISTENING,
        help: "A file of metrics for Prometheus, which is replaced every 15 seconds",
        details: "The textfile collector of node_exporter reads it. Its name should end in .prom. It \
            is removed when the server stops.",
        default: "none",
        example: "\"/var/lib/prometheus/node-exporter/pychat.prom\"",
        ..PLAIN
    },
    ConfigOption {
        key: "admission",
        value: "open|invite",
        heading: ADMISSION,
        help: "Who may join: everybody, or those who own a name already or have an invite",
        details: "Operators make invites in pychat-gtk, and on the machine with pychat-server ctl \
            invite. On a terminal the server prints one for the first person. The file that is \
            installed says invite.",
        default: "open",
        example: "\"invite\"",
        ..PLAIN
    },
    ConfigOption {
        key: "guests-from",
        value: "NETWORK",
        heading: ADMISSION,
        help: "With admission = \"invite\", a network from which old clients may join; may be given \
            several times",
        details: "The original Python client and netcat cannot show an invite. A NETWORK is an \
            address and the length of a prefix, such as 10.0.0.0/8 or 2001:db8::/32.",
        default: "none",
        example: "[\"10.0.0.0/8\", \"fd00::/8\"]",
        is_list: true,
    },
    ConfigOption {
        key: "plain",
        value: "always|lan|never",
        heading: ENCRYPTION,
        help: "Who may join without TLS: everybody, this machine and local networks, or nobody",
        details: "The original Python client and netcat know no TLS. Local networks are those of \
            private addresses: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, fc00::/7 \
            and fe80::/10.",
        default: "lan",
        example: "\"lan\"",
        ..PLAIN
    },
    ConfigOption {
        key: "tls-certificate",
        value: "FILE",
        heading: ENCRYPTION,
        help: "The certificate to show, in PEM, followed by those between it and its authority's",
        details: "Needs --tls-key. SIGHUP reads both files again.",
        default: "one of its own in the state folder, made at the first start",
        example: "\"/etc/pychat/fullchain.pem\"",
        ..PLAIN
    },
    ConfigOption {
        key: "tls-key",
        value: "FILE",
        heading: ENCRYPTION,
        help: "The key of the certificate, in PEM",
        default: "in the same file as the certificate of its own",
        example: "\"/etc/pychat/privkey.pem\"",
        ..PLAIN
    },
    ConfigOption {
        key: "payload-max",
        value: "SIZE",
        help: "The largest payload accepted from a client; a larger one ends its connection",
        default: "64KiB",
        example: "\"64KiB\"",
        ..PLAIN
    },
    ConfigOption {
        key: "backlog-max",
        value: "SIZE",
        help: "How much unread data one client may have before it is disconnected",
        default: "1MiB",
        example: "\"1MiB\"",
        ..PLAIN
    },
    ConfigOption {
        key: "backlog-total",
        value: "SIZE",
        help: "How much unread data all clients may have before those with the most are disconnected",
        default: "256MiB",
        example: "\"256MiB\"",
        ..PLAIN
    },
    ConfigOption {
        key: "connections",
        help: "The most connections at once; others are told that the chat is full",
        default: "10000",
        example: "10000",
        ..PLAIN
    },
    ConfigOption {
        key: "connections-per-address",
        help: "The most connections at once from one IPv4 address or IPv6 /64; 0 = no limit",
        default: "64",
        example: "64",
        ..PLAIN
    },
    ConfigOption {
        key: "hello-timeout",
        value: "TIME",
        help: "How long a client may take to say hello before it is disconnected",
        default: "20",
        example: "20",
        ..PLAIN
    },
    ConfigOption {
        key: "flood",
        value: "BURST,PER_SECOND",
        help: "How many messages one person may send at once, then how many a second; or off",
        details: "Who sends faster is read more slowly. Nothing is dropped and nobody is \
            disconnected.",
        default: "10,5",
        example: "\"10,5\"",
        ..PLAIN
    },
    ConfigOption {
        key: "history",
        value: "disk|memory",
        heading: HISTORY,
        help: "Where messages are stored: on disk, or in memory until the server stops",
        default: "disk",
        example: "\"disk\"",
        ..PLAIN
    },
    ConfigOption {
        key: "history-messages",
        heading: HISTORY,
        help: "How many messages of each room are stored, the newest; 0 = no limit",
        default: "0",
        example: "10000",
        ..PLAIN
    },
    ConfigOption {
        key: "history-days",
        heading: HISTORY,
        help: "For how many days messages are stored; 0 = no limit",
        default: "0",
        example: "90",
        ..PLAIN
    },
    ConfigOption {
        key: "history-bytes",
        value: "SIZE",
        heading: HISTORY,
        help: "How much is stored, each message counting its text and 100 bytes; 0 = no limit",
        default: "0",
        example: "\"1GiB\"",
        ..PLAIN
    },
    ConfigOption {
        key: "disk-reserve",
        value: "SIZE",
        heading: HISTORY,
        help: "How much of the disk stays free: with less than this no messages are accepted",
        default: "512MiB",
        example: "\"512MiB\"",
        ..PLAIN
    },
    ConfigOption {
        key: "name-days",
        heading: HISTORY,
        help: "For how many days a name stays reserved for an absent owner; 0 = no limit",
        default: "365",
        example: "365",
        ..PLAIN
    },
    ConfigOption {
        key: "durability",
        value: "process|power",
        heading: HISTORY,
        help: "What a message that was shown to anyone survives: a crash of the server, or a power \
            cut as well",
        details: "With power every message waits for the disk.",
        default: "process",
        example: "\"process\"",
        ..PLAIN
    },
    ConfigOption {
        key: "state-dir",
        value: "DIR",
        heading: HISTORY,
        help: "The folder in which messages are stored",
        default: "$STATE_DIRECTORY, or $XDG_STATE_HOME/pychat, or ~/.local/state/pychat",
        example: "\"/var/lib/pychat-server\"",
        ..PLAIN
    },
    ConfigOption {
        key: "store",
        value: "URI",
        heading: HISTORY,
        help: "The PostgreSQL database in which messages are stored, instead of a file",
        details: "postgres://USER@HOST:PORT,HOST:PORT/DATABASE names one or more servers of one \
            database, of PostgreSQL 15 or later; the first that can be written to is used, and after it \
            is lost, the next one. ?host=/run/postgresql stands for a Unix socket. Over TCP the \
            certificate of the server must be of an authority in sslrootcert=FILE and for HOST; \
            sslmode=verify-ca, require or disable asks for less. Names of hosts are looked up when the \
            server starts. Servers with the same store are one chat. The state folder is still needed for \
            the certificate. backup, restore, export, import and migrate take it as well.",
        default: "none",
        example: "\"postgres://pychat@db1.example.org,db2.example.org/pychat?sslrootcert=/etc/pychat/db-ca.pem\"",
        ..PLAIN
    },
    ConfigOption {
        key: "store-password-file",
        value: "FILE",
        heading: HISTORY,
        help: "The file with the password for the database, which not everybody may read",
        details: "It is read again for each session.",
        default: "the credential store-password of systemd, if there is one",
        example: "\"/etc/pychat/store-password\"",
        ..PLAIN
    },
];

/// Names under which people look for an option, each with the name that it has here.
const ALIASES: &[(&str, &str)] =
    &[("address", "listen"), ("bind", "listen"), ("host", "listen"), ("port", "listen")];

/// The least likeness of two names, from 0 to 1, at which one is taken for the other misspelt.
const LIKENESS_MIN: f64 = 0.7;

impl ConfigOption {
    /// Returns the variable that says the same as the flag.
    pub fn variable(&self) -> String {
        variable(self.key)
    }

    /// Returns a line of the file that sets this option.
    pub(super) fn example_line(&self) -> String {
        format!("{} = {}", self.key, self.example)
    }

    /// Returns an example of a value as flags and variables have it.
    pub(super) fn example_value(&self) -> &'static str {
        self.example.split('"').nth(1).unwrap_or(self.example)
    }

    /// Returns true if its values are texts, which need quotes in the file.
    pub(super) fn is_text(&self) -> bool {
        self.example.starts_with(['"', '['])
    }

    fn arg(&self) -> Arg {
        let help = format!("{} [default: {}]", self.help, self.default);
        let arg =
            Arg::new(self.key).long(self.key).value_name(self.value).help_heading(self.heading);
        let arg = arg.value_parser(value_parser!(OsString)).allow_hyphen_values(false);
        let arg = if self.is_list { arg.action(ArgAction::Append) } else { arg };
        let arg = match self.value {
            "DIR" => arg.value_hint(ValueHint::DirPath),
            "FILE" => arg.value_hint(ValueHint::FilePath),
            _ => arg,
        };
        if self.details.is_empty() {
            arg.help(help)
        } else {
            arg.long_help(format!("{help}\n\n{}", self.details)).help(help)
        }
    }
}

/// Returns every option as clap knows it.
pub(super) fn args(command: Command) -> Command {
    command.args(OPTIONS.iter().map(ConfigOption::arg))
}

/// Returns the option with this key.
pub(super) fn find(key: &str) -> Option<&'static ConfigOption> {
    OPTIONS.iter().find(|option| option.key == key)
}

/// Returns the option that was most likely meant by a name that is none.
pub(super) fn nearest(name: &str) -> Option<&'static ConfigOption> {
    let name = name.trim_start_matches('-').to_lowercase().replace('_', "-");
    if let Some((_, key)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return find(key);
    }
    let likeness = |option: &ConfigOption| strsim::jaro(&name, option.key);
    let nearest = OPTIONS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    // One letter is like too many.
    (1 < name.len() && LIKENESS_MIN <= likeness(nearest)).then_some(nearest)
}

/// Returns the variable of a flag with this name.
pub(super) fn variable(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", name.to_uppercase().replace('-', "_"))
}

/// The prefix of this program's variables.
pub(super) const VARIABLE_PREFIX: &str = "PYCHAT_";
