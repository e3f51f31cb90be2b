//! TLS for both connections of FTP. The server's certificate is verified against the system's authorities and those of `ca`,
//! for the name in the address. The data connection resumes the session of the control connection, which is how
//! servers know that it is the same client. Why a handshake failed is kept as a value: the FTP library only has its text.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use suppaftp::tokio::{AsyncRustlsStream, AsyncTlsConnector};
use suppaftp::tokio_rustls::TlsConnector;
use suppaftp::tokio_rustls::rustls::client::Resumption;
use suppaftp::tokio_rustls::rustls::crypto::aws_lc_rs;
use suppaftp::tokio_rustls::rustls::pki_types::pem::PemObject as _;
use suppaftp::tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use suppaftp::tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use suppaftp::{FtpError, FtpResult};
use tokio::net::TcpStream;

/// Sessions kept for one server: each data connection takes one and brings new ones.
const SESSIONS_MAX: usize = 32;

/// The authorities that are trusted: the system's and those of a PEM file.
///
/// # Errors
/// A message when the file cannot be read or has no certificate in it.
pub(super) fn authorities(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if let Some(file) = ca {
        let shown = file.display();
        let pem =
            std::fs::read(file).map_err(|error| format!("`ca` {shown} cannot be read: {error}"))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            certificate
                .ok()
                .and_then(|certificate| store.add(certificate).ok())
                .ok_or_else(|| format!("`ca` {shown} has a certificate that cannot be read"))?;
        }
        if store.is_empty() {
            return Err(format!("`ca` {shown} has no certificate in it"));
        }
    }
    // what the system's own list has that cannot be read can only make a server unknown
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Ok(store)
}

/// Makes connections safe.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    refusal: Arc<Mutex<Option<rustls::Error>>>,
}

impl Tls {
    /// With these authorities: TLS 1.2 and later.
    ///
    /// # Errors
    /// A message of the library.
    pub(super) fn new(authorities: RootCertStore) -> Result<Self, String> {
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(authorities)
                .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
        Ok(Tls {
            connector: TlsConnector::from(Arc::new(config)),
            refusal: Arc::default(),
        })
    }

    /// Why the last handshake failed, once.
    pub(super) fn refusal(&self) -> Option<rustls::Error> {
        self.refusal
            .lock()
            .ok()
            .and_then(|mut refusal| refusal.take())
    }

    async fn shake_hands(&self, name: &str, stream: TcpStream) -> FtpResult<AsyncRustlsStream> {
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| FtpError::SecureError(error.to_string()))?;
        match self.connector.connect(name, stream).await {
            Ok(stream) => Ok(stream.into()),
            Err(error) => {
                let why = error
                    .get_ref()
                    .and_then(|why| why.downcast_ref::<rustls::Error>());
                if let (Some(why), Ok(mut place)) = (why, self.refusal.lock()) {
                    *place = Some(why.clone());
                }
                Err(FtpError::SecureError(error.to_string()))
            }
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl AsyncTlsConnector for Tls {
    type Stream = AsyncRustlsStream;

    fn connect<'a, 'b, 'c>(
        &'a self,
        domain: &'b str,
        stream: TcpStream,
    ) -> Pin<Box<dyn Future<Output = FtpResult<Self::Stream>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.shake_hands(domain, stream))
    }
}
