//! The limits of the server in a world, and what counts against them.

use pychat_server::{
    core::{
        chat::Rules, people::People, rate_limit::RateLimit, record::PersonId, rooms::Rooms,
        secret::Secret,
    },
    limits::Limits,
    server::Server,
    store::{Memory, Retention},
};

use crate::kit::{Chance, Line};

/// No request about rooms costs its author more, but for its answer.
pub(super) const REQUEST_COST: usize = 8;

/// Returns about what a text costs its author, and no less.
pub(super) fn cost(bytes: usize) -> usize {
    2 + (bytes >> 10)
}

/// Returns limits of which each is small in some worlds.
pub(super) fn limits(chance: &mut Chance<'_>) -> Limits {
    let rate_limit = [None, RateLimit::new(2, 5), RateLimit::new(5, 50)][chance(3)];
    let (payload_bytes_max, backlog_bytes_max) =
        [(600, 1_000), (1 << 10, 4 << 10), (2 << 10, 16 << 10), (64 << 10, 1 << 20)]
            [[0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3][chance(12)]];
    Limits {
        payload_bytes_max,
        backlog_bytes_max,
        backlog_total_bytes_max: backlog_bytes_max * [1, 1, 2, 1_000][chance(4)],
        connections_max: 4 + chance(10),
        crowd: [2, 100][chance(2)],
        rules: Rules {
            rate_limit,
            connections_per_address_max: [0, 1, 2, 100][chance(4)],
            ..Limits::default().rules
        },
    }
}

/// Returns a server without anybody or anything, to stand where another one was.
pub(super) fn nothing(limits: &Limits) -> Server<Line> {
    let store = Box::new(Memory::new(0, Retention::default()));
    let people = People::new(Secret::new([0; 32]), [], PersonId(0));
    Server::new(*limits, store, people, Rooms::default(), Secret::new([0; 32]))
}
