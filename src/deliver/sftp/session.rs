//! A session with a server: a login comes in, an open SFTP session goes out. The server's key is known before a password
//! or signature is sent; a key that is not known, or not the known one, ends it. Nothing here waits without end.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::client::{self, Handle};
use russh::keys::{Algorithm, PrivateKey, PublicKeyOrCertificate};
use russh::{ChannelMsg, Preferred};
use russh_sftp::client::{Config as SftpConfig, RawSftpSession};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::enter;
use super::known_hosts::{self, KnownHosts, Verdict};
use crate::config::secret::Secret;
use crate::deliver::{DeliveryError, quoted};

/// What a reply may take at the most, in bytes.
const PACKET_MAX: u32 = 1 << 20;
/// Replies are waited for here, not in the library: it would count from the sending of a request, however many stand
/// before it.
const NEVER_SECONDS: u64 = 1 << 31;

/// Who enters where, and what proves it.
pub(super) struct Login {
    /// As it is shown.
    pub(super) address: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) key: Option<Arc<PrivateKey>>,
    /// The file of trusted host keys.
    pub(super) known_hosts: PathBuf,
}

impl Login {
    pub(super) fn again(
        &self,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> DeliveryError {
        DeliveryError::retry(&self.address, message, hint)
    }

    pub(super) fn stop(
        &self,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> DeliveryError {
        DeliveryError::abort(&self.address, message, hint)
    }

    /// What the server said, fit to be shown: it may repeat what it was sent.
    pub(super) fn quote(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.password.iter().map(Secret::expose).collect();
        quoted(text, &secrets)
    }

    pub(super) fn silent(&self, doing: &str, idle: Duration) -> DeliveryError {
        self.again(
            format!(
                "the server said nothing for {} s ({doing})",
                idle.as_secs_f32()
            ),
            "is it overloaded, or is this no SSH server? `timeout = \"120s\"` waits longer",
        )
    }
}

/// An open session.
pub(super) struct Session {
    /// Keeps the connection: dropping it ends everything.
    ssh: Handle<Guard>,
    pub(super) sftp: Arc<RawSftpSession>,
    /// The server replaces a file in one step (`posix-rename@openssh.com`).
    pub(super) replaces: bool,
    /// The server syncs a file when asked (`fsync@openssh.com`).
    pub(super) syncs: bool,
    /// The server tells how full its disk is (`statvfs@openssh.com`).
    pub(super) measures: bool,
}

impl Session {
    /// Connects, checks the host's key, logs in and opens SFTP. `idle` is the longest silence.
    pub(super) async fn open(login: &Login, idle: Duration) -> Result<Self, DeliveryError> {
        let mut ssh = connect(login, idle).await?;
        enter::log_in(login, &mut ssh, idle).await?;
        let sftp = start_sftp(login, &ssh, idle).await?;
        let version = match timeout(idle, sftp.init()).await {
            Err(_) => return Err(login.silent("opening SFTP", idle)),
            Ok(Err(error)) => {
                return Err(login.again(
                    format!(
                        "the server does not speak SFTP: {}",
                        login.quote(&error.to_string())
                    ),
                    "does the account have a shell that prints something, or no right to SFTP?",
                ));
            }
            Ok(Ok(version)) => version,
        };
        let offers = |name: &str| version.extensions.contains_key(name);
        Ok(Session {
            ssh,
            sftp: Arc::new(sftp),
            replaces: offers("posix-rename@openssh.com"),
            syncs: offers("fsync@openssh.com"),
            measures: offers("statvfs@openssh.com"),
        })
    }

    /// True when the connection is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.ssh.is_closed()
    }

    /// Says good-bye, so that the server does not wait for more.
    pub(super) async fn close(self) {
        let good_bye = self
            .ssh
            .disconnect(russh::Disconnect::ByApplication, "", "en");
        // a server that does not hear it ends the session by itself
        let _ended = timeout(Duration::from_secs(1), good_bye).await;
    }
}

async fn connect(login: &Login, idle: Duration) -> Result<Handle<Guard>, DeliveryError> {
    let known = KnownHosts::read(&login.known_hosts).map_err(|error| {
        login.stop(
            format!(
                "the known host keys {} cannot be read: {error}",
                login.known_hosts.display()
            ),
            "correct `known_hosts`, or its rights",
        )
    })?;
    let server = (login.host.as_str(), login.port);
    let socket = match timeout(idle, TcpStream::connect(server)).await {
        Err(_) => return Err(login.silent("connecting", idle)),
        Ok(Err(error)) => {
            return Err(login.again(
                format!("no connection to {}:{}: {error}", login.host, login.port),
                "is the address right, is the server up, does a firewall stand between?",
            ));
        }
        Ok(Ok(socket)) => socket,
    };
    let config = client::Config {
        nodelay: true,
        preferred: Preferred {
            key: host_key_algorithms(&known.algorithms(&login.host, login.port)).into(),
            ..Preferred::DEFAULT
        },
        ..client::Config::default()
    };
    let refusal = Arc::new(Mutex::new(None));
    let guard = Guard {
        known,
        host: login.host.clone(),
        port: login.port,
        file: login.known_hosts.clone(),
        refusal: Arc::clone(&refusal),
    };
    let answer = timeout(
        idle,
        client::connect_stream(Arc::new(config), socket, guard),
    )
    .await;
    let refused = refusal.lock().ok().and_then(|mut refusal| refusal.take());
    match (answer, refused) {
        (_, Some((message, hint))) => Err(login.stop(message, hint)),
        (Err(_), None) => Err(login.silent("opening SSH", idle)),
        (Ok(Ok(ssh)), None) => Ok(ssh),
        (Ok(Err(error @ russh::Error::NoCommonAlgo { .. })), None) => Err(login.stop(
            format!(
                "no common ground with the server: {}",
                login.quote(&error.to_string())
            ),
            "the server knows only methods that are no longer safe; ask its operator to update it",
        )),
        (Ok(Err(error)), None) => Err(login.again(
            format!(
                "no SSH with the server: {}",
                login.quote(&error.to_string())
            ),
            "is this the port of an SSH server? too many connections at once are turned away too",
        )),
    }
}

/// What the server is asked for: first the kinds of key that are known of it, and never SHA-1.
fn host_key_algorithms(known: &[Algorithm]) -> Vec<Algorithm> {
    let is_known = |algorithm: &Algorithm| match algorithm {
        Algorithm::Rsa { .. } => known
            .iter()
            .any(|known| matches!(known, Algorithm::Rsa { .. })),
        other => known.contains(other),
    };
    let taken = Preferred::DEFAULT
        .key
        .iter()
        .filter(|algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None }));
    let (mut first, rest): (Vec<_>, Vec<_>) = taken.cloned().partition(is_known);
    first.extend(rest);
    first
}

