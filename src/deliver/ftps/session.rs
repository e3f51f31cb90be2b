//! A session with an FTP server: a login comes in, a session in the right folder goes out, safe before a password is sent.
//! Nothing here waits without end.

use std::time::Duration;

use suppaftp::tokio::{AsyncRustlsStream, ImplAsyncFtpStream};
use suppaftp::tokio_rustls::rustls;
use suppaftp::types::{FileType, Response};
use suppaftp::{FtpError, FtpResult, Mode, Status};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls::Tls;
use crate::config::secret::Secret;
use crate::deliver::{DeliveryError, quoted};

/// A connection, with TLS or without.
pub(super) type Ftp = ImplAsyncFtpStream<AsyncRustlsStream>;

/// How the connection is made safe.
#[derive(Clone, Debug)]
pub(super) enum Safety {
    /// By `AUTH TLS` after the greeting.
    Explicit(Tls),
    /// From the first byte.
    Implicit(Tls),
    /// Not at all: the project allowed it.
    None,
}

/// Who enters where.
pub(super) struct Login {
    /// As it is shown.
    pub(super) address: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: Secret,
    pub(super) safety: Safety,
    /// Ends in `/`; what does not begin with it is below the folder that one enters in, which is empty then.
    pub(super) folder: String,
}

/// An open session, in its folder.
pub(super) struct Session {
    pub(super) ftp: Ftp,
    /// The server lists by `MLSD`.
    pub(super) lists: bool,
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
        quoted(text, &[self.password.expose()])
    }

    pub(super) fn silent(&self, doing: &str, idle: Duration) -> DeliveryError {
        self.again(
            format!("the server said nothing for {} s ({doing})", idle.as_secs_f32()),
            "is it overloaded, does a firewall stop the data connection? `timeout = \"120s\"` waits longer",
        )
    }

    /// Runs one step. The time-out is the longest silence.
    pub(super) async fn done<T>(
        &self,
        doing: &str,
        idle: Duration,
        work: impl Future<Output = FtpResult<T>>,
    ) -> Result<T, DeliveryError> {
        match timeout(idle, work).await {
            Err(_) => Err(self.silent(doing, idle)),
            Ok(Err(error)) => Err(self.failed(doing, &error)),
            Ok(Ok(value)) => Ok(value),
        }
    }

    fn tls(&self) -> Option<&Tls> {
        match &self.safety {
            Safety::Explicit(tls) | Safety::Implicit(tls) => Some(tls),
            Safety::None => None,
        }
    }

    /// A failed step in words, with what to do.
    fn failed(&self, doing: &str, error: &FtpError) -> DeliveryError {
        match error {
            FtpError::UnexpectedResponse(response) => {
                let said = self.quote(&String::from_utf8_lossy(&response.body));
                self.answered(doing, code(response), &said)
            }
            FtpError::SecureError(text) => match self.tls().and_then(Tls::refusal) {
                Some(rustls::Error::InvalidCertificate(why)) => self.stop(
                    format!("the certificate of {} is refused: {}", self.host, self.quote(&format!("{why:?}"))),
                    "nothing was sent; is the name in the address the one of the certificate? an authority of the \
                     server's own goes into `ca = \"FILE.pem\"`",
                ),
                _ => self.again(
                    format!("no TLS with the server ({doing}): {}", self.quote(text)),
                    "is it TLS from the first byte there? then write `ftps+implicit://`; servers without TLS 1.2 are not \
                     delivered to",
                ),
            },
            error => self.again(
                format!("the connection broke ({doing}): {}", self.quote(&error.to_string())),
                "the old file stands untouched; is the server up, and the line to it?",
            ),
        }
    }

    fn answered(&self, doing: &str, code: u32, said: &str) -> DeliveryError {
        let folder = if self.folder.is_empty() {
            "the user's folder"
        } else {
            &self.folder
        };
        match code {
            452 | 552 => self.stop(
                format!("there is no room left on the server ({doing}: {said})"),
                "the old file stands untouched; ask its operator for room, then run it again",
            ),
            530 | 532 | 331 | 332 => self.stop(
                format!("the server does not let user `{}` in ({doing}: {said})", self.user),
                "check the user, and what `password` refers to",
            ),
            534 | 522 | 425 | 426 if doing != LOGIN => self.again(
                format!("the data connection failed ({doing}: {said})"),
                "the old file stands untouched; does a firewall stop the server's data ports?",
            ),
            550 | 553 => self.stop(
                format!("user `{}` may not do this in `{folder}` ({doing}: {said})", self.user),
                "ask the server's operator for the right to create, rename and remove files in this folder",
            ),
            400..=499 => self.again(
                format!("the server failed ({doing}: {said})"),
                "the old file stands untouched; it may work later, unless the server's disk is full",
            ),
            _ => self.stop(
                format!("the server cannot do this ({doing}: {said})"),
                "ask its operator for STOR, RETR, SIZE, RNFR and RNTO",
            ),
        }
    }
}

