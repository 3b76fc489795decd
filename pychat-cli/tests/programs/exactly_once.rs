//! A text under an id is said once, whatever is killed and run again.

use crate::{
    relay::Relay,
    world::{World, json},
};

#[test]
fn the_same_id_twice_is_one_message() {
    let world = World::new();
    let first = json(&world.say("backup done\n", &["--id=backup-7", "--json"]));
    assert_eq!((&first["seq"], &first["id"]), (&1.into(), &"backup-7".into()));
    let again = json(&world.say("backup done", &["--id=backup-7", "--json"]));
    assert_eq!(again, first);
    let (code, reason) = world.refused("something else", &["--id=backup-7"]);
    assert_eq!(code, 1, "{reason}");
    assert!(reason.contains("under this id"), "{reason}");
    assert_eq!(world.read(&["--lines=9"]).lines().count(), 1);
}

#[test]
fn a_sender_that_is_killed_before_it_knows_is_run_again_and_says_nothing_twice() {
    let world = World::new();
    let reader = world.watch();
    let relay = Relay::to(world.address());
    let arguments = ["--name=bot", "--lines", "--json", "--id=job"];
    let mut sender = world.start_sending(&[&[relay.address.as_str()], &arguments[..]].concat());
    sender.give("one");
    sender.printed.wait_for(|lines| lines.first().map(|line| json(line)));
    relay.mute();
    sender.give("two");
    reader.wait_for_text("two");
    sender.kill();
    let answers = world.say("one\ntwo\nthree\n", &arguments[1..]);
    let seqs: Vec<_> = answers.lines().map(|line| json(line)["seq"].clone()).collect();
    assert_eq!(seqs, [2, 3, 4]);
    reader.wait_for_text("three");
    assert_eq!(reader.printed.texts(), ["ready", "one", "two", "three"]);
}

#[test]
fn an_edit_under_an_id_is_one_edit() {
    let world = World::new();
    world.say("buidl 7", &["--id=build-7"]);
    world.say("another", &[]);
    let first = json(&world.say("build 7", &["--edit=build-7", "--id=fix", "--json"]));
    let again = json(&world.say("build 7", &["--edit=1", "--id=fix", "--json"]));
    assert_eq!((&first["seq"], &again["seq"]), (&3.into(), &3.into()));
    let read = world.read(&["--lines=9", "--json"]);
    let message = json(read.lines().next().expect("two messages"));
    assert_eq!((&message["text"], message["edited"].is_string()), (&"build 7".into(), true));
    let (code, reason) = world.refused("x", &["--edit=build-8"]);
    assert_eq!(code, 1);
    assert!(reason.contains("no message of ours"), "{reason}");
}
