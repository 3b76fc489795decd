//! A bot: it answers `ping` with `pong`, and comes back whatever happens.
//!
//! ```text
//! cargo run -p pychat-wire --example bot -- 127.0.0.1:12345 Бот bot.json
//! ```
//!
//! The place up to which it has answered and the texts that it has still to say are in the file,
//! stored together. So each `ping` has one answer, also over `kill -9`; the file holds the bot's
//! key, keep it to yourself.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::{
    env,
    error::Error,
    fs,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use pychat_wire::{
    Client, UserName,
    client::{Event, Saved},
};

/// The errors of a read that only took too long; which of them is up to the system.
const WAITED: [ErrorKind; 3] = [ErrorKind::Interrupted, ErrorKind::TimedOut, ErrorKind::WouldBlock];

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = env::args().skip(1).collect();
    let [address, name, file] = &args[..] else { return Err("bot ADDRESS NAME FILE".into()) };
    let saved = match fs::read(file) {
        Ok(json) => serde_json::from_slice(&json)?,
        Err(error) if error.kind() == ErrorKind::NotFound => Saved::default(),
        Err(error) => return Err(error.into()),
    };
    let mut client = Client::new(UserName::new(name)?, saved, seed()?).persistent();
    let start = Instant::now();
    let now = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (mut line, mut buffer) = (None, [0; 4_096]);
    loop {
        while let Some(event) = client.next_event() {
            match event {
                Event::Connect => {
                    line = TcpStream::connect(address).ok();
                    match line {
                        Some(_) => client.connected(now()),
                        None => client.disconnected(now()),
                    }
                }
                Event::Disconnect => line = None,
                Event::Message(message) if message.state.content == "ping" && !message.own => {
                    println!("{}: ping", message.author);
                    client.say(&message.room, "pong")?;
                }
                Event::Refused { reason, .. } => return Err(reason.into()),
                Event::Joined { .. } | Event::Offline { .. } | Event::Failed { .. } => {
                    println!("{event:?}");
                }
                _ => (),
            }
        }
        if let Some(saved) = client.take_saved() {
            let draft = format!("{file}.new"); // A file that is half written would be no file.
            fs::write(&draft, serde_json::to_vec(saved)?)?;
            fs::rename(&draft, file)?;
        }
        let pause = client.next_deadline().map(|deadline| deadline.saturating_sub(now()).max(1));
        let pause = pause.map(Duration::from_millis);
        let heard = match (&mut line, pause) {
            (Some(stream), _) => exchange(stream, &client.take_outgoing(), pause, &mut buffer),
            (None, Some(pause)) => {
                thread::sleep(pause);
                Err(ErrorKind::TimedOut.into())
            }
            (None, None) => return Err("the server has sent this client away".into()),
        };
        match heard {
            Ok(size) if 0 < size => client.receive(now(), &buffer[..size]),
            Err(error) if WAITED.contains(&error.kind()) => (),
            Ok(_) | Err(_) => {
                line = None;
                client.disconnected(now());
            }
        }
        client.handle_timeout(now());
    }
}

/// Writes what there is to write, then waits for something to read.
fn exchange(
    stream: &mut TcpStream,
    outgoing: &[u8],
    pause: Option<Duration>,
    buffer: &mut [u8],
) -> std::io::Result<usize> {
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(outgoing)?;
    stream.set_read_timeout(pause)?;
    stream.read(buffer)
}

/// Returns 32 random bytes.
fn seed() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}
