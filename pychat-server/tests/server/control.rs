//! The operator's socket: who may call, what they can do, and what they cannot.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::{
    history::Shelf,
    second::{greeted, hello_two, join_two, next, text_two},
};
use crate::process::{PROGRAM, Peer, Server, frame, hello, program, wait_until};

/// Starts a server that keeps what it is told in `shelf`, and listens for operators there.
fn server(shelf: &Shelf) -> Server {
    shelf.server(&[])
}

fn socket(shelf: &Shelf) -> PathBuf {
    shelf.path().join("control.sock")
}

/// Calls the server of `shelf`.
pub(super) fn call(shelf: &Shelf, words: &[&str]) -> Output {
    let mut command = program();
    command.arg("ctl").arg("--control-socket").arg(socket(shelf)).args(words);
    command.stdout(Stdio::piped()).output().unwrap()
}

/// Calls, and is answered with these lines.
#[track_caller]
pub(super) fn ctl(shelf: &Shelf, words: &[&str]) -> String {
    let Output { status, stdout, stderr } = call(shelf, words);
    let complaint = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), &*complaint), (Some(0), ""), "{words:?}");
    String::from_utf8(stdout).unwrap().trim_end().to_owned()
}

/// Calls, and is refused with this line and exit code.
#[track_caller]
pub(super) fn refused(output: Output, code: i32) -> String {
    assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b""[..]));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint.trim_end().trim_start_matches("pychat-server: ").to_owned()
}

