//! Separators: the terms by which the index of words finds the page that has a term.
//!
//! FTS5 makes one of the first term of each of its pages, and keeps it as it is when that term is taken
//! out, even under its `secure-delete`. So each page that was written is looked at, and where its first
//! term does not begin with its separator any more, that term takes the separator's place: terms that
//! were before it are gone, and all others are where they are looked for.

use rusqlite::{Connection, OptionalExtension, params};

/// The table of the index's pages.
pub(super) const PAGES: &str = "search_data";
const SELECT_PAGE: &str = "SELECT block FROM search_data WHERE id = ?1";
const SELECT_PAGES: &str = "SELECT id FROM search_data WHERE ?1 <= id ORDER BY id LIMIT ?2";
const SELECT_SEPARATOR: &str = "SELECT term, pgno FROM search_idx WHERE segid = ?1 AND term <= ?2 \
    ORDER BY term DESC LIMIT 1";
const UPDATE_SEPARATOR: &str = "UPDATE search_idx SET term = ?3 WHERE segid = ?1 AND term = ?2";

/// The bits of an id of a page that are its number, and those before the number of its segment.
const NUMBER_BITS: u32 = 31;
const SEGMENT_SHIFT: u32 = 37;

/// Returns true if the page with this id has terms.
pub(super) fn has_terms(id: i64) -> bool {
    0 < id >> SEGMENT_SHIFT && id & ((1 << SEGMENT_SHIFT) - 1) < 1 << NUMBER_BITS
}

/// Returns the ids of `count` pages, from one on.
pub(super) fn pages(connection: &Connection, from: i64, count: u32) -> rusqlite::Result<Vec<i64>> {
    let mut select = connection.prepare_cached(SELECT_PAGES)?;
    select.query_map(params![from, count], |row| row.get(0))?.collect()
}

/// Sees to it that the separator of a page is a part of its first term, if it has both.
pub(super) fn renew(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    let (segment, number) = (id >> SEGMENT_SHIFT, id & ((1 << NUMBER_BITS) - 1));
    let mut select = connection.prepare_cached(SELECT_PAGE)?;
    let term = select
        .query_row([id], |row| Ok(first_term(row.get_ref(0)?.as_blob()?).map(<[u8]>::to_vec)));
    let Some(term) = term.optional()?.flatten() else { return Ok(()) };
    let mut select = connection.prepare_cached(SELECT_SEPARATOR)?;
    let separator = select.query_row(params![segment, term], |row| {
        let (separator, page) = (row.get_ref(0)?.as_blob()?, row.get::<_, i64>(1)? >> 1);
        let is_old = page == number && !term.starts_with(separator);
        Ok(is_old.then(|| separator.to_owned()))
    });
    if let Some(old) = separator.optional()?.flatten() {
        connection.prepare_cached(UPDATE_SEPARATOR)?.execute(params![segment, old, term])?;
    }
    Ok(())
}

/// Returns the first term of a page: the only one that is there as a whole.
fn first_term(page: &[u8]) -> Option<&[u8]> {
    let end = usize::from(u16::from_be_bytes(page.get(2..4)?.try_into().ok()?));
    let (begin, _) = varint(page, end)?;
    let (length, begin) = varint(page, begin)?;
    page.get(begin..begin + length)
}

/// Returns the number at a place, seven bits a byte, and the place behind it.
fn varint(bytes: &[u8], mut place: usize) -> Option<(usize, usize)> {
    let mut number = 0;
    loop {
        let byte = *bytes.get(place)?;
        (number, place) = (number << 7 | usize::from(byte & 0x7f), place + 1);
        if byte < 0x80 {
            return Some((number, place));
        }
        if 1 << 24 <= number {
            return None; // Of a page there is no such number.
        }
    }
}
