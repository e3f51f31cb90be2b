//! HTTP PUT and POST.
//!
//! A file is sent as it lies on disk, and then fetched again and compared wherever the server gives it back; where it does
//! not, the receipt says that only the answer is known. A server replaces a file as it likes: that is not promised here.
//! Redirects are followed on the same host alone, and credentials go nowhere else. Everything ends: connecting, silence
//! while sending and answering, and the whole by the run's deadline.

mod head;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Seek;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION,
};
use reqwest::{Client, Method as Verb, Response, StatusCode, Url};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

use super::wire::{self, Secrets, check_scheme};
use super::{
    Address, Capabilities, Deadline, DeliveryError, Destination, Naming, Proof, Remote, Upload,
    answer, pack,
};
use crate::clock;
use crate::config::ConfigError;
use crate::config::destination::{Method, To};
use crate::recovery::{self, kill_point};

/// Most redirects followed.
const REDIRECTS_MAX: usize = 3;
/// Most bytes of a refusal that are read.
const REFUSAL_BYTES_MAX: usize = 4096;
/// Looks at what stands before it is said to be wrong: a server may store a moment after it answers.
const LOOKS: u32 = 5;

/// Delivers by HTTP.
pub(super) struct Http {
    address: Address,
    url: Url,
    method: Method,
    read_back: Option<bool>,
    headers: HeaderMap,
    /// Everything that must not be repeated, as it may stand in an answer.
    secrets: Secrets,
    idle: Duration,
    client: Client,
    runtime: Runtime,
}

/// What a server gives for an address.
enum Seen {
    File(Remote),
    Nothing,
    /// It does not give it here.
    NotGiven(StatusCode),
}

