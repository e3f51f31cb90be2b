//! Delivery: files in, receipts out. A file that is delivered stands whole under its name, and that was proven by reading it
//! back wherever the place gives it back; until then the file before it stands.
//!
//! [`deliver`] packs, sends parts before their index, retries and removes what no index names any more. A [`Destination`]
//! sends bytes as they are: one file a protocol, each held to the same suite (`suite`). It knows nothing of feeds.

mod address;
mod answer;
#[cfg(feature = "cloud")]
mod cloud;
mod dry_run;
mod error;
mod folder;
#[cfg(feature = "ftp")]
mod ftps;
#[cfg(any(feature = "sftp", feature = "ftp"))]
mod hidden;
mod http;
#[cfg(all(test, any(feature = "sftp", feature = "ftp")))]
pub(crate) mod loopback;
pub mod memory;
mod pack;
mod retry;
#[cfg(test)]
mod server;
mod set;
#[cfg(feature = "sftp")]
mod sftp;
#[cfg(test)]
pub(crate) mod suite;
mod wire;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::config::destination::To;

pub use address::{Address, Naming, Scheme, is_file_name};
pub use dry_run::DryRun;
pub use error::{DeliveryError, Recovery, quoted};
pub use pack::Packing;
pub use retry::{Deadline, RetryPolicy, Retrying};
pub use set::deliver;

/// What a file is in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// One of several; stands before the index does.
    Part,
    /// Names the parts; stands last.
    Index,
    /// The feed's only file.
    Only,
}

/// A file to deliver, as it was built: not compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its file name, where the address does not name it. `.gz` and `.zst` endings compress.
    pub name: String,
    /// Where its bytes lie.
    pub path: PathBuf,
    /// The items in it.
    pub items: u64,
    /// Its media type, such as `application/xml`.
    pub content_type: &'static str,
    /// What it is in its set.
    pub role: Role,
}

/// A file on its way: exactly the bytes that are to stand at the place.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// Its name in the destination's folder: one step, checked by [`is_file_name`].
    pub name: &'a str,
    /// Where its bytes lie.
    pub path: &'a Path,
    /// How many they are.
    pub bytes: u64,
    /// Their SHA-256, 64 small hexadecimal digits.
    pub sha256: &'a str,
    /// Its media type: the packing's, where it is packed.
    pub content_type: &'static str,
}

/// What is known of a file at the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256, where it was read or the place keeps it.
    pub sha256: Option<String>,
}

impl Remote {
    /// What is known of bytes that were read: for destinations that read back.
    ///
    /// # Errors
    /// As the reader. Reads no further than `bytes_max`: a longer file is then one byte too long.
    pub fn read(reader: impl std::io::Read, bytes_max: u64) -> std::io::Result<Self> {
        let (bytes, sha256) = pack::digest(reader.take(bytes_max.saturating_add(1)))?;
        Ok(Remote {
            bytes,
            sha256: Some(sha256),
        })
    }

    /// What a wrong file is, in words; `None` when it is the one that was sent. Size alone proves nothing here: a digest
    /// that is missing is told by the caller's [`Proof`].
    pub fn differs(&self, upload: &Upload<'_>) -> Option<String> {
        if self.bytes != upload.bytes {
            return Some(format!(
                "{} bytes stand there, {} were sent",
                self.bytes, upload.bytes
            ));
        }
        let digest = self.sha256.as_deref()?;
        (digest != upload.sha256).then(|| "other bytes stand there than were sent".to_owned())
    }
}

/// How it is known that a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The place said that it took the file, and cannot be asked.
    AnswerOnly,
    /// The place told its size and a checksum that it made itself.
    SizeAndChecksum,
    /// Its bytes were read again and are those that were sent.
    ReadBack,
}

/// A file that stands at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Its name in the destination's folder.
    pub name: String,
    /// How many bytes stand there, compressed as they are.
    pub bytes: u64,
    /// Their SHA-256, 64 small hexadecimal digits.
    pub sha256: String,
    /// How that is known.
    pub proof: Proof,
}

