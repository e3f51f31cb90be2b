//! FTP with TLS: uploads in, files that stand whole out. `ftps://` asks for TLS after the greeting, `ftps+implicit://` (or
//! port 990) begins with it, and `ftp://`, without any, is taken only with `allow_plain = true`. A file goes up under a
//! hidden name, is read back, and takes its name by `RNFR` and `RNTO`, which servers do in one step; where one refuses
//! because the old file stands, that steps aside for a moment, and the destination says that it is not atomic.
//!
//! A path begins at the server's root as the user sees it; `/~/` is the folder that the user enters in. Connections are
//! passive (`EPSV`, else `PASV` to the server itself). One is kept and opened anew after a failure.

mod files;
mod session;
#[cfg(test)]
mod tests;
mod tls;

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use self::files::Files;
use self::session::{Login, Safety, Session};
use self::tls::Tls;
use super::{
    Address, Capabilities, Deadline, DeliveryError, Destination, Naming, Proof, Remote, Upload,
};
use crate::config::ConfigError;
use crate::config::destination::To;

const PORT: u16 = 21;
const PORT_IMPLICIT: u16 = 990;
/// A connection nobody used for so long may be gone without a word.
const STALE: Duration = Duration::from_secs(15);

/// Opens a place; calls nobody yet.
///
/// # Errors
/// No user or password, names that would be commands, or authorities that cannot be read.
pub(super) fn open(
    to: &To,
    address: Address,
    project: &Path,
) -> Result<Box<dyn Destination>, ConfigError> {
    ftps(to, address, project).map(|ftps| Box::new(ftps) as Box<dyn Destination>)
}

fn ftps(to: &To, address: Address, project: &Path) -> Result<Ftps, ConfigError> {
    let user = address.user(to).ok_or_else(|| {
        to.wrong(
            format!("`{}` names no user", address.shown),
            "write it as `ftps://user@host/path`, or add `user = \"…\"`",
        )
    })?;
    let password = to.password.as_ref().ok_or_else(|| {
        to.wrong(
            format!("there is no password for `{}`", address.shown),
            "add `password = \"env:NAME\"`",
        )
    })?;
    let password = password
        .resolve(project)
        .map_err(|error| to.wrong(error, "set the variable, or put the secret into the file"))?;
    let folder = match address.folder.strip_prefix("/~/") {
        Some(below_home) => below_home.to_owned(),
        None => address.folder.clone(),
    };
    // One line is one command.
    let texts = [user, password.expose(), &folder];
    if texts.iter().any(|text| text.contains(char::is_control)) {
        return Err(to.wrong(
            "the user, the password or the folder has a control character in it",
            "FTP cannot send these; correct it",
        ));
    }
    let scheme = address.shown.split("://").next().unwrap_or_default();
    let implicit = scheme == "ftps+implicit" || address.port == Some(PORT_IMPLICIT);
    let safety = match scheme {
        "ftp" if to.ca.is_some() => {
            return Err(to.wrong(
                "`ca` does nothing for `ftp://`",
                "use `ftps://`, or take it out",
            ));
        }
        "ftp" => Safety::None,
        _ => {
            let tls = tls(to, project)?;
            if implicit {
                Safety::Implicit(tls)
            } else {
                Safety::Explicit(tls)
            }
        }
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        to.wrong(
            format!("no connection can be made: {error}"),
            "is this machine out of memory or files?",
        )
    })?;
    Ok(Ftps {
        login: Login {
            address: address.shown.clone(),
            host: address.host.trim_matches(['[', ']']).to_owned(),
            port: address
                .port
                .unwrap_or(if implicit { PORT_IMPLICIT } else { PORT }),
            user: user.to_owned(),
            password,
            safety,
            folder,
        },
        naming: address.naming,
        idle: to.timeout()?,
        runtime,
        session: None,
        used: Instant::now(),
        replaces: true,
    })
}

fn tls(to: &To, project: &Path) -> Result<Tls, ConfigError> {
    let ca = to.ca.as_ref().map(|ca| project.join(ca));
    let authorities = tls::authorities(ca.as_deref())
        .map_err(|error| to.wrong(error, "name a file with certificates in PEM"))?;
    Tls::new(authorities).map_err(|error| {
        to.wrong(
            error,
            "this program was built without a method that TLS needs",
        )
    })
}

/// Delivers by FTP.
struct Ftps {
    login: Login,
    naming: Naming,
    /// The longest silence.
    idle: Duration,
    runtime: Runtime,
    session: Option<Session>,
    /// When the session was last used.
    used: Instant,
    /// Whether the server replaces in one step, as far as is known: most do.
    replaces: bool,
}

impl Ftps {
    /// Runs a piece of work with a session: the one that is open, or a new one. A session in which something failed is
    /// not used again.
    fn run<T>(
        &mut self,
        deadline: &Deadline,
        work: impl AsyncFnOnce(&mut Files<'_>) -> Result<T, DeliveryError>,
    ) -> Result<T, DeliveryError> {
        deadline.check(&self.login.address)?;
        let idle = self.idle.min(deadline.remaining());
        let kept = self.session.take().filter(|_| self.used.elapsed() < STALE);
        let (login, replaces) = (&self.login, &mut self.replaces);
        let all = async {
            let mut session = match kept {
                Some(session) => session,
                None => Session::open(login, idle).await?,
            };
            let mut files = Files {
                session: &mut session,
                login,
                idle,
                replaces,
            };
            let result = work(&mut files).await;
            Ok((session, result))
        };
        let ended = self
            .runtime
            .block_on(async { timeout(deadline.remaining(), all).await });
        let (session, result) = match ended {
            Err(_) => return Err(DeliveryError::out_of_time(&self.login.address)),
            Ok(Err(error)) => return Err(error),
            Ok(Ok(ended)) => ended,
        };
        self.used = Instant::now();
        if result.is_ok() {
            self.session = Some(session);
        } else {
            // dropped within the runtime that its sockets belong to
            self.runtime.block_on(async { drop(session) });
        }
        result
    }
}

impl Drop for Ftps {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.runtime.block_on(session.close());
        }
    }
}

impl Destination for Ftps {
    fn address(&self) -> &str {
        &self.login.address
    }

    fn naming(&self) -> &Naming {
        &self.naming
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic: self.replaces,
            read_back: true,
            remove: true,
        }
    }

    fn put(&mut self, upload: &Upload<'_>, deadline: &Deadline) -> Result<Proof, DeliveryError> {
        self.run(deadline, async |files| files.put(upload).await)?;
        Ok(Proof::ReadBack)
    }

    fn stands(&mut self, name: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError> {
        self.run(deadline, async |files| {
            let found = files.size(name).await?;
            Ok(found.map(|bytes| Remote {
                bytes,
                sha256: None,
            }))
        })
    }

    fn remove(&mut self, name: &str, deadline: &Deadline) -> Result<(), DeliveryError> {
        self.run(deadline, async |files| files.remove(name).await)
    }
}
