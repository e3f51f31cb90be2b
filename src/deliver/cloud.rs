//! S3 and compatible stores, Google Cloud Storage, Azure Blob Storage.
//!
//! A file is sent with its SHA-256 where the store takes one (S3), large ones in parts that become visible together: a
//! reader gets the old object or the new one. Then size and bytes are read again. Where the credentials may not read, the
//! receipt says that only the answer is known. Credentials are those of the project and no others: neither the
//! environment's nor the machine's are looked for. What a killed run has sent of a large file stays with the store until
//! its own rule for such leftovers removes it; it is never visible.

mod making;
mod service;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, GetOptions, MultipartUpload, ObjectStoreExt, PutMultipartOptions,
    PutOptions,
};
use reqwest::{StatusCode, Url};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::wire::{self, Secrets};
use super::{
    Address, Capabilities, Deadline, DeliveryError, Destination, Naming, Proof, Remote, Scheme,
    Upload, answer, pack,
};
use crate::config::ConfigError;
use crate::config::destination::To;
use crate::recovery::{self, kill_point};
use making::{Making, Shared, endpoint};
use service::{Heard, Service};

/// A file beyond this is sent in parts; their size, unless there would be too many.
const PART_BYTES: u64 = 8 * 1024 * 1024;
/// Most parts of a file; the stores take 10,000 and more.
const PARTS_MAX: u64 = 9_000;

/// Delivers to a bucket or a container.
pub(super) struct Store {
    address: Address,
    store: Shared,
    /// The same without checksums, until it is known which of the two the server takes.
    plain: Option<Shared>,
    refused: Cell<Option<StatusCode>>,
    secrets: Secrets,
    heard: Heard,
    runtime: Runtime,
    part_bytes: u64,
    idle: Duration,
}

impl Store {
    /// Opens a bucket or a container: reads its secrets, calls nobody.
    ///
    /// # Errors
    /// Credentials that are missing, an endpoint that is none or not safe, a key that cannot be.
    pub(super) fn open(to: &To, address: Address, project: &Path) -> Result<Self, ConfigError> {
        let idle = to.timeout()?;
        let endpoint = endpoint(to)?;
        if let Some(endpoint) = &endpoint {
            wire::check_scheme(to, endpoint)?;
        }
        // The client follows no redirect and takes no proxy to this machine; where it goes is the endpoint's matter.
        let elsewhere = Url::parse("https://store.invalid/").expect("an address");
        let client = wire::client(to, endpoint.as_ref().unwrap_or(&elsewhere), project)?;
        let heard = Heard::default();
        let service = Service::new(client, idle, heard.clone());
        let mut secrets = Secrets::default();
        let made = Making {
            to,
            address: &address,
            project,
            endpoint: endpoint.as_ref(),
            service,
            secrets: &mut secrets,
        };
        let (store, plain) = match address.scheme {
            Scheme::Gs => (made.google()?, None),
            Scheme::Az => (made.azure()?, None),
            _ => made.s3().map(|(store, plain)| (store, Some(plain)))?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| to.wrong(format!("no connection can be made: {error}"), ""))?;
        let opened = Store {
            store,
            plain,
            refused: Cell::new(None),
            secrets,
            heard,
            runtime,
            part_bytes: PART_BYTES,
            idle,
            address,
        };
        opened
            .key("x")
            .map_err(|error| to.wrong(error.message, error.hint))?;
        Ok(opened)
    }

    fn key(&self, name: &str) -> Result<Key, DeliveryError> {
        Key::parse(format!("{}{name}", self.address.folder)).map_err(|_| {
            DeliveryError::abort(
                self.address(),
                "the address names no key",
                "write it as `s3://bucket/folder/file`, without empty steps",
            )
        })
    }

    fn run<T>(
        &self,
        deadline: &Deadline,
        call: impl Future<Output = Result<T, DeliveryError>>,
    ) -> Result<T, DeliveryError> {
        deadline.check(self.address())?;
        self.runtime.block_on(async {
            timeout(deadline.remaining(), call)
                .await
                .unwrap_or_else(|_| Err(DeliveryError::out_of_time(self.address())))
        })
    }

    async fn send(&self, upload: &Upload<'_>, key: &Key) -> Result<(), DeliveryError> {
        let unreadable = |error: std::io::Error| {
            DeliveryError::abort(
                self.address(),
                format!("the file to send cannot be read: {error}"),
                "run again",
            )
        };
        let mut file = File::open(upload.path).map_err(unreadable)?;
        let attributes = Attributes::from_iter([(Attribute::ContentType, upload.content_type)]);
        if upload.bytes <= self.part_bytes {
            let bytes = read_part(&mut file, self.part_bytes).map_err(unreadable)?;
            let options = PutOptions {
                attributes,
                ..PutOptions::default()
            };
            return self
                .store
                .put_opts(key, bytes.into(), options)
                .await
                .map(|_| ())
                .map_err(|error| self.failed(&error));
        }
        let options = PutMultipartOptions {
            attributes,
            ..PutMultipartOptions::default()
        };
        let mut parts = self
            .store
            .put_multipart_opts(key, options)
            .await
            .map_err(|error| self.failed(&error))?;
        let part_bytes = self.part_bytes.max(upload.bytes.div_ceil(PARTS_MAX));
        let sent = loop {
            let bytes = match read_part(&mut file, part_bytes) {
                Ok(bytes) if bytes.is_empty() => break Ok(()),
                Ok(bytes) => bytes,
                Err(error) => break Err(unreadable(error)),
            };
            kill_point(recovery::P9);
            if let Err(error) = parts.put_part(bytes.into()).await {
                break Err(self.failed(&error));
            }
        };
        match sent {
            Ok(()) => match parts.complete().await {
                Ok(_) => Ok(()),
                Err(error) => {
                    let failed = self.failed(&error);
                    self.give_up(parts).await;
                    Err(failed)
                }
            },
            Err(error) => {
                self.give_up(parts).await;
                Err(error)
            }
        }
    }