/// What a delivery ends with: every file stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReceipt {
    /// The address, without secrets.
    pub destination: String,
    /// The files, in the order in which they were sent: parts, then the index.
    pub files: Vec<Sent>,
    /// Old parts that no index names any more and that could not be removed.
    #[serde(default)]
    pub left: Vec<String>,
    /// When the last of it was proven; as text, RFC 3339.
    #[serde(with = "moment")]
    pub at: Timestamp,
}

/// A moment as text.
mod moment {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a destination can do; what it cannot is declared, not guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// A reader sees the old file or the new one, at any instant.
    pub atomic: bool,
    /// What stands can be read again.
    pub read_back: bool,
    /// Files can be removed.
    pub remove: bool,
}

/// A place that takes files. Blocking; not to be called from within an asynchronous task.
pub trait Destination: Send {
    /// The address as it is shown: never a secret.
    fn address(&self) -> &str;

    /// How files are called here.
    fn naming(&self) -> &Naming;

    /// What can be done here.
    fn capabilities(&self) -> Capabilities;

    /// Sends a file and proves that it stands: under a temporary name, synced and read back where that can be, then under
    /// its own. Until it stands, the file before it does; on an error nothing else is left behind, or it is removed by
    /// the next `put` of that name.
    ///
    /// # Errors
    /// No connection, refused, cut, out of time, or something else stands there than was sent.
    fn put(&mut self, upload: &Upload<'_>, deadline: &Deadline) -> Result<Proof, DeliveryError>;

    /// What stands under a name; `None` when nothing does. The digest is there when it costs no reading.
    ///
    /// # Errors
    /// As `put`, or when the place cannot be asked.
    fn stands(&mut self, name: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError>;

    /// Removes a file; one that is not there is removed.
    ///
    /// # Errors
    /// As `put`, or when the place removes nothing.
    fn remove(&mut self, name: &str, deadline: &Deadline) -> Result<(), DeliveryError>;
}

/// Opens a place: reads its secrets and files, and calls nobody yet. `project` is the folder that relative paths lie in.
///
/// # Errors
/// An address that is none, keys that do not fit it, secrets that are not there, a feature this program was built without.
pub fn open(to: &To, project: &Path) -> Result<Box<dyn Destination>, ConfigError> {
    let address = Address::of(to)?;
    match address.scheme {
        Scheme::Folder => folder::Folder::open(to, address, project)
            .map(|folder| Box::new(folder) as Box<dyn Destination>),
        #[cfg(feature = "sftp")]
        Scheme::Sftp => sftp::open(to, address, project),
        #[cfg(not(feature = "sftp"))]
        Scheme::Sftp => Err(built_without(to, &address, "sftp")),
        #[cfg(feature = "ftp")]
        Scheme::Ftps => ftps::open(to, address, project),
        #[cfg(not(feature = "ftp"))]
        Scheme::Ftps => Err(built_without(to, &address, "ftp")),
        #[cfg(feature = "cloud")]
        Scheme::S3 | Scheme::Gs | Scheme::Az => cloud::Store::open(to, address, project)
            .map(|store| Box::new(store) as Box<dyn Destination>),
        #[cfg(not(feature = "cloud"))]
        Scheme::S3 | Scheme::Gs | Scheme::Az => Err(built_without(to, &address, "cloud")),
        Scheme::Http => http::Http::open(to, address, project)
            .map(|http| Box::new(http) as Box<dyn Destination>),
    }
}

#[cfg_attr(
    all(feature = "sftp", feature = "ftp", feature = "cloud"),
    allow(
        dead_code,
        reason = "there is nothing that this program was built without"
    )
)]
fn built_without(to: &To, address: &Address, feature: &str) -> ConfigError {
    to.wrong(
        format!(
            "`{}` cannot be delivered to: this program was built without the feature `{feature}`",
            address.shown
        ),
        format!("install one built with it: `cargo install shelfcast --features {feature}`"),
    )
}
