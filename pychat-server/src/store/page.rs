//! The extent of one page of history.

/// Returns the first number of the longest run of the `newest` messages, given with the sizes of their
/// texts, the newest first, that has at most `bytes_max` bytes, but one message at least; `before` if
/// there is none.
pub(super) fn run_start<E>(
    before: u64,
    bytes_max: usize,
    newest: impl IntoIterator<Item = Result<(u64, usize), E>>,
) -> Result<u64, E> {
    let (mut start, mut total) = (before, 0_usize);
    for message in newest {
        let (seq, bytes) = message?;
        total = total.saturating_add(bytes);
        if bytes_max < total && start != before {
            break;
        }
        start = seq;
    }
    Ok(start)
}
