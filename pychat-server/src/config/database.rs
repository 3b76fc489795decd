//! The database that messages are stored in, if they are not in a file.

use std::{env, path::PathBuf};

use super::{ConfigError, settings::Settings};
use crate::store::postgres;

const STORE: &str = "store";
const PASSWORD_FILE: &str = "store-password-file";

/// The name of the password among the credentials that systemd hands over (`LoadCredential=`).
const CREDENTIAL: &str = "store-password";

/// Reads where the database is, and its password.
pub(super) fn read(settings: &Settings) -> Result<Option<postgres::Config>, ConfigError> {
    let given = settings.path(PASSWORD_FILE)?;
    let database = settings.one(STORE, None, |text| Ok(Some(text.parse::<postgres::Config>()?)))?;
    match database {
        Some(database) => Ok(Some(with_password(database, given))),
        None if given.is_some() => Err(ConfigError::Half(PASSWORD_FILE, STORE)),
        None => Ok(None),
    }
}

/// Returns the database with the file of its password: the one that is `given`, or the credential.
pub fn with_password(database: postgres::Config, given: Option<PathBuf>) -> postgres::Config {
    postgres::Config { password_file: given.or_else(credential), ..database }
}

/// Returns the file of the credential, if there is one.
fn credential() -> Option<PathBuf> {
    let folder = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    folder.map(|folder| folder.join(CREDENTIAL)).filter(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{read, with_file};

    const URI: &str = "--store=postgres://chat@db1,db2/pychat?sslrootcert=/ca.pem";

    #[test]
    fn a_database_has_its_password_in_a_file() {
        let config = read(&[URI, "--store-password-file=/p", "--state-dir=/x"], &[]).unwrap();
        let database = config.history.database.unwrap();
        assert_eq!((database.hosts.len(), database.database.as_str()), (2, "pychat"));
        assert_eq!(database.password_file, Some("/p".into()));
        assert_eq!(config.history.directory, Some("/x".into()), "for its certificate");
        assert_eq!(read(&["--state-dir=/x"], &[]).unwrap().history.database, None);
    }

    #[test]
    fn what_cannot_be_used_is_told_without_any_secret() {
        for (flags, message) in [
            (
                &["--store=postgres://u:secret@h/d"][..],
                "--store postgres://…: leave the password out",
            ),
            (&["--store=postgres://u@h/d"], "--store postgres://…: write sslrootcert=FILE"),
            (&["--store=mysql"], "--store mysql: write postgres://USER@HOST:PORT/DATABASE"),
            (&["--store-password-file=/p"], "store-password-file needs store as well"),
            (&[URI, "--history=memory"], "store and history = \"memory\" exclude each other"),
        ] {
            let error = read(flags, &[]).unwrap_err();
            assert!(error.starts_with(message), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for file in ["store = postgres://u:secret@h/d", "store = \"postgres://u:secret@h/d"] {
            let error = with_file(file, &[]).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
