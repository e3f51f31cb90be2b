//! What HTTP and the stores share: a client that trusts whom it may and follows nobody, secrets that are not repeated, and
//! why there was no answer.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};

use super::address::is_loopback;
use super::{DeliveryError, quoted};
use crate::config::ConfigError;
use crate::config::destination::{SecretRef, To};
use crate::config::secret::Secret;

/// Time to get a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Refuses `http://` beyond this machine.
///
/// # Errors
/// Where it is not allowed.
pub(super) fn check_scheme(to: &To, url: &Url) -> Result<(), ConfigError> {
    if url.scheme() == "http" && !is_loopback(url) && !to.allow_http {
        return Err(to.wrong(
            "`http://` would send the feed and the credentials unprotected",
            "use `https://`, or say `allow_http = true`",
        ));
    }
    Ok(())
}

/// Texts that must not be repeated.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// One more.
    pub(super) fn add(&mut self, secret: &str) {
        // as it is, and as it stands in an address
        let mut address = Url::parse("https://encoded.invalid/").expect("an address");
        address.query_pairs_mut().append_key_only(secret);
        for form in [secret, address.query().unwrap_or_default()] {
            if !self.0.iter().any(|known| known == form) {
                self.0.push(form.to_owned());
            }
        }
    }

    /// Reads one, and remembers not to repeat it.
    ///
    /// # Errors
    /// As [`SecretRef::resolve`].
    pub(super) fn read(
        &mut self,
        to: &To,
        from: &SecretRef,
        project: &Path,
    ) -> Result<Secret, ConfigError> {
        let secret = from
            .resolve(project)
            .map_err(|message| to.wrong(message, "set it, or correct the reference"))?;
        self.add(secret.expose());
        Ok(secret)
    }

    /// What another machine said, without any of them.
    pub(super) fn quoted(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.0.iter().map(String::as_str).collect();
        quoted(text, &secrets)
    }
}

/// Why there was no answer: what TLS refused stays refused, everything else may pass.
pub(super) fn failed(
    address: &str,
    secrets: &Secrets,
    error: &(dyn Error + 'static),
) -> DeliveryError {
    let mut reasons: Vec<String> = Vec::new();
    let mut is_refused = false;
    let mut is_connect = false;
    let mut cause = Some(error);
    while let Some(error) = cause {
        is_refused |= error.downcast_ref().is_some_and(is_invalid);
        let reason = error.to_string();
        if let Some(client) = error.downcast_ref::<reqwest::Error>() {
            is_connect |= client.is_connect();
            // what stands around it and in it names the whole address, and why is said by what lies inside
            reasons.clear();
        } else if !reasons.iter().any(|known| known.contains(&reason)) {
            reasons.push(reason);
        }
        cause = error.source();
    }
    let reason = secrets.quoted(&reasons.join(": "));
    if is_connect && is_refused {
        return DeliveryError::abort(
            address,
            format!("the server is not who it must be: {reason}"),
            "check the address; a certificate of your own is trusted with `ca = \"file.pem\"`",
        );
    }
    let what = if is_connect {
        "the server cannot be reached"
    } else {
        "the connection broke"
    };
    DeliveryError::retry(
        address,
        format!("{what}: {reason}"),
        "check the address and the network, and run again",
    )
}

/// A server that says nothing.
pub(super) fn silent(address: &str, idle: Duration) -> DeliveryError {
    DeliveryError::retry(
        address,
        format!("nothing moved for {} s", idle.as_secs_f32()),
        "run again later; a slow server may need a longer `timeout`",
    )
}

/// True for what TLS says of a peer that it does not take; such an error lies in others of its kind.
fn is_invalid(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
        || error
            .get_ref()
            .and_then(|inner| inner.downcast_ref())
            .is_some_and(is_invalid)
}

/// A client that follows no redirect and knows the certificates of `ca`.
///
/// # Errors
/// Certificates that cannot be read.
pub(super) fn client(to: &To, url: &Url, project: &Path) -> Result<Client, ConfigError> {
    let mut builder = Client::builder()
        .user_agent(concat!("shelfcast/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT.min(to.timeout()?))
        // what is read back is compared as it was sent
        .no_gzip();
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    for certificate in authorities(to, project)? {
        builder = builder.add_root_certificate(certificate);
    }
    builder
        .build()
        .map_err(|error| to.wrong(format!("no connection can be made: {error}"), ""))
}

/// The certificates of `ca`.
fn authorities(to: &To, project: &Path) -> Result<Vec<Certificate>, ConfigError> {
    let Some(file) = &to.ca else {
        return Ok(Vec::new());
    };
    let wrong = |message: String| {
        to.wrong(
            format!("`ca = \"{file}\"`: {message}"),
            "name a file with certificates in PEM",
        )
    };
    let mut pem = Vec::new();
    File::open(project.join(file))
        .and_then(|opened| opened.take(1024 * 1024).read_to_end(&mut pem))
        .map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .map_err(|_| wrong("it cannot be read as certificates".to_owned()))?;
    if certificates.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(certificates)
}
