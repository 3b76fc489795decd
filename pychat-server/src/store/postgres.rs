//! A log in PostgreSQL.

mod config;
mod connection;
mod error;
mod event;
mod opening;
mod pipeline;
mod routes;
mod row;
mod startup;
mod stream;
mod tls;
mod uri;
mod value;

pub use self::{
    config::{Config, Host, TlsMode},
    connection::{ANSWER_TIMEOUT, Connection},
    error::{ConnectionError, DatabaseError, Unavailable},
    event::Event,
    routes::{RouteError, Routes},
    row::{Column, ColumnError, Row},
    uri::UriError,
    value::Value,
};
