//! Stores from their keys in the project.

use std::path::Path;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{ObjectStore, RetryConfig};
use reqwest::Url;

use super::super::Address;
use super::super::wire::Secrets;
use super::service::Service;
use crate::config::ConfigError;
use crate::config::destination::{SecretRef, To};

/// A store that is ready.
pub(super) type Shared = Arc<dyn ObjectStore>;

/// The address of `endpoint`.
///
/// # Errors
/// A text that is no address of a server.
pub(super) fn endpoint(to: &To) -> Result<Option<Url>, ConfigError> {
    let Some(text) = &to.endpoint else {
        return Ok(None);
    };
    let wrong = |message: &str| {
        to.wrong(
            format!("`endpoint`: {message}"),
            "write it as `https://host`",
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong("this is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it is no `https://` address"));
    }
    if url.password().is_some() || !url.username().is_empty() || url.query().is_some() {
        return Err(wrong("it holds more than a host and a path"));
    }
    Ok(Some(url))
}

/// A store in the making.
pub(super) struct Making<'a> {
    pub(super) to: &'a To,
    pub(super) address: &'a Address,
    pub(super) project: &'a Path,
    pub(super) endpoint: Option<&'a Url>,
    pub(super) service: Service,
    pub(super) secrets: &'a mut Secrets,
}

impl Making<'_> {
    fn secret(&mut self, from: Option<&SecretRef>) -> Result<Option<String>, ConfigError> {
        from.map(|from| {
            self.secrets
                .read(self.to, from, self.project)
                .map(|secret| secret.expose().to_owned())
        })
        .transpose()
    }

    /// The endpoint without the `/` at its end.
    fn service_address(&self) -> Option<String> {
        self.endpoint
            .map(|url| url.as_str().trim_end_matches('/').to_owned())
    }

    fn missing(&self, key: &str, hint: &str) -> ConfigError {
        self.to.wrong(
            format!("`{key}` is missing for `{}`", self.address.shown),
            hint,
        )
    }

    fn built<S: ObjectStore>(&self, built: object_store::Result<S>) -> Result<Shared, ConfigError> {
        match built {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(self.to.wrong(
                format!(
                    "`{}` cannot be opened: {}",
                    self.address.shown,
                    self.secrets.quoted(&error.to_string())
                ),
                "check the keys of this place",
            )),
        }
    }

    /// S3 and compatible: with a SHA-256 beside the file, and without for stores that do not know of it.
    ///
    /// # Errors
    /// Credentials that are missing or cannot be.
    pub(super) fn s3(mut self) -> Result<(Shared, Shared), ConfigError> {
        let pair = (
            self.secret(self.to.access_key.as_ref())?,
            self.secret(self.to.secret_key.as_ref())?,
        );
        let (Some(access), Some(secret)) = pair else {
            let key = if self.to.access_key.is_none() {
                "access_key"
            } else {
                "secret_key"
            };
            return Err(self.missing(
                key,
                "add `access_key = \"env:NAME\"` and `secret_key = \"env:NAME\"`",
            ));
        };
        if self.to.region.is_none() && self.endpoint.is_none() {
            return Err(self.missing(
                "region",
                "add `region = \"eu-central-1\"`, or the store's `endpoint`",
            ));
        }
        let path_style = self.to.path_style.unwrap_or(self.endpoint.is_some());
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.address.host)
            .with_access_key_id(access)
            .with_secret_access_key(secret)
            .with_region(self.to.region.as_deref().unwrap_or("us-east-1"))
            .with_virtual_hosted_style_request(!path_style)
            // one by one: not every compatible store removes several at once
            .with_disable_bulk_delete(true)
            .with_retry(once())
            .with_http_connector(self.service.clone());
        if let Some(token) = self.secret(self.to.token.as_ref())? {
            builder = builder.with_token(token);
        }
        if let Some(endpoint) = self.service_address() {
            // a store of one's own has the bucket in its name only where that is said
            let endpoint = match endpoint.split_once("://") {
                Some((scheme, rest)) if !path_style => {
                    format!("{scheme}://{}.{rest}", self.address.host)
                }
                _ => endpoint,
            };
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        let plain = self.built(builder.clone().build())?;
        let summed = builder.with_checksum_algorithm(Checksum::SHA256).build();
        Ok((self.built(summed)?, plain))
    }

    /// Google Cloud Storage.
    ///
    /// # Errors
    /// Credentials that are missing or cannot be.
    pub(super) fn google(mut self) -> Result<Shared, ConfigError> {
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_bucket_name(&self.address.host)
            .with_retry(once())
            .with_http_connector(self.service.clone());
        builder = match (
            self.secret(self.to.key.as_ref())?,
            self.secret(self.to.token.as_ref())?,
        ) {
            (Some(key), None) => builder.with_service_account_key(key),
            (None, Some(token)) => builder.with_bearer_token(token),
            (Some(_), Some(_)) => {
                return Err(self.to.wrong(
                    "it has both `key` and `token`",
                    "a store is told one of them",
                ));
            }
            (None, None) => {
                return Err(self.missing(
                    "key",
                    "add `key = \"file:service-account.json\"`, or a bearer `token`",
                ));
            }
        };
        if let Some(endpoint) = self.service_address() {
            builder = builder.with_base_url(&endpoint);
        }
        self.built(builder.build())
    }

    /// Azure Blob Storage.
    ///
    /// # Errors
    /// Credentials that are missing or cannot be.
    pub(super) fn azure(mut self) -> Result<Shared, ConfigError> {
        let Some(account) = &self.to.account else {
            return Err(self.missing(
                "account",
                "add `account = \"…\"`, the storage account's name",
            ));
        };
        let mut builder = MicrosoftAzureBuilder::new()
            .with_account(account)
            .with_container_name(&self.address.host)
            .with_retry(once())
            .with_http_connector(self.service.clone());
        builder = match (
            self.secret(self.to.access_key.as_ref())?,
            self.secret(self.to.token.as_ref())?,
        ) {
            (Some(key), None) => builder.with_access_key(key),
            (None, Some(token)) if token.contains("sig=") => {
                let pairs = signed(&token);
                for (_, value) in &pairs {
                    self.secrets.add(value);
                }
                builder.with_sas_authorization(pairs)
            }
            (None, Some(token)) => builder.with_bearer_token_authorization(token),
            (Some(_), Some(_)) => {
                return Err(self.to.wrong(
                    "it has both `access_key` and `token`",
                    "a store is told one of them",
                ));
            }
            (None, None) => {
                return Err(self.missing(
                    "access_key",
                    "add `access_key = \"env:NAME\"`, or a `token`: bearer, or a shared access signature",
                ));
            }
        };
        if let Some(endpoint) = self.service_address() {
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        self.built(builder.build())
    }
}

/// A shared access signature's pairs.
fn signed(token: &str) -> Vec<(String, String)> {
    let query = token.trim().trim_start_matches('?');
    Url::parse(&format!("https://signature.invalid/?{query}"))
        .map(|url| {
            url.query_pairs()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect()
        })
        .unwrap_or_default()
}

/// The library's own tries are none: a destination is tried again as a whole.
fn once() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}
