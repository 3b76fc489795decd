//! Rooms that come from elsewhere.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Output,
};

use rusqlite::Connection;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    archive::{done, refused, run},
    export::{self, lines},
    history::Shelf,
    second::join_two,
};

/// Returns a shelf on which a server has been.
fn shelf() -> Shelf {
    let shelf = Shelf::new();
    let mut server = shelf.server(&[]);
    server.signal("TERM");
    server.exit_code();
    shelf
}

/// Puts a file on a shelf; returns its path.
fn put(shelf: &Shelf, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = shelf.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Puts an archive of these files on a shelf.
fn zip(shelf: &Shelf, files: &[(&str, &str)]) -> PathBuf {
    let path = shelf.path().join("export.zip");
    let mut archive = ZipWriter::new(File::create(&path).unwrap());
    for (name, text) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    path
}

/// Imports; returns all that was said.
#[track_caller]
fn import(shelf: &Shelf, file: &Path, words: &[&str]) -> String {
    let words = [&["import", file.to_str().unwrap(), "--disk-reserve=0"], words].concat();
    let Output { status, stdout, stderr } = run(shelf, &words);
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), &*stdout), (Some(0), &b""[..]), "{words:?}: {stderr}");
    stderr
}

#[track_caller]
fn import_refused(shelf: &Shelf, file: &Path, words: &[&str]) -> String {
    refused(shelf, &[&["import", file.to_str().unwrap(), "--disk-reserve=0"], words].concat())
}

