//! The versions of the file, and the way from each to the next.

use rusqlite::Connection;

/// The mark of this program's files, where SQLite's format has a place for one.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"pych");

/// The migrations: each makes a version of the file of the one before it. Only ever add to these: a
/// file says how many of them it has seen.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE meta (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        epoch TEXT NOT NULL,
        -- The last message that was forgotten: numbers and times go on from there.
        trimmed_seq INTEGER NOT NULL,
        trimmed_ms INTEGER NOT NULL,
        -- Since which start of the machine the log has not waited for the disk; none if it has.
        unsynced_boot TEXT
    ) STRICT;
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        author TEXT NOT NULL,
        content TEXT NOT NULL,
        id TEXT
    ) STRICT;
    CREATE UNIQUE INDEX messages_by_id ON messages (author, id) WHERE id IS NOT NULL;
    CREATE TABLE tokens (
        use INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        hash BLOB NOT NULL
    ) STRICT;
",
    "
    -- Where a text ends in what a connection carried that may outlive the server's process.
    ALTER TABLE messages ADD COLUMN peer INTEGER;
    ALTER TABLE messages ADD COLUMN position INTEGER;
",
    "
    ALTER TABLE messages DROP COLUMN peer;
    ALTER TABLE messages DROP COLUMN position;
",
    "
    -- Whose the name of the author was, where that was proved.
    ALTER TABLE messages ADD COLUMN owner INTEGER;
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        token BLOB NOT NULL,
        used_ms INTEGER NOT NULL,
        is_regular INTEGER NOT NULL
    ) STRICT;
    INSERT INTO owners SELECT use, name, hash, 1000 * unixepoch(), FALSE FROM tokens;
    UPDATE messages SET owner = (SELECT owners.id FROM owners WHERE name = author)
        WHERE id IS NOT NULL;
    DROP TABLE tokens;
    DROP INDEX messages_by_id;
    CREATE UNIQUE INDEX messages_by_id ON messages (owner, id) WHERE id IS NOT NULL;
",
    "
    -- How many bytes all messages before this one took, forgotten ones too.
    ALTER TABLE messages ADD COLUMN begin_bytes INTEGER NOT NULL DEFAULT 0;
    UPDATE messages SET begin_bytes = before.bytes FROM (
        SELECT seq, sum(octet_length(content) + 100) OVER (ORDER BY seq)
            - octet_length(content) - 100 AS bytes FROM messages
    ) AS before WHERE messages.seq = before.seq;
",
    "
    -- A server has it open, or did not close it.
    ALTER TABLE meta ADD COLUMN is_open INTEGER NOT NULL DEFAULT FALSE;
