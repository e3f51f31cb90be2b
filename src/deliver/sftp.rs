//! SFTP: uploads in, files that stand whole out. Whoever is at the other end is known by its host key before a secret is
//! sent. A file goes up under a hidden name, is synced and read back, and takes its name in one step where the
//! server has `posix-rename@openssh.com` (OpenSSH and most others); else the old file steps aside for a moment, and the
//! destination says that it is not atomic.
//!
//! A path begins at the server's root; `/~/` is the user's home. One connection is kept and opened anew after a failure.

mod enter;
mod files;
mod known_hosts;
#[cfg(test)]
mod lying;
mod session;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::keys::{Error as KeyError, PrivateKey, decode_secret_key};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use self::files::Files;
use self::session::{Login, Session};
use super::{
    Address, Capabilities, Deadline, DeliveryError, Destination, Naming, Proof, Remote, Upload,
};
use crate::config::ConfigError;
use crate::config::destination::To;
use crate::config::env;
use crate::config::secret::Secret;

const PORT: u16 = 22;
/// A connection nobody used for so long may be gone without a word.
const STALE: Duration = Duration::from_secs(15);

/// Opens a place; calls nobody yet.
///
/// # Errors
/// No user, no password and no key, or a key that cannot be read.
pub(super) fn open(
    to: &To,
    address: Address,
    project: &Path,
) -> Result<Box<dyn Destination>, ConfigError> {
    sftp(to, address, project).map(|sftp| Box::new(sftp) as Box<dyn Destination>)
}

fn sftp(to: &To, address: Address, project: &Path) -> Result<Sftp, ConfigError> {
    let user = address.user(to).ok_or_else(|| {
        to.wrong(
            format!("`{}` names no user", address.shown),
            "write it as `sftp://user@host/path`, or add `user = \"…\"`",
        )
    })?;
    let password = to
        .password
        .as_ref()
        .map(|password| password.resolve(project));
    let password = password
        .transpose()
        .map_err(|error| to.wrong(error, SECRET_HINT))?;
    let key = private_key(to, project)?;
    if password.is_none() && key.is_none() {
        return Err(to.wrong(
            format!("there is neither password nor key for `{}`", address.shown),
            "add `key = \"file:PATH\"` or `password = \"env:NAME\"`",
        ));
    }
    let login = Login {
        address: address.shown.clone(),
        host: address.host.trim_matches(['[', ']']).to_owned(),
        port: address.port.unwrap_or(PORT),
        user: user.to_owned(),
        password,
        key,
        known_hosts: known_hosts_file(to, project)?,
    };
    let folder = match address.folder.strip_prefix("/~/") {
        Some(below_home) => format!("./{below_home}"),
        None => address.folder.clone(),
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        to.wrong(
            format!("no connection can be made: {error}"),
            "is this machine out of memory or files?",
        )
    })?;
    Ok(Sftp {
        idle: to.timeout()?,
        naming: address.naming,
        login,
        folder,
        runtime,
        session: None,
        used: Instant::now(),
        replaces: true,
    })
}

const SECRET_HINT: &str = "set the variable, or put the secret into the file";

fn private_key(to: &To, project: &Path) -> Result<Option<Arc<PrivateKey>>, ConfigError> {
    let Some(reference) = &to.key else {
        if to.key_passphrase.is_some() {
            return Err(to.wrong(
                "`key_passphrase` unlocks no key",
                "add `key = \"file:PATH\"`",
            ));
        }
        return Ok(None);
    };
    let wrong = |error: String| to.wrong(error, SECRET_HINT);
    let text = reference.resolve(project).map_err(wrong)?;
    let passphrase = to
        .key_passphrase
        .as_ref()
        .map(|phrase| phrase.resolve(project));
    let passphrase = passphrase.transpose().map_err(wrong)?;
    let shown = reference.reference();
    // What the library says of a key is not repeated: it may hold a piece of it.
    match decode_secret_key(text.expose(), passphrase.as_ref().map(Secret::expose)) {
        Ok(key) if !key.is_encrypted() => Ok(Some(Arc::new(key))),
        Ok(_) | Err(KeyError::KeyIsEncrypted) => Err(to.wrong(
            format!("the key `{shown}` is locked"),
            "add `key_passphrase = \"env:NAME\"`",
        )),
        Err(_) if passphrase.is_some() => Err(to.wrong(
            format!("the key `{shown}` cannot be read with this `key_passphrase`"),
            "is it the right passphrase, and a private key (`ssh-keygen -y -f FILE` tells)?",
        )),
        Err(_) => Err(to.wrong(
            format!("the key `{shown}` is no private key that can be read"),
            "name the file without `.pub`; keys are of the kinds ed25519, ecdsa or rsa, as `ssh-keygen` makes them",
        )),
    }
}

fn known_hosts_file(to: &To, project: &Path) -> Result<PathBuf, ConfigError> {
    if let Some(file) = &to.known_hosts {
        return Ok(project.join(file));
    }
    let home = env::get("HOME").or_else(|| env::get("USERPROFILE"));
    home.map(|home| Path::new(&home).join(".ssh/known_hosts"))
        .ok_or_else(|| {
            to.wrong(
                "there is no home folder with known host keys",
                "add `known_hosts = \"FILE\"`",
            )
        })
}

/// Delivers by SFTP.
struct Sftp {
    login: Login,
    naming: Naming,
    /// With `/` at its end.
    folder: String,
    /// The longest silence.
    idle: Duration,
    runtime: Runtime,
    session: Option<Session>,
    /// When the session was last used.
    used: Instant,
    /// Whether the server replaces in one step, as far as is known: most do.
    replaces: bool,
}

impl Sftp {
    /// Runs a piece of work with a session: the one that is open, or a new one. A session in which something failed is
    /// not used again.
    fn run<T>(
        &mut self,
        deadline: &Deadline,
        work: impl AsyncFnOnce(&Files<'_>) -> Result<T, DeliveryError>,
    ) -> Result<T, DeliveryError> {
        deadline.check(&self.login.address)?;
        let idle = self.idle.min(deadline.remaining());
        let kept = self
            .session
            .take()
            .filter(|session| self.used.elapsed() < STALE && !session.is_closed());
        let (login, folder) = (&self.login, self.folder.as_str());
        let all = async {
            let session = match kept {
                Some(session) => session,
                None => Session::open(login, idle).await?,
            };
            let files = Files {
                session: &session,
                login,
                idle,
                folder,
            };
            let result = work(&files).await;
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
        self.replaces = session.replaces;
        self.used = Instant::now();
        if result.is_ok() {
            self.session = Some(session);
        } else {
            self.runtime.block_on(session.close());
        }
        result
    }
}

impl Drop for Sftp {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.runtime.block_on(session.close());
        }
    }
}

impl Destination for Sftp {
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
            let found = files.attributes(&files.path(name)).await?;
            Ok(found.map(|found| Remote {
                bytes: found.size.unwrap_or(0),
                sha256: None,
            }))
        })
    }

    fn remove(&mut self, name: &str, deadline: &Deadline) -> Result<(), DeliveryError> {
        self.run(deadline, async |files| {
            files.remove_path(&files.path(name)).await
        })
    }
}
