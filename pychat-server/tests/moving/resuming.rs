//! Clients go on as if nothing had happened.

use std::process::Command;

use crate::{
    database::Postgres,
    keys,
    process::{Peer, Server, frame, program},
    shelf::{Shelf, done},
};

fn server(shelf: &Shelf, words: &[&str]) -> Server {
    let mut command: Command = program();
    command.args(["--listen=127.0.0.1:0", "--history=disk"]).args(words);
    Server::run(command.arg("--state-dir").arg(shelf.path()), 1)
}

/// Connects and says hello in protocol 2, with these further members; returns the epoch too.
#[track_caller]
fn join(server: &Server, name: &str, members: &str) -> (Peer, String) {
    let mut peer = Peer::connect(server.address());
    let greeting = peer.payload().expect("a greeting");
    let (_, rest) = greeting.split_once(r#""epoch":""#).expect(&greeting);
    let proof = keys::proof(&keys::challenge(&greeting), name, name);
    let hello = format!(r#"{{"type":"hello","username":"{name}","protocol":2{proof}{members}}}"#);
    peer.send(frame(&hello));
    let welcome = peer.payload().expect("a welcome");
    assert!(welcome.starts_with(r#"{"type":"welcome","#), "{welcome}");
    (peer, rest[..32].to_owned())
}

fn say(peer: &mut Peer, id: &str, words: &str) {
    peer.send(frame(&format!(r#"{{"type":"text","content":"{words}","id":"{id}"}}"#)));
}

/// The next message that the peer hears is this one.
#[track_caller]
fn hears(peer: &mut Peer, seq: u64, words: &str, is_known: bool) {
    loop {
        let payload = peer.payload().expect("the stream ended");
        if payload.contains(r#""type":"message""#) {
            let number = format!(r#""seq":{seq},"#);
            assert!(payload.contains(&number) && payload.contains(words), "{payload}");
            assert_eq!(payload.contains(r#""dup":true"#), is_known, "{payload}");
            return;
        }
    }
}

#[test]
fn a_client_resumes_after_either_move_and_nothing_is_lost_or_doubled() {
    let Some(database) = Postgres::start("") else { return };
    let shelf = Shelf::begun();
    let uri = database.uri();
    let stop = |mut server: Server| {
        server.signal("TERM");
        assert_eq!(server.exit_code(), Some(0));
    };
    let on_disk = server(&shelf, &[]);
    let (mut anna, epoch) = join(&on_disk, "Анна", "");
    for (seq, words) in [(1, "раз"), (2, "два"), (3, "три")] {
        say(&mut anna, &format!("a{seq}"), words);
        hears(&mut anna, seq, words, false);
    }
    drop(anna);
    stop(on_disk);
    done(&["migrate", "--from", &shelf.place(), "--to", &uri]);

    let moved = server(&shelf, &["--store", &uri]);
    let resume = |after: u64| format!(r#","resume":{{"epoch":"{epoch}","rooms":{{"":{after}}}}}"#);
    let (mut anna, same) = join(&moved, "Анна", &resume(1));
    assert_eq!(same, epoch);
    hears(&mut anna, 2, "два", false);
    hears(&mut anna, 3, "три", false);
    say(&mut anna, "a3", "три"); // Its answer may have been lost.
    hears(&mut anna, 3, "три", true);
    say(&mut anna, "a4", "четыре");
    hears(&mut anna, 4, "четыре", false);
    drop(anna);
    stop(moved);
    done(&["migrate", "--replace", "--from", &uri, "--to", &shelf.place()]);

    let back = server(&shelf, &[]);
    let (mut anna, same) = join(&back, "Анна", &resume(3));
    assert_eq!(same, epoch);
    hears(&mut anna, 4, "четыре", false);
    say(&mut anna, "a4", "четыре");
    hears(&mut anna, 4, "четыре", true);
    say(&mut anna, "a5", "пять");
    hears(&mut anna, 5, "пять", false);
}
