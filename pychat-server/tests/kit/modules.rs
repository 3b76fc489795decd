//! The modules that a source names, for the tests of who may know whom.

use std::collections::BTreeSet;

/// Returns the modules of this crate that `code` names: those after `crate::`, alone or in a list.
pub(crate) fn modules_known(code: &str) -> BTreeSet<String> {
    let is_word = |it: char| it.is_ascii_lowercase() || it == '_';
    let word = |text: &str| text.chars().take_while(|it| is_word(*it)).collect::<String>();
    let mut modules = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            modules.insert(word(rest));
            continue;
        };
        let (mut depth, mut begins) = (0_usize, true);
        for (at, it) in list.char_indices() {
            match it {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                it if begins && is_word(it) => {
                    modules.insert(word(&list[at..]));
                    begins = false;
                }
                _ => (),
            }
        }
    }
    modules
}
