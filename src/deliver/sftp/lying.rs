//! An SFTP server of our own that can be made to lie, with its files in memory: what real servers do only when their disks are
//! full or their software is broken. It also does what few real ones do and all may: it gives less than it is asked
//! for, lists a few names at a time and tells no sizes of open files.
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{self, Auth, ChannelOpenHandle, Msg, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status, StatusCode, Version,
};
use russh_sftp::server::Handler;

use super::super::suite::{self, Place, Staged, Trick, noise, soon};
use super::super::{Destination, Recovery, Remote, open};
use super::known_hosts;
use crate::config::destination::{SecretRef, To};

/// How the next upload misbehaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    Honest,
    /// The disk is full after the first bytes.
    Full,
    /// The folder is not shown.
    Unlisted,
    /// One of the suite's.
    Trick(Trick),
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    lies: VecDeque<Lie>,
    now: Option<Lie>,
    syncs: usize,
}

/// The server, as its tests see it.
struct Liar {
    disk: Arc<Mutex<Disk>>,
    port: u16,
    folder: tempfile::TempDir,
}

impl Liar {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = || PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).expect("a key");
        let (host, client) = (key(), key());
        let client = client.to_openssh(LineEnding::LF).expect("a key");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let line = known_hosts::line_to_add("127.0.0.1", port, host.public_key());
        std::fs::write(folder.path().join("known_hosts"), line).expect("written");
        std::fs::write(folder.path().join("key"), client.as_bytes()).expect("written");
        let disk = Arc::new(Mutex::new(Disk::default()));
        let shared = Arc::clone(&disk);
        thread::spawn(move || serve(listener, host, &shared));
        Liar { disk, port, folder }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("a disk")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn next(&self, lie: Lie) {
        self.disk().lies.push_back(lie);
    }
}

fn serve(listener: TcpListener, host: PrivateKey, disk: &Arc<Mutex<Disk>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
        let config = Arc::new(server::Config {
            keys: vec![host],
            ..server::Config::default()
        });
        while let Ok((socket, _)) = listener.accept().await {
            let ssh = Ssh {
                disk: Arc::clone(disk),
                channels: HashMap::new(),
            };
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                if let Ok(session) = server::run_stream(config, socket, ssh).await {
                    let _ended = session.await;
                }
            });
        }
    });
}

struct Ssh {
    disk: Arc<Mutex<Disk>>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl server::Handler for Ssh {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _: &str,
        _: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut server::Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _: &str,
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(id)?;
        if let Some(channel) = self.channels.remove(&id) {
            let sftp = Sftp {
                disk: Arc::clone(&self.disk),
                listed: 0,
            };
            russh_sftp::server::run(channel.into_stream(), sftp).await;
        }
        Ok(())
    }
}

struct Sftp {
    disk: Arc<Mutex<Disk>>,
    listed: usize,
}

impl Sftp {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("a disk")
    }
}

