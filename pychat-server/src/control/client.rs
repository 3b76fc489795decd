//! The side of the caller: `pychat-server ctl`.

use std::{
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use pychat_wire::{Decoder, frame};
use rustix::termios::tcgetwinsize;
use thiserror::Error;

use super::{Answer, Request, prometheus, words};
use crate::core::moderation::Reply;

/// The time that a server has to answer; twice that which it takes itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A call that is to be made.
#[derive(Debug)]
pub struct Ctl {
    pub(super) request: Request,
    pub(super) format: Format,
    /// The places where a server may listen, the likeliest first.
    pub(super) sockets: Vec<PathBuf>,
}

/// The format in which an answer is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Words,
    Json,
    /// Metrics, if the answer has any.
    Prometheus,
}

/// The reason why there is no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nobody listens.
    #[error("no server listens at {}", .0.display())]
    Nobody(PathBuf),
    /// No place is known where one could listen.
    #[error("no server is known; give --control-socket PATH")]
    NoPlace,
    /// The caller may not call.
    #[error("no permission to call {}; ask root, or join its group", .0.display())]
    Forbidden(PathBuf),
    /// The server does not answer.
    #[error("the server at {} does not answer: {source}", path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The server refused.
    #[error("{0}")]
    Refused(String),
}

impl Ctl {
    /// Makes the call, and prints the answer.
    ///
    /// # Errors
    ///
    /// [`CallError`]: nothing has been printed then.
    #[expect(clippy::print_stdout, reason = "the answer")]
    pub fn run(&self) -> Result<(), CallError> {
        let (answer, json) = self.call()?;
        if self.format == Format::Json {
            println!("{json}");
        }
        match answer {
            Answer::Reply(Reply::Failed { text }) => return Err(CallError::Refused(text)),
            Answer::Stats(stats) if self.format == Format::Prometheus => {
                print!("{}", prometheus(&stats));
            }
            answer => {
                if self.format != Format::Json {
                    println!("{}", words::of(&answer, columns()));
                }
            }
        }
        Ok(())
    }

    /// Returns the answer, and as it came.
    fn call(&self) -> Result<(Answer, String), CallError> {
        let path = self.sockets.iter().find(|path| path.exists()).or(self.sockets.first());
        let path = path.ok_or(CallError::NoPlace)?;
        let mut socket = UnixStream::connect(path).map_err(|source| match source.kind() {
            ErrorKind::PermissionDenied => CallError::Forbidden(path.clone()),
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => CallError::Nobody(path.clone()),
            _ => silent(path, source),
        })?;
        let mut request = Vec::new();
        frame::encode(&mut request, |out| {
            out.extend(serde_json::to_vec(&self.request).unwrap_or_default());
        });
        let mut ask = || {
            socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
            socket.set_write_timeout(Some(ANSWER_TIMEOUT))?;
            socket.write_all(&request)?;
            read_payload(&mut socket)
        };
        let payload = ask().map_err(|source| silent(path, source))?;
        let answer = serde_json::from_str(&payload)
            .map_err(|error| silent(path, io::Error::other(error)))?;
        Ok((answer, payload))
    }
}

/// Returns how many columns the terminal has that the answer is printed to, if it is printed to one.
fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_col.into()).filter(|columns| 0 < *columns)
}

fn silent(path: &Path, source: io::Error) -> CallError {
    CallError::Silent { path: path.to_owned(), source }
}

fn read_payload(socket: &mut UnixStream) -> io::Result<String> {
    let (mut decoder, mut buffer) = (Decoder::new(ANSWER_BYTES_MAX), [0; 16 << 10]);
    loop {
        let size = socket.read(&mut buffer)?;
        if size == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let payload = decoder.next_payload(&mut &buffer[..size]).map_err(io::Error::other)?;
        if let Some(payload) = payload {
            return String::from_utf8(payload.to_vec()).map_err(io::Error::other);
        }
    }
}