impl Http {
    /// Opens an address: reads its secrets, calls nobody.
    ///
    /// # Errors
    /// `http://` where it is not allowed, credentials that contradict each other, headers that cannot be, secrets and
    /// certificates that cannot be read.
    pub(super) fn open(to: &To, address: Address, project: &Path) -> Result<Self, ConfigError> {
        let url = address
            .url
            .clone()
            .expect("an address of `https://` has one");
        check_scheme(to, &url)?;
        let mut secrets = Secrets::default();
        let headers = head::headers(to, &address, project, &mut secrets)?;
        if let Some(query) = url.query() {
            secrets.add(query);
            for (_, value) in url.query_pairs() {
                secrets.add(&value);
            }
        }
        let idle = to.timeout()?;
        let client = wire::client(to, &url, project)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| to.wrong(format!("no connection can be made: {error}"), ""))?;
        Ok(Http {
            url,
            method: to.method.unwrap_or(Method::Put),
            read_back: to.read_back,
            headers,
            secrets,
            idle,
            client,
            runtime,
            address,
        })
    }

    /// Where a file stands.
    fn place(&self, name: &str) -> Result<Url, DeliveryError> {
        match &self.address.naming {
            Naming::File(own) if own == name => return Ok(self.url.clone()),
            Naming::File(_) if self.method == Method::Post => {
                return Err(DeliveryError::abort(
                    self.address(),
                    "several files cannot be posted to one address",
                    "end the address with `/`, or deliver a feed of one file",
                ));
            }
            _ => {}
        }
        let mut url = self.url.clone();
        if let Ok(mut steps) = url.path_segments_mut() {
            // the last step is empty for a folder, and the file's own name otherwise
            steps.pop().push(name);
        }
        Ok(url)
    }

    fn reads_back(&self) -> bool {
        self.read_back.unwrap_or(self.method == Method::Put)
    }

    /// Runs a call until it ends or the deadline is over.
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

    /// Sends a file, again where the same host says that its place is elsewhere.
    async fn send(&self, upload: &Upload<'_>, mut url: Url) -> Result<(), DeliveryError> {
        let verb = match self.method {
            Method::Put => Verb::PUT,
            Method::Post => Verb::POST,
        };
        for _ in 0..=REDIRECTS_MAX {
            let mut response = self.send_once(upload, verb.clone(), url.clone()).await?;
            let status = response.status();
            if status.is_success() {
                // what it says about a success is nothing to us, and it need not be heard to the end
                return Ok(());
            }
            if !status.is_redirection() {
                return Err(self.refused(&mut response).await);
            }
            url = self.redirected(&url, &response)?;
        }
        Err(DeliveryError::abort(
            self.address(),
            format!("the server redirects more than {REDIRECTS_MAX} times"),
            "use the address that the redirects end at",
        ))
    }

    async fn send_once(
        &self,
        upload: &Upload<'_>,
        verb: Verb,
        url: Url,
    ) -> Result<Response, DeliveryError> {
        let unreadable = |error: std::io::Error| {
            DeliveryError::abort(
                self.address(),
                format!("the file to send cannot be read: {error}"),
                "run again",
            )
        };
        let file = File::open(upload.path).map_err(unreadable)?;
        // Both handles share one offset: how far the file was taken tells whether anything moves.
        let mut watch = file.try_clone().map_err(unreadable)?;
        let request = self
            .client
            .request(verb, url)
            .headers(self.headers.clone())
            .header(CONTENT_LENGTH, upload.bytes);
        let request = if self.headers.contains_key(CONTENT_TYPE) {
            request
        } else {
            request.header(CONTENT_TYPE, upload.content_type)
        };
        let request = if upload.bytes == 0 {
            request.body(Vec::new())
        } else {
            request.body(tokio::fs::File::from_std(file))
        };
        let mut answer = std::pin::pin!(request.send());
        let (mut taken, mut moved) = (0, Instant::now());
        loop {
            tokio::select! {
                answer = &mut answer => return answer.map_err(|error| self.failed(&error)),
                () = sleep(self.idle / 4) => {
                    let now = watch.stream_position().map_err(unreadable)?;
                    if now != taken {
                        (taken, moved) = (now, Instant::now());
                    } else if moved.elapsed() >= self.idle {
                        return Err(wire::silent(self.address(), self.idle));
                    }
                }
            }
        }
    }

    /// Where the same host says that a file is to be sent.
    fn redirected(&self, from: &Url, response: &Response) -> Result<Url, DeliveryError> {
        let refuse = |why: String| {
            Err(DeliveryError::abort(
                self.address(),
                why,
                "use the address that the redirect leads to, if it is to be trusted with the feed and the credentials",
            ))
        };
        let status = response.status();
        let target = response
            .headers()
            .get(LOCATION)
            .and_then(|location| location.to_str().ok())
            .and_then(|location| from.join(location).ok());
        let Some(target) = target else {
            return refuse(format!("the server answered {status} and says no place"));
        };
        if target.origin() != from.origin() {
            let host = target.host_str().unwrap_or_default();
            return refuse(format!(
                "the server redirects to another place, `{}://{}`: nothing was sent there",
                target.scheme(),
                self.secrets.quoted(host)
            ));
        }
        match status {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => Ok(target),
            _ => refuse(format!(
                "the server answered {status}, which does not take a file along"
            )),
        }
    }

    /// What the server gives for an address; reads no more than one byte beyond `bytes_max`.
    async fn look(&self, url: Url, bytes_max: u64) -> Result<Seen, DeliveryError> {
        let asked = self
            .client
            .get(url)
            .headers(self.headers.clone())
            // as it stands, and as it stands now
            .header(ACCEPT_ENCODING, "identity")
            .header(CACHE_CONTROL, "no-cache");
        let mut response = self.heard(asked.send()).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Seen::Nothing),
            status
                if status == StatusCode::TOO_MANY_REQUESTS
                    || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED) =>
            {
                return Err(self.refused(&mut response).await);
            }
            status => return Ok(Seen::NotGiven(status)),
        }
        let (mut bytes, mut digest) = (0, Sha256::new());
        while let Some(chunk) = self.heard(response.chunk()).await? {
            bytes += chunk.len() as u64;
            if bytes > bytes_max {
                break;
            }
            digest.update(&chunk);
        }
        Ok(Seen::File(Remote {
            bytes,
            sha256: (bytes <= bytes_max).then(|| pack::hex(&digest.finalize())),
        }))
    }

    /// Compares what stands with what was sent, and gives the server a moment to put it there.
    async fn prove(&self, upload: &Upload<'_>, url: Url) -> Result<Proof, DeliveryError> {
        let mut wait = self.idle / 240;
        let mut how = String::new();
        for look in 0..LOOKS {
            if look > 0 {
                sleep(wait).await;
                wait *= 2;
            }
            match self.look(url.clone(), upload.bytes).await? {
                Seen::NotGiven(status) if self.read_back == Some(true) => {
                    return Err(DeliveryError::abort(
                        self.address(),
                        format!(
                            "`{}` was taken and is not given back: {status}",
                            upload.name
                        ),
                        "say `read_back = false` if the answer is to be believed",
                    ));
                }
                Seen::NotGiven(_) => return Ok(Proof::AnswerOnly),
                Seen::Nothing => how = "the server has nothing under its address".to_owned(),
                Seen::File(stands) => match stands.differs(upload) {
                    None => return Ok(Proof::ReadBack),
                    Some(difference) => how = difference,
                },
            }
        }
        Err(DeliveryError::not_what_was_sent(
            self.address(),
            upload.name,
            &how,
        ))
    }

    /// Waits for a server that must not be silent for too long.
    async fn heard<T>(
        &self,
        call: impl Future<Output = Result<T, reqwest::Error>>,
    ) -> Result<T, DeliveryError> {
        match timeout(self.idle, call).await {
            Ok(heard) => heard.map_err(|error| self.failed(&error)),
            Err(_) => Err(wire::silent(self.address(), self.idle)),
        }
    }

    /// A refusal with the beginning of what it says.
    async fn refused(&self, response: &mut Response) -> DeliveryError {
        let after = answer::retry_after(response.headers(), clock::now());
        let mut said = Vec::new();
        // what cannot be heard of a refusal in time changes nothing about it
        let heard = timeout(self.idle, async {
            while let Ok(Some(chunk)) = response.chunk().await {
                said.extend_from_slice(&chunk);
                if said.len() >= REFUSAL_BYTES_MAX {
                    break;
                }
            }
        });
        drop(heard.await);
        said.truncate(REFUSAL_BYTES_MAX);
        let said = self.secrets.quoted(&String::from_utf8_lossy(&said));
        answer::refusal(self.address(), response.status(), &said, after)
    }

    fn failed(&self, error: &reqwest::Error) -> DeliveryError {
        wire::failed(self.address(), &self.secrets, error)
    }
}

