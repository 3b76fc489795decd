//! Rooms that are written into files.

use std::{fs, process::Output};

use rusqlite::Connection;

use super::{
    archive::{done, refused, run},
    history::Shelf,
};

/// Records of a room in which everything happened, under the keys that room 1 has.
const ROOM: &str = "
    INSERT INTO rooms (id, kind, name, topic) VALUES (1, 'open', 'Чай', 'о <чае>');
    INSERT INTO logs (room, trimmed_seq, trimmed_ms) VALUES (1, 0, 0);
    INSERT INTO records (key, time_ms, author, content, kind, target, edit_seq, edited_ms, words, reactions)
    VALUES
        (1 + (1 << 40), 1000, 'Анна', '', 3, NULL, NULL, NULL, 0, NULL),
        (2 + (1 << 40), 2000, 'Анна', 'исправлено', 0, NULL, 4, 4000, 0,
            '[[7,\"👍\",\"Борис\"],[8,\"👍\",\"Вера\"],[9,\"🎉\",\"Анна\"]]'),
        (3 + (1 << 40), 3000, 'Борис', 'две' || char(10) || 'строки & <b>', 0, 2, NULL, NULL, 0, NULL),
        (4 + (1 << 40), 4000, 'Анна', '', 64, 2, NULL, NULL, 0, NULL),
        (5 + (1 << 40), 5000, 'Борис', '', 0, NULL, NULL, NULL, 1, NULL),
        (6 + (1 << 40), 6000, 'Борис', '', 65, 5, NULL, NULL, 0, NULL),
        (7 + (1 << 40), 7000, 'Анна', 'Зелёный чай', 14, NULL, NULL, NULL, 0, NULL);";

/// Returns a shelf with such a room, on which no server is at work.
pub(super) fn shelf() -> Shelf {
    let shelf = Shelf::new();
    let mut server = shelf.server(&[]);
    server.signal("TERM");
    server.exit_code();
    Connection::open(shelf.file()).unwrap().execute_batch(ROOM).unwrap();
    shelf
}

/// Returns the room as lines, from standard output.
pub(super) fn lines(shelf: &Shelf, room: &str) -> String {
    let Output { status, stdout, stderr } = run(shelf, &["export", "--jsonl", "--quiet", room]);
    assert_eq!((status.code(), &*stderr), (Some(0), &b""[..]));
    String::from_utf8(stdout).unwrap()
}

#[test]
fn a_room_is_written_for_programs_with_all_that_is_known_of_it() {
    let shelf = shelf();
    assert_eq!(
        done(&shelf, &["check"]),
        "Nothing is wrong with 7 records of 2 rooms and 0 people."
    );
    let server = shelf.server(&[]);
    let expected = r#"{"pychat_room":1,"id":"r1","kind":"open","name":"Чай","topic":"о <чае>"}
{"number":1,"time_ms":1000,"author":"Анна","event":"created"}
{"number":2,"time_ms":2000,"author":"Анна","text":"исправлено","edited_ms":4000,"reactions":[["👍",["Борис","Вера"]],["🎉",["Анна"]]]}
{"number":3,"time_ms":3000,"author":"Борис","text":"две\nстроки & <b>","reply":2}
{"number":5,"time_ms":5000,"author":"Борис","deleted":true}
{"number":7,"time_ms":7000,"author":"Анна","event":"renamed","subject":"Зелёный чай"}
{"end":5}
"#;
    assert_eq!(lines(&shelf, "r1"), expected);
    assert_eq!(lines(&shelf, "Чай"), expected);
    assert_eq!(lines(&shelf, "hall").lines().count(), 2, "nobody has said anything there");
    drop(server);

    let file = shelf.path().join("room.jsonl");
    let words = ["export", "--jsonl", "r1", "--output", file.to_str().unwrap()];
    let said = done(&shelf, &words);
    assert!(said.starts_with("Exported 5 messages and events of Чай. It is in "), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    assert!(refused(&shelf, &words).ends_with("room.jsonl is there already"));
    assert_eq!(refused(&shelf, &["export", "--html", "r2"]), "there is no room r2");
}

#[test]
fn a_room_is_written_for_people_as_one_page() {
    let shelf = shelf();
    let file = shelf.path().join("room.html");
    done(&shelf, &["export", "--html", "Чай", "-o", file.to_str().unwrap()]);
    let page = fs::read_to_string(&file).unwrap();
    for part in [
        "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"",
        "<title>Чай</title>",
        "<p dir=\"auto\">о &lt;чае&gt;</p>",
        "<h2>1970-01-01</h2>",
        "<time datetime=\"1970-01-01T00:00:02Z\">00:00</time> <span class=\"note\">(edited)</span>",
        "<a class=\"note\" href=\"#m2\">in answer to 2</a>",
        "<p dir=\"auto\">две\nстроки &amp; &lt;b&gt;</p>",
        "<p class=\"note\">(deleted)</p>",
        "👍 <bdi>Борис, Вера</bdi> 🎉 <bdi>Анна</bdi>",
        "renamed the room to <bdi>Зелёный чай</bdi>",
        "</html>\n",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for part in ["<script", "http:", "https:", "src="] {
        assert!(!page.contains(part), "{part}: {page}");
    }
}
