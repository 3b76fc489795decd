//! Joining and talking, as protocol 1 has it.

use crate::process::{
    GREETING, Message, Peer, STILL_WAITING, Server, frame, hello, joined, left, text, welcome,
};

#[test]
fn every_byte_is_as_the_protocol_says() {
    let server = Server::with(&["--flood=off", "--name=Office"]);
    let mut anna = Peer::connect(server.address());
    anna.receives(concat!(
        r#"334:{"type":"message","username":"Сервер Чата","#,
        r#""content":"Connection established. Waiting for your username...","protocol":2,"#,
        r#""server":"Office","epoch":""#,
    ));
    let epoch = anna.takes(32);
    anna.receives(r#"","nonce":""#);
    let nonce = anna.takes(32);
    let are_digits = [&epoch, &nonce].map(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(are_digits, [true, true], "{epoch} {nonce}");
    anna.receives(
        r#"","admission":"open","limits":{"payload":65536,"name":32,"burst":0,"per_second":0},"ping_seconds":30}"#,
    );
    anna.send(r#"38:{"type":"hello","username":"Анна"}"#);
    anna.receives(concat!(
        r#"157:{"type":"message","username":"Сервер Чата","#,
        r#""content":"Добро пожаловать, Анна. Участников онлайн в чате: 0"}"#,
    ));

    let mut boris = Peer::guest(server.address());
    boris.send(r#"40:{"type":"hello","username":"Борис"}"#);
    boris.receives(concat!(
        r#"169:{"type":"message","username":"Сервер Чата","#,
        r#""content":"Добро пожаловать, Борис. Участников онлайн в чате: 1\nАнна"}"#,
    ));
    anna.receives(concat!(
        r#"116:{"type":"message","username":"Сервер Чата","#,
        r#""content":"Борис присоединился к чату."}"#,
    ));

    anna.send(r#"54:{"type":"text","content":"привет <b>\"👋\"\n"}"#);
    anna.receives(r#"75:{"type":"message","username":"Вы","content":"привет <b>\"👋\"\n"}"#);
    boris.receives(r#"79:{"type":"message","username":"Анна","content":"привет <b>\"👋\"\n"}"#);

    boris.shut();
    boris.hears_the_end();
    anna.receives(concat!(
        r#"99:{"type":"message","username":"Сервер Чата","#,
        r#""content":"Борис покинул чат."}"#,
    ));
}

#[test]
fn newcomers_are_told_who_was_there_before_in_join_order() {
    let server = Server::start();
    let [mut anna, mut boris, mut vera] = Peer::room(server.address(), ["Анна", "Борис", "Вера"]);
    anna.send("0:");
    anna.hears_the_end();
    for other in [&mut boris, &mut vera] {
        other.is_told(&left("Анна"));
    }
    let anna = Peer::join(server.address(), "Анна", &["Борис", "Вера"]);
    for other in [&mut boris, &mut vera] {
        other.is_told(&joined("Анна"));
    }
    drop(anna);
    for other in [&mut boris, &mut vera] {
        other.is_told(&left("Анна"));
    }
}

#[test]
fn a_guest_hears_nothing_of_what_is_said_in_the_room() {
    let server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let mut guest = Peer::guest(server.address());
    anna.say("между нами");
    anna.hears("Вы", "между нами");
    guest.send(hello("Борис"));
    guest.is_told(&welcome("Борис", &["Анна"]));
}

#[test]
fn everybody_hears_the_same_in_one_order_and_each_its_own_as_theirs() {
    let server = Server::start();
    let [mut anna, mut boris, mut vera] = Peer::room(server.address(), ["Анна", "Борис", "Вера"]);
    for number in 0..100 {
        anna.say(&format!("а{number}"));
        boris.say(&format!("б{number}"));
        vera.say(&format!("в{number}"));
    }
    let heard = |peer: &mut Peer, name: &str| -> Vec<Message> {
        let messages = (0..300).map(|_| peer.message());
        let named = messages.map(|message| match message.author.as_str() {
            "Вы" => Message::new(name, &message.content),
            _ => message,
        });
        named.collect()
    };
    let by_anna = heard(&mut anna, "Анна");
    assert_eq!(by_anna, heard(&mut boris, "Борис"));
    assert_eq!(by_anna, heard(&mut vera, "Вера"));
    for (name, letter) in [("Анна", 'а'), ("Борис", 'б'), ("Вера", 'в')] {
        let said = by_anna.iter().filter(|message| message.author == name);
        let said: Vec<_> = said.map(|message| message.content.clone()).collect();
        assert_eq!(said, (0..100).map(|number| format!("{letter}{number}")).collect::<Vec<_>>());
    }
}

#[test]
fn texts_are_passed_on_exactly() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    let long = "ж".repeat(30_000);
    for content in ["", "\n", " \t ", "a\r\nb\n\n", "\u{0}\u{1}\u{7f}\u{2028}", "\\\"</b>&", &long]
    {
        anna.say(content);
        anna.hears("Вы", content);
        boris.hears("Анна", content);
    }
    anna.send(frame(r#"{"type":"text"}"#));
    anna.hears("Вы", "");
    boris.hears("Анна", "");
    anna.send(frame(r#"{"room":[1],"content":"\u0436\ud83d\udc4b","type":"text","to":{}}"#));
    anna.hears("Вы", "ж👋");
    boris.hears("Анна", "ж👋");
}

#[test]
fn a_client_may_say_hello_and_more_before_it_has_read_anything() {
    let server = Server::start();
    let [mut boris] = Peer::room(server.address(), ["Борис"]);
    let mut anna = Peer::connect(server.address());
    anna.send(hello("Анна") + &text("раз") + &text("два"));
    anna.is_told(GREETING);
    anna.is_told(&welcome("Анна", &["Борис"]));
    anna.hears("Вы", "раз");
    anna.hears("Вы", "два");
    boris.is_told(&joined("Анна"));
    boris.hears("Анна", "раз");
    boris.hears("Анна", "два");
}

#[test]
fn who_has_not_joined_cannot_talk() {
    let server = Server::start();
    let [mut anna] = Peer::room(server.address(), ["Анна"]);
    let mut guest = Peer::guest(server.address());
    for early in [text("рано"), frame("{}"), frame("[1]"), frame(r#"{"type":"dance"}"#)] {
        guest.send(early);
        guest.is_told(STILL_WAITING);
    }
    guest.send(hello("Борис") + &text("вовремя"));
    guest.is_told(&welcome("Борис", &["Анна"]));
    anna.is_told(&joined("Борис"));
    anna.hears("Борис", "вовремя");
}

#[test]
fn a_second_hello_changes_nothing() {
    let server = Server::start();
    let [mut anna, mut boris] = Peer::room(server.address(), ["Анна", "Борис"]);
    anna.send(hello("Вера") + &hello("") + &text("я всё ещё Анна"));
    anna.hears("Вы", "я всё ещё Анна");
    boris.hears("Анна", "я всё ещё Анна");
}
