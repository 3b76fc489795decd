//! The facts that `pychat-announce.service` tells the local network about the server, as a file
//! with variables that systemd reads for it (`EnvironmentFile=` in systemd.exec(5)).
//!
//! The file is there only where systemd has made a folder for it, and while somebody else than this
//! machine can call the server, over TLS.

use std::{
    env, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use pychat_wire::key::Pin;

/// The name of the file.
const FILE: &str = "announcement";

/// The longest name of a service in DNS-SD, in bytes (RFC 6763, section 4.1.1).
const NAME_BYTES_MAX: usize = 63;

/// The file with the announcement.
#[derive(Debug)]
pub struct Announcement {
    path: Option<PathBuf>,
}

impl Announcement {
    /// Returns the announcement of this process, for which systemd may have made a folder
    /// (`RuntimeDirectory=`).
    pub fn of_process() -> Self {
        let folders = env::var_os("RUNTIME_DIRECTORY");
        let folder = folders.and_then(|folders| env::split_paths(&folders).next());
        Self { path: folder.filter(|it| it.is_absolute()).map(|folder| folder.join(FILE)) }
    }

    /// Writes what is to be told of a server with this `name` that listens at `addresses`, with a
    /// certificate with this `pin`; removes it if nobody else can call.
    ///
    /// # Errors
    ///
    /// The file cannot be written or removed.
    pub fn write(
        &self,
        name: &str,
        addresses: impl IntoIterator<Item = SocketAddr>,
        pin: Option<Pin>,
    ) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let port = addresses.into_iter().find(|it| !it.ip().is_loopback()).map(|it| it.port());
        match (port, pin) {
            (Some(port), Some(pin)) => replace(path, &variables(name, port, pin)),
            _ => match fs::remove_file(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                result => result,
            },
        }
    }
}

fn variables(name: &str, port: u16, pin: Pin) -> String {
    let mut end = name.len().min(NAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut quoted = String::new();
    for character in name[..end].chars().filter(|it| !it.is_control()) {
        if matches!(character, '"' | '\\' | '`' | '$') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    format!("NAME=\"{quoted}\"\nPORT={port}\nPIN={pin}\n")
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: Pin = Pin([7; 32]);

    #[test]
    fn a_name_is_quoted_as_systemd_reads_it_and_cut_where_a_character_ends() {
        for (name, expected) in [
            ("Office", "Office"),
            (r#"a "b" $c `d` \e"#, r#"a \"b\" \$c \`d\` \\e"#),
            ("a\nPIN=x", "aPIN=x"),
            (&"ж".repeat(40), &"ж".repeat(31)),
        ] {
            let expected = format!("NAME=\"{expected}\"\nPORT=7\nPIN={PIN}\n");
            assert_eq!(variables(name, 7, PIN), expected);
        }
    }

    #[test]
    fn nothing_is_told_of_a_server_that_nobody_else_can_call() {
        let folder = env::temp_dir().join(format!("pychat-announcement-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(FILE);
        let announcement = Announcement { path: Some(path.clone()) };
        let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let (here, everywhere) = (address("127.0.0.1:1"), address("0.0.0.0:2"));
        announcement.write("a", [here, everywhere], Some(PIN)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("NAME=\"a\"\nPORT=2\nPIN={PIN}\n"));
        for (addresses, pin) in
            [(vec![here, address("[::1]:1")], Some(PIN)), (vec![everywhere], None)]
        {
            announcement.write("a", [everywhere], Some(PIN)).unwrap();
            announcement.write("a", addresses, pin).unwrap();
            assert!(!path.exists());
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
