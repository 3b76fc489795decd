//! The servers: their processes, killed and started again, and the folders and the ports that stay.

mod outages;

use std::{
    fs, mem,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use self::outages::Nodes;
use super::{
    database, plan,
    tally::{Fault, Tally},
};
use crate::{
    postgres::Postgres,
    process::{Log, PROGRAM, wait_until},
};

/// The longest that a server that was asked to stop may take.
const STOP_TIME_MAX: Duration = Duration::from_secs(20);

/// The time between two checks if a server has ended.
const STOP_POLL: Duration = Duration::from_millis(2);

/// The time for which a server is down that is not started again.
const CLOSED: Duration = Duration::from_hours(24);

/// The file of a server's certificate.
const CERTIFICATE: &str = "tls.pem";

/// The beginning of the line that a server logs when it cannot store.
const DISK_FULL: &str = "ERROR storage failed";

/// The servers of one chat: in each place one after another, with one memory.
#[derive(Debug)]
pub(crate) struct House {
    rules: plan::House,
    directory: PathBuf,
    places: Vec<Place>,
    /// The place where somebody calls next, and the one where something befalls the server next.
    next_call: usize,
    next_fault: usize,
    is_disk_full: bool,
    /// The database that has the log, and the number of times that a server was killed.
    database: Option<Postgres>,
    /// The nodes of it, if there are several.
    nodes: Option<Nodes>,
    n_kills: usize,
}

/// The folder and the port of one server after another.
#[derive(Debug)]
struct Place {
    directory: PathBuf,
    address: SocketAddr,
    state: State,
    /// It does nothing for a while.
    is_frozen: bool,
    /// There was an outage in the time of this server.
    is_troubled: bool,
    /// It was there when all was well last: it knows what a standby must have that is promoted.
    is_witness: bool,
}

#[derive(Debug)]
enum State {
    Up { process: Child, log: Log },
    Stopping { process: Child, log: Log, down: Duration, deadline: Instant },
    Down { until: Instant },
}

impl House {
    /// Starts the first servers, on ports that the system chooses.
    pub(crate) fn open(rules: plan::House, seed: u64) -> Self {
        let name = format!("promise-{}-{seed}", std::process::id());
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut house = Self {
            rules,
            directory: directory.clone(),
            places: Vec::new(),
            next_call: 0,
            next_fault: 0,
            is_disk_full: false,
            database: database::open(),
            nodes: database::n_standbys()
                .map(|n_standbys| Nodes::open(database::n_servers(), n_standbys)),
            n_kills: 0,
        };
        house.add_place(directory.clone());
        for number in 1..database::n_servers() {
            let other = directory.join(number.to_string());
            fs::create_dir_all(&other).unwrap();
            // They are one chat: they have one certificate.
            fs::copy(directory.join(CERTIFICATE), other.join(CERTIFICATE)).unwrap();
            house.add_place(other);
        }
        house
    }

    /// Starts the first server of a place.
    fn add_place(&mut self, directory: PathBuf) {
        fs::create_dir_all(&directory).unwrap();
        let (address, until) = ("127.0.0.1:0".parse().unwrap(), Instant::now());
        let state = State::Down { until };
        self.places.push(Place {
            directory,
            address,
            state,
            is_frozen: false,
            is_troubled: false,
            is_witness: false,
        });
        let index = self.places.len() - 1;
        self.start(index);
        let place = &mut self.places[index];
        let State::Up { log, .. } = &place.state else { unreachable!() };
        place.address = log.wait_for(|lines| {
            let address = lines.iter().find_map(|line| line.strip_prefix("INFO listening on "));
            address.map(|address| address.parse().unwrap())
        });
    }

    /// Returns where to call next, at a server that is there if any is.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let n_places = self.places.len();
        let turns = (1..=n_places).map(|step| (self.next_call + step) % n_places);
        let up = turns
            .clone()
            .find(|index| self.places[*index].is_up() && !self.places[*index].is_frozen);
        self.next_call = up.unwrap_or(self.next_call);
        self.places[self.next_call].address
    }

    /// Returns the log's file, or one like it with what the database has now.
    pub(crate) fn file(&self) -> PathBuf {
        let file = self.directory.join("log.sqlite");
        if let Some(database) = &self.database {
            database::copy(|sql| database.sql(sql), &file);
        } else if let Some(nodes) = &self.nodes {
            database::copy(|sql| nodes.cluster.sql(sql), &file);
        }
        file
    }

    fn start(&mut self, index: usize) {
        let is_whole = self.is_whole();
        let plan::House { durability, flood, backlog_max, .. } = self.rules;
        let place = &mut self.places[index];
        // A disk that is full shows as an error, as it does in earnest, not as a signal.
        let mut command = Command::new("env");
        command.args(["--ignore-signal=XFSZ", PROGRAM]);
        command.arg(format!("--listen={}", place.address));
        command.arg(format!("--flood={flood}")).arg(format!("--backlog-max={backlog_max}"));
        command.arg(format!("--durability={durability}")).arg("--history=disk");
        command.args(self.database.iter().map(|database| format!("--store={}", database.uri())));
        self.nodes.iter().for_each(|nodes| nodes.equip(&mut command, index));
        command.arg("--connections-per-address=0").arg("--state-dir").arg(&place.directory);
        command.arg("--control-socket").arg(place.directory.join("control.sock"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let log = Log::of(process.stderr.take().unwrap());
        place.state = State::Up { process, log };
        (place.is_frozen, place.is_troubled, place.is_witness) = (false, !is_whole, false);
    }

    /// Starts servers that are due; notices those that have ended.
    pub(crate) fn turn(&mut self, now: Instant, tally: &mut Tally) {
        self.turn_nodes(now, tally);
        for index in 0..self.places.len() {
            if let State::Down { until } = self.places[index].state {
                if until <= now {
                    self.start(index);
                }
            } else {
                self.places[index].turn(now, self.is_disk_full, tally);
            }
        }
    }

    /// Returns when to look after them again; the system offers nothing to wait on.
    pub(crate) fn next_deadline(&self, now: Instant) -> Instant {
        let deadlines = self.places.iter().map(|place| match &place.state {
            State::Down { until } => *until,
            State::Stopping { .. } => now + Duration::from_millis(2),
            State::Up { .. } => now + Duration::from_millis(20),
        });
        deadlines.min().unwrap_or(now)
    }

    /// Returns true unless a server is being stopped or not started yet.
    pub(crate) fn is_up(&self) -> bool {
        self.places.iter().all(Place::is_up)
    }

    /// Kills a server, each in its turn; another one is started after `down`.
    pub(crate) fn kill(&mut self, fault: Fault, down: Duration, tally: &mut Tally) {
        let place = self.take_turn();
        if let State::Up { process, log } = &mut place.state {
            process.kill().unwrap();
            process.wait().unwrap();
            count_full_disks(&log.finish(), tally);
            tally.note(fault);
            place.state = State::Down { until: Instant::now() + down };
            self.n_kills += 1;
            let is_hit = self.n_kills.is_multiple_of(3) && !self.is_disk_full;
            if let Some(database) = self.database.as_mut().filter(|_| is_hit) {
                database.kill();
                database.run();
            }
        }
    }

    /// Returns the place where something befalls the server next.
    fn take_turn(&mut self) -> &mut Place {
        let n_places = self.places.len();
        let turns = (1..=n_places).map(|step| (self.next_fault + step) % n_places);
        let next = turns.clone().find(|index| self.may_fall(*index));
        self.next_fault = next.unwrap_or(self.next_fault);
        &mut self.places[self.next_fault]
    }

    /// Stops the servers for good; returns the folder of the first, which stays until this is dropped.
    pub(crate) fn close(&mut self, tally: &mut Tally) -> &Path {
        for place in &mut self.places {
            place.stop(Instant::now(), CLOSED);
            while let State::Stopping { .. } = place.state {
                place.turn(Instant::now(), self.is_disk_full, tally);
                thread::sleep(STOP_POLL);
            }
        }
        &self.directory
    }

    /// Makes a person an operator, who must own this name.
    pub(crate) fn add_operator(&self, name: &str) {
        let mut command = Command::new(PROGRAM);
        command.arg("ctl").arg("--control-socket").arg(self.directory.join("control.sock"));
        command.args(["operator", "add", name]);
        // Where there are several, one may hear a moment later that the name is theirs.
        wait_until("the name is nobody's", || {
            let output = command.output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() || told.contains("has no name that is theirs"),
                "{told}"
            );
            output.status.success()
        });
    }

    /// Asks a server to stop, each in its turn; another one is started `down` after it has.
    pub(crate) fn stop(&mut self, now: Instant, down: Duration) {
        self.take_turn().stop(now, down);
    }

    /// Makes the disk full for the servers, or empty again; or kills the database, and starts it again.
    pub(crate) fn fill_disk(&mut self, is_full: bool) {
        if self.nodes.is_some() {
            return; // They have outages of their own.
        }
        let was_full = mem::replace(&mut self.is_disk_full, is_full);
        if let Some(database) = &mut self.database {
            match (was_full, is_full) {
                (false, true) => database.kill(),
                (true, false) => database.run(),
                _ => (),
            }
            return;
        }
        for place in &self.places {
            if let State::Up { process, .. } = &place.state {
                let limit = Rlimit { current: is_full.then_some(0), maximum: None };
                prlimit(Some(pid(process)), Resource::Fsize, limit).unwrap();
            }
        }
    }
}

impl Place {
    fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Notices a server that has ended.
    fn turn(&mut self, now: Instant, is_disk_full: bool, tally: &mut Tally) {
        match &mut self.state {
            State::Down { .. } => (),
            State::Up { process, log } => {
                if let Some(status) = process.try_wait().unwrap() {
                    let lines = log.finish();
                    // One that finds the disk full when it begins says so; another may do better.
                    let is_refusal = is_disk_full && status.code() == Some(1);
                    let may_end = is_refusal || House::may_end(self, &lines, tally);
                    assert!(may_end, "the server ended by itself, {status}: {lines:#?}");
                    if is_refusal {
                        tally.note(Fault::DiskFull);
                    }
                    self.state = State::Down { until: now };
                }
            }
            State::Stopping { process, log, down, deadline } => {
                if let Some(status) = process.try_wait().unwrap() {
                    let lines = log.finish();
                    // One that has hardly begun does not know yet what it is asked for.
                    let has_begun = lines.iter().any(|line| line.starts_with("INFO listening"));
                    let until = now + *down;
                    let is_well = status.success() || !has_begun;
                    let is_well = is_well || House::may_end(self, &lines, tally);
                    assert!(is_well, "{status}: {lines:#?}");
                    count_full_disks(&lines, tally);
                    tally.note(Fault::Stopped);
                    self.state = State::Down { until };
                } else {
                    assert!(now < *deadline, "the server does not stop");
                }
            }
        }
    }

    /// Asks the server to stop; another one is started `down` after it has.
    fn stop(&mut self, now: Instant, down: Duration) {
        let until = Instant::now();
        self.state = match mem::replace(&mut self.state, State::Down { until }) {
            State::Up { process, log } => {
                kill_process(pid(&process), Signal::TERM).unwrap();
                State::Stopping { process, log, down, deadline: now + STOP_TIME_MAX }
            }
            other => other,
        };
    }
}

fn pid(process: &Child) -> Pid {
    Pid::from_child(process)
}

fn count_full_disks(lines: &[String], tally: &mut Tally) {
    for _ in lines.iter().filter(|line| line.starts_with(DISK_FULL)) {
        tally.note(Fault::DiskFull);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for place in &mut self.places {
            if let State::Up { process, .. } | State::Stopping { process, .. } = &mut place.state {
                // Both fail only for a process that has been waited for already.
                let _ = process.kill();
                let _ = process.wait();
            }
        }
        // After a failure somebody may want to look at it.
        if !thread::panicking() {
            fs::remove_dir_all(&self.directory).ok();
        }
    }
}