fn well(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

fn attributes(bytes: &[u8]) -> FileAttributes {
    FileAttributes {
        size: Some(bytes.len() as u64),
        ..FileAttributes::empty()
    }
}

impl Handler for Sftp {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, StatusCode> {
        let mut version = Version::new();
        for name in [
            "posix-rename@openssh.com",
            "fsync@openssh.com",
            "statvfs@openssh.com",
        ] {
            version.extensions.insert(name.to_owned(), "1".to_owned());
        }
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        path: String,
        flags: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, StatusCode> {
        let mut disk = self.disk();
        if flags.contains(OpenFlags::WRITE) {
            let lie = disk.lies.pop_front().unwrap_or(Lie::Honest);
            match lie {
                Lie::Trick(Trick::Refuse) => return Err(StatusCode::PermissionDenied),
                Lie::Trick(Trick::Busy(_)) => return Err(StatusCode::Failure),
                _ => {}
            }
            disk.now = Some(lie);
            if disk.files.contains_key(&path) {
                return Err(StatusCode::Failure);
            }
            disk.files.insert(path.clone(), Vec::new());
        } else if !disk.files.contains_key(&path) {
            return Err(StatusCode::NoSuchFile);
        }
        Ok(Handle { id, handle: path })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        mut data: Vec<u8>,
    ) -> Result<Status, StatusCode> {
        let mut disk = self.disk();
        match disk.now {
            Some(Lie::Full) if offset > 40_000 => return Err(StatusCode::Failure),
            Some(Lie::Trick(Trick::Cut(kept))) => {
                data.truncate(usize::try_from(kept.saturating_sub(offset)).unwrap_or(usize::MAX));
            }
            Some(Lie::Trick(Trick::Spoil)) if offset == 0 => data[0] ^= 1,
            _ => {}
        }
        if data.is_empty() {
            return Ok(well(id));
        }
        let file = disk.files.get_mut(&handle).ok_or(StatusCode::Failure)?;
        let end = offset as usize + data.len();
        file.resize(file.len().max(end), 0);
        file[offset as usize..end].copy_from_slice(&data);
        Ok(well(id))
    }

    async fn read(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        wanted: u32,
    ) -> Result<Data, StatusCode> {
        let disk = self.disk();
        let file = disk.files.get(&handle).ok_or(StatusCode::Failure)?;
        let rest = file.get(offset as usize..).filter(|rest| !rest.is_empty());
        // less than is asked for, as a server may
        let rest = rest
            .ok_or(StatusCode::Eof)?
            .iter()
            .take((wanted as usize).min(30_001));
        Ok(Data {
            id,
            data: rest.copied().collect(),
        })
    }

    async fn close(&mut self, id: u32, _: String) -> Result<Status, StatusCode> {
        Ok(well(id))
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusCode> {
        // every other file tells no size
        let disk = self.disk();
        let bytes = disk.files.get(&handle).ok_or(StatusCode::Failure)?;
        let attrs = if bytes.len() % 2 == 0 {
            attributes(bytes)
        } else {
            FileAttributes::empty()
        };
        Ok(Attrs { id, attrs })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let disk = self.disk();
        let attrs = attributes(disk.files.get(&path).ok_or(StatusCode::NoSuchFile)?);
        Ok(Attrs { id, attrs })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        self.listed = 0;
        if self.disk().lies.front() == Some(&Lie::Unlisted) {
            return Err(StatusCode::PermissionDenied);
        }
        Ok(Handle { id, handle: path })
    }

    async fn readdir(&mut self, id: u32, _: String) -> Result<Name, StatusCode> {
        let disk = self.disk();
        let names = disk.files.keys().skip(self.listed).take(2);
        let files: Vec<File> = names
            .map(|path| File::new(path.trim_start_matches('/'), FileAttributes::empty()))
            .collect();
        drop(disk);
        self.listed += files.len();
        if files.is_empty() {
            return Err(StatusCode::Eof);
        }
        Ok(Name { id, files })
    }

    async fn remove(&mut self, id: u32, path: String) -> Result<Status, StatusCode> {
        self.disk()
            .files
            .remove(&path)
            .ok_or(StatusCode::NoSuchFile)?;
        Ok(well(id))
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Result<Status, StatusCode> {
        let mut disk = self.disk();
        if disk.files.contains_key(&to) {
            return Err(StatusCode::Failure);
        }
        let file = disk.files.remove(&from).ok_or(StatusCode::NoSuchFile)?;
        disk.files.insert(to, file);
        Ok(well(id))
    }

    async fn extended(
        &mut self,
        id: u32,
        request: String,
        data: Vec<u8>,
    ) -> Result<Packet, StatusCode> {
        let lie = self.disk().now;
        match request.as_str() {
            "fsync@openssh.com" => {
                self.disk().syncs += 1;
                Ok(well(id).into())
            }
            "statvfs@openssh.com" => {
                let room = u64::from(lie != Some(Lie::Full));
                let numbers = [4096, 4096, 100, room, room, 100, 100, 100, 1, 0, 255];
                let data = numbers
                    .iter()
                    .flat_map(|number| number.to_be_bytes())
                    .collect();
                Ok(Packet::ExtendedReply(russh_sftp::protocol::ExtendedReply {
                    id,
                    data,
                }))
            }
            "posix-rename@openssh.com" => {
                if lie == Some(Lie::Trick(Trick::Silence)) {
                    std::future::pending::<()>().await;
                }
                let (from, to) = two_texts(&data).ok_or(StatusCode::BadMessage)?;
                if lie != Some(Lie::Trick(Trick::KeepOld)) {
                    let mut disk = self.disk();
                    let file = disk.files.remove(&from).ok_or(StatusCode::NoSuchFile)?;
                    disk.files.insert(to, file);
                }
                if lie == Some(Lie::Trick(Trick::AnswerLost)) {
                    std::future::pending::<()>().await;
                }
                Ok(well(id).into())
            }
            _ => Err(StatusCode::OpUnsupported),
        }
    }
}

fn two_texts(data: &[u8]) -> Option<(String, String)> {
    let text = |data: &[u8]| {
        let (length, rest) = data.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        Some((String::from_utf8(text.to_vec()).ok()?, rest.to_vec()))
    };
    let (first, rest) = text(data)?;
    Some((first, text(&rest)?.0))
}

impl Place for Liar {
    fn open(&self) -> Box<dyn Destination> {
        let key = format!("file:{}", self.path("key").display());
        let to = To {
            url: Some(format!("sftp://u@127.0.0.1:{}/", self.port)),
            key: Some(SecretRef::new(&key).expect("a reference")),
            known_hosts: Some(self.path("known_hosts").display().to_string()),
            timeout: Some("1s".to_owned()),
            ..To::default()
        };
        open(&to, self.folder.path()).expect("opened")
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.disk().files.get(&format!("/{name}")).cloned()
    }

    fn names(&self) -> Vec<String> {
        let disk = self.disk();
        disk.files
            .keys()
            .map(|path| path.trim_start_matches('/').to_owned())
            .collect()
    }

    fn plant(&self, name: &str, bytes: &[u8]) {
        self.disk().files.insert(format!("/{name}"), bytes.to_vec());
    }

    fn play(&self, trick: Trick) -> bool {
        // SFTP has no word for how long it is busy
        let known = !matches!(trick, Trick::Busy(Some(_)));
        if known {
            self.next(Lie::Trick(trick));
        }
        known
    }
}

#[test]
fn a_server_that_lies_is_caught() {
    suite::passes(|| Some(Liar::start()));
}

#[test]
fn a_full_disk_is_named_and_the_old_file_stands() {
    let liar = Liar::start();
    let staged = Staged::new();
    let mut place = liar.open();
    let (old, new) = (noise(90_000, 1), noise(90_000, 2));
    staged.put(&mut *place, "feed.xml", &old).expect("sent");
    liar.next(Lie::Full);
    let error = staged.put(&mut *place, "feed.xml", &new).expect_err("full");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert!(
        error.message.contains("the disk of the server is full"),
        "{error:?}"
    );
    assert!(liar.read("feed.xml") == Some(old));
    assert_eq!(liar.names(), ["feed.xml"], "what was begun is removed");
    // a failure that is not the disk's may pass
    liar.next(Lie::Trick(Trick::Busy(None)));
    let error = staged.put(&mut *place, "feed.xml", &new).expect_err("busy");
    assert_eq!(error.recovery, Recovery::Retry { after: None }, "{error:?}");
    staged.put(&mut *place, "feed.xml", &new).expect("sent");
    assert!(liar.read("feed.xml") == Some(new));
}

#[test]
fn a_folder_that_is_not_shown_is_delivered_to() {
    let liar = Liar::start();
    liar.next(Lie::Unlisted);
    Staged::new()
        .put(&mut *liar.open(), "feed.xml", b"<a/>")
        .expect("sent");
    assert_eq!(liar.names(), ["feed.xml"]);
}

#[test]
fn files_are_synced_before_they_take_their_name() {
    let liar = Liar::start();
    Staged::new()
        .put(&mut *liar.open(), "feed.xml", b"<a/>")
        .expect("sent");
    assert_eq!(liar.disk().syncs, 1);
}

#[test]
fn what_a_killed_run_left_is_put_right_and_nothing_else_is_touched() {
    let liar = Liar::start();
    let others = [
        ".feed.xml.gz.0123456789abcdef.shelfcast",
        ".htaccess",
        "feed.xml.shelfcast",
    ];
    for name in others {
        liar.plant(name, b"not ours");
    }
    // killed in the moment in which the old file had stepped aside
    liar.plant(".feed.xml.0123456789abcdef.shelfcast-old", b"<old/>");
    liar.plant(".feed.xml.fedcba9876543210.shelfcast", b"<ne");
    liar.next(Lie::Trick(Trick::Refuse));
    Staged::new()
        .put(&mut *liar.open(), "feed.xml", b"<new/>")
        .expect_err("refused");
    assert_eq!(
        liar.read("feed.xml").as_deref(),
        Some(b"<old/>".as_slice()),
        "the old one is back"
    );
    Staged::new()
        .put(&mut *liar.open(), "feed.xml", b"<new/>")
        .expect("sent");
    let mut names: Vec<&str> = others.to_vec();
    names.push("feed.xml");
    names.sort_unstable();
    assert_eq!(liar.names(), names);
    let told = liar.open().stands("feed.xml", &soon()).expect("told");
    assert_eq!(told.map(|Remote { bytes, .. }| bytes), Some(6));
}
