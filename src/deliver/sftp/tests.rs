//! Against OpenSSH's own server, started by `tests/servers/sftp`; without it each test says that it is skipped.
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

mod broken;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::loopback::skipped;
use super::super::suite::{self, Place, Staged, noise, soon};
use super::super::{DeliveryError, Recovery, open, pack};
use super::*;
use crate::config::destination::SecretRef;

/// A server, and a folder of its own there for each test.
struct Server {
    folder: PathBuf,
    user: String,
    usual: u16,
    bare: u16,
    asking: u16,
}

impl Server {
    fn start() -> Option<Self> {
        let Some(folder) = env::get("SHELFCAST_TEST_SFTP") else {
            skipped("SHELFCAST_TEST_SFTP is not set (tests/servers/sftp start FOLDER)");
            return None;
        };
        let folder = PathBuf::from(folder);
        let address =
            std::fs::read_to_string(folder.join("address")).expect("the server's address");
        let mut fields = address.split_whitespace();
        let user = fields.next().expect("a user").to_owned();
        let mut port = || {
            fields
                .next()
                .and_then(|port| port.parse().ok())
                .expect("a port")
        };
        Some(Server {
            user,
            usual: port(),
            bare: port(),
            asking: port(),
            folder,
        })
    }

    /// An empty folder there that the user may write to.
    fn shelf(&self) -> PathBuf {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let shelf = self
            .folder
            .join(format!("served/{}-{number}", std::process::id()));
        let to = self.to(self.usual, &shelf, "id_ed25519");
        // made by the user itself, so that it is the user's
        let mut sftp = sftp(&to);
        let path = shelf.to_str().expect("text").to_owned();
        sftp.run(&soon(), async |files| {
            let made = files.session.sftp.mkdir(path, Default::default()).await;
            made.map(drop)
                .map_err(|error| files.login.stop(error.to_string(), ""))
        })
        .expect("made");
        shelf
    }

    fn to(&self, port: u16, shelf: &Path, key: &str) -> To {
        To {
            url: Some(format!(
                "sftp://{}@127.0.0.1:{port}{}/",
                self.user,
                shelf.display()
            )),
            key: Some(self.secret(key)),
            known_hosts: Some(self.path("known_hosts")),
            timeout: Some("20s".to_owned()),
            ..To::default()
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn secret(&self, name: &str) -> SecretRef {
        SecretRef::new(&format!("file:{}", self.path(name))).expect("a reference")
    }

    /// With the password, where there is one.
    fn by_password(&self, port: u16, shelf: &Path) -> Option<To> {
        if !self.folder.join("password").exists() {
            skipped("password logins (the server was not started by root)");
            return None;
        }
        Some(To {
            key: None,
            password: Some(self.secret("password")),
            ..self.to(port, shelf, "id_ed25519")
        })
    }
}

fn destination(to: &To) -> Box<dyn Destination> {
    open(to, Path::new("/")).expect("opened")
}

fn sftp(to: &To) -> Sftp {
    super::sftp(to, Address::of(to).expect("an address"), Path::new("/")).expect("opened")
}

/// Sends a file and returns how that ended.
fn send(to: &To) -> Result<Proof, DeliveryError> {
    Staged::new().put(&mut *destination(to), "feed.xml", b"<a/>")
}

struct Shelf {
    server: Server,
    folder: PathBuf,
    port: u16,
}

impl Place for Shelf {
    fn open(&self) -> Box<dyn Destination> {
        destination(&self.server.to(self.port, &self.folder, "id_ed25519"))
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder.join(name)).ok()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).expect("a folder");
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
        std::fs::write(self.folder.join(name), bytes).expect("written");
    }
}

#[test]
fn it_passes_the_suite() {
    suite::passes(|| {
        let server = Server::start()?;
        let (folder, port) = (server.shelf(), server.usual);
        Some(Shelf {
            server,
            folder,
            port,
        })
    });
}

#[test]
fn a_server_without_rename_over_passes_too_and_says_so() {
    suite::passes(|| {
        let server = Server::start()?;
        let (folder, port) = (server.shelf(), server.bare);
        Some(Shelf {
            server,
            folder,
            port,
        })
    });
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let mut bare = destination(&server.to(server.bare, &shelf, "id_ed25519"));
    Staged::new()
        .put(&mut *bare, "feed.xml", b"<a/>")
        .expect("sent");
    assert!(!bare.capabilities().atomic);
    let mut usual = destination(&server.to(server.usual, &shelf, "id_ed25519"));
    Staged::new()
        .put(&mut *usual, "feed.xml", b"<a/>")
        .expect("sent");
    assert!(usual.capabilities().atomic);
}

#[test]
fn every_kind_of_key_and_a_password_enter() {
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    for key in ["id_ed25519", "id_ecdsa", "id_rsa"] {
        send(&server.to(server.usual, &shelf, key)).expect(key);
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("phrase"), "shelfcast-phrase\n").expect("written");
    let phrase = format!("file:{}", folder.path().join("phrase").display());
    let locked = To {
        key_passphrase: Some(SecretRef::new(&phrase).expect("a reference")),
        ..server.to(server.usual, &shelf, "id_locked")
    };
    send(&locked).expect("a locked key");
    let Some(to) = server.by_password(server.usual, &shelf) else {
        return;
    };
    send(&to).expect("a password");
    let Some(to) = server.by_password(server.asking, &shelf) else {
        return;
    };
    send(&to).expect("a password that is asked for");
}

