//! Several servers of one chat, as the programs meet them: another one is found when theirs is gone.

use std::fs;

use crate::{door::Door, world::World};

/// Returns a world with a server that tells of `doors`, each open or shut.
fn world(doors: &[&Door]) -> World {
    let addresses: Vec<_> = doors.iter().map(|door| door.address.clone()).collect();
    World::with(|_| vec![format!("--servers={}", addresses.join(","))])
}

#[test]
fn a_link_names_several_and_the_first_that_is_there_is_taken() {
    let world = World::new();
    let gone = Door::new();
    for (text, place) in [
        ("one", format!("{},{}", gone.address, world.address())),
        ("two", format!("pychat://bot@{},{}/", gone.address, world.address())),
    ] {
        let sent = world.send(text, &[&place, "--name=bot"]);
        assert_eq!(sent.status.code(), Some(0), "{sent:?}");
    }
    assert_eq!(world.read(&["--lines=9"]).lines().count(), 2);
    let known = fs::read_to_string(world.state_path("known-servers")).expect("TLS was offered");
    let names: Vec<_> = known.lines().map(|line| line.split_once(' ').expect("a line").0).collect();
    assert_eq!(
        names,
        [gone.address.as_str(), world.address()],
        "by its first address, then by its own"
    );
}

#[test]
fn a_reader_goes_on_at_a_server_that_it_was_told_of_and_misses_nothing() {
    let (first, second) = (Door::new(), Door::new());
    let world = world(&[&first, &second]);
    first.open(world.address());
    second.open(world.address());
    world.say("zero", &[]);
    let reader = world.follow_at(&first.address, &["--lines=1"]);
    reader.wait_for_text("zero");
    assert_eq!((first.n_passed(), second.n_passed()), (1, 0));
    let doors = [&first, &second];
    for round in 0..4 {
        let (here, there) = (doors[round % 2], doors[(round + 1) % 2]);
        here.shut();
        world.say(&format!("round {round}"), &[]);
        reader.wait_for_text(&format!("round {round}"));
        assert!(0 < there.n_passed());
        here.open(world.address());
    }
    let rounds = (0..4).map(|round| format!("round {round}"));
    let all: Vec<_> = ["zero".to_owned()].into_iter().chain(rounds).collect();
    assert_eq!(reader.printed.texts(), all, "each once");
}

#[test]
fn a_server_that_is_stopped_names_others_and_its_people_go_there() {
    let (first, second) = (Door::new(), Door::new());
    let mut world = world(&[&first, &second]);
    first.open(world.address());
    world.say("ready", &[]);
    let reader = world.follow_at(&first.address, &["--lines=1"]);
    reader.wait_for_text("ready");
    world.stop();
    first.shut();
    world.start_elsewhere();
    second.open(world.address());
    world.say("after", &[]);
    reader.wait_for_text("after");
    assert_eq!(reader.printed.texts(), ["ready", "after"]);
    assert_eq!(first.n_passed(), 1);
}

#[test]
fn what_was_told_is_kept_and_is_of_no_use_to_another_chat() {
    let (first, second) = (Door::new(), Door::new());
    let world = world(&[&first, &second]);
    first.open(world.address());
    second.open(world.address());
    let path = world.path("reader.state");
    let state = ["--state", path.to_str().expect("a path")];
    world.say("ready", &[]);
    let read = |place: &str, more: &[&str]| world.read_at(place, &[&state[..], more].concat());
    assert_eq!(read(&first.address, &["--lines=1"]), (Some(0), vec!["ready".to_owned()]));
    first.shut();
    world.say("more", &[]);
    assert_eq!(read(&first.address, &[]), (Some(0), vec!["more".to_owned()]), "it was kept");
    let other = Door::new();
    let n_passed = second.n_passed();
    assert_eq!(read(&other.address, &["--timeout=1"]), (Some(75), vec![]));
    assert_eq!(second.n_passed(), n_passed, "nobody is looked for elsewhere");
}

#[test]
fn a_server_that_was_told_of_and_is_another_is_told_nothing() {
    let (first, second) = (Door::new(), Door::new());
    let world = world(&[&first, &second]);
    let stranger = World::new();
    first.open(world.address());
    second.open(stranger.address());
    world.say("ready", &[]);
    let reader = world.follow_at(&first.address, &["--lines=1"]);
    reader.wait_for_text("ready");
    first.shut();
    second.wait_until_passed(1);
    first.open(world.address());
    world.say("back", &[]);
    reader.wait_for_text("back");
    assert_eq!(reader.printed.texts(), ["ready", "back"]);
    assert!(!stranger.server.log.have("reader"), "nobody has said hello there");
}
