//! A server, the programs, and what they print, each in a process of its own and never left behind.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The longest that anything may take before the test has failed; no test measures speed.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The file with the certificate of the authority that the programs trust.
pub(crate) const AUTHORITY: &str = "authority.pem";

const SEND: &str = env!("CARGO_BIN_EXE_pychat-send");
const TAIL: &str = env!("CARGO_BIN_EXE_pychat-tail");

/// A folder with what a server and the programs keep.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) server: Server,
    flags: Vec<String>,
}

/// A running server.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
    pub(crate) log: Lines,
}

/// A program that runs.
pub(crate) struct Running {
    pub(crate) process: Child,
    pub(crate) printed: Lines,
}

/// The lines that a program prints, while it runs.
pub(crate) struct Lines(Arc<(Mutex<Vec<String>>, Condvar)>);

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| Vec::new())
    }

    /// Returns a world whose server has these flags, which may name files in its folder.
    pub(crate) fn with(flags: impl FnOnce(&Path) -> Vec<String>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("pychat-cli-{}-{number}", std::process::id()));
        fs::create_dir(&folder).expect("a folder of our own");
        let flags = flags(&folder);
        let server = Server::start(&folder, "127.0.0.1:0", &flags);
        Self { folder, server, flags }
    }

    pub(crate) fn address(&self) -> &str {
        &self.server.address
    }

    /// Kills the server and starts another where it was.
    pub(crate) fn restart(&mut self) {
        let address = self.server.address.clone();
        self.server.kill();
        self.server = Server::start(&self.folder, &address, &self.flags);
    }

    /// Stops the server in order.
    pub(crate) fn stop(&mut self) {
        signal(&self.server.process, "TERM");
        self.server.process.wait().expect("it is ours");
    }

    /// Starts another server with what the last one kept, at another address.
    pub(crate) fn start_elsewhere(&mut self) {
        self.server = Server::start(&self.folder, "127.0.0.1:0", &self.flags);
    }

    /// Runs `pychat-send` as `bot`, with something to read, until it ends.
    pub(crate) fn send(&self, input: &str, arguments: &[&str]) -> Output {
        let mut command = self.program(SEND);
        let mut process = command.args(arguments).spawn().expect("it is built");
        let mut stdin = process.stdin.take().expect("a pipe");
        // It may have ended without reading.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        process.wait_with_output().expect("it ends")
    }

    /// Says something that must be accepted; returns what was printed.
    #[track_caller]
    pub(crate) fn say(&self, input: &str, arguments: &[&str]) -> String {
        let all = [&[self.address(), "--name=bot"], arguments].concat();
        let Output { status, stdout, stderr } = self.send(input, &all);
        let complaint = String::from_utf8(stderr).expect("words");
        assert_eq!((status.code(), &*complaint), (Some(0), ""));
        String::from_utf8(stdout).expect("words")
    }

    /// Fails to say something; returns the exit code and the reason.
    #[track_caller]
    pub(crate) fn refused(&self, input: &str, arguments: &[&str]) -> (i32, String) {
        let all = [&[self.address(), "--name=bot"], arguments].concat();
        let Output { status, stdout, stderr } = self.send(input, &all);
        assert_eq!(stdout, b"");
        let complaint = String::from_utf8(stderr).expect("words");
        (status.code().expect("it was not killed"), complaint)
    }

    /// Starts `pychat-send` with these arguments, to be given lines.
    pub(crate) fn start_sending(&self, arguments: &[&str]) -> Running {
        Running::start(self.program(SEND).args(arguments))
    }

    /// Starts `pychat-tail` as `reader` on the server.
    pub(crate) fn follow(&self, arguments: &[&str]) -> Running {
        self.follow_at(self.address(), arguments)
    }

    /// Starts `pychat-tail` as `reader` at this address.
    pub(crate) fn follow_at(&self, address: &str, arguments: &[&str]) -> Running {
        let mut command = self.program(TAIL);
        Running::start(command.args([address, "--name=reader", "--json"]).args(arguments))
    }

    /// Runs `pychat-tail` as `reader` at this address until it ends; returns its exit code, and the texts
    /// that it printed.
    pub(crate) fn read_at(&self, address: &str, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
        let mut command = self.program(TAIL);
        let command = command.args([address, "--name=reader", "--json", "--no-follow"]);
        let output = command.args(arguments).output().expect("it is built");
        let printed = String::from_utf8(output.stdout).expect("words");
        let lines: Vec<_> = printed.lines().map(ToOwned::to_owned).collect();
        (output.status.code(), texts(&lines))
    }

    /// Says `ready`, and starts `pychat-tail`; returns once it has printed that.
    pub(crate) fn watch(&self) -> Running {
        self.say("ready", &[]);
        let reader = self.follow(&["--lines=1"]);
        reader.wait_for_text("ready");
        reader
    }

    /// Runs `pychat-tail` until it ends.
    #[track_caller]
    pub(crate) fn read(&self, arguments: &[&str]) -> String {
        let mut command = self.program(TAIL);
        command.args([self.address(), "--name=reader", "--no-follow"]).args(arguments);
        let output = command.output().expect("it is built");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).expect("words")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the text of a file in the folder of the programs.
    pub(crate) fn state_path(&self, name: &str) -> PathBuf {
        self.folder.join("pychat/cli").join(name)
    }

    fn program(&self, path: &str) -> Command {
        let mut command = Command::new(path);
        command.env_remove("PYCHAT_SERVER").env("XDG_STATE_HOME", &self.folder);
        // The one authority is that of the test, if it made one.
        command.env_remove("SSL_CERT_DIR").env("SSL_CERT_FILE", self.path(AUTHORITY));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Server {
    fn start(folder: &Path, listen: &str, flags: &[String]) -> Self {
        let program = Path::new(SEND).with_file_name("pychat-server");
        let mut command = Command::new(&program);
        command.env_remove("PYCHAT_SERVER").env_remove("XDG_RUNTIME_DIR");
        command.arg(format!("--listen={listen}")).arg("--state-dir").arg(folder.join("server"));
        command.args(["--flood=off", "--connections-per-address=0", "--disk-reserve=0"]);
        command.args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let spawned = command.spawn();
        let mut process = spawned.unwrap_or_else(|error| {
            panic!("{}: {error}; cargo build -p pychat-server", program.display())
        });
        let log = Lines::of(process.stderr.take().expect("a pipe"));
        let address = log.wait_for(|lines| {
            let address = |line: &String| Some(line.split_once("listening on ")?.1.to_owned());
            lines.iter().find_map(address)
        });
        Self { process, address, log }
    }

    fn kill(&mut self) {
        // Both fail only for a process that has been waited for already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut process = command.spawn().expect("it is built");
        let printed = Lines::of(process.stdout.take().expect("a pipe"));
        Self { process, printed }
    }

    /// Gives it a line to say.
    pub(crate) fn give(&mut self, line: &str) {
        let stdin = self.process.stdin.as_mut().expect("a pipe");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads");
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(&self.process, name);
    }

    /// Waits until it has ended; returns its exit code, `None` if a signal killed it.
    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().expect("it is ours") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it goes on running");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until it has printed a message with this text.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, text: &str) {
        self.printed.wait_for(|lines| texts(lines).iter().any(|it| it == text).then_some(()));
    }
}

