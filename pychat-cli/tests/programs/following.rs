//! The lines that are printed: all of them, in order, over restarts of either side.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::world::{World, json, texts};

#[test]
fn a_server_that_is_killed_and_comes_back_changes_nothing() {
    let mut world = World::new();
    let reader = world.watch();
    for round in 0..3 {
        world.say(&format!("round {round}"), &[]);
        reader.wait_for_text(&format!("round {round}"));
        world.restart();
        world.say(&format!("after {round}"), &[]);
    }
    reader.wait_for_text("after 2");
    let printed = reader.printed.texts();
    let rounds = (0..3).flat_map(|it| [format!("round {it}"), format!("after {it}")]);
    assert_eq!(printed, ["ready".to_owned()].into_iter().chain(rounds).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_is_killed_goes_on_where_it_was() {
    let world = World::new();
    let path = world.path("reader.state");
    let state = ["--state", path.to_str().expect("a path")];
    let (mut all, mut printed) = (Vec::new(), Vec::new());
    world.read(&state);
    let mode = fs::metadata(&path).expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!fs::read_to_string(&path).expect("it is ours").contains("\"key\":\""));
    for round in 0..6 {
        let said: Vec<_> = (0..5).map(|number| format!("{round}.{number}")).collect();
        let mut reader = world.follow(&state);
        world.say(&said.join("\n"), &["--lines"]);
        reader.wait_for_text(&said[round % 5]);
        reader.kill();
        all.extend(said);
        add(&mut printed, &reader.printed.texts());
    }
    let rest = world.read(&[&state[..], &["--json"]].concat());
    add(&mut printed, &texts(&rest.lines().map(ToOwned::to_owned).collect::<Vec<_>>()));
    assert_eq!(printed, all);
    assert_eq!(world.read(&state), "", "nothing is printed twice after an end in order");
}

/// Adds what another reader printed. What the one before printed last may not have been filed: that alone
/// may come again.
fn add(printed: &mut Vec<String>, new: &[String]) {
    let is_overlap = |size: &usize| printed.ends_with(&new[..*size]);
    let n_again = (0..=new.len()).rev().find(is_overlap).unwrap_or_default();
    printed.extend_from_slice(&new[n_again..]);
}

#[test]
fn it_ends_in_order_at_a_signal_and_when_nobody_reads() {
    let world = World::new();
    for signal in ["TERM", "INT", "HUP"] {
        let mut reader = world.watch();
        reader.signal(signal);
        assert_eq!(reader.exit_code(), Some(0), "{signal}");
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pychat-tail"));
    command.args([world.address(), "--name=reader", "--lines=1"]);
    command.env("XDG_STATE_HOME", &world.folder).stdout(std::process::Stdio::piped());
    let mut process = command.spawn().expect("it is built");
    drop(process.stdout.take());
    assert_eq!(process.wait().expect("it is ours").code(), Some(0));
}

#[test]
fn what_was_said_before_comes_first_as_much_as_is_wanted() {
    let world = World::new();
    let lines: Vec<_> = (1..=700).map(|number| format!("line {number}")).collect();
    world.say(&lines.join("\n"), &["--lines"]);
    let read = |arguments: &[&str]| {
        let read = world.read(&[arguments, &["--json"]].concat());
        read.lines().map(|line| json(line)["seq"].as_u64().expect("a number")).collect::<Vec<_>>()
    };
    assert_eq!(read(&["--lines=3"]), [698, 699, 700]);
    assert_eq!(read(&["--lines=600"]), (101..=700).collect::<Vec<_>>());
    assert_eq!(read(&["--since=50"]), (51..=700).collect::<Vec<_>>());
    assert!(read(&["--since=700"]).is_empty());
    assert!(read(&[]).is_empty());
}

#[test]
fn amendments_are_lines_and_terminals_are_safe() {
    let world = World::new();
    let reader = world.watch();
    world.say("a\x1b[2Jb\u{9b}c", &[]);
    world.say("new", &["--edit=2"]);
    let edit = reader.printed.wait_for(|lines| {
        let lines = lines.iter().map(|line| json(line));
        lines.into_iter().find(|line| line["type"] == "edit")
    });
    assert_eq!(
        (&edit["target"], &edit["text"], &edit["seq"]),
        (&2.into(), &"new".into(), &3.into())
    );
    world.say("\u{9b}31m\x07", &[]);
    for arguments in [&["--lines=9"][..], &["--lines=9", "--json"]] {
        let read = world.read(arguments);
        assert!(!read.contains(|it: char| it.is_control() && it != '\n'), "{read:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_waited_for_as_long_as_was_said() {
    let world = World::new();
    let mut reader = world.follow(&["--room=nowhere"]);
    assert_eq!(reader.exit_code(), Some(1));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pychat-tail"));
    command.args(["127.0.0.1:1", "--name=reader", "--timeout=1"]);
    let output = command.env("XDG_STATE_HOME", &world.folder).output().expect("it is built");
    assert_eq!(output.status.code(), Some(75), "{output:?}");
}