fn rooms(shelf: &Shelf) -> u32 {
    let connection = Connection::open(shelf.file()).unwrap();
    let count = "SELECT count(*) + (SELECT count(*) FROM records WHERE key >> 40) FROM rooms";
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_room_goes_out_and_comes_in_and_goes_out_as_it_was() {
    let (from, to) = (export::shelf(), shelf());
    let file = put(&to, "room.jsonl", lines(&from, "r1"));
    let said = import(&to, &file, &[]);
    assert_eq!(said, "Чай is r1, with 5 messages and events.\nRooms imported: 1.\n");
    let checked = done(&to, &["check"]);
    assert_eq!(checked, "Nothing is wrong with 5 records of 2 rooms and 0 people.");
    // Amendments have no lines, so what comes after them moves up.
    let expected = lines(&from, "r1")
        .replace("\"number\":5", "\"number\":4")
        .replace("\"number\":7", "\"number\":5");
    assert_eq!(lines(&to, "r1"), expected);

    let again = import_refused(&to, &file, &["--room", "Other"]);
    assert_eq!(again, "Чай was imported before, and is r1");
    let other = put(&to, "other.jsonl", lines(&from, "r1").replace("исправлено", "иначе"));
    assert!(import_refused(&to, &other, &[]).contains("is so already; give --room NAME"));
    import(&to, &other, &["--room", "Другой чай"]);
    assert!(lines(&to, "Другой чай").contains("иначе"));

    // A server shows it, and whoever has such a name now has not said it.
    let server = to.server(&[]);
    let listed = super::control::ctl(&to, &["messages", "--room", "r1"]);
    assert!(listed.contains("исправлено") && listed.contains("(deleted)"), "{listed}");
    let audit = super::control::ctl(&to, &["audit"]);
    assert!(audit.contains("import  Чай  r1 from "), "{audit}");
    drop(server);
    let refused = import_refused(&to, Path::new("/nowhere"), &[]);
    assert!(refused.starts_with("/nowhere: No such file"), "{refused}");
}

#[test]
fn a_file_that_is_not_whole_leaves_nothing_behind() {
    let (from, to) = (export::shelf(), shelf());
    let whole = lines(&from, "r1");
    let all: Vec<_> = whole.lines().collect();
    let cut = all[..4].join("\n");
    let bad = whole.replace("{\"number\":3,", "{\"number\":,");
    let twice = whole.replace("\"number\":3", "\"number\":2");
    let later = whole.replace("\"pychat_room\":1", "\"pychat_room\":2");
    for (text, complaint) in [
        (&*cut, "the file has no end, so it is not whole"),
        (&bad, "line 4: expected value at line 1 column 11; --skip-bad leaves such lines out"),
        (&twice, "line 4: number 2 comes after 2; --skip-bad leaves such lines out"),
        (&later, "the file is of a later version, which this program cannot read"),
        ("", "neither an export of pychat, nor of Slack or Mattermost"),
        ("\u{0}\n{}", "neither an export of pychat, nor of Slack or Mattermost"),
    ] {
        let file = put(&to, "room.jsonl", text);
        let refused = import_refused(&to, &file, &[]);
        assert!(refused.ends_with(complaint), "{refused}");
        assert_eq!(rooms(&to), 0, "{complaint}");
    }
    let file = put(&to, "room.jsonl", bad);
    let said = import(&to, &file, &["--skip-bad"]);
    let expected = "line 4: expected value at line 1 column 11; left out\n\
        Чай is r1, with 4 messages and events.\nRooms imported: 1. Lines left out: 1.\n";
    assert_eq!(said, expected);
    assert!(done(&to, &["check"]).starts_with("Nothing is wrong with 4 records"));
}

#[test]
fn a_disk_with_too_little_space_is_left_as_it_is() {
    let (from, to) = (export::shelf(), shelf());
    let file = put(&to, "room.jsonl", lines(&from, "r1"));
    let words = ["import", file.to_str().unwrap(), "--disk-reserve=1000000GiB"];
    let said = refused(&to, &words);
    let expected = "of the disk would stay free (--disk-reserve); nothing was imported";
    assert!(said.ends_with(expected), "{said}");
    assert_eq!(rooms(&to), 0);
    let said = run(&to, &["import", "x", "--disk-reserve=5KB"]);
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    import(&to, &file, &[]);
    assert!(done(&to, &["check"]).starts_with("Nothing is wrong with 5 records"));
}

#[test]
fn nobody_imports_beside_a_server_and_what_is_private_stays_so() {
    let (from, to) = (export::shelf(), shelf());
    let text = lines(&from, "r1").replace("\"open\"", "\"closed\"");
    let file = put(&to, "room.jsonl", text);
    let words = import_refused(&to, &file, &[]);
    assert!(words.ends_with("is not open to all; say who is in it here: --member NAME"), "{words}");
    let mut server = to.server(&[]);
    let words = import_refused(&to, &file, &["--member", "Анна"]);
    assert!(words.starts_with("another server keeps its messages in "), "{words}");
    drop(join_two(&server, "Анна"));
    super::control::ctl(&to, &["operator", "add", "Анна"]);
    server.signal("TERM");
    server.exit_code();
    let words = import_refused(&to, &file, &["--member", "Борис"]);
    assert_eq!(words, "nobody owns the name Борис");
    import(&to, &file, &["--member", "Анна"]);
    assert!(lines(&to, "r1").starts_with("{\"pychat_room\":1,\"id\":\"r1\",\"kind\":\"closed\""));
    assert!(done(&to, &["check"]).starts_with("Nothing is wrong"));
}

const SLACK: &[(&str, &str)] = &[
    (
        "users.json",
        r#"[{"id":"U1","name":"anna","profile":{"display_name":"Анна"}},
        {"id":"U2","name":"boris","profile":{"display_name":"","real_name":"Борис"}}]"#,
    ),
    (
        "channels.json",
        r#"[{"id":"C1","name":"tea","topic":{"value":"all about <@U1>"}},
        {"id":"C2","name":"empty"}]"#,
    ),
    ("groups.json", r#"[{"id":"G1","name":"board"}]"#),
    (
        "tea/2024-01-02.json",
        r#"[{"type":"message","user":"U2","ts":"1704153600.000100","thread_ts":"1704067200.000200",
            "text":"yes &amp; <https://a.b|here> :+1:","edited":{"user":"U2","ts":"1704153700.000000"}},
        {"type":"message","subtype":"tombstone","user":"U1","ts":"1704153601.000000","text":"This message was deleted."}]"#,
    ),
    (
        "tea/2024-01-01.json",
        r#"[{"type":"message","subtype":"channel_join","user":"U2","ts":"1704067100.000000","text":"<@U2> joined"},
        {"type":"message","user":"U1","ts":"1704067200.000200","thread_ts":"1704067200.000200","text":"tea, <@U2>?",
            "reactions":[{"name":"thumbsup","users":["U2","U1"],"count":2},{"name":"nonesuch","users":["U1"]}]},
        {"type":"message","subtype":"bot_message","username":"robot","ts":"1704067300.000000","text":"","files":[{"name":"cup.png"}]},
        {"type":"message","ts":"soon","text":"x"}]"#,
    ),
    (
        "board/2024-01-01.json",
        r#"[{"type":"message","user":"U1","ts":"1704067200.000200","text":"secret"}]"#,
    ),
    ("../../etc/passwd", "evil"),
];

