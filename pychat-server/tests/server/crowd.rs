//! Many at once, and one who does not listen.

use crate::process::{
    GOODBYE, GREETING, Message, Peer, Server, hello, joined, left, text, welcome,
};

#[test]
fn a_reader_that_never_reads_delays_nobody_and_is_cut() {
    const SAID_BYTES_MIN: usize = 20 << 20;
    const SAID_BYTES_MAX: usize = 500 << 20;

    let server = Server::start();
    let [mut anna, mut boris, sonya] = Peer::room(server.address(), ["Анна", "Борис", "Соня"]);
    let address = sonya.address();
    let mut said = 0;
    let mut cut_after = [None, None];
    while said < SAID_BYTES_MIN || cut_after.contains(&None) {
        assert!(said < SAID_BYTES_MAX, "Соня is never cut");
        let content = format!("{said} {}", "x".repeat(60_000));
        anna.say(&content);
        let [by_anna, by_boris] = &mut cut_after;
        for (peer, author, cut_after) in
            [(&mut anna, "Вы", by_anna), (&mut boris, "Анна", by_boris)]
        {
            let mut message = peer.message();
            if message == Message::notice(&left("Соня")) {
                assert_eq!(cut_after.replace(said), None, "told twice");
                message = peer.message();
            }
            assert_eq!(message, Message::new(author, &content));
        }
        said += content.len();
    }
    assert_eq!(cut_after[0], cut_after[1], "everybody hears it at the same place");
    server.log().wait_for_line(&format!("INFO \"Соня\" left from {address}: slow"));
    Peer::join(server.address(), "Вера", &["Анна", "Борис"]);
}

/// Somebody in the crowd.
struct Person {
    name: String,
    peer: Peer,
    /// The welcome that it was told when it joined.
    welcome: String,
    /// Everything that it heard after that, what it said itself among it.
    story: Vec<Message>,
}

#[test]
fn two_hundred_who_join_at_once_hear_each_other_in_one_order() {
    const PEOPLE: usize = 200;
    const LAST: &str = "вот и всё";

    let server = Server::start();
    let mut crowd = join_at_once(&server, PEOPLE, &["раз", "два", "три"]);
    // By now everybody is in the room: whatever is said from here on, all hear.
    for person in &mut crowd {
        person.peer.say(LAST);
    }
    for person in &mut crowd {
        let mut last_words = 0;
        while last_words < PEOPLE {
            let mut message = person.peer.message();
            if message.author == "Вы" {
                message.author.clone_from(&person.name);
            }
            last_words += usize::from(message.content == LAST);
            person.story.push(message);
        }
    }
    let first = crowd.iter().find(|person| person.welcome == welcome(&person.name, &[])).unwrap();
    assert_eq!(first.story.len(), PEOPLE - 1 + PEOPLE * 4, "joins and texts");
    for person in &crowd {
        check_story(person, first);
        let words = first.story.iter().filter(|message| message.author == person.name);
        let words: Vec<_> = words.map(|message| message.content.as_str()).collect();
        assert_eq!(words, ["раз", "два", "три", LAST]);
    }
    server.signal("TERM");
    for person in &mut crowd {
        person.peer.is_told(GOODBYE);
        person.peer.hears_the_end();
    }
}

/// Connects `count` people who each say hello and `words` before the server can do anything about
/// the first of them; waits until each is welcome.
fn join_at_once(server: &Server, count: usize, words: &[&str]) -> Vec<Person> {
    let words: String = words.iter().map(|content| text(content)).collect();
    server.freeze();
    let connect = |number| {
        let name = format!("Гость {number}");
        let mut peer = Peer::connect(server.address());
        peer.send(hello(&name) + &words);
        Person { name, peer, welcome: String::new(), story: Vec::new() }
    };
    let mut crowd: Vec<_> = (0..count).map(connect).collect();
    server.thaw();
    for person in &mut crowd {
        person.peer.is_told(GREETING);
        person.welcome = person.peer.message().content;
    }
    crowd
}

/// A person's story is what the first to come heard, from that person's own joining on; and the
/// welcome names those who had joined until then.
fn check_story(person: &Person, first: &Person) {
    let own_joining = Message::notice(&joined(&person.name));
    let begin = first.story.iter().position(|message| *message == own_joining);
    let (before, after) = first.story.split_at(begin.unwrap_or(0));
    assert_eq!(person.story, after[usize::from(begin.is_some())..], "{}", person.name);
    if begin.is_some() {
        let joinings = before.iter().filter(|message| message.author == "Сервер Чата");
        let names = joinings.map(|message| message.content.split_once(" присоединился").unwrap().0);
        let names: Vec<_> = [first.name.as_str()].into_iter().chain(names).collect();
        assert_eq!(person.welcome, welcome(&person.name, &names));
    }
}
