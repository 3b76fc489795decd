//! Where one payload ends and the next begins, however it arrives; and what is no payload at all.

use crate::process::{
    GREETING, Peer, STILL_WAITING, Server, frame, hello, joined, left, text, welcome,
};

/// The largest payload that the server takes, in bytes.
const PAYLOAD_BYTES_MAX: usize = 65_536;

/// The number of payloads in a row that mean nothing after which a connection is ended.
const BAD_PAYLOADS_MAX: usize = 16;

/// A text whose payload is as large as it can be.
fn longest_content() -> String {
    "x".repeat(PAYLOAD_BYTES_MAX - r#"{"type":"text","content":""}"#.len())
}

#[test]
fn what_is_no_frame_gets_one_notice_then_the_end() {
    let no_length = |found: &str| format!("{found} where a frame's length should stand");
    let too_large = format!("a payload of more than {PAYLOAD_BYTES_MAX} bytes");
    let bare = format!(r#"{{"type":"text","content":"{}x"}}"#, longest_content());
    for (broken, error) in [
        ("x", no_length("`x`")),
        (":", no_length("`:`")),
        ("-1:", no_length("`-`")),
        ("12a", no_length("`a`")),
        ("[1]", no_length("`[`")),
        ("\u{1}", no_length("byte 0x01")),
        ("ж", no_length("byte 0xd0")),
        ("000000000000000000001", "a frame's length of more than 20 digits".to_owned()),
        ("65537:", too_large.clone()),
        ("9999999999999999999", too_large.clone()),
        (&bare, too_large),
    ] {
        let server = Server::start();
        let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
        let mut guest = Peer::guest(server.address());
        // What comes after it goes unheard, and is no reason to reset the line.
        let broken = broken.to_owned() + &text("больше ничего") + &"x".repeat(200_000);
        for peer in [&mut guest, &mut boris] {
            peer.send(&broken);
            peer.is_told(&format!("Connection closed: {error}. Bye!\n"));
            peer.hears_the_end();
        }
        anna.is_told(&left("Борис"));
        anna.say("один");
        anna.hears("Вы", "один");
    }
}

#[test]
fn what_came_before_a_broken_frame_is_heard() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    boris.send(text("успел") + "oops");
    boris.hears("Вы", "успел");
    boris.is_told("Connection closed: `o` where a frame's length should stand. Bye!\n");
    boris.hears_the_end();
    anna.hears("Борис", "успел");
    anna.is_told(&left("Борис"));
}

#[test]
fn the_largest_payload_is_taken_framed_and_bare() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let content = longest_content();
    let framed = text(&content);
    assert!(framed.starts_with("65536:"));
    for largest in [framed.as_str(), &framed["65536:".len()..]] {
        anna.send(largest);
        anna.hears("Вы", &content);
        boris.hears("Анна", &content);
    }
}

#[test]
fn people_can_talk_by_netcat() {
    let server = Server::start();
    let mut anna = Peer::guest(server.address());
    anna.send("{\"type\":\"hello\",\"username\":\"Анна\"}\n");
    anna.is_told(&welcome("Анна", &[]));
    anna.send("\r\n\t {\"type\":\"text\",\"content\":\"} \\\" {\"}\n{\"type\":\"text\",\n");
    anna.hears("Вы", "} \" {");
    anna.send("\"content\":\"в две строки\"}\n");
    anna.hears("Вы", "в две строки");
}

#[test]
fn a_client_that_writes_byte_by_byte_is_understood() {
    let server = Server::start();
    let mut anna = Peer::connect(server.address());
    let words = [hello("Анна"), text("по байту 👋"), r#" {"type":"text"} 0:"#.to_owned()];
    for byte in words.concat().bytes() {
        anna.send([byte]);
    }
    anna.is_told(GREETING);
    anna.is_told(&welcome("Анна", &[]));
    anna.hears("Вы", "по байту 👋");
    anna.hears("Вы", "");
    anna.hears_the_end();
}

#[test]
fn a_frame_may_be_cut_anywhere() {
    let server = Server::start();
    let mut witness = Peer::join(server.address(), "Вера", &[]);
    let words = hello("Анна") + &text("жж");
    for cut in 1..words.len() {
        let (head, tail) = words.as_bytes().split_at(cut);
        let mut anna = Peer::guest(server.address());
        anna.send(head);
        // Once this is heard the server has read the head, for that came first.
        witness.say("слышно?");
        witness.hears("Вы", "слышно?");

        anna.send(tail);
        witness.is_told(&joined("Анна"));
        witness.hears("Анна", "жж");
        drop(anna);
        witness.is_told(&left("Анна"));
    }
}

#[test]
fn a_payload_that_means_nothing_keeps_the_connection() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    for (payload, error) in [
        ("{}", "the payload has no \"type\""),
        (r#"{"type":"dance"}"#, "nobody here knows the type \"dance\""),
        (r#"{"type":["text"]}"#, "\"type\" should be a string"),
        (r#"{"type":"text","content":5}"#, "\"content\" should be a string"),
        (r#"{"type":"text","content":null}"#, "\"content\" should be a string"),
        ("nonsense", "the payload is not JSON: "),
        ("{\"type\":", "the payload is not JSON: "),
        ("[1]", "the payload is not a JSON object."),
    ] {
        anna.send(frame(payload));
        let answer = anna.message();
        let begin = format!("Not understood: {error}");
        assert!(answer.content.starts_with(&begin), "{payload}: {answer:?}");
        assert_eq!(answer.author, "Сервер Чата");
    }
    anna.send(b"9:{\"a\":\"\xff\"}");
    anna.is_told("Not understood: the payload is not UTF-8: byte 6 is wrong.");
    anna.say("а теперь понятно");
    anna.hears("Вы", "а теперь понятно");
    boris.hears("Анна", "а теперь понятно");
}

#[test]
fn sixteen_payloads_in_a_row_that_mean_nothing_end_the_connection() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    boris.send(frame("{}").repeat(BAD_PAYLOADS_MAX) + &text("больше ничего"));
    for _ in 1..BAD_PAYLOADS_MAX {
        boris.is_told("Not understood: the payload has no \"type\".");
    }
    boris.is_told("Not understood 16 times in a row: the payload has no \"type\". Bye!\n");
    boris.hears_the_end();
    anna.is_told(&left("Борис"));
    anna.say("один");
    anna.hears("Вы", "один");
}

#[test]
fn a_payload_that_is_understood_makes_the_count_begin_anew() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let nearly = frame("{}").repeat(BAD_PAYLOADS_MAX - 1);
    boris.send(nearly.clone() + &text("раз") + &nearly + &text("два"));
    for content in ["раз", "два"] {
        for _ in 1..BAD_PAYLOADS_MAX {
            boris.is_told("Not understood: the payload has no \"type\".");
        }
        boris.hears("Вы", content);
        anna.hears("Борис", content);
    }
}

#[test]
fn a_guest_too_is_closed_after_sixteen_payloads_that_mean_nothing() {
    let server = Server::start();
    let mut guest = Peer::guest(server.address());
    guest.send(frame("{}").repeat(BAD_PAYLOADS_MAX));
    for _ in 1..BAD_PAYLOADS_MAX {
        guest.is_told(STILL_WAITING);
    }
    guest.is_told("Not understood 16 times in a row: the payload has no \"type\". Bye!\n");
    guest.hears_the_end();
}