/// An answer's number. Those that the library has no name for, such as 522, stand before the text alone.
pub(super) fn code(response: &Response) -> u32 {
    let digits = response.body.first_chunk::<3>();
    let number = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    number.unwrap_or_else(|| response.status.code())
}

const LOGIN: &str = "logging in";

impl Session {
    /// Connects, makes the connection safe, logs in and enters the folder. `idle` is the longest silence.
    pub(super) async fn open(login: &Login, idle: Duration) -> Result<Self, DeliveryError> {
        let mut ftp = connect(login, idle).await?;
        let entering = ftp.login(login.user.as_str(), login.password.expose());
        login.done(LOGIN, idle, entering).await?;
        login
            .done(
                "asking for bytes as they are",
                idle,
                ftp.transfer_type(FileType::Binary),
            )
            .await?;
        // A server that does not tell what it can is asked in the oldest way.
        let features = match timeout(idle, ftp.feat()).await {
            Ok(Ok(features)) => features,
            Ok(Err(FtpError::UnexpectedResponse(_))) => Default::default(),
            Ok(Err(error)) => return Err(login.failed("asking what it can", &error)),
            Err(_) => return Err(login.silent("asking what it can", idle)),
        };
        let can = |name: &str| {
            features
                .keys()
                .any(|feature| feature.eq_ignore_ascii_case(name))
        };
        if can("UTF8") {
            // RFC 2640 has it on; some servers want to be asked, others refuse to
            let _asked = timeout(
                idle,
                ftp.custom_command("OPTS UTF8 ON", &[Status::CommandOk]),
            )
            .await;
        }
        // Many servers list EPSV and then deny it, or the other way round: it is tried.
        match timeout(
            idle,
            ftp.custom_command("EPSV", &[Status::ExtendedPassiveMode]),
        )
        .await
        {
            Err(_) => return Err(login.silent("asking for a data connection", idle)),
            Ok(Ok(_)) => ftp.set_mode(Mode::ExtendedPassive),
            // then the data goes to the server that was asked, whatever address it names
            Ok(Err(FtpError::UnexpectedResponse(_))) => ftp.set_passive_nat_workaround(true),
            Ok(Err(error)) => return Err(login.failed("asking for a data connection", &error)),
        }
        if !login.folder.is_empty() {
            match timeout(idle, ftp.cwd(&login.folder)).await {
                Err(_) => return Err(login.silent("entering the folder", idle)),
                Ok(Ok(())) => {}
                Ok(Err(FtpError::UnexpectedResponse(response)))
                    if response.status == Status::FileUnavailable =>
                {
                    return Err(login.stop(
                        format!("there is no folder `{}` on the server, or it is closed", login.folder),
                        "make it there, or correct the address: its path begins at the server's root, `/~/` is the \
                         folder that the user enters in",
                    ));
                }
                Ok(Err(error)) => return Err(login.failed("entering the folder", &error)),
            }
        }
        Ok(Session {
            ftp,
            lists: can("MLST") || can("MLSD"),
        })
    }

    /// Says good-bye.
    pub(super) async fn close(mut self) {
        // a server that does not hear it ends the session by itself
        let _ended = timeout(Duration::from_secs(1), self.ftp.quit()).await;
    }
}

async fn connect(login: &Login, idle: Duration) -> Result<Ftp, DeliveryError> {
    let server = (login.host.as_str(), login.port);
    if let Safety::Implicit(tls) = &login.safety {
        let connecting = Ftp::connect_secure_implicit(server, tls.clone(), &login.host);
        let mut ftp = login.done("connecting", idle, connecting).await?;
        for command in ["PBSZ 0", "PROT P"] {
            let protecting = ftp.custom_command(command, &[Status::CommandOk]);
            login.done("protecting the data", idle, protecting).await?;
        }
        return Ok(ftp);
    }
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
    let ftp = login
        .done(
            "waiting for the greeting",
            idle,
            Ftp::connect_with_stream(socket),
        )
        .await?;
    match &login.safety {
        Safety::Explicit(tls) => {
            let securing = ftp.into_secure(tls.clone(), &login.host);
            login.done("opening TLS", idle, securing).await
        }
        _ => Ok(ftp),
    }
}