    /// Lets the store forget the parts of a file that does not come; what it says to that changes nothing.
    async fn give_up(&self, mut parts: Box<dyn MultipartUpload>) {
        drop(timeout(self.idle, parts.abort()).await);
    }

    /// What stands under a key, read piece by piece; no further than `bytes_max`.
    async fn look(&self, key: &Key, bytes_max: u64) -> object_store::Result<Option<Remote>> {
        let meta = match self.store.head(key).await {
            Ok(meta) => meta,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if meta.size > bytes_max {
            return Ok(Some(Remote {
                bytes: meta.size,
                sha256: None,
            }));
        }
        let (mut digest, mut read) = (Sha256::new(), 0);
        while read < meta.size {
            let range: Range<u64> = read..meta.size.min(read + PART_BYTES);
            let options = GetOptions {
                range: Some(range.into()),
                // all pieces are of one object
                if_match: meta.e_tag.clone(),
                ..GetOptions::default()
            };
            let piece = self.store.get_opts(key, options).await?;
            let piece = self.heard_in_time(piece.bytes()).await?;
            if piece.is_empty() {
                break;
            }
            read += piece.len() as u64;
            digest.update(&piece);
        }
        Ok(Some(Remote {
            bytes: read,
            sha256: Some(pack::hex(&digest.finalize())),
        }))
    }

    /// A body that must not take longer than a request may.
    async fn heard_in_time<T>(
        &self,
        body: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        timeout(self.idle * 2, body).await.unwrap_or_else(|_| {
            self.heard.set_silent();
            Err(object_store::Error::Generic {
                store: "store",
                source: "silence".into(),
            })
        })
    }

    /// Why a call did not work: by what was heard on the wire, not by its words.
    fn failed(&self, error: &object_store::Error) -> DeliveryError {
        let heard = self.heard.take();
        self.refused.set(heard.status);
        if heard.silent {
            return wire::silent(self.address(), self.idle);
        }
        let text = error.to_string();
        match heard.status {
            Some(status) if !status.is_success() => {
                let said = said(&text).map_or_else(String::new, |said| self.secrets.quoted(&said));
                let mut failed = answer::refusal(self.address(), status, &said, heard.after);
                if status.is_redirection() {
                    failed.hint =
                        "check `region` and `endpoint`: the bucket is elsewhere".to_owned();
                }
                failed
            }
            Some(_) => DeliveryError::retry(
                self.address(),
                format!(
                    "the store's answer cannot be understood: {}",
                    self.secrets.quoted(&text)
                ),
                "check `endpoint`: is it the address of a store?",
            ),
            None => wire::failed(self.address(), &self.secrets, error),
        }
    }
}

impl Destination for Store {
    fn address(&self) -> &str {
        &self.address.shown
    }

    fn naming(&self) -> &Naming {
        &self.address.naming
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic: true,
            read_back: true,
            remove: true,
        }
    }

    fn put(&mut self, upload: &Upload<'_>, deadline: &Deadline) -> Result<Proof, DeliveryError> {
        let key = self.key(upload.name)?;
        let mut sent = self.run(deadline, self.send(upload, &key));
        let odd = [StatusCode::BAD_REQUEST, StatusCode::NOT_IMPLEMENTED];
        if sent.is_err()
            && self
                .refused
                .get()
                .is_some_and(|status| odd.contains(&status))
            && let Some(plain) = self.plain.take()
        {
            // a compatible store that knows no checksums
            let summed = std::mem::replace(&mut self.store, plain);
            sent = self.run(deadline, self.send(upload, &key));
            if sent.is_err() {
                // it was something else
                self.plain = Some(std::mem::replace(&mut self.store, summed));
            }
        }
        sent?;
        kill_point(recovery::P11);
        self.run(deadline, async {
            let how = match self.look(&key, upload.bytes).await {
                // credentials that may write and not read
                Err(
                    object_store::Error::PermissionDenied { .. }
                    | object_store::Error::Unauthenticated { .. },
                ) => return Ok(Proof::AnswerOnly),
                Err(error) => return Err(self.failed(&error)),
                Ok(None) => "the store has nothing under its key".to_owned(),
                Ok(Some(stands)) => match stands.differs(upload) {
                    None => return Ok(Proof::ReadBack),
                    Some(how) => how,
                },
            };
            Err(DeliveryError::not_what_was_sent(
                self.address(),
                upload.name,
                &how,
            ))
        })
    }

    fn stands(&mut self, name: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError> {
        let key = self.key(name)?;
        self.run(deadline, async {
            match self.store.head(&key).await {
                Ok(meta) => Ok(Some(Remote {
                    bytes: meta.size,
                    sha256: None,
                })),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.failed(&error)),
            }
        })
    }

    fn remove(&mut self, name: &str, deadline: &Deadline) -> Result<(), DeliveryError> {
        let key = self.key(name)?;
        self.run(deadline, async {
            match self.store.delete(&key).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.failed(&error)),
            }
        })
    }
}

/// The next bytes of a file; fewer than asked for at its end.
fn read_part(file: &mut File, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(bytes).read_to_end(&mut part)?;
    Ok(part)
}

/// What a store says about a refusal: its code and its sentence. The rest repeats the request.
fn said(text: &str) -> Option<String> {
    let part = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (part, _) = rest.split_once(&format!("</{name}>"))?;
        Some(part.trim().to_owned())
    };
    match (part("Code"), part("Message")) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (code, message) => code.or(message),
    }
}