#[test]
fn a_wrong_login_is_refused_for_good_and_no_secret_is_told() {
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let folder = tempfile::tempdir().expect("a folder");
    let canary = "CANARY-5up3r-s3cret";
    std::fs::write(folder.path().join("canary"), canary).expect("written");
    let canary_ref = SecretRef::new(&format!("file:{}", folder.path().join("canary").display()))
        .expect("a reference");
    let stranger = server.to(server.usual, &shelf, "id_stranger");
    let wrong_password = |port| To {
        key: None,
        password: Some(canary_ref.clone()),
        ..server.to(port, &shelf, "id_ed25519")
    };
    let nobody = To {
        url: Some(format!("sftp://nobody@127.0.0.1:{}/", server.usual)),
        ..server.to(server.usual, &shelf, "id_ed25519")
    };
    for to in [
        stranger,
        wrong_password(server.usual),
        wrong_password(server.asking),
        nobody,
    ] {
        let error = send(&to).expect_err("refused");
        assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
        assert!(error.message.contains("does not take"), "{error:?}");
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    // a key that cannot be used is told before anybody is called
    let unlocked = server.to(server.usual, &shelf, "id_locked");
    let error = open(&unlocked, Path::new("/")).err().expect("locked");
    assert!(error.message.contains("is locked"), "{error:?}");
    let wrong_phrase = To {
        key_passphrase: Some(canary_ref.clone()),
        ..unlocked
    };
    let error = open(&wrong_phrase, Path::new("/")).err().expect("wrong");
    assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    let no_key = To {
        key: Some(canary_ref),
        ..server.to(server.usual, &shelf, "id_ed25519")
    };
    let error = open(&no_key, Path::new("/")).err().expect("no key");
    assert!(error.message.contains("no private key"), "{error:?}");
    assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
}

#[test]
fn a_host_that_is_not_known_or_not_the_known_one_gets_nothing() {
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("known_hosts");
    let host = format!("[127.0.0.1]:{}", server.usual);
    let key = |name: &str| {
        let text = std::fs::read_to_string(server.folder.join(name)).expect("a key");
        text.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (true_key, other_key) = (key("host_ed25519.pub"), key("id_ed25519.pub"));
    let fingerprint = true_key.parse::<russh::keys::PublicKey>().expect("a key");
    let fingerprint = known_hosts::fingerprint(&fingerprint);
    let to = To {
        known_hosts: Some(file.display().to_string()),
        ..server.to(server.usual, &shelf, "id_ed25519")
    };
    let say = |text: String| std::fs::write(&file, text).expect("written");
    let refused = |to: &To| {
        let error = send(to).expect_err("refused");
        assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
        assert!(!shelf.join("feed.xml").exists());
        error
    };
    // no file, another host, another port
    for text in [
        None,
        Some(format!("127.0.0.1 {true_key}\nelsewhere {true_key}\n")),
    ] {
        if let Some(text) = text {
            say(text);
        }
        let error = refused(&to);
        assert!(error.message.contains("is not known"), "{error:?}");
        assert!(error.message.contains(&fingerprint), "{error:?}");
        assert!(
            error.hint.contains(&format!("{host} {true_key}")),
            "{error:?}"
        );
    }
    say(format!("# ours\n{host} {other_key}\n"));
    let error = refused(&to);
    assert!(error.message.contains("known_hosts:2"), "{error:?}");
    assert!(error.message.contains(&fingerprint), "{error:?}");
    say(format!("{host} {true_key}\n@revoked * {true_key}\n"));
    assert!(refused(&to).message.contains("revoked"));
    // the line that the hint names lets it in; so do the server's other keys, and a hashed line
    say(format!("{host} {other_key}\n{host} {true_key}\n"));
    send(&to).expect("known");
    for name in ["host_rsa.pub", "host_ecdsa.pub"] {
        say(format!("{host} {}\n", key(name)));
        send(&to).expect(name);
    }
    say(format!("{host} {true_key}\n"));
    let hashing = std::process::Command::new("ssh-keygen")
        .arg("-H")
        .arg("-f")
        .arg(&file)
        .output();
    if hashing.is_ok_and(|hashed| hashed.status.success()) {
        let hashed = std::fs::read_to_string(&file).expect("hashed");
        assert!(hashed.starts_with("|1|"), "{hashed}");
        send(&to).expect("hashed");
    }
}

#[cfg(unix)]
#[test]
fn the_rights_of_the_file_that_is_replaced_are_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let to = server.to(server.usual, &shelf, "id_ed25519");
    send(&to).expect("sent");
    let file = shelf.join("feed.xml");
    for mode in [0o666, 0o640] {
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&file, rights).expect("set");
        send(&to).expect("sent");
        let kept = std::fs::metadata(&file).expect("there").permissions();
        assert_eq!(kept.mode() & 0o7777, mode);
    }
}

#[test]
fn a_folder_that_is_not_there_or_not_ours_says_what_to_do() {
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let error =
        send(&server.to(server.usual, &shelf.join("none"), "id_ed25519")).expect_err("no folder");
    assert!(error.message.contains("there is no folder"), "{error:?}");
    assert_eq!(error.recovery, Recovery::Abort);
    let error =
        send(&server.to(server.usual, Path::new("/etc"), "id_ed25519")).expect_err("not ours");
    // where the server serves root itself, it may do anything
    if server.user == "root" {
        return;
    }
    assert!(
        error.message.contains("may not do this in `/etc/`"),
        "{error:?}"
    );
    assert_eq!(error.recovery, Recovery::Abort);
}