/// A message and a hint.
type Refusal = (String, String);

/// Lets nobody in whose key is not known.
pub(super) struct Guard {
    known: KnownHosts,
    host: String,
    port: u16,
    file: PathBuf,
    refusal: Arc<Mutex<Option<Refusal>>>,
}

impl Guard {
    fn refuse(&self, key: &PublicKeyOrCertificate) -> Option<Refusal> {
        let file = self.file.display();
        let key = key.public_key();
        let fingerprint = known_hosts::fingerprint(&key);
        let line = known_hosts::line_to_add(&self.host, self.port, &key);
        match self.known.judge(&self.host, self.port, &key) {
            Verdict::Known => None,
            Verdict::Unknown => Some((
                format!("the host key of {} is not known: {fingerprint}", self.host),
                format!(
                    "compare it with what the operator of the server tells you by another way; if it is the same, add this \
                     line to {file}: {line}"
                ),
            )),
            Verdict::Changed { line: at } => Some((
                format!(
                    "the host key of {} is not the one in {file}:{at}, it is now {fingerprint}",
                    self.host
                ),
                format!(
                    "somebody may stand between you and the server: nothing was sent; ask its operator, and only if the key \
                     was changed on purpose replace line {at} with: {line}"
                ),
            )),
            Verdict::Revoked { line: at } => Some((
                format!(
                    "the host key of {} is revoked by {file}:{at}: {fingerprint}",
                    self.host
                ),
                "nothing was sent; ask the operator of the server for its new key".to_owned(),
            )),
        }
    }
}

impl client::Handler for Guard {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let refusal = self.refuse(key);
        let known = refusal.is_none();
        if let (Some(refusal), Ok(mut place)) = (refusal, self.refusal.lock()) {
            *place = Some(refusal);
        }
        Ok(known)
    }
}

async fn start_sftp(
    login: &Login,
    ssh: &Handle<Guard>,
    idle: Duration,
) -> Result<RawSftpSession, DeliveryError> {
    let doing = "opening SFTP";
    let mut channel = within(login, doing, idle, ssh.channel_open_session()).await?;
    within(login, doing, idle, channel.request_subsystem(true, "sftp")).await?;
    loop {
        match timeout(idle, channel.wait()).await {
            Err(_) => return Err(login.silent(doing, idle)),
            Ok(Some(ChannelMsg::Success)) => break,
            Ok(Some(ChannelMsg::Failure | ChannelMsg::Close) | None) => {
                return Err(login.stop(
                    format!("user `{}` has no SFTP on this server", login.user),
                    "ask its operator to allow SFTP for this account",
                ));
            }
            Ok(Some(_)) => {}
        }
    }
    let config = SftpConfig {
        max_packet_len: PACKET_MAX,
        request_timeout_secs: NEVER_SECONDS,
        ..SftpConfig::default()
    };
    Ok(RawSftpSession::new_with_config(
        channel.into_stream(),
        config,
    ))
}

/// Runs one step. The time-out is the longest silence.
pub(super) async fn within<T>(
    login: &Login,
    doing: &str,
    idle: Duration,
    work: impl Future<Output = Result<T, russh::Error>>,
) -> Result<T, DeliveryError> {
    match timeout(idle, work).await {
        Err(_) => Err(login.silent(doing, idle)),
        Ok(Err(error)) => Err(login.again(
            format!(
                "the connection broke ({doing}): {}",
                login.quote(&error.to_string())
            ),
            "is the server up, and the line to it?",
        )),
        Ok(Ok(value)) => Ok(value),
    }
}