impl Destination for Http {
    fn address(&self) -> &str {
        &self.address.shown
    }

    fn naming(&self) -> &Naming {
        &self.address.naming
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic: false,
            read_back: self.reads_back(),
            remove: self.method == Method::Put,
        }
    }

    fn put(&mut self, upload: &Upload<'_>, deadline: &Deadline) -> Result<Proof, DeliveryError> {
        let url = self.place(upload.name)?;
        self.run(deadline, async {
            self.send(upload, url.clone()).await?;
            kill_point(recovery::P11);
            if self.reads_back() {
                self.prove(upload, url).await
            } else {
                Ok(Proof::AnswerOnly)
            }
        })
    }

    fn stands(&mut self, name: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError> {
        let url = self.place(name)?;
        self.run(deadline, async {
            match self.look(url, u64::MAX).await? {
                Seen::File(remote) => Ok(Some(remote)),
                Seen::Nothing => Ok(None),
                Seen::NotGiven(status) => Err(answer::refusal(self.address(), status, "", None)),
            }
        })
    }

    fn remove(&mut self, name: &str, deadline: &Deadline) -> Result<(), DeliveryError> {
        if self.method == Method::Post {
            return Err(DeliveryError::abort(
                self.address(),
                "what was posted cannot be removed",
                "ask the server's owner",
            ));
        }
        let url = self.place(name)?;
        self.run(deadline, async {
            let asked = self.client.delete(url).headers(self.headers.clone());
            let mut response = self.heard(asked.send()).await?;
            match response.status() {
                status if status.is_success() => Ok(()),
                StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
                _ => Err(self.refused(&mut response).await),
            }
        })
    }
}
