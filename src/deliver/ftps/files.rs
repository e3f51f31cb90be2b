//! Files at an FTP server: bytes go up under a hidden name, are read back and compared, and only then take the name that
//! others read. What a killed run left there under hidden names is put right before, where the server lists them.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use suppaftp::{FtpError, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::session::{Login, Session, code};
use crate::deliver::hidden::{Hidden, Kind};
use crate::deliver::{DeliveryError, Remote, Upload, pack};

/// How much is read and written at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// A session, whose it is, and how long silence may last.
pub(super) struct Files<'a> {
    pub(super) session: &'a mut Session,
    pub(super) login: &'a Login,
    pub(super) idle: Duration,
    /// Whether a file could be replaced in one step so far.
    pub(super) replaces: &'a mut bool,
}

impl Files<'_> {
    /// Puts a file in its place. Until the last step the old file stands untouched.
    pub(super) async fn put(&mut self, upload: &Upload<'_>) -> Result<(), DeliveryError> {
        self.tidy(upload.name).await?;
        let hidden = Hidden::new(upload.name, Kind::Part).to_string();
        let stored = match self.send(&hidden, upload).await {
            Ok(()) => self.content(&hidden, upload.bytes).await,
            Err(error) => Err(error),
        };
        let whole = stored.and_then(|stored| self.compare(&stored, upload));
        if let Err(error) = whole {
            // what cannot be removed now is by the next run
            let _left = self.remove(&hidden).await;
            return Err(error);
        }
        self.replace(upload.name, &hidden).await?;
        let stands = self.content(upload.name, upload.bytes).await?;
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

    async fn send(&mut self, hidden: &str, upload: &Upload<'_>) -> Result<(), DeliveryError> {
        let doing = "sending";
        let (login, idle) = (self.login, self.idle);
        let unreadable = |error: std::io::Error| {
            login.stop(
                format!("the file to send cannot be read: {error}"),
                "run it again; is the disk of this machine well?",
            )
        };
        let mut source = File::open(upload.path).map_err(unreadable)?;
        let storing = self.session.ftp.put_with_stream(hidden);
        let mut stream = login.done(doing, idle, storing).await?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let length = source.read(&mut chunk).map_err(unreadable)?;
            let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            let writing = async {
                stream
                    .write_all(bytes)
                    .await
                    .map_err(FtpError::ConnectionError)
            };
            if let Err(error) = login.done(doing, idle, writing).await {
                // Why it stopped taking bytes is said on the other connection.
                return Err(login
                    .done(doing, idle, stream.finish())
                    .await
                    .err()
                    .unwrap_or(error));
            }
        }
        login.done(doing, idle, stream.finish()).await
    }

    /// Reads a file from its start to its end, and not much further than `bytes_max`.
    pub(super) async fn content(
        &mut self,
        name: &str,
        bytes_max: u64,
    ) -> Result<Remote, DeliveryError> {
        let doing = "reading back";
        let (login, idle) = (self.login, self.idle);
        let opening = self.session.ftp.retr_as_stream(name);
        let mut stream = login.done(doing, idle, opening).await?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut digest = Sha256::new();
        let mut bytes = 0u64;
        while bytes <= bytes_max {
            let reading = async {
                stream
                    .read(&mut chunk)
                    .await
                    .map_err(FtpError::ConnectionError)
            };
            let length = login.done(doing, idle, reading).await?;
            let Some(read) = chunk.get(..length).filter(|read| !read.is_empty()) else {
                break;
            };
            digest.update(read);
            bytes += length as u64;
        }
        let remote = Remote {
            bytes,
            sha256: Some(pack::hex(&digest.finalize())),
        };
        if bytes <= bytes_max {
            login.done(doing, idle, stream.finish()).await?;
        }
        Ok(remote)
    }

    /// Gives the new file its name. In one step where the server can; else the old one steps aside for a moment.
    async fn replace(&mut self, name: &str, hidden: &str) -> Result<(), DeliveryError> {
        let doing = "giving the file its name";
        let (login, idle) = (self.login, self.idle);
        let refusal = match timeout(idle, self.session.ftp.rename(hidden, name)).await {
            Err(_) => return Err(login.silent(doing, idle)),
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
        };
        let refused =
            matches!(&refusal, FtpError::UnexpectedResponse(response) if code(response) >= 500);
        let both_stand =
            refused && self.size(hidden).await?.is_some() && self.size(name).await?.is_some();
        if !both_stand {
            return login.done(doing, idle, async { Err(refusal) }).await;
        }
        *self.replaces = false;
        let aside = Hidden::new(name, Kind::Aside).to_string();
        login
            .done(doing, idle, self.session.ftp.rename(name, &aside))
            .await?;
        if let Err(error) = login
            .done(doing, idle, self.session.ftp.rename(hidden, name))
            .await
        {
            // If this fails too, the next run puts it back before anything else.
            let _back = timeout(idle, self.session.ftp.rename(aside.as_str(), name)).await;
            return Err(error);
        }
        self.remove(&aside).await
    }

    /// Puts right what killed runs left of a file: an old one that stepped aside comes back when nothing stands in its
    /// place, and everything else under a hidden name of this file goes.
    async fn tidy(&mut self, name: &str) -> Result<(), DeliveryError> {
        let left: Vec<Hidden> = self
            .names()
            .await?
            .iter()
            .filter_map(|found| Hidden::read(found, name))
            .collect();
        for hidden in left {
            let path = hidden.to_string();
            if hidden.kind == Kind::Aside && self.size(name).await?.is_none() {
                let (login, idle) = (self.login, self.idle);
                let back = self.session.ftp.rename(path.as_str(), name);
                login.done("putting back the old file", idle, back).await?;
            } else {
                self.remove(&path).await?;
            }
        }
        Ok(())
    }

    /// The names in the folder, hidden ones too where the server shows them; none where it lists nothing.
    async fn names(&mut self) -> Result<Vec<String>, DeliveryError> {
        let (login, idle, session) = (self.login, self.idle, &mut *self.session);
        let lines = if session.lists {
            timeout(idle, session.ftp.mlsd(None)).await
        } else {
            timeout(idle, session.ftp.nlst(Some("-a"))).await
        };
        let lines = match lines {
            Err(_) => return Err(login.silent("looking into the folder", idle)),
            // an empty folder is an error to some, and so is the question to others
            Ok(Err(FtpError::UnexpectedResponse(response)))
                if matches!(code(&response), 450 | 500..=504 | 550) =>
            {
                return Ok(Vec::new());
            }
            Ok(lines) => {
                login
                    .done("looking into the folder", idle, async { lines })
                    .await?
            }
        };
        let name = |line: String| {
            let name = if session.lists {
                line.split_once(' ').map_or("", |(_, name)| name)
            } else {
                line.rsplit('/').next().unwrap_or_default()
            };
            name.to_owned()
        };
        Ok(lines.into_iter().map(name).collect())
    }

    /// A file's size; `None` when there is none.
    pub(super) async fn size(&mut self, name: &str) -> Result<Option<u64>, DeliveryError> {
        let asking = async {
            match self.session.ftp.size(name).await {
                Ok(bytes) => Ok(Some(bytes as u64)),
                Err(FtpError::UnexpectedResponse(response))
                    if response.status == Status::FileUnavailable =>
                {
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        };
        self.login
            .done("asking for a size", self.idle, asking)
            .await
    }

    /// Removes a file; one that is not there is removed already.
    pub(super) async fn remove(&mut self, name: &str) -> Result<(), DeliveryError> {
        let (login, idle) = (self.login, self.idle);
        let refusal = match timeout(idle, self.session.ftp.rm(name)).await {
            Err(_) => return Err(login.silent("removing a file", idle)),
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
        };
        let refused = matches!(&refusal, FtpError::UnexpectedResponse(response) if response.status == Status::FileUnavailable);
        if refused && self.size(name).await?.is_none() {
            return Ok(());
        }
        login
            .done("removing a file", idle, async { Err(refusal) })
            .await
    }
}
