//! The tables whose rows are copied, as either engine has them.
//!
//! A column that only one of them has is the last: the other leaves out what it has no parameter for.

use crate::store::MESSAGE_BYTES;

/// A table whose rows are copied.
#[derive(Debug)]
pub struct Table {
    /// Its name, which is the same in both engines.
    pub name: &'static str,
    /// It is that of the records.
    pub has_records: bool,
    pub(in crate::store) kinds: &'static [Kind],
    pub(in crate::store) sqlite: Sql,
    pub(in crate::store) postgres: Sql,
}

/// The statements that read all rows of a table and add one.
#[derive(Debug)]
pub(in crate::store) struct Sql {
    pub(in crate::store) select: &'static str,
    pub(in crate::store) insert: &'static str,
}

/// The type of a column, in SQLite and in PostgreSQL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Kind {
    /// `INTEGER` and `bigint`.
    Int,
    /// `INTEGER` and `boolean`.
    Flag,
    /// `TEXT` and `text`.
    Text,
    /// A text in which U+0000 may be: `TEXT`, and `bytea` in UTF-8.
    Words,
    /// `BLOB` and `bytea`.
    Bytes,
}

use Kind::{Bytes, Flag, Int, Text, Words};

/// The tables, in the order in which they are copied: SQLite needs the records of a log for its ends.
pub static TABLES: [Table; 12] = [
    Table {
        name: "records",
        has_records: true,
        kinds: &[
            Int, Int, Int, Text, Words, Words, Int, Int, Int, Int, Int, Int, Int, Words, Int, Text,
            Int,
        ],
        sqlite: Sql {
            select: "SELECT key >> 40, key & 1099511627775, time_ms, author, content, id, person, \
                begin_bytes, kind, target, edit_seq, edited_ms, words, removed, removed_ms, reactions, \
                CASE kind WHEN 0 THEN coalesce((SELECT doc FROM search_docs WHERE record = key), \
                    (SELECT doc FROM temp.unindexed WHERE record = key)) ELSE 0 END \
                FROM records ORDER BY key",
            insert: "INSERT INTO records (key, time_ms, author, content, id, person, begin_bytes, \
                kind, target, edit_seq, edited_ms, words, removed, removed_ms, reactions) \
                VALUES ((?1 << 40) + ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        },
        postgres: Sql {
            select: "SELECT room, seq, time_ms, author, content, id, person, begin_bytes, kind, \
                target, edit_seq, edited_ms, words, removed, removed_ms, reactions, doc \
                FROM records ORDER BY room, seq",
            // The last parameter is made of the words: the terms.
            insert: "INSERT INTO records (room, seq, time_ms, author, content, id, person, \
                begin_bytes, kind, target, edit_seq, edited_ms, words, removed, removed_ms, reactions, \
                doc, terms) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
                $11, $12, $13, $14, $15, $16, $17, array_to_tsvector(string_to_array($18, ' ')))",
        },
    },
    Table {
        name: "logs",
        has_records: false,
        kinds: &[Int, Int, Int, Int],
        sqlite: Sql {
            select: "SELECT room, max(trimmed_seq, coalesce(key & 1099511627775, 0)), \
                max(trimmed_ms, coalesce(time_ms, 0)), \
                coalesce(begin_bytes + octet_length(content) + 100, 0) \
                FROM logs LEFT JOIN records ON key = (SELECT max(newest.key) FROM records AS newest \
                    WHERE newest.key BETWEEN room << 40 AND (room + 1 << 40) - 1) ORDER BY room",
            // The last record that was forgotten is the one before the first that is kept.
            insert: "INSERT OR REPLACE INTO logs (room, trimmed_seq, trimmed_ms, indexed_seq) \
                SELECT ?1, coalesce(first - 1, ?2), iif(first IS NULL, ?3, 0), 0 FROM \
                    (SELECT min(key) - (?1 << 40) AS first FROM records \
                    WHERE key BETWEEN ?1 << 40 AND (?1 + 1 << 40) - 1)",
        },
        postgres: Sql {
            select: "SELECT room, last_seq, last_ms, last_bytes FROM logs ORDER BY room",
            insert: "INSERT INTO logs (room, last_seq, last_ms, last_bytes) VALUES ($1, $2, $3, $4)",
        },
    },
    Table {
        name: "rooms",
        has_records: false,
        kinds: &[Int, Text, Text, Text, Int],
        sqlite: Sql {
            select: "SELECT id, kind, name, topic, maker FROM rooms ORDER BY id",
            insert: "INSERT INTO rooms (id, kind, name, topic, maker) VALUES (?1, ?2, ?3, ?4, ?5)",
        },
        postgres: Sql {
            select: "SELECT id, kind, name, topic, maker FROM rooms ORDER BY id",
            insert: "INSERT INTO rooms (id, kind, name, topic, maker) VALUES ($1, $2, $3, $4, $5)",
        },
    },
    Table {
        name: "members",
        has_records: false,
        kinds: &[Int, Int, Int],
        sqlite: Sql {
            select: "SELECT position, room, person FROM members ORDER BY position",
            insert: "INSERT INTO members (position, room, person) VALUES (?1, ?2, ?3)",
        },
        postgres: Sql {
            select: "SELECT position, room, person FROM members ORDER BY position",
            insert: "INSERT INTO members (position, room, person) OVERRIDING SYSTEM VALUE \
                VALUES ($1, $2, $3)",
        },
    },
    Table {
        name: "marks",
        has_records: false,
        kinds: &[Int, Int, Int],
        sqlite: Sql {
            select: "SELECT person, room, seq FROM marks ORDER BY person, room",
            insert: "INSERT INTO marks (person, room, seq) VALUES (?1, ?2, ?3)",
        },
        postgres: Sql {
            select: "SELECT person, room, seq FROM marks ORDER BY person, room",
            insert: "INSERT INTO marks (person, room, seq) VALUES ($1, $2, $3)",
        },
    },
    Table {
        name: "people",
        has_records: false,
        kinds: &[Int, Flag, Flag],
        sqlite: Sql {
            select: "SELECT id, is_operator, is_bot FROM people ORDER BY id",
            insert: "INSERT INTO people (id, is_operator, is_bot) VALUES (?1, ?2, ?3)",
        },
        postgres: Sql {
            select: "SELECT id, is_operator, is_bot FROM people ORDER BY id",
            insert: "INSERT INTO people (id, is_operator, is_bot) VALUES ($1, $2, $3)",
        },
    },
    Table {
        name: "names",
        has_records: false,
        kinds: &[Int, Text, Int, Int, Flag],
        sqlite: Sql {
            select: "SELECT rowid, name, person, used_ms, is_regular FROM names ORDER BY rowid",
            insert: "INSERT INTO names (rowid, name, person, used_ms, is_regular) \
                VALUES (?1, ?2, ?3, ?4, ?5)",
        },
        postgres: Sql {
            select: "SELECT position, name, person, used_ms, is_regular FROM names ORDER BY position",
            insert: "INSERT INTO names (position, name, person, used_ms, is_regular) \
                OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5)",
        },
    },
    Table {
        name: "keys",
        has_records: false,
        kinds: &[Int, Bytes, Int, Text, Int],
        sqlite: Sql {
            select: "SELECT rowid, key, person, label, added_ms FROM keys ORDER BY rowid",
            insert: "INSERT INTO keys (rowid, key, person, label, added_ms) \
                VALUES (?1, ?2, ?3, ?4, ?5)",
        },
        postgres: Sql {
            select: "SELECT position, key, person, label, added_ms FROM keys ORDER BY position",
            insert: "INSERT INTO keys (position, key, person, label, added_ms) \
                OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5)",
        },
    },
    Table {
        name: "sanctions",
        has_records: false,
        kinds: &[Int, Text, Text, Bytes, Text, Int, Int, Text],
        sqlite: Sql {
            select: "SELECT id, measure, name, keys, network, until_ms, since_ms, operator \
                FROM sanctions ORDER BY id",
            insert: "INSERT INTO sanctions (id, measure, name, keys, network, until_ms, since_ms, \
                operator) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        },
        postgres: Sql {
            select: "SELECT id, measure, name, keys, network, until_ms, since_ms, operator \
                FROM sanctions ORDER BY id",
            insert: "INSERT INTO sanctions (id, measure, name, keys, network, until_ms, since_ms, \
                operator) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        },
    },
    Table {
        name: "rules",
        has_records: false,
        kinds: &[Int, Text],
        sqlite: Sql {
            select: "SELECT slow_seconds, door FROM rules",
            insert: "INSERT OR REPLACE INTO rules (only, slow_seconds, door) VALUES (1, ?1, ?2)",
        },
        postgres: Sql {
            select: "SELECT slow_seconds, door FROM rules",
            insert: "INSERT INTO rules (single, slow_seconds, door) VALUES (TRUE, $1, $2) \
                ON CONFLICT (single) DO UPDATE SET slow_seconds = excluded.slow_seconds, \
                door = excluded.door",
        },
    },
    Table {
        name: "audit",
        has_records: false,
        kinds: &[Int, Int, Text, Text, Text, Text],
        sqlite: Sql {
            select: "SELECT id, time_ms, who, verb, subject, detail FROM audit ORDER BY id",
            insert: "INSERT INTO audit (id, time_ms, who, verb, subject, detail) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        },
        postgres: Sql {
            select: "SELECT id, time_ms, who, verb, subject, detail FROM audit ORDER BY id",
            insert: "INSERT INTO audit (id, time_ms, who, verb, subject, detail) \
                OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6)",
        },
    },
    Table {
        name: "invites",
        has_records: false,
        kinds: &[Int, Bytes, Bytes, Int, Int, Text],
        sqlite: Sql {
            select: "SELECT rowid, id, hash, uses, expires_ms, made_by FROM invites ORDER BY rowid",
            insert: "INSERT INTO invites (rowid, id, hash, uses, expires_ms, made_by) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        },
        postgres: Sql {
            select: "SELECT position, id, hash, uses, expires_ms, made_by FROM invites \
                ORDER BY position",
            insert: "INSERT INTO invites (position, id, hash, uses, expires_ms, made_by) \
                OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6)",
        },
    },
];

const _: () = assert!(MESSAGE_BYTES == 100, "the bytes that the ends of a log in SQLite count");

#[cfg(test)]
mod tests;