#[track_caller]
fn is_sent_away(peer: &mut Peer, reason: &str) {
    loop {
        let payload = peer.payload().expect("a last word");
        if payload.contains(r#""type":"bye""#) {
            assert!(payload.contains(&format!(r#""reason":"{reason}""#)), "{payload}");
            return peer.hears_the_end();
        }
    }
}

#[test]
fn an_operator_sees_who_is_here_and_decides_who_may_be() {
    let shelf = Shelf::new();
    let server = server(&shelf);
    assert_eq!(ctl(&shelf, &["who"]), "Nobody is here.");
    let mut anna = join_two(&server, "Анна");
    let mut boris = Peer::join(server.address(), "Борис", &["Анна"]);
    assert_eq!(ctl(&shelf, &["operator", "add", "анна"]), "Анна is an operator now.");
    while next(&mut anna) != r#"{"type":"operator","operator":true}"# {}
    assert_eq!(
        ctl(&shelf, &["who"]),
        "Анна  (operator, protocol 2, 127.0.0.1)\nБорис  (protocol 1, 127.0.0.1)"
    );
    assert_eq!(ctl(&shelf, &["operator", "list"]), "Анна");
    let stats = ctl(&shelf, &["stats", "--json"]);
    assert!(stats.contains(r#""people":2,"connections":2"#), "{stats}");

    assert_eq!(ctl(&shelf, &["mute", "Борис", "--for", "10m"]), "Борис is muted for 10 minutes.");
    boris.say("hi");
    while !boris.message().content.starts_with("Not sent. You may not say anything") {}
    assert!(ctl(&shelf, &["bans"]).starts_with("Борис is muted until 20"));
    assert_eq!(ctl(&shelf, &["unmute", "Борис"]), "Борис is no longer muted.");
    assert_eq!(ctl(&shelf, &["say", "Lunch at noon."]), "Everybody was told.");
    while !next(&mut anna).contains(r#"{"type":"notice","text":"Lunch at noon."}"#) {}
    assert_eq!(ctl(&shelf, &["kick", "Борис"]), "Борис was sent away.");
    while boris.message().content != "You were sent away by an operator. Bye!\n" {}
    boris.hears_the_end();
    assert_eq!(ctl(&shelf, &["kick", "Анна"]), "Анна was sent away.");
    is_sent_away(&mut anna, "kicked");

    let records = ctl(&shelf, &["audit"]);
    let verbs: Vec<_> = records.lines().map(|line| line.split("  ").nth(2).unwrap()).collect();
    assert_eq!(verbs, ["add_operator", "mute", "unmute", "say", "kick", "kick"], "{records}");
    assert_eq!(ctl(&shelf, &["audit", "--last", "1"]).lines().count(), 1);
}

#[test]
fn bans_and_operators_and_settings_outlive_the_server_and_can_be_undone() {
    let shelf = Shelf::new();
    let mut first = server(&shelf);
    let anna = join_two(&first, "Анна");
    ctl(&shelf, &["operator", "add", "Анна"]);
    let mut vera = join_two(&first, "Вера");
    assert_eq!(ctl(&shelf, &["ban", "Вера", "--for", "2h"]), "Вера is banned for 2 hours.");
    is_sent_away(&mut vera, "banned");
    ctl(&shelf, &["slow", "5"]);
    first.signal("KILL");
    first.exit_code();
    assert!(socket(&shelf).exists(), "which a server that is killed leaves behind");

    let mut second = server(&shelf);
    let (mut vera, greeting) = greeted(&second);
    vera.send(hello_two(&greeting, "Вера", ""));
    is_sent_away(&mut vera, "banned");
    let (mut back, greeting) = greeted(&second);
    back.send(hello_two(&greeting, "Анна", ""));
    assert!(next(&mut back).contains(r#""operator":true"#));
    let mut boris = join_two(&second, "Борис");
    boris.send(text_two("b-1", "hi") + &text_two("b-2", "hi"));
    let mut refusal = next(&mut boris);
    while !refusal.contains(r#""code":"slow_down""#) {
        refusal = next(&mut boris);
    }
    assert!(refusal.contains(r#","ref":"b-2","retry_ms":"#), "{refusal}");
    ctl(&shelf, &["slow", "off"]);
    assert!(next(&mut boris).ends_with(r#","ref":"b-2","retry_ms":0}"#), "it may come again");
    assert!(ctl(&shelf, &["bans"]).starts_with("Вера is banned until 20"));
    assert_eq!(ctl(&shelf, &["unban", "вера"]), "Вера is no longer banned.");
    drop(join_two(&second, "Вера"));
    second.signal("TERM");
    assert_eq!(second.exit_code(), Some(0));
    assert!(!socket(&shelf).exists());
    anna.reset();
}

#[test]
fn a_banned_address_is_closed_before_anything_is_said_and_ctl_works_all_the_same() {
    let shelf = Shelf::new();
    let server = server(&shelf);
    let mut boris = Peer::join(server.address(), "Борис", &[]);
    assert_eq!(
        ctl(&shelf, &["ban", "Борис"]),
        "Борис joined without a key, so cannot be told from others by name. 127.0.0.1 is banned; 1 \
            connection was closed."
    );
    assert_eq!(boris.message().content, "You are banned from this chat. Bye!\n");
    boris.hears_the_end();
    for _ in 0..100 {
        let mut stranger = Peer::connect(server.address());
        stranger.hears_the_end();
    }
    let refusals = |lines: &[String]| lines.iter().filter(|it| it.contains("banned")).count();
    assert!(refusals(&server.log().lines()) < 64, "the log is spared");
    assert_eq!(ctl(&shelf, &["unban", "127.0.0.1"]), "127.0.0.1 is no longer banned.");
    Peer::join(server.address(), "Борис", &[]);
}

#[test]
fn who_lost_every_device_has_their_name_again() {
    let shelf = Shelf::new();
    let server = server(&shelf);
    let mut old = join_two(&server, "Анна");
    let said = ctl(&shelf, &["name", "free", "Анна"]);
    assert_eq!(said, "Анна is free: the next who joins under such a name owns it.");
    is_sent_away(&mut old, "removed");
    let (mut new, greeting) = greeted(&server);
    let proof = crate::keys::proof(&crate::keys::challenge(&greeting), "Анна", "another device");
    new.send(frame(&format!(r#"{{"type":"hello","username":"Анна","protocol":2{proof}}}"#)));
    assert!(next(&mut new).contains(r#""type":"welcome","username":"Анна""#));
}

#[test]
fn programs_are_marked_and_listed() {
    let shelf = Shelf::new();
    let server = server(&shelf);
    let _backup = join_two(&server, "backup");
    assert_eq!(ctl(&shelf, &["bots"]), "There are no bots.");
    assert_eq!(ctl(&shelf, &["bot", "backup", "on"]), "backup is a bot now.");
    assert_eq!(ctl(&shelf, &["bots"]), "backup");
    assert_eq!(ctl(&shelf, &["bots", "--json"]), r#"{"type":"bots","bots":[["backup"]]}"#);
    assert_eq!(ctl(&shelf, &["bot", "backup", "off"]), "backup is no longer a bot.");
    assert_eq!(ctl(&shelf, &["bots"]), "There are no bots.");
}

#[test]
fn operators_in_the_room_speak_as_the_protocol_says() {
    let shelf = Shelf::new();
    let server = server(&shelf);
    let mut anna = join_two(&server, "Анна");
    let mut vera = join_two(&server, "Вера");
    anna.send(frame(r#"{"type":"kick","username":"Вера","id":"o-1"}"#));
    let refusal =
        r#"{"type":"error","code":"forbidden","text":"this is for operators","ref":"o-1"}"#;
    while next(&mut anna) != refusal {}
    ctl(&shelf, &["operator", "add", "Анна"]);
    anna.send(frame(r#"{"type":"mute","username":"Вера","for_ms":600000,"id":"o-2"}"#));
    let done = concat!(
        r#"{"type":"done","verb":"mute","by":"Анна","subject":"Вера","#,
        r#""text":"Вера is muted for 10 minutes.","id":"o-2"}"#
    );
    while next(&mut anna) != done {}
    vera.send(text_two("v-1", "hi"));
    while !next(&mut vera).contains(r#""code":"muted""#) {}
    anna.send(frame(r#"{"type":"bans"}"#));
    let bans = next(&mut anna);
    assert!(bans.starts_with(r#"{"type":"bans","bans":[],"mutes":[{"subject":"Вера","since":"#));
    anna.send(frame(r#"{"type":"unban","address":"192.0.2.7","id":"o-3"}"#));
    assert_eq!(
        next(&mut anna),
        r#"{"type":"error","code":"not_done","text":"192.0.2.7 is not banned.","ref":"o-3"}"#
    );
    anna.send(frame(r#"{"type":"ban","username":"Вера","id":"o-4"}"#));
    is_sent_away(&mut vera, "banned");
    while !next(&mut anna).contains(r#""verb":"ban","by":"Анна","subject":"Вера""#) {}
    anna.send(frame(r#"{"type":"door","admission":"ajar","id":"o-5"}"#));
    while !next(&mut anna).contains(r#""code":"bad_payload""#) {}
}

#[test]
fn a_call_that_cannot_be_made_says_why() {
    let shelf = Shelf::new();
    let nobody = refused(call(&shelf, &["who"]), 1);
    assert_eq!(nobody, format!("no server listens at {}", socket(&shelf).display()));
    let _server = server(&shelf);
    for (words, expected) in [
        (&["kick", "Анна"][..], "Nobody is called Анна."),
        (&["unban", "Анна"], "Анна is not banned."),
        (&["slow", "90000"], "Choose a time of at most 3600 seconds."),
    ] {
        assert_eq!(refused(call(&shelf, words), 1), expected);
    }
    for words in [
        &["dance"][..],
        &["kick"],
        &["mute", "Анна", "--for", "soon"],
        &["slow", "fast"],
        &["door", "ajar"],
        &["audit", "--last", "0"],
        &["messages", "--count", "501"],
        &["remove", "0"],
        &["restore", "-1"],
    ] {
        refused(call(&shelf, words), 2);
    }
    let help = call(&shelf, &["--help"]);
    let words = String::from_utf8(help.stdout).unwrap();
    for word in ["operator", "name", "--json", "Exit codes", "PYCHAT_CONTROL_SOCKET"] {
        assert!(words.contains(word), "{word}: {words}");
    }
    assert_eq!(help.status.code(), Some(0));
}

#[test]
fn the_socket_is_for_its_group_and_is_shared_with_no_other_server() {
    let shelf = Shelf::new();
    let server = server(&shelf);
    let metadata = fs::symlink_metadata(socket(&shelf)).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o660);

    let path = socket(&shelf);
    let second = |path: &Path, flag: bool| {
        let mut command = program();
        command.arg("--listen=127.0.0.1:0");
        if flag {
            command.arg("--control-socket").arg(path);
        } else {
            command.env("RUNTIME_DIRECTORY", path.parent().unwrap());
        }
        command
    };
    let output = second(&path, true).output().unwrap();
    let expected = format!("another server listens at {}", path.display());
    assert_eq!(refused(output, 1), expected);
    let other = Server::run(&mut second(&path, false), 1);
    let warning = format!("WARN pychat-server ctl will not work: {expected}");
    other.log().wait_for_line(&warning);
    assert_eq!(ctl(&shelf, &["who"]), "Nobody is here.", "the first one goes on");
    drop((server, other));

    let occupied = shelf.path().join("occupied");
    fs::write(&occupied, "a file").unwrap();
    let output = second(&occupied, true).output().unwrap();
    assert_eq!(
        refused(output, 1),
        format!("{} is in the way: it is no socket", occupied.display())
    );
    assert_eq!(fs::read_to_string(&occupied).unwrap(), "a file");
}

#[test]
fn nobody_who_calls_can_stop_the_server_or_be_waited_for() {
    let shelf = Shelf::new();
    let server = server(&shelf);
    let connect = || UnixStream::connect(socket(&shelf)).unwrap();
    // As many as may call say nothing, or half of something, and more of them wait.
    let mut silent: Vec<_> = (0..12).map(|_| connect()).collect();
    silent[1].write_all(b"9:{\"verb\"").unwrap();
    let mut peer = Peer::guest(server.address());
    peer.send(hello("Борис")); // The room does not notice.
    assert!(peer.message().content.contains("Борис"));
    assert_eq!(ctl(&shelf, &["who"]).lines().count(), 1, "they make way");
    for mut caller in silent {
        let mut rest = Vec::new();
        assert_eq!(caller.read_to_end(&mut rest).unwrap_or(0), 0);
    }

    for bytes in [
        &b"65537:"[..],
        b"x",
        b"2:{}",
        b"4:null",
        b"15:{\"verb\":\"stop\"}",
        b"25:{\"verb\":\"kick\",\"name\":5.5}",
        b"3:\xff\xfe\xfd",
        b"0:",
    ] {
        let mut caller = connect();
        caller.write_all(bytes).unwrap();
        let mut answer = String::new();
        caller.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(r#"{"type":"failed","text":"Not understood: "#), "{answer}");
    }
    for request in [
        r#"{"verb":"mute","name":"Анна","for_ms":"5"}"#,
        r#"{"verb":"ban","whom":{"name":"Анна"},"for_ms":-5}"#,
        r#"{"verb":"ban","whom":{"name":"Анна"},"for_ms":5.5}"#,
        r#"{"verb":"invite","uses":"1"}"#,
        r#"{"verb":"invite","for_ms":"5"}"#,
        r#"{"verb":"slow","seconds":-1}"#,
        r#"{"verb":"messages","room":"","limit":-1}"#,
        r#"{"verb":"remove_message","room":"","number":"1"}"#,
    ] {
        let mut caller = connect();
        caller.write_all(&frame(request).into_bytes()).unwrap();
        let mut answer = String::new();
        caller.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(r#""text":"Not understood: "#), "{request} {answer}");
    }
    let mut endless = connect();
    let chunk = vec![b' '; 64 << 10];
    while endless.write_all(&chunk).is_ok() {}
    let mut deaf = connect();
    deaf.write_all(&frame(r#"{"verb":"who"}"#).into_bytes()).unwrap();
    drop(deaf); // Before the answer.
    assert_eq!(ctl(&shelf, &["who"]).lines().count(), 1);
    peer.say("hi");
    peer.hears("Вы", "hi");
}

#[test]
fn a_socket_of_a_dead_server_is_replaced() {
    let shelf = Shelf::new();
    fs::create_dir_all(shelf.path()).unwrap();
    drop(UnixListener::bind(socket(&shelf)).unwrap()); // The file stays.
    let _server = server(&shelf);
    wait_until("nobody listens", || call(&shelf, &["who"]).status.success());
}

#[test]
fn somebody_who_is_not_in_the_group_is_refused_though_the_mode_be_loose() {
    if !rustix::process::geteuid().is_root() {
        return crate::process::skip("somebody_who_is_not_in_the_group…: only root can be others");
    }
    let shelf = Shelf::new();
    let _server = server(&shelf);
    let path = socket(&shelf);
    let as_nobody = || {
        let words = ["--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "ctl"];
        let mut command = Command::new("setpriv");
        command.args(words).arg("--control-socket").arg(&path).arg("who").output().unwrap()
    };
    let traverse = fs::Permissions::from_mode(0o711);
    fs::set_permissions(shelf.path(), traverse).unwrap();
    let forbidden = refused(as_nobody(), 1);
    assert!(forbidden.starts_with("no permission to call "), "{forbidden}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let silent = refused(as_nobody(), 1);
    assert!(silent.contains(" does not answer: "), "{silent}");
    assert_eq!(ctl(&shelf, &["who"]), "Nobody is here.", "root may");
}
