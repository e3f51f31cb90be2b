//! Against vsftpd, started by `tests/servers/ftps`; without it each test says that it is skipped. Certificates that must be
//! refused are shown by a server of our own.
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use suppaftp::tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use suppaftp::tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};

use super::super::loopback::{closed_port, read_all_the_while, silent_server, skipped};
use super::super::suite::{self, Place, Staged, noise, soon};
use super::super::{Recovery, open, pack};
use super::*;
use crate::config::destination::SecretRef;
use crate::config::env;

/// What a child process of the killing test is told by.
const CHILD: &str = "SHELFCAST_TEST_FTPS_CHILD";

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
fn authorities_that_did_not_sign_the_certificate_let_nobody_in() {
    let Some(server) = Server::start() else {
        return;
    };
    for kind in [Kind::Explicit, Kind::Implicit] {
        for ca in [
            None,
            Some(server.folder.join("other-ca.pem").display().to_string()),
        ] {
            let to = To {
                ca,
                ..server.to(kind, "")
            };
            let error = send(&to).expect_err("refused");
            assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
            assert!(
                error
                    .message
                    .contains("the certificate of 127.0.0.1 is refused"),
                "{error:?}"
            );
        }
    }
    for file in ["none.pem", "address"] {
        let to = To {
            ca: Some(server.folder.join(file).display().to_string()),
            ..server.to(Kind::Explicit, "")
        };
        let error = open(&to, Path::new("/")).err().expect("no authorities");
        assert!(error.message.contains(file), "{error:?}");
    }
}

/// A server that asks for TLS and shows this certificate; what it hears after that is kept. Its port.
fn showing(
    certificate: rcgen::CertificateParams,
    authority: &rcgen::Issuer<'_, rcgen::KeyPair>,
) -> (u16, Arc<Mutex<String>>) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = certificate.signed_by(&key, authority).expect("signed");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heard = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&heard);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut lines = BufReader::new(client.try_clone().expect("a socket"));
            let mut line = String::new();
            let mut told = client;
            if told.write_all(b"220 ready\r\n").is_err() || lines.read_line(&mut line).is_err() {
                continue;
            }
            assert_eq!(line, "AUTH TLS\r\n");
            told.write_all(b"234 go on\r\n").expect("told");
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut lines = BufReader::new(StreamOwned::new(session, told));
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock().expect("kept").push_str(&line);
                line.clear();
                if lines.get_mut().write_all(b"421 enough\r\n").is_err() {
                    break;
                }
            }
        }
    });
    (port, heard)
}

#[test]
fn a_certificate_for_another_name_or_time_is_refused_before_the_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("signed").pem();
    let authority = rcgen::Issuer::new(params, key);
    std::fs::write(folder.path().join("ca.pem"), pem).expect("written");
    std::fs::write(folder.path().join("password"), "CANARY-5up3r-s3cret").expect("written");
    let to = |port: u16| To {
        url: Some(format!("ftps://u@localhost:{port}/")),
        password: Some(
            SecretRef::new(&format!(
                "file:{}",
                folder.path().join("password").display()
            ))
            .expect("a reference"),
        ),
        ca: Some(folder.path().join("ca.pem").display().to_string()),
        timeout: Some("5s".to_owned()),
        ..To::default()
    };
    let for_name =
        |name: &str| rcgen::CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let mut over = for_name("localhost");
    over.not_before = rcgen::date_time_ymd(2001, 1, 1);
    over.not_after = rcgen::date_time_ymd(2002, 1, 1);
    for certificate in [for_name("elsewhere.example"), over] {
        let (port, heard) = showing(certificate, &authority);
        let error = send(&to(port)).expect_err("refused");
        assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
        assert!(
            error
                .message
                .contains("the certificate of localhost is refused"),
            "{error:?}"
        );
        assert_eq!(*heard.lock().expect("heard"), "");
    }
    // the right one is taken: what comes next is heard
    let (port, heard) = showing(for_name("localhost"), &authority);
    send(&to(port)).expect_err("not much of a server");
    assert!(heard.lock().expect("heard").starts_with("PBSZ 0"));
}

