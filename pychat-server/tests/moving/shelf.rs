//! A folder in which a server keeps everything that there is to keep, and the program on it.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use pychat_server::store::{
    Retention, SqliteStore, TABLES,
    sqlite::{Durability, Place},
};
use rusqlite::{Connection, types::Value};

use crate::process::program;

/// The name of the log.
pub(crate) const EPOCH: &str = "000000000000000000000000000000ab";

/// Some of everything: messages that were edited, deleted, removed and answered, with reactions; rooms of
/// every kind, one that is over and one of which nothing is left; rules, and people with several names.
const EVERYTHING: &str = r#"
    UPDATE logs SET trimmed_seq = 2, trimmed_ms = 900 WHERE room = 0;
    INSERT INTO logs (room, trimmed_seq, trimmed_ms) VALUES
        (1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 0, 0), (5, 7, 950), (6, 0, 0);
    INSERT INTO records (key, time_ms, author, content, id, person, begin_bytes, kind, target,
        edit_seq, edited_ms, words, removed, removed_ms, reactions) VALUES
        (3, 1000, 'Анна', 'пойдём на обед', 'a1', 1, 500, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL),
        (4, 1000, 'Борис', 'ноль ' || char(0) || ' внутри 👩‍👩‍👧', 'b' || char(0), 2, 700, 0, 3, NULL, NULL,
            0, NULL, NULL, '[[1,"👍","Анна"],[2,"🎉","Борис"]]'),
        (5, 1002, 'Анна', 'исправлено', 'a2', 1, 900, 0, NULL, 8, 1005, 0, NULL, NULL, NULL),
        (6, 1003, 'Борис', '', 'b2', 2, 1100, 0, NULL, NULL, NULL, 1, NULL, NULL, NULL),
        (7, 1004, 'Борис', '', NULL, NULL, 1200, 0, NULL, NULL, NULL, 2, 'грубость', 1006, NULL),
        (8, 1005, 'Анна', '', 'a3', 1, 1300, 64, 5, NULL, NULL, 0, NULL, NULL, NULL),
        (9, 1005, 'Борис', '', 'b3', 2, 1400, 65, 6, NULL, NULL, 0, NULL, NULL, NULL),
        (10, 1006, 'Анна', '', NULL, 1, 1500, 65, 7, NULL, NULL, 0, NULL, NULL, NULL),
        (11, 1007, 'Борис', '🎉', 'b4', 2, 1600, 66, 4, NULL, NULL, 0, NULL, NULL, NULL);
    INSERT INTO records (key, time_ms, author, content, id, person, begin_bytes, kind, target) VALUES
        ((1 << 40) + 1, 1001, 'Анна', '', 'a4', 1, 0, 3, NULL),
        ((1 << 40) + 2, 1009, 'Борис', 'обед в клубе', 'b5', 2, 100, 0, NULL),
        ((1 << 40) + 3, 1009, 'Борис', 'Вера', 'b6', 2, 220, 10, NULL),
        ((2 << 40) + 1, 1004, 'Анна', '', 'a5', 1, 0, 3, NULL),
        ((3 << 40) + 1, 1004, 'Вера', '', 'v1', 3, 0, 3, NULL),
        ((3 << 40) + 2, 1008, 'Вера', 'наедине', 'v2', 3, 100, 0, NULL),
        ((4 << 40) + 1, 1002, 'Вера', 'все ушли', 'v3', 3, 0, 0, NULL),
        ((6 << 40) + 1, 1010, 'Вера', '', 'v4', 3, 0, 3, NULL);
    INSERT INTO rooms VALUES (1, 'open', 'клуб', 'о чём', 1), (2, 'closed', 'совет', '', 1),
        (3, 'direct', '', '', NULL), (6, 'open', 'ещё', '', 3);
    INSERT INTO members VALUES (2, 1, 2), (3, 1, 1), (7, 2, 1), (8, 3, 3), (9, 3, 1), (12, 6, 3);
    INSERT INTO marks VALUES (1, 0, 9), (1, 1, 2), (2, 0, 11), (3, 3, 2);
    INSERT INTO people VALUES (1, TRUE, FALSE), (2, FALSE, FALSE), (3, FALSE, TRUE);
    INSERT INTO names (rowid, name, person, used_ms, is_regular) VALUES
        (2, 'Анна', 1, 1500, TRUE), (5, 'Борис', 2, 1400, TRUE), (6, 'Аня', 1, 1300, FALSE),
        (9, 'Вера', 3, 1200, TRUE);
    INSERT INTO keys (rowid, key, person, label, added_ms) VALUES
        (1, randomblob(32), 1, 'ноутбук', 10), (4, randomblob(32), 2, '', 11),
        (5, randomblob(32), 3, 'бот', 12);
    INSERT INTO sanctions VALUES
        (1, 'ban', 'Зло', randomblob(64), NULL, NULL, 5, 'root'),
        (3, 'mute', 'Борис', x'', NULL, 99999, 6, 'Анна'),
        (4, 'ban', NULL, x'', '192.0.2.0/24', NULL, 7, 'root');
    UPDATE rules SET slow_seconds = 30, door = 'invite';
    INSERT INTO audit VALUES (5, 77, 'root', 'ban', 'Зло', ''), (6, 78, 'Анна', 'slow', '30 s', 'тихо');
    INSERT INTO invites (rowid, id, hash, uses, expires_ms, made_by) VALUES
        (1, x'01', randomblob(32), 3, NULL, 'Анна'), (4, x'02', randomblob(32), NULL, 5000, NULL);