#[test]
fn an_export_of_slack_becomes_rooms() {
    let to = shelf();
    let file = zip(&to, SLACK);
    let words = import_refused(&to, &file, &[]);
    let bad = "tea/2024-01-01.json, message 4: it has no time; --skip-bad leaves such lines out";
    assert_eq!(words, bad);
    let said = import(&to, &file, &["--skip-bad", "--format=slack"]);
    let said: Vec<_> = said.lines().collect();
    assert_eq!(
        said,
        [
            "tea/2024-01-01.json, message 4: it has no time; left out",
            "tea is r1, with 5 messages and events.",
            "there are no messages in empty",
            "Rooms imported: 1. Lines left out: 1. Reactions left out: 1. Private channels left out: 1.",
        ]
    );
    let expected = r#"{"pychat_room":1,"id":"r1","kind":"open","name":"tea","topic":"all about @Анна"}
{"number":1,"time_ms":1704067100000,"author":"Борис","event":"joined"}
{"number":2,"time_ms":1704067200000,"author":"Анна","text":"tea, @Борис?","reactions":[["👍",["Борис","Анна"]]]}
{"number":3,"time_ms":1704067300000,"author":"robot","text":"[cup.png]"}
{"number":4,"time_ms":1704153600000,"author":"Борис","text":"yes & here (https://a.b) 👍","reply":2,"edited_ms":1704153700000}
{"number":5,"time_ms":1704153601000,"author":"Анна","deleted":true}
{"end":5}
"#;
    assert_eq!(lines(&to, "tea"), expected);
    assert!(done(&to, &["check"]).starts_with("Nothing is wrong with 5 records"));
    let words = import_refused(&to, &file, &["--skip-bad", "--channel=board"]);
    assert_eq!(words, "board is not open to all; say who is in it here: --member NAME");
    let words = import_refused(&to, &file, &["--skip-bad", "--channel=nonesuch"]);
    assert_eq!(words, "there is no channel nonesuch in it");
}

const MATTERMOST: &str = r#"{"type":"version","version":1,"info":{"generator":"mattermost-server"}}
{"type":"team","team":{"name":"t","display_name":"T","type":"O"}}
{"type":"channel","channel":{"team":"t","name":"tea","display_name":"Tea","type":"O","header":"about tea"}}
{"type":"channel","channel":{"team":"t","name":"board","display_name":"Board","type":"P"}}
{"type":"user","user":{"username":"anna","email":"a@b"}}
{"type":"post","post":{"team":"t","channel":"tea","user":"boris","type":null,"message":"last","create_at":9000,"edit_at":9500,"reactions":null,"replies":null}}
{"type":"post","post":{"team":"t","channel":"board","user":"anna","message":"secret","create_at":1}}
{"type":"post","post":{"team":"t","channel":"tea","user":"anna","message":"first :tea:","create_at":1000,"edit_at":0,"reactions":[{"user":"boris","emoji_name":"heart","create_at":3},{"user":"anna","emoji_name":"heart","create_at":4}],"replies":[{"user":"boris","message":"answer","create_at":2000}]}}
{"type":"post","post":{"team":"t","channel":"tea","user":"anna","type":"system_join_channel","message":"anna joined","create_at":5}}
{"type":"direct_post","direct_post":{"channel_members":["anna","boris"],"user":"anna","message":"secret","create_at":1}}
"#;

#[test]
fn an_export_of_mattermost_becomes_rooms_in_the_order_of_time() {
    let to = shelf();
    let file = zip(&to, &[("import.jsonl", MATTERMOST), ("data/x.jsonl", "nothing")]);
    let said = import(&to, &file, &["--room", "Tea"]);
    assert_eq!(
        said,
        "Tea is r1, with 3 messages and events.\n\
        Rooms imported: 1. Private channels left out: 1.\n"
    );
    let expected = r#"{"pychat_room":1,"id":"r1","kind":"open","name":"Tea","topic":"about tea"}
{"number":1,"time_ms":1000,"author":"anna","text":"first 🍵","reactions":[["❤️",["boris","anna"]]]}
{"number":2,"time_ms":2000,"author":"boris","text":"answer","reply":1}
{"number":3,"time_ms":9000,"author":"boris","text":"last","edited_ms":9500}
{"end":3}
"#;
    assert_eq!(lines(&to, "r1"), expected);
    let plain = put(&to, "import.jsonl", MATTERMOST.replace("last", "end"));
    assert!(import(&to, &plain, &["--room", "Plain"]).contains("Plain is r2"));
    let newer = put(&to, "newer.jsonl", MATTERMOST.replace("\"version\":1", "\"version\":2"));
    assert!(import_refused(&to, &newer, &[]).ends_with("version 2 is not known, but 1"));
}

#[test]
fn an_archive_that_swells_or_is_broken_is_refused() {
    let to = shelf();
    let bomb = format!("[{{\"text\":\"{}", "x".repeat(9 << 20));
    let file = zip(&to, &[("channels.json", r#"[{"id":"C","name":"c"}]"#), ("c/1.json", &bomb)]);
    assert!(fs::metadata(&file).unwrap().len() < 1 << 20, "it is small as it comes");
    let words = import_refused(&to, &file, &[]);
    assert!(words.starts_with("c/1.json: a part of it is too large"), "{words}");
    let mut bytes = fs::read(&file).unwrap();
    bytes.truncate(bytes.len() / 2);
    let words = import_refused(&to, &put(&to, "half.zip", bytes), &[]);
    assert!(words.contains("cannot read "), "{words}");
    assert_eq!(rooms(&to), 0);
}
