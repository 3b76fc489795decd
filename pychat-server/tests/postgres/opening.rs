//! The beginning of sessions: passwords, certificates, and servers that will not do.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    thread,
};

use pychat_server::store::postgres::{Config, Event, Routes};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::{database::Postgres, line::Line};

const PASSWORD: &str = "пароль";

/// Returns the address of the database on TCP, for somebody who has a password.
fn config(postgres: &Postgres, host: &str, parameters: &str) -> Config {
    let port = postgres.port();
    let mut config: Config =
        format!("postgres://chat@{host}:{port}/postgres?{parameters}").parse().unwrap();
    config.password_file = Some(postgres.write("password", &format!("{PASSWORD}\n"), 0o600));
    config
}

/// Returns why no session begins.
#[track_caller]
fn complaint(config: Config) -> String {
    match Line::with(config).next() {
        Event::Unavailable(reasons) => reasons.to_string(),
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_password_is_proved_and_never_told() {
    let Some(postgres) = Postgres::start("") else { return };
    postgres.sql(&format!("CREATE ROLE chat LOGIN PASSWORD '{PASSWORD}'"));
    let right = config(&postgres, "127.0.0.1", "sslmode=disable");
    assert!(!format!("{right:?} {right}").contains(PASSWORD));
    Line::with(right.clone()).wait_until_up();

    let with = |content: &str, mode| {
        let password_file = Some(postgres.write("other", content, mode));
        complaint(Config { password_file, ..right.clone() })
    };
    let host = format!("127.0.0.1:{}: ", postgres.port());
    let wrong = "password authentication failed for user \"chat\" (28P01)";
    assert_eq!(with("wrong", 0o600), format!("{host}{wrong}"));
    assert!(with(PASSWORD, 0o604).ends_with("everybody may read it; chmod o= it"));
    assert!(with("\n", 0o600).ends_with("it is empty"));
    let none = complaint(Config { password_file: None, ..right.clone() });
    assert!(
        none.ends_with("the server wants a password; give --store-password-file FILE"),
        "{none}"
    );
    let missing = Config { password_file: Some("/missing".into()), ..right.clone() };
    assert!(complaint(missing).contains("cannot use /missing: No such file"));
    let elsewhere = Config { database: "nowhere".to_owned(), ..right.clone() };
    assert!(complaint(elsewhere).ends_with("database \"nowhere\" does not exist (3D000)"));

    postgres.write("data/pg_hba.conf", "host all all 127.0.0.1/32 password\n", 0o600);
    postgres.reload();
    let plain = complaint(right);
    assert!(plain.ends_with("let pg_hba.conf say scram-sha-256"), "{plain}");
}

/// Returns a certificate authority of this name.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[test]
fn encryption_is_what_was_asked_for() {
    let ssl = "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n";
    let Some(mut postgres) = Postgres::make(ssl) else { return };
    let (own, other) = (authority("own"), authority("other"));
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1".to_owned(), "db.example".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &own).unwrap().pem();
    postgres.write("data/server.crt", &certificate, 0o600);
    postgres.write("data/server.key", &key.serialize_pem(), 0o600);
    postgres.run();
    postgres.sql(&format!("CREATE ROLE chat LOGIN PASSWORD '{PASSWORD}'"));

    let written = |name: &str, pem: &str| postgres.write(name, pem, 0o644);
    let trusted = written("own.pem", &own.pem());
    let stranger = written("other.pem", &other.pem());
    let itself = written("itself.pem", &certificate);
    let with = |host: &str, mode: &str, roots: Option<&PathBuf>| {
        let roots = roots.map(|path| format!("&sslrootcert={}", path.display()));
        config(&postgres, host, &format!("sslmode={mode}{}", roots.unwrap_or_default()))
    };
    for (host, mode, roots) in [
        ("127.0.0.1", "verify-full", Some(&trusted)),
        ("127.0.0.1", "verify-full", Some(&itself)),
        ("localhost", "verify-ca", Some(&trusted)),
        ("localhost", "verify-ca", Some(&itself)),
        ("localhost", "require", None),
    ] {
        let mut line = Line::with(with(host, mode, roots));
        line.wait_until_up();
        let sql = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        match &line.ask(sql, &[])[..] {
            [Event::Row(row), _] => assert_eq!(row.get(0), Ok("TLSv1.3"), "{mode}"),
            events => panic!("{events:?}"),
        }
    }
    for (host, mode, roots, expected) in [
        ("127.0.0.1", "verify-full", &stranger, "UnknownIssuer"),
        ("127.0.0.1", "verify-ca", &stranger, "UnknownIssuer"),
        ("127.0.0.1", "require", &stranger, "UnknownIssuer"),
        ("localhost", "verify-full", &trusted, "not valid for name"),
        ("localhost", "verify-full", &itself, "not valid for name"),
    ] {
        let complaint = complaint(with(host, mode, Some(roots)));
        assert!(complaint.contains(expected), "{host} {mode}: {complaint}");
    }
    let unusable =
        Routes::find(with("127.0.0.1", "verify-full", Some(&postgres.folder().join("x"))));
    assert!(unusable.unwrap_err().to_string().starts_with("cannot read "));
}

#[test]
fn a_server_without_tls_is_not_talked_to_in_plain() {
    let Some(postgres) = Postgres::start("") else { return };
    let config = config(&postgres, "127.0.0.1", "sslmode=require");
    assert!(complaint(config).ends_with("the server offers no TLS"));
}

#[test]
fn the_first_server_that_can_be_written_to_is_taken_and_the_next_one_after_that() {
    let (Some(mut first), Some(second)) = (Postgres::start(""), Postgres::start_standby()) else {
        return;
    };
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folders = format!("{},{}", second.folder().display(), first.folder().display());
    let ports = format!("{dead},{},{}", second.port(), first.port());
    let uri = format!(
        "postgres://postgres@/postgres?host=127.0.0.1,{folders}&port={ports}&sslmode=disable"
    );
    let mut line = Line::to(&uri);
    assert!(matches!(line.next(), Event::Up));
    assert_eq!(line.connection.host(), format!("{}:{}", first.folder().display(), first.port()));
    first.kill();
    assert!(matches!(line.next(), Event::Lost(_)));
    match line.next() {
        Event::Unavailable(reasons) => {
            let reasons = reasons.to_string();
            assert!(reasons.contains("it is a standby, or read-only"), "{reasons}");
            assert!(reasons.contains("Connection refused"), "{reasons}");
        }
        event => panic!("{event:?}"),
    }
    second.promote();
    line.wait_until_up();
    assert_eq!(line.connection.host(), format!("{}:{}", second.folder().display(), second.port()));

    let any = format!("{}&target_session_attrs=any", second.uri());
    Line::up(&any);
}

/// Answers every call with `bytes` and then nothing; returns the address.
fn imposter(bytes: &'static [u8], is_closing: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut kept: Vec<TcpStream> = Vec::new();
        while let Ok((mut socket, _)) = listener.accept() {
            let _ = socket.read(&mut [0; 1_024]);
            let _ = socket.write_all(bytes);
            if is_closing {
                let _ = socket.shutdown(Shutdown::Write);
            }
            kept.push(socket);
        }
    });
    format!("postgres://u@127.0.0.1:{port}/d")
}

#[test]
fn servers_that_are_none_are_passed_over() {
    let tls = "?sslmode=require";
    let plain = "?sslmode=disable";
    for (bytes, is_closing, parameters, expected) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], true, plain, "longer than any should be"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", true, tls, "more than an answer"),
        (b"S\x15\x03\x03", false, tls, "more than an answer"),
        (b"N", false, tls, "the server offers no TLS"),
        (b"", true, plain, "the connection was closed"),
        (b"R\0\0\0\x03", false, plain, "malformed"),
        (b"R\0\0\0\x08\0\0\0\x05salt", false, plain, "malformed"),
        (b"R\0\0\0\x0c\0\0\0\x0b\0\0\0\0", false, plain, "the beginning of a session"),
        (b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", false, plain, "15 or later is needed"),
        (b"E\0\0\0\x04", false, plain, ":  ()"),
        (b"", false, plain, "no answer within 5 seconds"),
    ] {
        let uri = imposter(bytes, is_closing) + parameters;
        let complaint = complaint(uri.parse().unwrap());
        assert!(complaint.contains(expected), "{bytes:?}: {complaint}");
    }
}
