//! Addresses: `path` or `url` of `[[feed.to]]` to what can be reached and what may be shown. An address never holds a secret:
//! one with a password in it is refused, and the query of `https://` is not shown.

#[cfg(test)]
mod tests;

use reqwest::Url;

use super::{Parcel, Role};
use crate::config::ConfigError;
use crate::config::destination::To;
use crate::program::nearest::near;

/// What a place speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A folder on this machine.
    Folder,
    /// SSH.
    Sftp,
    /// FTP with TLS: explicit, or implicit (`ftps+implicit://host/`, `ftps://host:990/`); `ftp://` without any.
    Ftps,
    /// S3 and compatible.
    S3,
    /// Google Cloud Storage.
    Gs,
    /// Azure Blob Storage.
    Az,
    /// `https://`, and `http://` where that is allowed.
    Http,
}

const SCHEMES: [(&str, Scheme); 10] = [
    ("sftp", Scheme::Sftp),
    ("ftps", Scheme::Ftps),
    ("ftps+implicit", Scheme::Ftps),
    ("ftp", Scheme::Ftps),
    ("s3", Scheme::S3),
    ("gs", Scheme::Gs),
    ("az", Scheme::Az),
    ("https", Scheme::Http),
    ("http", Scheme::Http),
    ("file", Scheme::Folder),
];

/// How files are called at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// By their own names: the address is a folder.
    Folder,
    /// By the address, which names the file: the only file or the index takes the name. Parts that an index names keep
    /// their own names; parts without an index are `<stem>-001.<ext>`.
    File(String),
}

impl Naming {
    /// What the parcels are called at the place, in their order.
    pub fn names(&self, parcels: &[Parcel]) -> Vec<String> {
        let Naming::File(name) = self else {
            return parcels.iter().map(|parcel| parcel.name.clone()).collect();
        };
        let indexed = parcels.iter().any(|parcel| parcel.role == Role::Index);
        let mut number = 0;
        parcels
            .iter()
            .map(|parcel| match parcel.role {
                Role::Only | Role::Index => name.clone(),
                Role::Part if indexed => parcel.name.clone(),
                Role::Part => {
                    number += 1;
                    let (stem, extension) = split(name);
                    format!("{stem}-{number:03}{extension}")
                }
            })
            .collect()
    }
}

/// A name's stem and its ending, `.xml.gz` being one.
fn split(name: &str) -> (&str, &str) {
    let packed = [".gz", ".zst"]
        .into_iter()
        .find_map(|ending| name.strip_suffix(ending));
    let inner = packed.unwrap_or(name);
    let stem = inner.rsplit_once('.').map_or(inner, |(stem, _)| stem);
    let stem = if stem.is_empty() { inner } else { stem };
    (stem, name.strip_prefix(stem).unwrap_or_default())
}

/// A place, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// What it speaks.
    pub scheme: Scheme,
    /// As it may be shown: no password, no query.
    pub shown: String,
    /// The user it names.
    pub user: Option<String>,
    /// The host, or the bucket or container; empty for a folder.
    pub host: String,
    /// The port it names.
    pub port: Option<u16>,
    /// The folder, decoded: ends in `/`, or is empty for the top of a bucket. `/` first for hosts and as written for
    /// `path`; never first for buckets.
    pub folder: String,
    /// How files are called in it.
    pub naming: Naming,
    /// The whole address without user, for `https://`.
    pub url: Option<Url>,
}

