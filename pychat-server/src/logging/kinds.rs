//! The kinds of things that are logged, by the word in `PYCHAT_EVENT`.
//!
//! Each has an id for good, its `MESSAGE_ID`. By that, `journalctl -x` finds what the catalogs in
//! `data/systemd` say of it, in the reader's language: what it means, and what there is to be done.

/// Each kind's word and id, in the order of the functions that log them.
const KINDS: [(&str, &str); 39] = [
    ("start", "0c1bcd50552d4f2fa7681b9d7e52e942"),
    ("keep", "9be81d2c268740cb8c854b3ab2674201"),
    ("encrypt", "5d0c3d0a6f0f4d5f9b7a7a0d86e1c2f4"),
    ("listen", "28fc43e2d38b4d77a6b7fc68f2d6bda3"),
    ("announce", "5968d8c706c8404f8c3a083ab10080cc"),
    ("listen_ignored", "c6a2b3a1bcc84874bc0fefbb6b32c257"),
    ("listen_skipped", "adefc7704bf843cca8c839a202453d01"),
    ("manager", "c01b4bc490ba4703afc4482db72eff32"),
    ("control", "d9a0c2f6b1e84c1d8a53e0f7c4b2916a"),
    ("inherit", "35b58ad940144b7da3e26462ea7ac123"),
    ("restore_failed", "9ca01dd0b9284662814186d26af004ac"),
    ("restore", "bee81b4866a8405d8a3fa41d90774a7f"),
    ("join", "f44d1c7b3b954bcf93672040ed1e1ed1"),
    ("leave", "9d5373eaf48c4cd7b7432b859770a6fd"),
    ("refuse", "35a0c17cc2f74b82a174809670e000e7"),
    ("descriptors", "ff1c040742da4d948aba8f3118f54cf9"),
    ("turn_away", "3147359547084e7098a7e73f2d9bb538"),
    ("admit", "95704c39fad8432c87a1665b9a4bb5de"),
    ("accept", "6d74636adb9d43f1b16edc7d4e09f70e"),
    ("accept_again", "9a33029e2ceb4fb589b4dd167adf9e26"),
    ("reload", "5690711b12fd4b6da2a8d4b4a5adc5fe"),
    ("reload_refused", "c5057958cc094329b17c1c85ac786c3c"),
    ("restart_needed", "ecba023374674620a7b4707527a64000"),
    ("storage", "596b000d637c44a2b8a9d09b2d4e8e28"),
    ("check", "fc3621de5892476aa733c54b8b159353"),
    ("metrics", "6e1f0f6c0f3c4a0b8d0c5a4de7b92f13"),
    ("metrics_again", "b3c9d2a4517e4f6c9a68e0d1c27f5b84"),
    ("forget", "aac42fc942254786b4fd8f2e6cd8d93f"),
    ("storage_read", "c4aa2743639c4baaaa6793f0d4f5a4c3"),
    ("storage_again", "78a50fe9fdb44ec5a34d4fc929c66128"),
    ("hand_over_failed", "a1791c6df53b4235b5dbe5761b30dfa4"),
    ("lines_missing", "3b82b04aac5641d59caa4da16ce49853"),
    ("lines_left_out", "5f0c3a5e7d1b4c0f9f3f6f0d2d0c8b71"),
    ("hand_over", "7f478c63b23e4bebbfbda2227b9a9607"),
    ("stopping", "669757216b134f289ab5d9f173c9e9fc"),
    ("stop", "167cb45d10554101a43a97ddb59e87cf"),
    ("config", "870aec63c75e455cb8421d1abaef8835"),
    ("variable_unknown", "9192e8aa0ce24d319094301762161087"),
    ("fail", "37ce440e25b04578a2089df9db2d2785"),
];

/// Returns the `MESSAGE_ID` of the kind that `event` stands for.
pub(super) fn message_id(event: &str) -> Option<&'static str> {
    KINDS.into_iter().find_map(|(word, id)| (word == event).then_some(id))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
    };

    use super::*;

    /// The catalogs that explain each kind, one for each language.
    const CATALOGS: [&str; 2] = ["pychat-server.catalog", "pychat-server.ru.catalog"];

    /// Returns the words that the log's functions use.
    fn words() -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        let parts = fs::read_dir("src/logging").unwrap().map(|part| part.unwrap().path());
        for path in
            parts.chain(["src/logging.rs".into()]).filter(|path| !path.ends_with("kinds.rs"))
        {
            let source = fs::read_to_string(path).unwrap();
            for before in ["event = \"", "put_kind(\""] {
                words.extend(source.split(before).skip(1).map(up_to_quote));
            }
        }
        words
    }

    fn up_to_quote(text: &str) -> String {
        text.split('"').next().unwrap().to_owned()
    }

    /// Returns the entries of a catalog: each id with its header and its text.
    fn entries(catalog: &str) -> BTreeMap<String, String> {
        let text = fs::read_to_string(format!("../data/systemd/{catalog}")).unwrap();
        let entries: Vec<_> = text.split("\n-- ").skip(1).collect();
        let by_id: BTreeMap<_, _> = entries
            .iter()
            .map(|entry| entry.split_once('\n').unwrap())
            .map(|(id, entry)| (id.to_owned(), entry.to_owned()))
            .collect();
        assert_eq!(by_id.len(), entries.len(), "{catalog} says something twice");
        by_id
    }

    #[test]
    fn every_kind_has_an_id_of_its_own_and_none_is_stale() {
        assert_eq!(words(), KINDS.iter().map(|(word, _)| (*word).to_owned()).collect());
        let ids: BTreeSet<_> = KINDS.iter().map(|(_, id)| id).collect();
        assert_eq!(ids.len(), KINDS.len());
        for id in ids {
            let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            assert!(id.len() == 32 && id.bytes().all(is_digit), "{id}");
        }
    }

    #[test]
    fn every_kind_is_explained_in_every_language_and_nothing_else_is() {
        let ids: BTreeSet<_> = KINDS.iter().map(|(_, id)| (*id).to_owned()).collect();
        for catalog in CATALOGS {
            let entries = entries(catalog);
            assert_eq!(entries.keys().cloned().collect::<BTreeSet<_>>(), ids, "{catalog}");
            for (id, entry) in entries {
                let (header, text) = entry.split_once("\n\n").expect("a header and a text");
                assert!(header.starts_with("Subject: "), "{catalog}: {id}");
                assert!(header.contains("\nDefined-By: pychat-server"), "{catalog}: {id}");
                assert!(!text.trim().is_empty(), "{catalog}: {id}");
            }
        }
    }

    #[test]
    fn catalogs_speak_of_fields_that_are_there() {
        let fields = ["USER", "PEER", "REASON", "ERROR", "ADDRESS", "VERSION", "PIN"];
        for catalog in CATALOGS {
            for (id, entry) in entries(catalog) {
                for field in entry.split('@').skip(1).step_by(2) {
                    let known =
                        field.strip_prefix("PYCHAT_").is_some_and(|name| fields.contains(&name));
                    assert!(known || field == "MESSAGE", "{catalog}: {id}: @{field}@");
                }
            }
        }
    }
}
