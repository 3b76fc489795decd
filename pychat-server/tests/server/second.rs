//! Protocol 2 as it stands on the wire.

use std::time::{Duration, SystemTime};

use crate::{
    keys,
    process::{Peer, Server, frame, hello, joined, left, text, welcome},
};

/// The most that the server's clock and the test's may be apart.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);

/// Returns the frame of a hello that answers a greeting, by the device that is called like its person,
/// with these further members, such as `,"resume":{…}`.
#[track_caller]
pub(super) fn hello_two(greeting: &str, name: &str, members: &str) -> String {
    hello_by(greeting, name, name, members)
}

/// Returns the same by another device.
#[track_caller]
fn hello_by(greeting: &str, device: &str, name: &str, members: &str) -> String {
    let proof = keys::proof(&keys::challenge(greeting), name, device);
    frame(&format!(r#"{{"type":"hello","username":"{name}","protocol":2{proof}{members}}}"#))
}

/// Returns the frame of a text.
pub(super) fn text_two(id: &str, content: &str) -> String {
    frame(&format!(r#"{{"type":"text","content":"{content}","id":"{id}"}}"#))
}

/// Joins in protocol 2, by the device that is called like its person.
#[track_caller]
pub(super) fn join_two(server: &Server, name: &str) -> Peer {
    let (mut peer, greeting) = greeted(server);
    peer.send(hello_two(&greeting, name, ""));
    let welcome = peer.payload().expect("a welcome");
    assert!(welcome.starts_with(r#"{"type":"welcome","#), "{welcome}");
    peer
}

/// Connects; returns the greeting too.
#[track_caller]
pub(super) fn greeted(server: &Server) -> (Peer, String) {
    let mut peer = Peer::connect(server.address());
    let greeting = peer.payload().expect("a greeting");
    (peer, greeting)
}

/// Reads a string out of a payload.
#[track_caller]
pub(super) fn string(payload: &str, member: &str) -> String {
    let (_, rest) = payload.split_once(&format!(r#""{member}":""#)).expect(payload);
    rest.split_once('"').expect("the end of a string").0.to_owned()
}

/// Reads the next payload, with `T` in place of a time, which must be now.
#[track_caller]
pub(super) fn next(peer: &mut Peer) -> String {
    let payload = peer.payload().expect("the stream ended");
    let Some((before, rest)) = payload.split_once(r#""time":"#) else { return payload };
    let end = rest.find(|character: char| !character.is_ascii_digit()).expect("a number ends");
    let time = Duration::from_millis(rest[..end].parse().unwrap());
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    assert!(now.abs_diff(time) < CLOCK_TOLERANCE, "{payload}");
    format!(r#"{before}"time":T{}"#, &rest[end..])
}

/// The next payloads are exactly these, but for times, for which `T` stands.
#[track_caller]
pub(super) fn receives(peer: &mut Peer, expected: &[&str]) {
    for expected in expected {
        assert_eq!(next(peer), *expected);
    }
}

#[test]
fn every_byte_is_as_the_protocol_says() {
    let server = Server::with(&["--name=Office"]);
    let (mut anna, greeting) = greeted(&server);
    let [epoch, nonce] = ["epoch", "nonce"].map(|member| string(&greeting, member));
    assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{nonce}");
    let offer = format!(r#","protocol":2,"server":"Office","epoch":"{epoch}","nonce":"{nonce}","#);
    assert!(greeting.contains(&offer), "{greeting}");
    anna.send(hello_two(&greeting, "Анна", ""));
    let expected = format!(
        r#"{{"type":"welcome","username":"Анна","epoch":"{epoch}","time":T,"operator":false,"members":["Анна"],"rooms":[{{"room":"","kind":"hall","name":"","topic":"","last":0,"read":0,"unread":0}}]}}"#
    );
    receives(&mut anna, &[&expected]);

    let mut boris = join_two(&server, "Борис");
    receives(&mut anna, &[r#"{"type":"joined","username":"Борис","time":T}"#]);
    anna.send(text_two("№1", r#"привет <b>\"👋\"\n"#));
    let copy = |members: &str| {
        let said = r#""seq":1,"time":T,"username":"Анна","content":"привет <b>\"👋\"\n""#;
        format!(r#"{{"type":"message",{said}{members}}}"#)
    };
    receives(&mut anna, &[&copy(r#","id":"№1""#)]);
    receives(&mut boris, &[&copy("")]);
    anna.send(text_two("№1", r#"привет <b>\"👋\"\n"#));
    receives(&mut anna, &[&copy(r#","id":"№1","dup":true"#)]);
    anna.send(text_two("№1", "again"));
    receives(
        &mut anna,
        &[
            r#"{"type":"error","code":"id_reused","text":"you said something else under this id; this was not sent","ref":"№1"}"#,
        ],
    );
    for (peer, members) in
        [(&mut anna, r#","id":"№1","replay":true"#), (&mut boris, r#","replay":true"#)]
    {
        peer.send(frame(r#"{"type":"history","before":9,"limit":500}"#));
        let page = r#"{"type":"page","before":9,"count":1,"start":true}"#;
        receives(peer, &[&copy(members), page]);
        peer.send(frame(r#"{"type":"ping"}"#) + &frame(r#"{"type":"pong"}"#));
        receives(peer, &[r#"{"type":"pong"}"#]);
    }
    boris.send("0:");
    boris.hears_the_end();
    receives(&mut anna, &[r#"{"type":"left","username":"Борис","time":T,"reason":"quit"}"#]);
}

#[test]
fn both_protocols_meet_in_one_room_and_hear_one_order() {
    let server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let mut boris = join_two(&server, "Борис");
    anna.is_told(&joined("Борис"));
    for number in 0..100 {
        anna.send(text(&format!("a{number}")));
        boris.send(text_two(&number.to_string(), &format!("b{number}")));
    }
    for seq in 1..=200 {
        let message = anna.message();
        let (author, id) = match message.author.as_str() {
            "Вы" => ("Анна", String::new()),
            author => (author, format!(r#","id":"{}""#, &message.content[1..])),
        };
        let content = message.content;
        let said = format!(
            r#"{{"type":"message","seq":{seq},"time":T,"username":"{author}","content":"{content}"{id}}}"#
        );
        receives(&mut boris, &[&said]);
    }
    let mut vera = Peer::guest(server.address());
    vera.send(hello("Вера"));
    vera.is_told(&welcome("Вера", &["Анна", "Борис"]));
    receives(&mut boris, &[r#"{"type":"joined","username":"Вера","time":T}"#]);
    drop(vera);
    receives(&mut boris, &[r#"{"type":"left","username":"Вера","time":T,"reason":"quit"}"#]);
    boris.send("0:");
    anna.is_told(&joined("Вера"));
    anna.is_told(&left("Вера"));
    anna.is_told(&left("Борис"));
}

#[test]
fn who_types_bare_objects_can_speak_it_too() {
    let server = Server::start();
    let (mut anna, greeting) = greeted(&server);
    let proof = keys::proof(&keys::challenge(&greeting), "Anna", "Anna");
    let hello = r#"{"type": "hello", "username": "Anna","#.to_owned() + "\n \"protocol\": 2";
    anna.send(format!("{hello}{proof}}}\n"));
    assert!(next(&mut anna).starts_with(r#"{"type":"welcome","username":"Anna""#));
    anna.send(b"{\"type\":\"text\",\"content\":\"}{\",\"id\":\"1\"}\r\n{\"type\":\"ping\"}\n");
    let said = r#"{"type":"message","seq":1,"time":T,"username":"Anna","content":"}{","id":"1"}"#;
    receives(&mut anna, &[said, r#"{"type":"pong"}"#]);
    anna.send(b"{\"type\":\"history\",\"before\":2,\"limit\":1}\n");
    receives(&mut anna, &[&said.replace(r#""1"}"#, r#""1","replay":true}"#)]);
    receives(&mut anna, &[r#"{"type":"page","before":2,"count":1,"start":true}"#]);
}

#[test]
fn another_connection_of_a_person_is_no_news_and_hears_what_was_missed() {
    let server = Server::start();
    let [mut witness] = Peer::room(server.address(), ["witness"]);
    let mut old = join_two(&server, "Анна");
    witness.is_told(&joined("Анна"));
    old.send(text_two("1", "раз"));
    let said = r#"{"type":"message","seq":1,"time":T,"username":"Анна","content":"раз","id":"1"}"#;
    receives(&mut old, &[said]);
    witness.hears("Анна", "раз");
    witness.say("два");
    witness.hears("Вы", "два");

    let (mut thief, greeting) = greeted(&server);
    thief.send(hello_by(&greeting, "thief", "Анна", ""));
    let refused = r#"{"type":"error","code":"name_taken","text":"somebody else has this name","suggest":"Анна (2)"}"#;
    receives(&mut thief, &[refused]);

    let (mut new, greeting) = greeted(&server);
    let epoch = string(&greeting, "epoch");
    let resume = format!(r#","resume":{{"epoch":"{epoch}","rooms":{{"":0}}}}"#);
    new.send(hello_two(&greeting, "Анна", &resume));
    let welcome = next(&mut new);
    assert!(welcome.contains(r#""last":2,"#) && welcome.contains(r#"["witness","Анна"]"#));
    let second = r#"{"type":"message","seq":2,"time":T,"username":"witness","content":"два""#;
    let replays = [said.replace('}', r#","replay":true}"#), format!(r#"{second},"replay":true}}"#)];
    receives(&mut new, &replays.each_ref().map(String::as_str));
    receives(&mut old, &[&format!("{second}}}")]);
    new.send(text_two("2", "три"));
    let third = r#"{"type":"message","seq":3,"time":T,"username":"Анна","content":"три","id":"2"}"#;
    receives(&mut new, &[third]);
    receives(&mut old, &[third]);
    witness.hears("Анна", "три");
    old.send("0:");
    old.hears_the_end();
    new.send("0:");
    new.hears_the_end();
    witness.is_told(&left("Анна"));
}

#[test]
fn another_device_is_paired_listed_and_removed() {
    let server = Server::start();
    let mut laptop = join_two(&server, "Анна");
    laptop.send(frame(r#"{"type":"pair"}"#));
    let told = next(&mut laptop);
    let code = string(&told, "code");
    assert_eq!(told, format!(r#"{{"type":"pair_code","code":"{code}","expires_ms":600000}}"#));
    let (mut phone, greeting) = greeted(&server);
    let members = format!(r#","pair":"{code}","label":"phone""#);
    phone.send(hello_by(&greeting, "phone", "Анна", &members));
    assert!(next(&mut phone).starts_with(r#"{"type":"welcome","username":"Анна""#));
    let [first, second] = ["Анна", "phone"].map(|device| keys::key(device).public());
    let added = format!(r#"{{"type":"device_added","key":"{second}","label":"phone"}}"#);
    receives(&mut laptop, &[&added]);
    laptop.send(frame(r#"{"type":"devices"}"#));
    let listed = laptop.payload().unwrap();
    let begin = format!(r#"{{"type":"devices","devices":[{{"key":"{first}","label":"","time":1"#);
    assert!(listed.starts_with(&begin), "{listed}");
    assert!(
        listed.contains(&format!(r#"{{"key":"{second}","label":"phone","time":1"#)),
        "{listed}"
    );
    let remove = |key| frame(&format!(r#"{{"type":"remove_device","key":"{key}"}}"#));
    laptop.send(remove(second));
    receives(&mut phone, &[r#"{"type":"bye","reason":"removed","retry_ms":1000}"#]);
    phone.hears_the_end();
    let listed = laptop.payload().unwrap();
    assert!(listed.starts_with(&begin) && !listed.contains("phone"), "{listed}");
    laptop.send(remove(first));
    receives(
        &mut laptop,
        &[r#"{"type":"error","code":"forbidden","text":"a device cannot remove itself"}"#],
    );
    let (mut phone, greeting) = greeted(&server);
    phone.send(hello_by(&greeting, "phone", "Анна", &members));
    receives(
        &mut phone,
        &[r#"{"type":"error","code":"forbidden","text":"this code is not good, or no longer"}"#],
    );
}

#[test]
fn who_one_is_must_be_signed_for_this_very_connection() {
    let server = Server::start();
    let (mut anna, greeting) = greeted(&server);
    let (_other, other) = greeted(&server);
    let refused =
        r#"{"type":"error","code":"bad_signature","text":"the signature is missing, or wrong"}"#;
    let proof = |greeting: &str, name: &str| keys::proof(&keys::challenge(greeting), name, "Анна");
    for proof in [
        String::new(),
        proof(&other, "Анна"),
        proof(&greeting, "Борис"),
        proof(&greeting, "Анна").replace(r#""key":""#, r#""key":"A"#),
        proof(&greeting, "Анна").replace("signature", "token"),
    ] {
        anna.send(frame(&format!(r#"{{"type":"hello","username":"Анна","protocol":2{proof}}}"#)));
        receives(&mut anna, &[refused]);
    }
    anna.send(hello_two(&greeting, "Анна", ""));
    assert!(next(&mut anna).starts_with(r#"{"type":"welcome","#));
}

#[test]
fn who_takes_an_absent_person_s_name_learns_no_ids_and_spends_none() {
    let server = Server::start();
    let [mut guest] = Peer::room(server.address(), ["Борис"]);
    let mut anna = join_two(&server, "Анна");
    guest.is_told(&joined("Анна"));
    anna.send(text_two("seed-0", "раз"));
    let said =
        r#"{"type":"message","seq":1,"time":T,"username":"Анна","content":"раз","id":"seed-0"}"#;
    receives(&mut anna, &[said]);
    guest.hears("Анна", "раз");
    drop(anna);
    guest.is_told(&left("Анна"));

    let (mut stranger, greeting) = greeted(&server);
    let refused = r#"{"type":"error","code":"name_taken","text":"somebody else has this name","suggest":"Анна (2)"}"#;
    stranger.send(hello_by(&greeting, "stranger", "Анна", ""));
    receives(&mut stranger, &[refused]);
    let hello = hello_by(&greeting, "stranger", "Анна (2)", "");
    stranger.send(hello + &text_two("seed-1", "x"));
    next(&mut stranger);
    next(&mut stranger);
    guest.is_told(&joined("Анна (2)"));
    guest.hears("Анна (2)", "x");
    stranger.send(frame(r#"{"type":"history","before":9,"limit":1}"#));
    assert!(next(&mut stranger).contains("seed-1"), "its own");
    next(&mut stranger);
    stranger.send(frame(r#"{"type":"history","before":2,"limit":1}"#));
    let replay = said.replace(r#","id":"seed-0"}"#, r#","replay":true}"#);
    receives(&mut stranger, &[&replay]);

    let (mut anna, greeting) = greeted(&server);
    anna.send(hello_two(&greeting, "Анна", "") + &text_two("seed-1", "важно"));
    next(&mut anna);
    let heard = next(&mut anna);
    assert!(heard.contains("важно") && !heard.contains("dup"), "{heard}");
    guest.is_told(&joined("Анна"));
    guest.hears("Анна", "важно");
}
