//! The texts that are said, their rooms, and those that are refused.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, process::Output};

use crate::world::{World, json};

#[test]
fn nothing_is_printed_and_the_key_is_made_for_nobody_else() {
    let world = World::new();
    assert_eq!(world.say("hello\nworld\n", &[]), "");
    let key = fs::metadata(world.state_path("bot.key")).expect("it was made");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    assert_eq!(world.say("", &["-m", "again", "--print-id", "--id=7"]), "7\n");
    let read = world.read(&["--lines=9"]);
    let words: Vec<_> = read.lines().map(|line| line.split_once(' ').expect("a time").1).collect();
    assert!(words[0].ends_with("[#1] bot: hello") && words[1].ends_with("world"), "{read}");
    assert!(words[2].ends_with("[#2] bot: again"), "{read}");
    let path = world.path("mine.key");
    let path = path.to_str().expect("a path");
    let all = [world.address(), "--name=other", "--key", path, "-m", "hi"];
    assert_eq!(world.send("", &all).status.code(), Some(0));
    let all = [world.address(), "--key", path, "-m", "hi again"];
    assert_eq!(world.send("", &all).status.code(), Some(0), "the name is in the file");
    assert!(world.read(&["--lines=1"]).contains("other: hi again"));
}

#[test]
fn lines_are_said_when_they_come() {
    let world = World::new();
    let reader = world.watch();
    let mut sender = world.start_sending(&[world.address(), "--name=bot", "--lines"]);
    sender.give("one");
    reader.wait_for_text("one");
    sender.give("");
    sender.give("two");
    reader.wait_for_text("two");
    drop(sender.process.stdin.take());
    assert_eq!(sender.exit_code(), Some(0));
    assert_eq!(reader.printed.texts(), ["ready", "one", "two"]);
}

#[test]
fn a_room_is_joined_only_if_asked_and_a_talk_is_begun() {
    let world = World::new();
    let reader = world.watch();
    world.say("to the hall", &[]);
    reader.wait_for_text("to the hall");
    world.say("to you alone", &["--room=@reader"]);
    reader.wait_for_text("to you alone");
    let line = reader.printed.wait_for(|lines| lines.last().map(|line| json(line)));
    assert_eq!(line["room_name"], "@bot @reader");
    for arguments in [&["--room=builds"][..], &["--room=builds", "--join"]] {
        let (code, reason) = world.refused("x", arguments);
        assert_eq!(code, 1, "{reason}");
        assert!(reason.contains("\"builds\""), "{reason}");
    }
}

#[test]
fn what_is_refused_is_said_with_its_reason() {
    let world = World::new();
    for (input, arguments, code, words) in [
        (&*"x".repeat(100_000), &[][..], 1, "too long"),
        ("x", &["--reply=7"], 1, "no such message"),
        ("x", &["--edit=7"], 1, "no such message"),
        (" \n", &[], 2, "nothing to say"),
        ("x", &["--id="], 2, "64 bytes"),
    ] {
        let (found, reason) = world.refused(input, arguments);
        assert_eq!(found, code, "{arguments:?}: {reason}");
        assert!(reason.starts_with("pychat-send: ") && reason.contains(words), "{reason}");
        assert_eq!(reason.lines().count(), 1, "{reason}");
    }
    let (code, reason) = world.refused("one\ntwo\n\nx\n", &["--lines", "--reply=2"]);
    assert_eq!(code, 1);
    assert!(reason.contains("line 1: "), "{reason}");
    assert_eq!(world.read(&["--lines=9"]), "");
}

#[test]
fn somebody_elses_name_is_refused() {
    let world = World::new();
    world.say("mine", &[]);
    let path = world.path("other.key");
    let key = ["--key", path.to_str().expect("a path")];
    let (code, reason) = world.refused("x", &key);
    assert_eq!(code, 1);
    assert!(reason.contains("not let in") && reason.contains("is free"), "{reason}");
}

#[test]
fn a_server_that_is_not_there_or_says_nothing_is_for_later() {
    let world = World::new();
    let mute = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let gone = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let [mute_address, gone_address] =
        [&mute, &gone].map(|it| it.local_addr().expect("it is bound").to_string());
    drop(gone);
    for (address, words) in [(mute_address, "no answer"), (gone_address, "nothing listens")] {
        let arguments = [address.as_str(), "--name=bot", "--timeout=1", "-m", "x"];
        let Output { status, stderr, .. } = world.send("", &arguments);
        let reason = String::from_utf8(stderr).expect("words");
        assert_eq!(status.code(), Some(75), "{reason}");
        assert!(reason.lines().all(|line| line.contains(words)), "{reason}");
    }
}

#[test]
fn wrong_usage_is_told_from_everything_else() {
    let world = World::new();
    for arguments in [
        &[][..],
        &["a b", "-m", "x"],
        &["http://x", "-m", "x"],
        &["x", "--edit=1", "--reply=1"],
        &["x", "--lines", "-m", "x"],
        &["x", "--pin=x"],
        &["x", "--timeout=0"],
        &["x", "--name=,", "-m", "x"],
    ] {
        let output = world.send("", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
}
