//! Code in a text: what stands between backticks.
//!
//! Nothing else of Markdown is interpreted, and nothing is taken out of a text: its backticks are
//! shown as they were written.

use std::{collections::HashMap, ops::Range};

use super::line;

/// How many backticks begin code that may go on for several lines.
const FENCE_SIZE: usize = 3;

/// A piece of code in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Code {
    /// Where it is, with its backticks, in bytes.
    pub range: Range<usize>,
    /// Where it is without them.
    pub inner: Range<usize>,
}

/// Returns the pieces of code in `text`, in order: what is between two runs of equally many
/// backticks, on one line if they are fewer than three.
pub fn code(text: &str) -> Vec<Code> {
    let runs = runs(text);
    let next = next_alike(&runs);
    let mut code = Vec::new();
    let mut n = 0;
    while let Some(begin) = runs.get(n) {
        let end = next[n].and_then(|next| Some((next, runs.get(next)?)));
        let found = end.filter(|(_, end)| {
            let inner = &text[begin.end..end.start];
            let is_block = FENCE_SIZE <= begin.len();
            !inner.trim().is_empty() && (is_block || !inner.contains(line::is_line_end))
        });
        n = match found {
            Some((next, end)) => {
                code.push(Code { range: begin.start..end.end, inner: begin.end..end.start });
                next + 1
            }
            None => n + 1,
        };
    }
    code
}

/// Returns what is to be copied of a piece of code: without the name of its language, and without
/// the lines of its fences.
pub fn source<'a>(text: &'a str, code: &Code) -> &'a str {
    let inner = &text[code.inner.clone()];
    if code.inner.start - code.range.start < FENCE_SIZE {
        return inner;
    }
    let first = line::lines(inner).next().unwrap_or_default();
    let rest = &inner[first.len()..];
    let is_name = !first.trim().contains(char::is_whitespace) && !rest.is_empty();
    let body = if is_name { rest } else { inner };
    let ended = body.strip_prefix("\r\n").or_else(|| body.strip_prefix(line::is_line_end));
    let body = ended.unwrap_or(body);
    let without = body.trim_end_matches([' ', '\t']);
    let ended = without.strip_suffix("\r\n").or_else(|| without.strip_suffix(line::is_line_end));
    ended.unwrap_or(body)
}

/// Returns where there are backticks, as many as stand together.
fn runs(text: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('`') {
        match runs.last_mut().filter(|run| run.end == at) {
            Some(run) => run.end += 1,
            None => runs.push(at..at + 1),
        }
    }
    runs
}

/// Returns, for each of `runs`, which is the next of its size.
fn next_alike(runs: &[Range<usize>]) -> Vec<Option<usize>> {
    let mut seen = HashMap::new();
    let mut next: Vec<_> =
        runs.iter().enumerate().rev().map(|(n, run)| seen.insert(run.len(), n)).collect();
    next.reverse();
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_between_equally_many_backticks() {
        for (text, expected) in [
            ("no code", &[][..]),
            ("see `a b` and `c`", &["a b", "c"]),
            ("`one\nline`", &[]),
            ("```\nfn main() {\n    x\n}\n```", &["fn main() {\n    x\n}"]),
            ("```rust\n  let a;\n``` and `b`", &["  let a;", "b"]),
            ("```\r\n\tx\r\n```", &["\tx"]),
            ("```ls -l```", &["ls -l"]),
            ("```never closed `x`", &["x"]),
            ("``a`b``", &["a`b"]),
            ("`` ` ``", &[" ` "]),
            ("` ` `", &[]),
            ("*bold* > quote # head", &[]),
            ("it`s they`re", &["s they"]),
        ] {
            let found: Vec<_> = code(text).iter().map(|it| source(text, it)).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn many_backticks_are_looked_at_once() {
        let text: String = (1..1_000).map(|size| "`".repeat(size) + "a").collect();
        assert_eq!(code(&text), []);
        assert_eq!(code(&"`a".repeat(100_000)).len(), 50_000);
    }
}