"#;

/// A folder of the test's own; gone when dropped.
#[derive(Debug)]
pub(crate) struct Shelf(PathBuf);

impl Shelf {
    /// Returns a shelf whose folder does not exist yet.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("pychat-moving-{}-{number}", std::process::id())))
    }

    /// Returns one with a log that has no messages.
    pub(crate) fn begun() -> Self {
        let shelf = Self::new();
        drop(shelf.open_as(0xab));
        shelf
    }

    /// Returns one with some of everything.
    pub(crate) fn filled() -> Self {
        let shelf = Self::begun();
        shelf.change(EVERYTHING);
        shelf
    }

    /// Returns one with so many messages, without an index of them.
    pub(crate) fn long(n_messages: usize) -> Self {
        let shelf = Self::begun();
        shelf.change(&format!(
            "INSERT INTO records (key, time_ms, author, content, id, person, begin_bytes, kind)
                WITH RECURSIVE numbers (n) AS
                    (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {n_messages})
                SELECT n, 1700000000000 + n, 'Анна', 'сообщение номер ' || n ||
                    ' о погоде, обеде и прочем, как бывает в чате; и ещё немного слов для длины',
                    'id' || n, 1, 200 * n, 0 FROM numbers;
            INSERT INTO people VALUES (1, FALSE, FALSE);"
        ));
        shelf
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("log.sqlite")
    }

    /// Returns it as the program is told of it.
    pub(crate) fn place(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    /// Opens the log as a server does, with another name where it needs one.
    pub(crate) fn open(&self) -> SqliteStore {
        self.open_as(0xcd)
    }

    fn open_as(&self, new_epoch: u128) -> SqliteStore {
        let (directory, durability) = (self.0.clone(), Durability::Process);
        let place = Place { directory, durability, program: None };
        SqliteStore::open(&place, Retention::default(), new_epoch).unwrap()
    }

    /// Changes the file as a server might.
    #[track_caller]
    pub(crate) fn change(&self, sql: &str) {
        Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
    }

    /// Returns the name of the log.
    pub(crate) fn epoch(&self) -> String {
        let connection = Connection::open(self.file()).unwrap();
        connection.query_row("SELECT epoch FROM meta", [], |row| row.get(0)).unwrap()
    }

    /// Returns the rows of all tables, a line each. The time of the last record that was forgotten is
    /// left out where others are kept, and how far the index is.
    pub(crate) fn rows(&self) -> String {
        let connection = Connection::open(self.file()).unwrap();
        let mut rows = String::new();
        for table in &TABLES {
            let sql = match table.name {
                "logs" => "SELECT room, trimmed_seq, iif(EXISTS (SELECT 1 FROM records \
                    WHERE key >> 40 = room), 0, trimmed_ms) FROM logs ORDER BY 1"
                    .to_owned(),
                "marks" => "SELECT * FROM marks ORDER BY 1, 2".to_owned(),
                name => format!("SELECT rowid, * FROM {name} ORDER BY rowid"),
            };
            let mut select = connection.prepare(&sql).unwrap();
            let n_columns = select.column_count();
            let mut found = select.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                let values = (0..n_columns).map(|it| row.get::<_, Value>(it).unwrap());
                let values: Vec<_> = values.collect();
                writeln!(rows, "{}: {values:?}", table.name).unwrap();
            }
        }
        rows
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // Not there, if nothing was kept.
    }
}

/// Runs a subcommand.
pub(crate) fn run(words: &[&str]) -> Output {
    program().args(words).stdout(Stdio::piped()).output().unwrap()
}

/// Runs one that does it; returns its last words.
#[track_caller]
pub(crate) fn done(words: &[&str]) -> String {
    let Output { status, stderr, .. } = run(words);
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), stderr.lines().count()), (Some(0), 1), "{words:?}: {stderr}");
    stderr.trim_end().to_owned()
}

/// Runs one that does not, and ends with `code`; returns the reason.
#[track_caller]
pub(crate) fn refused(code: i32, words: &[&str]) -> String {
    let Output { status, stderr, .. } = run(words);
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), stderr.lines().count()), (Some(code), 1), "{words:?}: {stderr}");
    stderr.trim_end().trim_start_matches("pychat-server: ").to_owned()
}
