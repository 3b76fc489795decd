//! The versions of the schema, and the way from each to the next.

use crate::core::record::StorageError;

/// The schema that has all that is kept; a database may have others beside it.
pub(super) const CREATE_SCHEMA: &str = "CREATE SCHEMA pychat";

/// The row of the number of versions that there were.
pub(super) const CREATE_VERSION: &str = "CREATE TABLE pychat.version (single boolean PRIMARY KEY CHECK (single), version bigint NOT NULL)";
pub(super) const INSERT_VERSION: &str = "INSERT INTO pychat.version VALUES (TRUE, 0)";
pub(super) const HAS_VERSION: &str = "SELECT to_regclass('pychat.version') IS NOT NULL";
pub(super) const HAS_SCHEMA: &str = "SELECT to_regnamespace('pychat') IS NOT NULL";
pub(super) const SELECT_VERSION: &str = "SELECT version FROM pychat.version";
pub(super) const UPDATE_VERSION: &str = "UPDATE pychat.version SET version = $1";

/// The migrations, each a list of statements: it makes a version of the one before it. Only ever add to
/// these: a database says how many of them it has seen.
///
/// Texts that may contain U+0000 are `bytea`, in UTF-8: PostgreSQL's texts cannot.
pub(super) const MIGRATIONS: &[&[&str]] = &[RECORDS_AND_PEOPLE, SEVERAL_SERVERS];

/// Refuses a schema of a later version.
///
/// # Errors
///
/// [`StorageError`] in words for the operator.
pub(super) fn check_version(version: u64) -> Result<(), StorageError> {
    let known = MIGRATIONS.len();
    if version <= known as u64 {
        return Ok(());
    }
    let words =
        format!("the database has version {version}, and this server knows none above {known}");
    Err(StorageError::Other(words))
}

