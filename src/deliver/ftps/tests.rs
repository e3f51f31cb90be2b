//! Against vsftpd, started by `tests/servers/ftps`; without it each test says that it is skipped. Certificates that must be
//! refused are shown by a server of our own.
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

mod broken;
mod certificates;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::loopback::skipped;
use super::super::suite::{self, Place, Staged, noise, soon};
use super::super::{Recovery, open, pack};
use super::*;
use crate::config::destination::SecretRef;
use crate::config::env;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Explicit,
    Implicit,
    Plain,
}

/// A server, and a folder of its own there for each test.
struct Server {
    folder: PathBuf,
    user: String,
    ports: [u16; 3],
}

impl Server {
    fn start() -> Option<Self> {
        let Some(folder) = env::get("SHELFCAST_TEST_FTPS") else {
            skipped("SHELFCAST_TEST_FTPS is not set (tests/servers/ftps start FOLDER)");
            return None;
        };
        let folder = PathBuf::from(folder);
        let address =
            std::fs::read_to_string(folder.join("address")).expect("the server's address");
        let mut fields = address.split_whitespace();
        let user = fields.next().expect("a user").to_owned();
        let ports = [0; 3].map(|_| {
            fields
                .next()
                .and_then(|port| port.parse().ok())
                .expect("a port")
        });
        Some(Server {
            folder,
            user,
            ports,
        })
    }

    /// An empty folder there that the user may write to: its name.
    fn shelf(&self) -> String {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        // made by the user itself, so that it is the user's
        let mut root = ftps(&self.to(Kind::Explicit, ""));
        root.run(&soon(), async |files| {
            let making = files.session.ftp.mkdir(name.as_str());
            files
                .login
                .done("making", Duration::from_secs(20), making)
                .await
        })
        .expect("made");
        name
    }

    fn path(&self, shelf: &str) -> PathBuf {
        self.folder.join("served").join(shelf)
    }

    fn secret(&self, name: &str) -> SecretRef {
        SecretRef::new(&format!("file:{}", self.folder.join(name).display())).expect("a reference")
    }

    fn to(&self, kind: Kind, shelf: &str) -> To {
        let scheme = match kind {
            Kind::Explicit => "ftps",
            Kind::Implicit => "ftps+implicit",
            Kind::Plain => "ftp",
        };
        let [explicit, implicit, plain] = self.ports;
        let port = match kind {
            Kind::Explicit => explicit,
            Kind::Implicit => implicit,
            Kind::Plain => plain,
        };
        let slash = if shelf.is_empty() { "" } else { "/" };
        To {
            url: Some(format!(
                "{scheme}://{}@127.0.0.1:{port}/{shelf}{slash}",
                self.user
            )),
            password: Some(self.secret("password")),
            ca: match kind {
                Kind::Plain => None,
                _ => Some(self.folder.join("ca.pem").display().to_string()),
            },
            allow_plain: matches!(kind, Kind::Plain),
            timeout: Some("20s".to_owned()),
            ..To::default()
        }
    }
}

fn destination(to: &To) -> Box<dyn Destination> {
    open(to, Path::new("/")).expect("opened")
}

fn ftps(to: &To) -> Ftps {
    super::ftps(to, Address::of(to).expect("an address"), Path::new("/")).expect("opened")
}

/// Sends a file and returns how that ended.
fn send(to: &To) -> Result<Proof, DeliveryError> {
    Staged::new().put(&mut *destination(to), "feed.xml", b"<a/>")
}

struct Shelf {
    server: Server,
    name: String,
    kind: Kind,
}

impl Place for Shelf {
    fn open(&self) -> Box<dyn Destination> {
        destination(&self.server.to(self.kind, &self.name))
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.server.path(&self.name).join(name)).ok()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.server.path(&self.name)).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .collect();
        names.sort();
        names
    }

    fn plant(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.server.path(&self.name).join(name), bytes).expect("written");
    }
}

fn passes(kind: Kind) {
    suite::passes(|| {
        let server = Server::start()?;
        let name = server.shelf();
        Some(Shelf { server, name, kind })
    });
}

#[test]
fn explicit_tls_with_required_session_reuse_passes_the_suite() {
    passes(Kind::Explicit);
}

#[test]
fn implicit_tls_passes_the_suite() {
    passes(Kind::Implicit);
}

#[test]
fn without_tls_and_without_epsv_it_passes_the_suite_where_that_is_allowed() {
    passes(Kind::Plain);
    let to = To {
        url: Some("ftp://u@127.0.0.1/".to_owned()),
        password: Some(SecretRef::new("env:P").expect("a reference")),
        ..To::default()
    };
    let error = open(&to, Path::new("/")).err().expect("not allowed");
    assert!(error.hint.contains("allow_plain"), "{error:?}");
}

#[test]
fn one_connection_resumes_its_session_for_many_files() {
    let Some(server) = Server::start() else {
        return;
    };
    for kind in [Kind::Explicit, Kind::Implicit] {
        let shelf = server.shelf();
        let mut place = ftps(&server.to(kind, &shelf));
        let staged = Staged::new();
        for number in 0..15 {
            let name = format!("{number}.xml");
            staged
                .put(&mut place, &name, &noise(3_000, number))
                .expect(&name);
        }
        assert!(place.session.is_some());
    }
}

#[test]
fn a_wrong_password_or_folder_is_refused_for_good_and_no_secret_is_told() {
    let Some(server) = Server::start() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("canary"), "CANARY-5up3r-s3cret").expect("written");
    let canary = SecretRef::new(&format!("file:{}", folder.path().join("canary").display()))
        .expect("a reference");
    for kind in [Kind::Explicit, Kind::Implicit, Kind::Plain] {
        let to = To {
            password: Some(canary.clone()),
            ..server.to(kind, "")
        };
        let error = send(&to).expect_err("refused");
        assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
        assert!(error.message.contains("does not let user"), "{error:?}");
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    let error = send(&server.to(Kind::Explicit, "none")).expect_err("no folder");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert!(
        error.message.contains("there is no folder `/none/`"),
        "{error:?}"
    );
    // a password that would be two commands
    std::fs::write(folder.path().join("canary"), "CANARY\r\nDELE feed.xml").expect("written");
    let to = To {
        password: Some(canary),
        ..server.to(Kind::Plain, "")
    };
    let error = open(&to, Path::new("/")).err().expect("refused");
    assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
}

#[test]
fn numbers_that_the_library_has_no_name_for_are_read() {
    use suppaftp::Status;
    use suppaftp::types::Response;
    for (body, expected) in [
        ("522 SSL connection failed: session reuse required\r\n", 522),
        ("550-First line\r\n550 last\r\n", 550),
        ("ready", 220),
        ("", 220),
    ] {
        let response = Response::new(Status::Ready, body.as_bytes().to_vec());
        assert_eq!(session::code(&response), expected, "{body}");
    }
}
