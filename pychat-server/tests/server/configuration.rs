//! Flags, environment and file: which beats which, what is refused, what changes on the fly.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use crate::process::{Message, Peer, Server, left, program};

/// A configuration file of the test's own; gone when dropped.
struct File {
    folder: PathBuf,
}

impl File {
    fn new(name: &str, text: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("pychat-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = Self { folder };
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.join("pychat.toml")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    fn flag(&self) -> String {
        format!("--config={}", self.path().display())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder); // The system's own cleaning finds it otherwise.
    }
}

/// Sends a payload of `bytes` and returns what comes of it.
fn send_payload(server: &Server, bytes: usize) -> Message {
    let mut guest = Peer::guest(server.address());
    guest.send(format!("{bytes}:{}", " ".repeat(bytes)));
    guest.message()
}

fn is_too_large(message: &Message) -> bool {
    message.content.starts_with("Connection closed: a payload of more than")
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let file = File::new("precedence", "payload-max = 300\nlisten = [\"127.0.0.1:0\"]\n");
    for (environment, flag, limit) in
        [(None, None, 300), (Some("400"), None, 400), (Some("400"), Some("500"), 500)]
    {
        let mut command = program();
        command.arg(file.flag());
        environment.map(|value| command.env("PYCHAT_PAYLOAD_MAX", value));
        flag.map(|value| command.args(["--payload-max", value]));
        let server = Server::run(&mut command, 1);
        assert!(!is_too_large(&send_payload(&server, limit)), "{limit}");
        assert!(is_too_large(&send_payload(&server, limit + 1)), "{limit}");
    }
}

#[test]
fn a_configuration_is_checked_without_a_server() {
    let file = File::new("check", "flood = \"off\"\n");
    let check = |file: &File| -> Output {
        let mut command = program();
        command.args([&file.flag(), "--check-config"]).stdout(Stdio::piped()).output().unwrap()
    };
    let Output { status, stdout, stderr } = check(&file);
    assert_eq!((status.code(), stderr), (Some(0), vec![]));
    assert_eq!(String::from_utf8(stdout).unwrap(), format!("{}: ok\n", file.path().display()));
    let Output { status, stdout, .. } =
        program().arg("--check-config").stdout(Stdio::piped()).output().unwrap();
    let ok = "ok: flags and environment; no configuration file was named\n";
    assert_eq!((status.code(), String::from_utf8(stdout).unwrap().as_str()), (Some(0), ok));
    for (text, complaint) in [
        ("flood = \"off\"\nflod = 1\n", ":2: unknown key `flod`; did you mean `flood`?"),
        (
            "\n\nconnections = \"many\"\n",
            ":3: connections = \"many\": write a number from 1 to 50000",
        ),
        ("payload-max = 1\n", ":1: payload-max = 1: write a size from 256 bytes to 1MiB"),
    ] {
        file.write(text);
        let Output { status, stderr, .. } = check(&file);
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(stderr.contains(complaint) && stderr.lines().count() == 1, "{stderr}");
        assert_eq!(status.code(), Some(2), "{text}");
    }
}

#[test]
fn a_bad_value_in_the_environment_is_refused_by_its_own_name() {
    let output = program().env("PYCHAT_FLOOD", "fast").output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.starts_with("pychat-server: PYCHAT_FLOOD=fast: write BURST"), "{complaint}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_unknown_variable_is_warned_of() {
    let server = Server::run(program().arg("--listen=127.0.0.1:0").env("PYCHAT_PORT", "1"), 1);
    server.log().wait_for_line("WARN unknown variable PYCHAT_PORT; did you mean PYCHAT_LISTEN?");
}

#[test]
fn hup_reads_the_file_again_and_drops_nobody() {
    let file = File::new("reload", "payload-max = 300\n");
    let server = Server::with(&[&file.flag()]);
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    assert!(is_too_large(&send_payload(&server, 301)));

    file.write("payload-max = 400\nlisten = [\"127.0.0.1:1\"]\n");
    reload(&server, "INFO configuration re-read");
    assert!(!is_too_large(&send_payload(&server, 400)));
    file.write("payload-max = 500\nnonsense = 1\n");
    reload(&server, &format!("ERROR configuration not changed: {}", complaint(&file.path())));
    assert!(is_too_large(&send_payload(&server, 500)), "what was in force stays so");

    anna.say("мы всё ещё тут");
    anna.hears("Вы", "мы всё ещё тут");
    boris.hears("Анна", "мы всё ещё тут");
    drop(anna);
    boris.is_told(&left("Анна"));
}

fn reload(server: &Server, line: &str) {
    server.signal("HUP");
    server
        .log()
        .wait_for(|lines| lines.iter().any(|logged| logged.starts_with(line)).then_some(()));
}

fn complaint(path: &Path) -> String {
    format!("{}:2: unknown key `nonsense`", path.display())
}

#[test]
fn what_takes_a_restart_is_said() {
    let file = File::new("restart", "listen = [\"127.0.0.1:0\"]\n");
    let server = Server::run(program().arg(file.flag()), 1);
    file.write("listen = [\"127.0.0.1:0\", \"127.0.0.2:0\"]\n");
    reload(&server, "WARN listen has changed, which takes a restart");
    Peer::join(server.address(), "Анна", &[]);
}