",
    "
    -- People prove who they are by the keys of their devices, and may own several names. Who had a
    -- token has no key yet: their name stays reserved until name-days are over, or an operator frees
    -- it. Numbers of people go on from the largest there ever was.
    CREATE TABLE people (id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE names (
        name TEXT PRIMARY KEY,
        person INTEGER NOT NULL,
        used_ms INTEGER NOT NULL,
        is_regular INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX names_by_person ON names (person);
    CREATE TABLE keys (
        key BLOB PRIMARY KEY,
        person INTEGER NOT NULL,
        label TEXT NOT NULL,
        added_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX keys_by_person ON keys (person);
    INSERT INTO people SELECT id FROM owners;
    INSERT INTO names SELECT name, id, used_ms, is_regular FROM owners;
    DROP TABLE owners;
    ALTER TABLE messages RENAME COLUMN owner TO person;
",
    "
    ALTER TABLE people ADD COLUMN is_operator INTEGER NOT NULL DEFAULT FALSE;
",
    "
    -- Who is banned or muted: a person by keys, 32 bytes each, a guest by name, or a network.
    CREATE TABLE sanctions (
        id INTEGER PRIMARY KEY,
        measure TEXT NOT NULL,
        name TEXT,
        keys BLOB NOT NULL,
        network TEXT,
        until_ms INTEGER,
        since_ms INTEGER NOT NULL,
        operator TEXT NOT NULL
    ) STRICT;
    CREATE TABLE rules (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        slow_seconds INTEGER NOT NULL DEFAULT 0,
        door TEXT
    ) STRICT;
    INSERT INTO rules (only) VALUES (1);
    -- What operators did.
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        verb TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
",
    "
    -- Invites, by the hashes of their codes; an id is the beginning of a hash.
    CREATE TABLE invites (
        id BLOB PRIMARY KEY,
        hash BLOB NOT NULL,
        uses INTEGER,
        expires_ms INTEGER,
        made_by TEXT
    ) STRICT;
",
    "
    -- Every room has a log of its own. The key of a record is the number of its room, then its own
    -- in 40 bits; the hall is room 0. The messages of before are the hall's, under the keys they have.
    ALTER TABLE messages RENAME TO records;
    ALTER TABLE records RENAME COLUMN seq TO key;
    -- 0 is a message; others are events, whose subject is the content.
    ALTER TABLE records ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
    -- The last record of each log that was forgotten: numbers and times go on from there.
    CREATE TABLE logs (
        room INTEGER PRIMARY KEY,
        trimmed_seq INTEGER NOT NULL,
        trimmed_ms INTEGER NOT NULL
    ) STRICT;
    INSERT INTO logs SELECT 0, max(trimmed_seq), trimmed_ms FROM
        (SELECT trimmed_seq, trimmed_ms FROM meta UNION ALL SELECT 0, 0);
    CREATE TABLE meta_of_all (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        epoch TEXT NOT NULL,
        -- Since which start of the machine the logs have not waited for the disk; none if they have.
        unsynced_boot TEXT,
        -- A server has it open, or did not close it.
        is_open INTEGER NOT NULL DEFAULT FALSE
    ) STRICT;
    INSERT INTO meta_of_all SELECT only, epoch, unsynced_boot, is_open FROM meta;
    DROP TABLE meta;
    ALTER TABLE meta_of_all RENAME TO meta;
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        topic TEXT NOT NULL,
        maker INTEGER
    ) STRICT;
    CREATE TABLE members (
        position INTEGER PRIMARY KEY,
        room INTEGER NOT NULL,
        person INTEGER NOT NULL,
        UNIQUE (room, person)
    ) STRICT;
    CREATE INDEX members_by_person ON members (person);
    -- The end of what each person has seen of each room.
    CREATE TABLE marks (
        person INTEGER NOT NULL,
        room INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (person, room)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- The number of the message in its log that a record answers or amends.
    ALTER TABLE records ADD COLUMN target INTEGER;
    -- The state of a message: its last edit, if its words are there (0), erased (1) or put aside by an
    -- operator (2), with those and when that was, and a list of person, emoji and name for each
    -- reaction.
    ALTER TABLE records ADD COLUMN edit_seq INTEGER;
    ALTER TABLE records ADD COLUMN edited_ms INTEGER;
    ALTER TABLE records ADD COLUMN words INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE records ADD COLUMN removed TEXT;
    ALTER TABLE records ADD COLUMN removed_ms INTEGER;
    ALTER TABLE records ADD COLUMN reactions TEXT;
    -- Records of kind 64 and more are amendments, which pages leave out, however many there are.
    CREATE INDEX records_shown ON records (key) WHERE kind < 64;
    CREATE INDEX records_removed ON records (removed_ms) WHERE removed_ms IS NOT NULL;
",
    "
    ALTER TABLE people ADD COLUMN is_bot INTEGER NOT NULL DEFAULT FALSE;
",
    "
    -- The index of words. A document is a message; they are numbered as they were taken in, which is as
    -- they were said. The index keeps no texts: terms are made of them by this program.
    CREATE TABLE search_docs (
        doc INTEGER PRIMARY KEY,
        record INTEGER NOT NULL UNIQUE
    ) STRICT;
    CREATE VIRTUAL TABLE search USING fts5 (
        terms, content = '', detail = none, columnsize = 0, tokenize = 'ascii'
    );
    -- What is deleted is gone from the index, too; it is merged by small steps alone.
    INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
    INSERT INTO search (search, rank) VALUES ('automerge', 0);
    INSERT INTO search (search, rank) VALUES ('crisismerge', 1000);
    -- The terms of messages that are kept no more, until they are taken out of the index.
    CREATE TABLE search_forgotten (doc INTEGER PRIMARY KEY, terms TEXT NOT NULL) STRICT;
    -- The last record of each log that the index has.
    ALTER TABLE logs ADD COLUMN indexed_seq INTEGER NOT NULL DEFAULT 0;
",
    "
    -- Earlier versions left copies of rows in the unused bytes of pages: all of them are looked at, as
    -- after an end that was not in order.
    UPDATE meta SET is_open = TRUE;
",
];

/// Does what is missing of `migrations`, each as a whole or not at all.
pub(super) fn migrate(connection: &Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let seen: usize = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (version, migration) in (1..).zip(migrations).skip(seen) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