impl Address {
    /// Takes a place's address apart.
    ///
    /// # Errors
    /// No address or two, an unknown scheme, a password or fragment in it, `..` in it, and keys that its scheme has no use
    /// for.
    pub fn of(to: &To) -> Result<Self, ConfigError> {
        let address = match (&to.path, &to.url) {
            (Some(path), None) => Self::of_path(to, path)?,
            (None, Some(url)) => Self::of_url(to, url)?,
            (None, None) => {
                return Err(to.wrong(
                    "it has neither `path` nor `url`",
                    "say where the feed is delivered",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(to.wrong(
                    "it has both `path` and `url`",
                    "a place has one address; write a second `[[feed.to]]` for the other",
                ));
            }
        };
        address.check_keys(to)?;
        Ok(address)
    }

    fn of_path(to: &To, path: &str) -> Result<Self, ConfigError> {
        if path.trim().is_empty() || path.contains('\0') {
            return Err(to.wrong("`path` is empty", "name a folder or a file"));
        }
        if path.contains("://") {
            return Err(to.wrong(
                "`path` is a place on this machine, not an address",
                "write it as `url = \"…\"`",
            ));
        }
        let (folder, file) = cut(path);
        let naming = match file {
            "" => Naming::Folder,
            "." | ".." => return Ok(Self::folder(path, format!("{path}/"), Naming::Folder)),
            file => Naming::File(file.to_owned()),
        };
        Ok(Self::folder(path, folder.to_owned(), naming))
    }

    fn folder(shown: &str, folder: String, naming: Naming) -> Self {
        Address {
            scheme: Scheme::Folder,
            shown: shown.to_owned(),
            user: None,
            host: String::new(),
            port: None,
            folder,
            naming,
            url: None,
        }
    }

    fn of_url(to: &To, text: &str) -> Result<Self, ConfigError> {
        let text = text.trim();
        // What is written may hold a password: nothing of it is repeated before it is known not to.
        let url = Url::parse(text).map_err(|error| {
            to.wrong(
                format!("`url` is no address: {error}"),
                "write it as `https://host/path`; a place on this machine is a `path`",
            )
        })?;
        let known = SCHEMES
            .iter()
            .find(|(name, _)| *name == url.scheme())
            .filter(|(name, _)| *name != "ftp" || to.allow_plain);
        let Some((_, scheme)) = known else {
            return Err(to.wrong(
                format!("`{}://` is no scheme that feeds are delivered by", url.scheme()),
                if url.scheme() == "ftp" {
                    "`ftp://` sends the password and the feed unprotected: use `ftps://` or `sftp://`, or say \
                     `allow_plain = true`"
                        .to_owned()
                } else {
                    near(url.scheme(), SCHEMES.iter().map(|(name, _)| *name)).unwrap_or_else(|| {
                        "known are `sftp`, `ftps`, `s3`, `gs`, `az`, `https`, and `path` for a folder".to_owned()
                    })
                },
            ));
        };
        if url.password().is_some() {
            return Err(to.wrong(
                "the address holds a password",
                "take it out, and add `password = \"env:NAME\"`",
            ));
        }
        if url.fragment().is_some() {
            return Err(to.wrong(
                "the address has a `#`",
                "write it as `%23` when it is meant",
            ));
        }
        if *scheme == Scheme::Folder {
            return Err(to.wrong("`file://` is not taken", "write it as `path = \"…\"`"));
        }
        if url.query().is_some() && *scheme != Scheme::Http {
            return Err(to.wrong(
                "the address has a `?`",
                "write it as `%3F` when it is meant",
            ));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if host.is_empty() {
            return Err(to.wrong(
                "the address names no host",
                "write it as `scheme://host/path`, or `s3://bucket/path`",
            ));
        }
        let no_text = || {
            to.wrong(
                "the address holds bytes that are no text",
                "write it in UTF-8",
            )
        };
        let user = decode(url.username()).ok_or_else(no_text)?;
        let path = decode(url.path()).ok_or_else(no_text)?;
        if path.split('/').any(|step| step == "..") || path.contains('\0') {
            return Err(to.wrong("the address has `..` in it", "write where it leads"));
        }
        let bucket = matches!(scheme, Scheme::S3 | Scheme::Gs | Scheme::Az);
        let path = if bucket {
            path.trim_start_matches('/')
        } else {
            path.as_str()
        };
        let path = if path.is_empty() && !bucket {
            "/"
        } else {
            path
        };
        let (folder, file) = cut(path);
        let naming = match file {
            "" => Naming::Folder,
            file => Naming::File(file.to_owned()),
        };
        Ok(Address {
            scheme: *scheme,
            shown: shown(&url),
            user: Some(user).filter(|user| !user.is_empty()),
            host,
            port: url.port(),
            folder: folder.to_owned(),
            naming,
            url: (*scheme == Scheme::Http).then(|| bare(&url)),
        })
    }

    /// A key that does nothing at this place is a mistake: someone believes that it does.
    fn check_keys(&self, to: &To) -> Result<(), ConfigError> {
        use Scheme::{Az, Folder, Ftps, Gs, Http, S3, Sftp};
        let keys: [(&str, bool, &[Scheme]); 18] = [
            ("method", to.method.is_some(), &[Http]),
            ("user", to.user.is_some(), &[Sftp, Ftps, Http]),
            ("password", to.password.is_some(), &[Sftp, Ftps, Http]),
            ("key", to.key.is_some(), &[Sftp, Gs]),
            ("key_passphrase", to.key_passphrase.is_some(), &[Sftp]),
            ("token", to.token.is_some(), &[Http, S3, Gs, Az]),
            ("access_key", to.access_key.is_some(), &[S3, Az]),
            ("secret_key", to.secret_key.is_some(), &[S3]),
            ("account", to.account.is_some(), &[Az]),
            ("known_hosts", to.known_hosts.is_some(), &[Sftp]),
            ("endpoint", to.endpoint.is_some(), &[S3, Gs, Az]),
            ("region", to.region.is_some(), &[S3]),
            ("path_style", to.path_style.is_some(), &[S3]),
            ("headers", !to.headers.is_empty(), &[Http]),
            ("read_back", to.read_back.is_some(), &[Http]),
            ("allow_http", to.allow_http, &[Http, S3, Gs, Az]),
            ("allow_plain", to.allow_plain, &[Ftps]),
            ("ca", to.ca.is_some(), &[Ftps, Http, S3, Gs, Az]),
        ];
        for (key, given, used) in keys {
            if given && !used.contains(&self.scheme) {
                return Err(to.wrong(
                    format!("`{key}` does nothing for `{}`", self.shown),
                    "take it out",
                ));
            }
        }
        if self.scheme != Folder {
            to.timeout()?;
        }
        to.tries()?;
        if self.user.is_some() && to.user.is_some() {
            return Err(to.wrong(
                "the user stands in the address and in `user`",
                "keep one of them",
            ));
        }
        Ok(())
    }

    /// The user: the address's or the key's.
    pub fn user<'a>(&'a self, to: &'a To) -> Option<&'a str> {
        self.user.as_deref().or(to.user.as_deref())
    }
}

/// True for addresses of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A path's folder with its `/`, and its last name.
fn cut(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |at| at + 1);
    path.split_at_checked(at).unwrap_or((path, ""))
}

/// The address without user, password and query.
fn shown(url: &Url) -> String {
    let mut url = bare(url);
    let query = url.query().is_some();
    url.set_query(None);
    format!("{url}{}", if query { "?…" } else { "" })
}

fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    // an address that can have no user has none to take out
    let _none = url.set_username("").and_then(|()| url.set_password(None));
    url.set_fragment(None);
    url
}

/// `%20` to what it stands for; `None` when that is no text.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// True for a name that stands in its folder and nowhere else: one step, no control characters, no hidden file.
pub fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && !name
            .chars()
            .any(|letter| letter.is_control() || matches!(letter, '/' | '\\'))
}
