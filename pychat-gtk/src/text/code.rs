//! Code in a text: what stands between backticks.
//!
//! Nothing else of Markdown is interpreted, and nothing is taken out of a text: its backticks are
//! there to be selected and copied.

use std::{collections::HashMap, ops::Range};

use super::line;

/// The number of backticks that begin code which may go on for several lines.
const FENCE_SIZE: usize = 3;

/// A piece of code in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Code {
    /// Where it is, with its backticks, in bytes.
    pub range: Range<usize>,
    /// Where it is without them.
    pub inner: Range<usize>,
    /// True if it is fenced, and has its lines for itself or goes over several.
    pub is_block: bool,
}

/// Returns the pieces of code in `text`, in order: what is between two runs of equally many
/// backticks, on one line if they are fewer than three. A fence that begins a line and is never
/// closed goes to the end of the text.
pub fn code(text: &str) -> Vec<Code> {
    let runs = runs(text);
    let next = next_alike(&runs);
    let mut code = Vec::new();
    let mut n = 0;
    while let Some(begin) = runs.get(n) {
        let end = next[n].and_then(|next| Some((next, runs.get(next)?)));
        let found = end.filter(|(_, end)| {
            let inner = &text[begin.end..end.start];
            let is_fenced = FENCE_SIZE <= begin.len();
            !inner.trim().is_empty() && (is_fenced || !inner.contains(line::is_line_end))
        });
        n = match found {
            Some((next, end)) => {
                code.push(piece(text, begin, end));
                next + 1
            }
            None if end.is_none() && is_open_fence(text, begin) => {
                code.push(piece(text, begin, &(text.len()..text.len())));
                runs.len()
            }
            None => n + 1,
        };
    }
    code
}

/// Returns the code between two runs of backticks.
fn piece(text: &str, begin: &Range<usize>, end: &Range<usize>) -> Code {
    let (range, inner) = (begin.start..end.end, begin.end..end.start);
    let is_alone =
        || begins_line(text, range.start) && first_line(&text[range.end..]).trim().is_empty();
    let is_block = FENCE_SIZE <= begin.len()
        && (text[inner.clone()].contains(line::is_line_end) || is_alone());
    Code { range, inner, is_block }
}

/// Returns true for a fence with lines below, and nothing beside it but the name of a language.
fn is_open_fence(text: &str, fence: &Range<usize>) -> bool {
    let rest = &text[fence.end..];
    let first = first_line(rest);
    FENCE_SIZE <= fence.len()
        && begins_line(text, fence.start)
        && is_language(first)
        && !rest[first.len()..].trim().is_empty()
}

/// Returns true if there is nothing but blanks between the begin of the line and `at`.
fn begins_line(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t']);
    before.is_empty() || before.ends_with(line::is_line_end)
}

fn first_line(text: &str) -> &str {
    &text[..text.find(line::is_line_end).unwrap_or(text.len())]
}

/// Returns true for what may stand beside the fence that begins code: the name of its language.
fn is_language(beside: &str) -> bool {
    !beside.trim().contains(char::is_whitespace)
}

/// Returns what is to be copied of a piece of code: without the name of its language, and without
/// the lines of its fences.
pub fn source<'a>(text: &'a str, code: &Code) -> &'a str {
    let inner = &text[code.inner.clone()];
    if code.inner.start - code.range.start < FENCE_SIZE {
        return inner;
    }
    let first = first_line(inner);
    let rest = &inner[first.len()..];
    let is_named = begins_line(text, code.range.start) && is_language(first) && !rest.is_empty();
    let body = if is_named { rest } else { inner };
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
            ("so:\n```sh\nls\n  `x`\n", &["ls\n  `x`"]),
            ("``` \n", &[]),
            ("run ```make\nall``` now", &["make\nall"]),
            ("no ```fence\nhere", &[]),
            ("```\n\tif a:\n\t\tb\n```", &["\tif a:\n\t\tb"]),
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
    fn fenced_code_with_lines_of_its_own_is_a_block() {
        for (text, expected) in [
            ("```\na\n```", &[true][..]),
            ("see ```a``` and `b`", &[false, false]),
            ("run:\n  ```a``` \nthen", &[true]),
            ("run ```\na\n``` then", &[true]),
            ("```sh\na", &[true]),
        ] {
            let found: Vec<_> = code(text).iter().map(|it| it.is_block).collect();
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
