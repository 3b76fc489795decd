//! Tests that change what they share with the machine run in a namespace of their own.

use std::{env, process::Command};

/// Set for the run of a test that is in a world of its own already.
const INSIDE: &str = "TEST_WORLD";

/// What a test may have to itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum World {
    /// The network: every port is free, and nobody else can call.
    Network,
    /// The mounts: it may mount what it likes.
    Mounts,
    /// The network and the mounts, and so the names of hosts.
    Names,
}

impl World {
    /// Runs the test `name` once more, alone, in such a world.
    ///
    /// Returns false there, and true to whoever called from outside, where nothing is left to do.
    pub(crate) fn runs(self, name: &str) -> bool {
        if env::var_os(INSIDE).is_some() {
            return false;
        }
        let (flags, preparation) = match self {
            Self::Network => (&["--net"][..], "ip link set lo up"),
            Self::Mounts => (&["--mount"][..], "true"),
            Self::Names => (&["--net", "--mount"][..], "ip link set lo up"),
        };
        // Root can have a world; anybody else needs to be root of one first.
        let ways = [flags.to_vec(), [&["--user", "--map-root-user"], flags].concat()];
        let works = |way: &&Vec<&str>| {
            let status = Command::new("unshare").args(*way).arg("true").output();
            status.is_ok_and(|output| output.status.success())
        };
        let Some(way) = ways.iter().find(works) else {
            eprintln!("SKIPPED {name}: {self:?} of its own cannot be had here; run it as root");
            return true;
        };
        let output = Command::new("unshare")
            .args(way)
            .args(["sh", "-c", &format!("{preparation} && exec \"$@\""), "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let [stdout, stderr] = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b));
        assert!(output.status.success(), "{stdout}{stderr}");
        assert!(stdout.contains("1 passed"), "the test has another name: {stdout}");
        true
    }
}
