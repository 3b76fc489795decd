//! Skipping: tests, and parts of them, that cannot be tried on every machine.

use std::{
    env,
    fs::OpenOptions,
    io::{self, Write},
};

/// Says that something is not tried, for this machine lacks what it takes: at once, and again in the
/// last lines of `make check`, which names the file for that in `SKIPPED`.
pub(crate) fn skip(what: &str) {
    eprintln!("skipped: {what}");
    if let Some(path) = env::var_os("SKIPPED") {
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        writeln!(file, "{what}").unwrap();
    }
}

/// Returns true if this machine has an address or a protocol, by how it went to bind a socket to it.
///
/// # Panics
///
/// It failed for another reason than that.
pub(crate) fn has_address<T>(bound: io::Result<T>) -> bool {
    match bound {
        Ok(_) => true,
        Err(error) => {
            let lacks = [libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL].map(Some);
            assert!(lacks.contains(&error.raw_os_error()), "{error}");
            false
        }
    }
}
