//! The beginning of a session: the startup message, the password, and whether the server will do; without
//! I/O.

use std::fmt;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::{
    authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
    message::{
        backend::{AuthenticationSaslBody, Message, ParameterStatusBody},
        frontend,
    },
};

use super::{
    config::Config,
    error::{ConnectionError, DatabaseError},
};

/// The oldest PostgreSQL that will do.
const VERSION_MIN: u32 = 15;

/// The server's own bounds for a client that is gone: the lock that a dead server holds is free within
/// seconds.
const SERVER_TIMEOUTS: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
];

/// A session that begins.
pub(super) struct Startup {
    proof: Proof,
    server: Server,
}

/// The exchange by which both sides prove that they know the password, without telling it.
enum Proof {
    /// The server has not asked for any.
    None,
    Begun(ScramSha256),
    Given,
}

/// The facts that a server tells about itself.
#[derive(Debug, Default)]
struct Server {
    version: String,
    is_read_only: bool,
}

impl Startup {
    /// Returns a session that begins, and appends its first message to `out`.
    pub(super) fn begin(
        config: &Config,
        application_name: &str,
        out: &mut BytesMut,
    ) -> Result<Self, ConnectionError> {
        let own = [
            ("user", config.user.as_str()),
            ("database", &config.database),
            ("application_name", application_name),
            ("client_encoding", "UTF8"),
        ];
        frontend::startup_message(own.into_iter().chain(SERVER_TIMEOUTS), out)?;
        Ok(Self { proof: Proof::None, server: Server::default() })
    }

    /// Takes in a message, and appends what follows from it to `out`. Returns true once the session has
    /// begun.
    ///
    /// # Errors
    ///
    /// [`ConnectionError`] if there will be none.
    pub(super) fn on_message(
        &mut self,
        message: Message,
        config: &Config,
        out: &mut BytesMut,
    ) -> Result<bool, ConnectionError> {
        match message {
            Message::AuthenticationSasl(body) => self.prove(&body, config, out)?,
            Message::AuthenticationSaslContinue(body) => {
                let Proof::Begun(scram) = &mut self.proof else { return Err(out_of_order()) };
                scram.update(body.data()).map_err(|_| ConnectionError::Unproven)?;
                frontend::sasl_response(scram.message(), out)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let Proof::Begun(scram) = &mut self.proof else { return Err(out_of_order()) };
                scram.finish(body.data()).map_err(|_| ConnectionError::Unproven)?;
                self.proof = Proof::Given;
            }
            Message::AuthenticationOk => {
                if let Proof::Begun(_) = self.proof {
                    return Err(ConnectionError::Unproven);
                }
            }
            Message::AuthenticationCleartextPassword => return Err(refused("password")),
            Message::AuthenticationMd5Password(_) => return Err(refused("md5")),
            Message::AuthenticationGss
            | Message::AuthenticationSspi
            | Message::AuthenticationKerberosV5 => return Err(refused("GSSAPI")),
            Message::ParameterStatus(body) => self.server.note(&body)?,
            Message::BackendKeyData(_) | Message::NoticeResponse(_) => (),
            Message::ErrorResponse(body) => {
                return Err(ConnectionError::Database(DatabaseError::new(&body)));
            }
            Message::ReadyForQuery(_) => return self.server.check(config).map(|()| true),
            _ => return Err(out_of_order()),
        }
        Ok(false)
    }

    /// Begins the exchange. The certificate alone binds it to the connection.
    fn prove(
        &mut self,
        body: &AuthenticationSaslBody,
        config: &Config,
        out: &mut BytesMut,
    ) -> Result<(), ConnectionError> {
        if !body.mechanisms().any(|mechanism| Ok(mechanism == SCRAM_SHA_256))? {
            return Err(refused("another kind of SASL"));
        }
        let scram = ScramSha256::new(&config.password()?, ChannelBinding::unsupported());
        frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), out)?;
        self.proof = Proof::Begun(scram);
        Ok(())
    }
}

impl Server {
    fn note(&mut self, body: &ParameterStatusBody) -> Result<(), ConnectionError> {
        match body.name()? {
            "server_version" => body.value()?.clone_into(&mut self.version),
            "in_hot_standby" | "default_transaction_read_only" => {
                self.is_read_only |= body.value()? == "on";
            }
            _ => (),
        }
        Ok(())
    }

    /// Complains if the server will not do.
    fn check(&self, config: &Config) -> Result<(), ConnectionError> {
        let major = self.version.split(|it: char| !it.is_ascii_digit()).next();
        let major: u32 = major.and_then(|it| it.parse().ok()).unwrap_or_default();
        if major < VERSION_MIN {
            return Err(ConnectionError::Version(VERSION_MIN, self.version.clone()));
        }
        if config.must_write && self.is_read_only {
            return Err(ConnectionError::ReadOnly);
        }
        Ok(())
    }
}

/// Without the password and what follows from it.
impl fmt::Debug for Startup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Startup").field("server", &self.server).finish_non_exhaustive()
    }
}

fn refused(method: &'static str) -> ConnectionError {
    ConnectionError::Authentication(method)
}

fn out_of_order() -> ConnectionError {
    ConnectionError::Protocol("none that belongs to the beginning of a session")
}
