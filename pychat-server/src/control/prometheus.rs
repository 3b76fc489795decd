//! The state of the server in Prometheus' text format, version 0.0.4, as the textfile collector of
//! `node_exporter` reads it. No label has a name of a person or of a room.

use std::fmt::Write;

use super::Stats;

/// Returns the state of a server as metrics.
pub fn prometheus(stats: &Stats) -> String {
    let Stats { version, uptime_seconds, people, connections, owed_bytes, last_message, .. } =
        stats;
    let Stats { rooms, stored_records, is_storage_failing, .. } = stats;
    let mut text = String::new();
    let mut put = |name: &str, kind: &str, help: &str, labels: &str, value: u64| {
        // A String takes it all.
        let _ =
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{labels} {value}");
    };
    let version = version.replace(['\\', '"', '\n'], "");
    let labels = format!("{{version=\"{version}\"}}");
    put("pychat_build_info", "gauge", "The version of the server.", &labels, 1);
    let mut gauge = |name, help, value| put(name, "gauge", help, "", value);
    gauge("pychat_uptime_seconds", "The time for which this process has run.", *uptime_seconds);
    gauge("pychat_people", "The people who are here.", *people as u64);
    gauge("pychat_connections", "The connections, guests among them.", *connections as u64);
    gauge("pychat_unsent_bytes", "The bytes that all peers are owed.", *owed_bytes as u64);
    gauge("pychat_rooms", "The rooms, direct ones among them.", *rooms as u64);
    gauge("pychat_hall_last_message", "The number of the last message in the hall.", *last_message);
    gauge(
        "pychat_storage_failing",
        "1 while the store takes nothing, so that nobody can say anything.",
        u64::from(*is_storage_failing),
    );
    put(
        "pychat_records_stored_total",
        "counter",
        "The messages, amendments and events stored by this process.",
        "",
        *stored_records,
    );
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::control::Shared;

    /// Reads metrics as a collector does: each has a help, a type and a sample, in this order.
    fn parse(text: &str) -> BTreeMap<String, (String, f64)> {
        assert!(text.ends_with('\n'));
        let lines: Vec<_> = text.lines().collect();
        let mut metrics = BTreeMap::new();
        for [help, kind, sample] in lines.as_chunks().0 {
            let (name, words) =
                help.strip_prefix("# HELP ").and_then(|it| it.split_once(' ')).unwrap();
            assert!(!words.is_empty() && !words.contains('\\'), "{help}");
            let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(name.starts_with("pychat_") && name.bytes().all(is_name), "{name}");
            let prefix = format!("# TYPE {name} ");
            let kind = kind.strip_prefix(&prefix).unwrap();
            assert!(["gauge", "counter"].contains(&kind), "{kind}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            let (series, value) = sample.rsplit_once(' ').unwrap();
            let labels = series.strip_prefix(name).unwrap();
            let is_label = labels.starts_with("{version=\"") && labels.ends_with("\"}");
            assert!(labels.is_empty() || is_label, "{sample}");
            let before = metrics.insert(name.to_owned(), (kind.to_owned(), value.parse().unwrap()));
            assert_eq!(before, None, "{name} is there twice");
        }
        assert_eq!(metrics.len() * 3, lines.len());
        metrics
    }

    #[test]
    fn a_collector_can_read_it() {
        let stats = Stats {
            version: "1.2\"3\n".to_owned(),
            uptime_seconds: 5,
            people: 2,
            connections: 3,
            owed_bytes: 7,
            last_message: 11,
            rooms: 13,
            stored_records: u64::MAX,
            is_storage_failing: true,
            shared: Shared::default(),
        };
        let metrics = parse(&prometheus(&stats));
        for (name, kind, value) in [
            ("build_info", "gauge", 1.0),
            ("uptime_seconds", "gauge", 5.0),
            ("people", "gauge", 2.0),
            ("connections", "gauge", 3.0),
            ("unsent_bytes", "gauge", 7.0),
            ("hall_last_message", "gauge", 11.0),
            ("rooms", "gauge", 13.0),
            ("storage_failing", "gauge", 1.0),
        ] {
            assert_eq!(metrics[&format!("pychat_{name}")], (kind.to_owned(), value), "{name}");
        }
        assert_eq!(metrics["pychat_records_stored_total"].0, "counter");
        assert_eq!(metrics.len(), 9);
    }
}
