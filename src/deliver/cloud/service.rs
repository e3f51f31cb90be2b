//! The wire under a store: one request at a time, none of them silent for ever, and what was heard last.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use reqwest::{Client, StatusCode};
use tokio::time::timeout;

use super::super::answer;
use crate::clock;

/// What the last answer was; nothing when there was none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastHeard {
    /// Its status.
    pub(super) status: Option<StatusCode>,
    /// How long the store asks to be left alone.
    pub(super) after: Option<Duration>,
    /// Nothing came in time.
    pub(super) silent: bool,
}

/// The last answer, for whoever has to say why a call did not work.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Mutex<LastHeard>>);

impl Heard {
    /// What was heard last; it is then forgotten.
    pub(super) fn take(&self) -> LastHeard {
        std::mem::take(&mut *self.lock())
    }

    /// Nothing came in time.
    pub(super) fn set_silent(&self) {
        self.lock().silent = true;
    }

    fn lock(&self) -> MutexGuard<'_, LastHeard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a store's requests by a client of ours: it follows no redirect, so credentials go nowhere else.
#[derive(Clone, Debug)]
pub(super) struct Service {
    client: Client,
    idle: Duration,
    heard: Heard,
}

impl Service {
    pub(super) fn new(client: Client, idle: Duration, heard: Heard) -> Self {
        Service {
            client,
            idle,
            heard,
        }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        *self.heard.lock() = LastHeard::default();
        // A request carries one part at most: twice the longest silence is time for that, and then for the answer.
        let Ok(answer) = timeout(self.idle * 2, HttpService::call(&self.client, request)).await
        else {
            self.heard.set_silent();
            let silence = std::io::Error::from(std::io::ErrorKind::TimedOut);
            return Err(HttpError::new(HttpErrorKind::Timeout, silence));
        };
        let response = answer?;
        *self.heard.lock() = LastHeard {
            status: Some(response.status()),
            after: answer::retry_after(response.headers(), clock::now()),
            silent: false,
        };
        Ok(response)
    }
}

impl HttpService for Service {
    fn call<'life0, 'async_trait>(
        &'life0 self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.send(request))
    }
}

impl HttpConnector for Service {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}
