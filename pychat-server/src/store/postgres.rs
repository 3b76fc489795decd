//! A log in PostgreSQL.

mod commit;
mod config;
mod connection;
mod dump;
mod elsewhere;
mod encoding;
mod error;
mod event;
mod forgetting;
mod history;
mod journal;
mod link;
mod listener;
mod loading;
mod opening;
mod people;
mod picture;
mod pipeline;
mod process;
mod records;
mod rooms;
mod routes;
mod row;
mod schema;
mod search;
mod session;
mod sharing;
mod startup;
mod statement;
mod store;
mod stream;
mod sweeper;
mod tls;
mod turns;
mod typing;
mod uri;
mod value;

pub use self::{
    config::{Config, Host, TlsMode},
    connection::{ANSWER_TIMEOUT, Connection},
    dump::{Patience, Reading, Writing},
    error::{ConnectionError, DatabaseError, Unavailable},
    event::Event,
    routes::{RouteError, Routes},
    row::{Column, ColumnError, Row},
    sharing::{LEASE, Sharing},
    store::PostgresStore,
    uri::UriError,
    value::Value,
};

/// Returns the statements that make the schema.
#[cfg(test)]
pub(super) fn schema_statements() -> impl Iterator<Item = &'static str> {
    let made = schema::MIGRATIONS.iter().flat_map(|statements| statements.iter().copied());
    made.chain([schema::CREATE_VERSION])
}
