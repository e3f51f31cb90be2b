//! Files at a server: bytes go up under a hidden name, are synced, read back and compared, and only then take the name that
//! others read. What a killed run left there under hidden names is put right before. Requests are pipelined; what
//! is in flight is bounded.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{FileAttributes, OpenFlags, Packet, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::session::{Login, Session};
use crate::deliver::hidden::{Hidden, Kind};
use crate::deliver::{DeliveryError, Remote, Upload, pack};

/// A request's bytes: what every server takes.
const CHUNK_BYTES: usize = 32 * 1024;
/// Requests in flight: 2 MB on their way.
const IN_FLIGHT_MAX: usize = 64;
/// The most names of a folder that are looked at for what killed runs left.
const NAMES_MAX: usize = 100_000;

/// A session, whose it is, and how long silence may last.
pub(super) struct Files<'a> {
    pub(super) session: &'a Session,
    pub(super) login: &'a Login,
    pub(super) idle: Duration,
    /// The folder, with `/` at its end.
    pub(super) folder: &'a str,
}

impl Files<'_> {
    /// Puts a file in its place. Until the last step the old file stands untouched.
    pub(super) async fn put(&self, upload: &Upload<'_>) -> Result<(), DeliveryError> {
        let (name, target) = (upload.name, self.path(upload.name));
        self.tidy(name).await?;
        let mode = self
            .attributes(&target)
            .await?
            .and_then(|old| old.permissions);
        let hidden = self.path(&Hidden::new(name, Kind::Part).to_string());
        let stored = match self.send(&hidden, mode, upload).await {
            Ok(()) => self.content(&hidden, upload.bytes).await,
            Err(error) => Err(error),
        };
        let whole = stored.and_then(|stored| self.compare(&stored, upload));
        if let Err(error) = whole {
            // what cannot be removed now is by the next run
            let _left = self.remove_path(&hidden).await;
            return Err(error);
        }
        self.replace(name, &hidden, &target).await?;
        let stands = self.content(&target, upload.bytes).await?;
        self.compare(&stands, upload)
    }

    fn compare(&self, stands: &Remote, upload: &Upload<'_>) -> Result<(), DeliveryError> {
        match stands.differs(upload) {
            Some(how) => Err(DeliveryError::not_what_was_sent(
                &self.login.address,
                upload.name,
                &how,
            )),
            None => Ok(()),
        }
    }

    /// Sends the bytes to a file that is not there yet.
    async fn send(
        &self,
        hidden: &str,
        mode: Option<u32>,
        upload: &Upload<'_>,
    ) -> Result<(), DeliveryError> {
        let mut source = File::open(upload.path).map_err(|error| self.unreadable(&error))?;
        let sftp = &self.session.sftp;
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
        let opening = sftp.open(hidden, flags, FileAttributes::empty());
        let handle = self.done("creating a file", opening).await?.handle;
        if let Err(error) = self.write_all(&handle, &mut source).await {
            let _closed = timeout(self.idle, sftp.close(handle)).await;
            return Err(self.disk_full().await.unwrap_or(error));
        }
        if let Some(mode) = mode {
            let attributes = FileAttributes {
                permissions: Some(mode & 0o7777),
                ..FileAttributes::empty()
            };
            // The rights of the file that is replaced; a server that sets none keeps its own.
            let _kept = timeout(self.idle, sftp.fsetstat(handle.as_str(), attributes)).await;
        }
        if self.session.syncs {
            let sync = self
                .done("syncing the file", sftp.fsync(handle.as_str()))
                .await;
            if let Err(error) = sync {
                return Err(self.disk_full().await.unwrap_or(error));
            }
        }
        self.done("closing the file", sftp.close(handle))
            .await
            .map(drop)
    }

    /// Writes everything, with a bounded number of requests on their way. The time-out is between two answers.
    async fn write_all(&self, handle: &str, source: &mut dyn Read) -> Result<(), DeliveryError> {
        let doing = "writing";
        let mut requests = JoinSet::new();
        let mut offset = 0u64;
        let mut more = true;
        while more || !requests.is_empty() {
            while more && requests.len() < IN_FLIGHT_MAX {
                let chunk = read_chunk(source).map_err(|error| self.unreadable(&error))?;
                more = chunk.len() == CHUNK_BYTES;
                if chunk.is_empty() {
                    break;
                }
                let (sftp, handle, at) =
                    (Arc::clone(&self.session.sftp), handle.to_owned(), offset);
                offset += chunk.len() as u64;
                requests.spawn(async move { sftp.write(handle, at, chunk).await });
            }
            if !requests.is_empty() {
                let answer = async {
                    match requests.join_next().await {
                        Some(Ok(answer)) => answer.map(|_| ()),
                        _ => Err(SftpError::UnexpectedPacket),
                    }
                };
                self.done(doing, answer).await?;
            }
        }
        Ok(())
    }

    /// Reads a file from its start to its end, and not much further than `bytes_max`.
    pub(super) async fn content(
        &self,
        path: &str,
        bytes_max: u64,
    ) -> Result<Remote, DeliveryError> {
        let doing = "reading back";
        let sftp = &self.session.sftp;
        let opening = sftp.open(path, OpenFlags::READ, FileAttributes::empty());
        let handle = self.done(doing, opening).await?.handle;
        let size = self
            .done(doing, sftp.fstat(handle.as_str()))
            .await?
            .attrs
            .size;
        // A server that tells no size is asked piece by piece; a file that is too long is wrong whatever is in it.
        let end = size.unwrap_or(0).min(bytes_max);
        let mut read = Reading::default();
        let mut asked = 0u64;
        let mut answers: VecDeque<(u64, JoinHandle<_>)> = VecDeque::new();
        loop {
            while asked < end && answers.len() < IN_FLIGHT_MAX {
                let (sftp, handle, wanted) =
                    (Arc::clone(sftp), handle.clone(), chunk_at(asked, end));
                let reading = async move { sftp.read(handle, asked, wanted).await };
                answers.push_back((asked + u64::from(wanted), tokio::spawn(reading)));
                asked += u64::from(wanted);
            }
            let Some((until, answer)) = answers.pop_front() else {
                break;
            };
            let answer = async { answer.await.unwrap_or(Err(SftpError::UnexpectedPacket)) };
            read.take(&self.piece(doing, answer).await?);
            // A server may give less than it is asked for: the rest of the piece, one request after the other.
            while read.bytes < until {
                let rest = sftp.read(handle.as_str(), read.bytes, chunk_at(read.bytes, until));
                let rest = self.piece(doing, rest).await?;
                if rest.is_empty() {
                    return Ok(read.end());
                }
                read.take(&rest);
            }
        }
        // More than it said it has is not the file that was sent either.
        while read.bytes <= bytes_max {
            let more = sftp.read(handle.as_str(), read.bytes, CHUNK_BYTES as u32);
            let more = self.piece(doing, more).await?;
            if more.is_empty() {
                break;
            }
            read.take(&more);
        }
        self.done(doing, sftp.close(handle)).await?;
        Ok(read.end())
    }

    /// A read's bytes; none at the end.
    async fn piece(
        &self,
        doing: &str,
        reading: impl Future<Output = Result<russh_sftp::protocol::Data, SftpError>>,
    ) -> Result<Vec<u8>, DeliveryError> {
        let reading = async {
            match reading.await {
                Ok(data) => Ok(data.data),
                Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => {
                    Ok(Vec::new())
                }
                Err(error) => Err(error),
            }
        };
        self.done(doing, reading).await
    }

    /// Gives the new file its name. In one step where the server can; else the old one steps aside for a moment.
    async fn replace(&self, name: &str, hidden: &str, target: &str) -> Result<(), DeliveryError> {
        let doing = "giving the file its name";
        let sftp = &self.session.sftp;
        if self.session.replaces {
            let mut names = Vec::new();
            for path in [hidden, target] {
                names.extend((path.len() as u32).to_be_bytes());
                names.extend(path.as_bytes());
            }
            let renaming = async {
                match sftp.extended("posix-rename@openssh.com", names).await? {
                    Packet::Status(status) if status.status_code == StatusCode::Ok => Ok(()),
                    Packet::Status(status) => Err(SftpError::Status(status)),
                    _ => Err(SftpError::UnexpectedPacket),
                }
            };
            return self.done(doing, renaming).await;
        }
        if self.attributes(target).await?.is_none() {
            return self
                .done(doing, sftp.rename(hidden, target))
                .await
                .map(drop);
        }
        let aside = self.path(&Hidden::new(name, Kind::Aside).to_string());
        self.done(doing, sftp.rename(target, aside.as_str()))
            .await?;
        if let Err(error) = self.done(doing, sftp.rename(hidden, target)).await {
            // If this fails too, the next run puts it back before anything else.
            let _back = timeout(self.idle, sftp.rename(aside.as_str(), target)).await;
            return Err(error);
        }
        self.remove_path(&aside).await
    }

    /// Puts right what killed runs left of a file: an old one that stepped aside comes back when nothing stands in its
    /// place, and everything else under a hidden name of this file goes.
    async fn tidy(&self, name: &str) -> Result<(), DeliveryError> {
        let left: Vec<Hidden> = self
            .names()
            .await?
            .iter()
            .filter_map(|found| Hidden::read(found, name))
            .collect();
        let target = self.path(name);
        for hidden in left {
            let path = self.path(&hidden.to_string());
            if hidden.kind == Kind::Aside && self.attributes(&target).await?.is_none() {
                let back = self.session.sftp.rename(path.as_str(), target.as_str());
                self.done("putting back the old file", back).await?;
            } else {
                self.remove_path(&path).await?;
            }
        }
        Ok(())
    }

    /// The names in the folder; none where the server does not show them, as letter boxes do not.
    async fn names(&self) -> Result<Vec<String>, DeliveryError> {
        let doing = "looking into the folder";
        let sftp = &self.session.sftp;
        let opening = async {
            match sftp.opendir(self.folder).await {
                Ok(folder) => Ok(Some(folder.handle)),
                Err(SftpError::Status(status))
                    if matches!(
                        status.status_code,
                        StatusCode::PermissionDenied | StatusCode::OpUnsupported
                    ) =>
                {
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        };
        let Some(handle) = self.done(doing, opening).await? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        while names.len() < NAMES_MAX {
            let reading = async {
                match sftp.readdir(handle.as_str()).await {
                    Ok(page) => Ok(page.files),
                    Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => {
                        Ok(Vec::new())
                    }
                    Err(error) => Err(error),
                }
            };
            let page = self.done(doing, reading).await?;
            if page.is_empty() {
                break;
            }
            names.extend(page.into_iter().map(|file| file.filename));
        }
        self.done(doing, sftp.close(handle)).await?;
        Ok(names)
    }

    /// What is told of a file; `None` when there is none.
    pub(super) async fn attributes(
        &self,
        path: &str,
    ) -> Result<Option<FileAttributes>, DeliveryError> {
        let asking = async {
            match self.session.sftp.stat(path).await {
                Ok(found) => Ok(Some(found.attrs)),
                Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => {
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        };
        self.done("looking at a file", asking).await
    }

    /// Removes a file; one that is not there is removed already.
    pub(super) async fn remove_path(&self, path: &str) -> Result<(), DeliveryError> {
        let removing = async {
            match self.session.sftp.remove(path).await {
                Ok(_) => Ok(()),
                Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => {
                    Ok(())
                }
                Err(error) => Err(error),
            }
        };
        self.done("removing a file", removing).await
    }

    /// A name's path.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    /// Why a write failed, if it is the server's disk: servers say no more than `Failure`.
    async fn disk_full(&self) -> Option<DeliveryError> {
        if !self.session.measures || self.session.is_closed() {
            return None;
        }
        let asking = self.session.sftp.statvfs(self.folder);
        let disk = timeout(self.idle, asking).await.ok()?.ok()?;
        (disk.blocks_avail == 0 || (disk.inodes > 0 && disk.inodes_avail == 0)).then(|| {
            self.login.stop(
                format!("the disk of the server is full at `{}`", self.folder),
                "the old file stands untouched; ask its operator for room, then run it again",
            )
        })
    }

    async fn done<T>(
        &self,
        doing: &str,
        work: impl Future<Output = Result<T, SftpError>>,
    ) -> Result<T, DeliveryError> {
        match timeout(self.idle, work).await {
            Err(_) => Err(self.login.silent(doing, self.idle)),
            Ok(Err(error)) => Err(self.failed(doing, &error)),
            Ok(Ok(value)) => Ok(value),
        }
    }

    fn unreadable(&self, error: &std::io::Error) -> DeliveryError {
        self.login.stop(
            format!("the file to send cannot be read: {error}"),
            "run it again; is the disk of this machine well?",
        )
    }

    fn failed(&self, doing: &str, error: &SftpError) -> DeliveryError {
        let (folder, login) = (self.folder, self.login);
        let SftpError::Status(status) = error else {
            return login.again(
                format!(
                    "the connection broke ({doing}): {}",
                    login.quote(&error.to_string())
                ),
                "the old file stands untouched; is the server up, and the line to it?",
            );
        };
        let said = login.quote(&status.error_message);
        match status.status_code {
            StatusCode::NoSuchFile => login.stop(
                format!("there is no folder `{folder}` on the server ({doing}: {said})"),
                "make it there, or correct the address: its path begins at the server's root, `/~/` is the user's home",
            ),
            StatusCode::PermissionDenied => login.stop(
                format!("user `{}` may not do this in `{folder}` ({doing}: {said})", login.user),
                "ask the server's operator for the right to create, rename and remove files in this folder",
            ),
            StatusCode::OpUnsupported => login.stop(
                format!("the server cannot do this ({doing}: {said})"),
                "ask its operator for SFTP version 3 with rename and remove",
            ),
            StatusCode::NoConnection | StatusCode::ConnectionLost => login.again(
                format!("the server lost its connection ({doing}: {said})"),
                "the old file stands untouched; run it again",
            ),
            _ => login.again(
                format!("the server failed ({doing}: {said})"),
                "the old file stands untouched; is its disk or the account's quota full, or is a folder in the file's place?",
            ),
        }
    }
}

/// Fills a chunk, as far as there is something.
fn read_chunk(source: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    source.take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

/// How much is asked for at a place, up to an end.
fn chunk_at(at: u64, end: u64) -> u32 {
    u32::try_from(end - at)
        .unwrap_or(u32::MAX)
        .min(CHUNK_BYTES as u32)
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    bytes: u64,
    digest: Sha256,
}

impl Reading {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.digest.update(bytes);
    }

    fn end(self) -> Remote {
        Remote {
            bytes: self.bytes,
            sha256: Some(pack::hex(&self.digest.finalize())),
        }
    }
}