#[test]
fn a_server_that_says_nothing_is_left_within_the_time_out() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("password"), "p").expect("written");
    let to = |scheme: &str, port: u16, timeout: &str| To {
        url: Some(format!("{scheme}://u@127.0.0.1:{port}/")),
        password: Some(
            SecretRef::new(&format!(
                "file:{}",
                folder.path().join("password").display()
            ))
            .expect("a reference"),
        ),
        allow_plain: scheme == "ftp",
        timeout: Some(timeout.to_owned()),
        ..To::default()
    };
    let silent = silent_server();
    for scheme in ["ftps", "ftps+implicit", "ftp"] {
        let error = send(&to(scheme, silent, "1s")).expect_err("silent");
        assert!(error.message.contains("said nothing"), "{error:?}");
        assert!(matches!(error.recovery, Recovery::Retry { .. }));
        // the run's own deadline comes first
        let soon = Deadline::after(Duration::from_millis(300));
        destination(&to(scheme, silent, "1h"))
            .remove("feed.xml", &soon)
            .expect_err("over");
        let error = send(&to(scheme, closed_port(), "5s")).expect_err("nobody");
        assert!(
            matches!(error.recovery, Recovery::Retry { .. }),
            "{error:?}"
        );
    }
}

/// Not a test of its own: what the killing test runs in a process that can be killed.
#[test]
fn child() {
    let Some(told) = env::get(CHILD) else { return };
    let (shelf, file) = told.split_once('\n').expect("a folder and a file");
    let server = Server::start().expect("a server");
    let bytes = std::fs::read(file).expect("a version");
    let sent = Staged::new().put(
        &mut *destination(&server.to(Kind::Explicit, shelf)),
        "feed.xml",
        &bytes,
    );
    sent.expect("sent");
}

#[test]
fn readers_see_whole_versions_while_clients_are_killed() {
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let target = server.path(&shelf).join("feed.xml");
    let folder = tempfile::tempdir().expect("a folder");
    let versions: Vec<Vec<u8>> = (0..60)
        .map(|number| noise(200_000 + number * 997, number as u64))
        .collect();
    let digest = |bytes: &[u8]| pack::digest(bytes).expect("read").1;
    let published: HashSet<String> = versions.iter().map(|version| digest(version)).collect();
    let staged = Staged::new();
    let to = server.to(Kind::Explicit, &shelf);
    staged
        .put(&mut *destination(&to), "feed.xml", &versions[0])
        .expect("sent");
    let reader = |number: usize| {
        // one over the network, the others past it
        let mut ftps = (number == 0).then(|| ftps(&to));
        let target = &target;
        move || match &mut ftps {
            None => Ok(digest(&std::fs::read(target).expect("never absent"))),
            Some(ftps) => ftps
                .run(&soon(), async |files| {
                    files.content("feed.xml", u64::MAX - 1).await
                })
                .map(|remote| remote.sha256.expect("read")),
        }
    };
    read_all_the_while(
        reader,
        |digest| published.contains(digest),
        || {
            let mut killed = 0;
            for (number, version) in versions.iter().enumerate() {
                let file = folder.path().join(number.to_string());
                std::fs::write(&file, version).expect("written");
                let mut child =
                    std::process::Command::new(std::env::current_exe().expect("this program"))
                        .args(["--exact", "deliver::ftps::tests::child", "--quiet"])
                        .env(CHILD, format!("{shelf}\n{}", file.display()))
                        .stdout(std::process::Stdio::null())
                        .stderr(std::process::Stdio::null())
                        .spawn()
                        .expect("a process");
                if number % 4 != 0 {
                    // a different moment each time, from before the connection to after the last answer
                    thread::sleep(Duration::from_millis((number as u64 * 37) % 500));
                    let _gone = child.kill();
                }
                killed += u64::from(!child.wait().expect("ended").success());
            }
            assert!((5..=45).contains(&killed), "{killed} clients were killed");
        },
    );
    let last = noise(10, 1);
    staged
        .put(&mut *destination(&to), "feed.xml", &last)
        .expect("sent");
    let left: Vec<_> = std::fs::read_dir(server.path(&shelf))
        .expect("a folder")
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