fn signal(process: &Child, name: &str) {
    let pid = process.id().to_string();
    let status = Command::new("kill").args(["-s", name, &pid]).status().expect("it is there");
    assert!(status.success());
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let shared = Arc::<(Mutex<Vec<String>>, Condvar)>::default();
        let reader = Arc::clone(&shared);
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                reader.0.lock().expect("nobody has panicked").push(line);
                reader.1.notify_all();
            }
        });
        Self(shared)
    }

    /// Returns true if there is this word in any of the lines so far.
    pub(crate) fn have(&self, word: &str) -> bool {
        self.0.0.lock().expect("nobody has panicked").iter().any(|line| line.contains(word))
    }

    /// Waits until `find` finds what it looks for in the lines so far.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, find: impl Fn(&[String]) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.0.0.lock().expect("nobody has panicked");
        loop {
            if let Some(found) = find(&lines) {
                return found;
            }
            let patience = deadline.saturating_duration_since(Instant::now());
            assert!(!patience.is_zero(), "not among {lines:#?}");
            lines = self.0.1.wait_timeout(lines, patience).expect("nobody has panicked").0;
        }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        texts(&self.0.0.lock().expect("nobody has panicked"))
    }
}

/// Returns the texts of the messages in these lines of JSON.
pub(crate) fn texts(lines: &[String]) -> Vec<String> {
    let messages = lines.iter().map(|line| json(line)).filter(|line| line["type"] == "message");
    messages.map(|line| line["text"].as_str().expect("a text").to_owned()).collect()
}

#[track_caller]
pub(crate) fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}