const RECORDS_AND_PEOPLE: &[&str] = &[
    "CREATE TABLE meta (
        single boolean PRIMARY KEY CHECK (single),
        epoch text NOT NULL,
        -- The cluster and its timeline: with another, the end of the log may be missing.
        origin text NOT NULL,
        -- The server that has the log.
        server text NOT NULL
    )",
    // A server process, and the number of the last batch of requests that it had carried out.
    "CREATE TABLE servers (
        server text PRIMARY KEY,
        batch bigint NOT NULL,
        seen timestamptz NOT NULL DEFAULT now()
    )",
    // The newest record of each log, kept or not, and the bytes that all of them took.
    "CREATE TABLE logs (
        room bigint PRIMARY KEY,
        last_seq bigint NOT NULL,
        last_ms bigint NOT NULL,
        last_bytes bigint NOT NULL
    )",
    "CREATE TABLE records (
        room bigint NOT NULL,
        seq bigint NOT NULL,
        time_ms bigint NOT NULL,
        author text NOT NULL,
        content bytea NOT NULL,
        id bytea,
        person bigint,
        -- The bytes that all records of the log before this one took, forgotten ones too.
        begin_bytes bigint NOT NULL,
        -- 0 is a message; up to 63 are events, whose subject is the content; others are amendments.
        kind bigint NOT NULL,
        -- The number of the message in its log that a record answers or amends.
        target bigint,
        -- The state of a message: its last edit, if its words are there (0), erased (1) or put aside by
        -- an operator (2), with those and when that was, and a list of person, emoji and name for each
        -- reaction.
        edit_seq bigint,
        edited_ms bigint,
        words bigint NOT NULL DEFAULT 0,
        removed bytea,
        removed_ms bigint,
        reactions text,
        -- A number over all rooms, in the order in which they were said, and the terms of the words.
        doc bigint GENERATED ALWAYS AS IDENTITY,
        terms tsvector,
        PRIMARY KEY (room, seq)
    )",
    "CREATE UNIQUE INDEX records_by_id ON records (person, id) WHERE id IS NOT NULL",
    "CREATE INDEX records_shown ON records (room, seq) WHERE kind < 64",
    "CREATE INDEX records_removed ON records (removed_ms) WHERE removed_ms IS NOT NULL",
    "CREATE UNIQUE INDEX records_by_doc ON records (doc) WHERE kind = 0",
    "CREATE INDEX records_terms ON records USING gin (terms) WHERE kind = 0",
    "CREATE TABLE rooms (
        id bigint PRIMARY KEY,
        kind text NOT NULL,
        name text NOT NULL,
        topic text NOT NULL,
        maker bigint
    )",
    "CREATE TABLE members (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        room bigint NOT NULL,
        person bigint NOT NULL,
        UNIQUE (room, person)
    )",
    "CREATE INDEX members_by_person ON members (person)",
    // The end of what each person has seen of each room.
    "CREATE TABLE marks (
        person bigint NOT NULL,
        room bigint NOT NULL,
        seq bigint NOT NULL,
        PRIMARY KEY (person, room)
    )",
    "CREATE TABLE people (
        id bigint PRIMARY KEY,
        is_operator boolean NOT NULL,
        is_bot boolean NOT NULL
    )",
    "CREATE TABLE names (
        position bigint GENERATED ALWAYS AS IDENTITY,
        name text PRIMARY KEY,
        person bigint NOT NULL,
        used_ms bigint NOT NULL,
        is_regular boolean NOT NULL
    )",
    "CREATE INDEX names_by_person ON names (person)",
    "CREATE TABLE keys (
        position bigint GENERATED ALWAYS AS IDENTITY,
        key bytea PRIMARY KEY,
        person bigint NOT NULL,
        label text NOT NULL,
        added_ms bigint NOT NULL
    )",
    "CREATE INDEX keys_by_person ON keys (person)",
    // Who is banned or muted: a person by keys, 32 bytes each, a guest by name, or a network.
    "CREATE TABLE sanctions (
        id bigint PRIMARY KEY,
        measure text NOT NULL,
        name text,
        keys bytea NOT NULL,
        network text,
        until_ms bigint,
        since_ms bigint NOT NULL,
        operator text NOT NULL
    )",
    "CREATE TABLE rules (
        single boolean PRIMARY KEY CHECK (single),
        slow_seconds bigint NOT NULL DEFAULT 0,
        door text
    )",
    "INSERT INTO rules (single) VALUES (TRUE)",
    // What operators did.
    "CREATE TABLE audit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        time_ms bigint NOT NULL,
        who text NOT NULL,
        verb text NOT NULL,
        subject text NOT NULL,
        detail text NOT NULL
    )",
    // Invites, by the hashes of their codes; an id is the beginning of a hash.
    "CREATE TABLE invites (
        position bigint GENERATED ALWAYS AS IDENTITY,
        id bytea PRIMARY KEY,
        hash bytea NOT NULL,
        uses bigint,
        expires_ms bigint,
        made_by text
    )",
];

/// All servers carry out one journal in one order.
const SEVERAL_SERVERS: &[&str] = &[
    // What a batch of a server changed, the records in it, and the bytes of all that.
    "CREATE TABLE journal (
        number bigint PRIMARY KEY,
        server bigint NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        bytes bigint NOT NULL,
        rooms bigint[] NOT NULL,
        seqs bigint[] NOT NULL,
        changes bytea NOT NULL
    )",
    "CREATE INDEX journal_by_time ON journal (at)",
    // The largest number that an entry ever had, and that a server ever had.
    "CREATE TABLE journal_end (
        single boolean PRIMARY KEY CHECK (single),
        number bigint NOT NULL,
        servers bigint NOT NULL
    )",
    "INSERT INTO journal_end VALUES (TRUE, 0, 0)",
    // The servers that share the database: when each was heard of last, the version of the schema that it
    // knows, and the entry that it has applied.
    "CREATE TABLE leases (
        id bigint PRIMARY KEY,
        server text NOT NULL UNIQUE,
        name text NOT NULL,
        address text NOT NULL,
        version bigint NOT NULL,
        applied bigint NOT NULL,
        renewed timestamptz NOT NULL DEFAULT clock_timestamp(),
        gone boolean NOT NULL DEFAULT FALSE
    )",
    // Those present on each, with what their names look like.
    "CREATE TABLE present (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        server bigint NOT NULL,
        name text NOT NULL,
        person bigint,
        key bytea,
        look text NOT NULL,
        other_look text NOT NULL,
        UNIQUE (server, name)
    )",
    "CREATE INDEX present_by_look ON present (look)",
    "CREATE INDEX present_by_other_look ON present (other_look)",
];
