//! Tests that change what they share with the machine run in a namespace of their own.

use std::{env, process::Command};

use super::skip;

/// Set for the run of a test that is in a world of its own already.
const INSIDE: &str = "TEST_WORLD";

/// The errors by which the kernel says that it makes no namespaces, or none for this user.
const REFUSALS: [&str; 4] =
    ["Operation not permitted", "Permission denied", "No space left on device", "Invalid argument"];

/// The parts of the machine that a test may have to itself.
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
    /// Returns false there, and true to the caller outside, where nothing is left to do.
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
        let Some(way) = ways.iter().find(|way| is_granted(way)) else {
            skip(&format!("{name}: the kernel grants it no {self:?} of its own"));
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

/// Returns true if the kernel grants a world made in this `way`, false if it refuses.
///
/// # Panics
///
/// It fails for another reason, such as a program that is missing.
fn is_granted(way: &[&str]) -> bool {
    let mut unshare = Command::new("unshare");
    let output = unshare.args(way).arg("true").env("LC_ALL", "C").output().expect("util-linux");
    let complaint = String::from_utf8_lossy(&output.stderr);
    let is_refused = REFUSALS.iter().any(|refusal| complaint.contains(refusal));
    assert!(output.status.success() || is_refused, "unshare {way:?}: {complaint}");
    output.status.success()
}
