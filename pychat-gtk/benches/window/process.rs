//! A client process, seen from outside.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{Outcome, part::Part};

/// A client, killed when it is no longer wanted.
pub(crate) struct Client {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Client {
    /// Starts one that plays `part`.
    pub(crate) fn start(part: &Part) -> Outcome<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(part.to_arguments())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no pipe")?;
        Ok(Self { child, lines: BufReader::new(stdout).lines() })
    }

    /// Waits until the client tells this, and returns the number.
    pub(crate) fn wait_for(&mut self, word: &str) -> Outcome<i64> {
        for line in &mut self.lines {
            if let Some((first, number)) = line?.split_once(' ')
                && first == word
            {
                return Ok(number.parse()?);
            }
        }
        Err(format!("the client ended before it was {word}").into())
    }

    /// Returns how much memory it has.
    pub(crate) fn memory(&self) -> Outcome<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        Ok(Memory { total_kib: field(&status, "VmRSS")?, own_kib: field(&status, "RssAnon")? })
    }

    /// Returns how often each of its threads has gone to sleep of its own accord.
    pub(crate) fn sleeps(&self) -> Outcome<BTreeMap<String, u64>> {
        let mut sleeps = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let task = task?;
            let status = fs::read_to_string(task.path().join("status"))?;
            let name = format!(
                "{} {}",
                task.file_name().to_string_lossy(),
                fs::read_to_string(task.path().join("comm"))?.trim()
            );
            sleeps.insert(name, field(&status, "voluntary_ctxt_switches")?);
        }
        Ok(sleeps)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and is waited for all the same.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The memory of a process that is resident.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// All of it, with what is mapped from files: programs, fonts, icons.
    pub(crate) total_kib: u64,
    /// The part of it that belongs to no file.
    pub(crate) own_kib: u64,
}

fn field(status: &str, name: &str) -> Outcome<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or_else(|| format!("no {name}"))?.parse()?)
}
