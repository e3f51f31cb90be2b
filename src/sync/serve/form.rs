//! What a webhook says and who says it. In: a source's configuration, a request's headers and raw body, the moment. Out: whether
//! it is authentic, then what it tells: an event to store, or the echo of our own writing, which is none.
//!
//! Nothing is parsed before the signature is proven. Numbers are taken only where the configuration trusts them, each row
//! gives one and each row says by what it is ordered; otherwise the event only has the source read. Of the body only SKU,
//! location, counts and order are kept. Pure: no clock, no disk, no network.

mod generic;
mod rows;
mod shopify;
mod square;
mod woocommerce;

use std::collections::HashSet;
use std::path::Path;

use hyper::HeaderMap;
use jiff::Timestamp;

use super::limits::Limits;
use super::signature::Secrets;
use crate::config::project::{Basis, Source};
use crate::config::sync::WebhookForm;
use crate::sync::level::{Mark, Observation};
use crate::sync::planted;
use crate::sync::state::Event;

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody we know signed it: the header is missing, empty, doubled, in the wrong form, or made by another secret.
    Signature,
    /// It is signed, and too old or too far ahead.
    Late,
    /// It is signed, and cannot be read: why.
    Unreadable(String),
}

/// What an authentic request tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The event's id as it is kept.
    pub id: String,
    /// What is stored; empty where the event only has the source read.
    pub observations: Vec<Observation>,
    /// Locations it is about, by the sender's names; empty where it names none.
    pub places: Vec<String>,
    /// Whether those names are our locations' codes, rather than ids of the sender's.
    pub ours: bool,
    /// The host of the sender, where it says so.
    pub host: Option<String>,
}

/// By what an account knows the echo of its own writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Echo {
    /// The online store's locations that are written to.
    pub places: HashSet<String>,
    /// Our own locations' codes.
    pub locations: HashSet<String>,
    /// The online store's host, such as `shop.example`.
    pub host: Option<String>,
}

/// A source's webhook: whose form it has, who may sign it, what is believed.
#[derive(Clone, Debug)]
pub struct Hook {
    source: String,
    form: WebhookForm,
    secrets: Secrets,
    url: String,
    trusted: bool,
    basis: Basis,
    rows_max: usize,
}

impl Hook {
    /// The webhook of a source; `None` where it has none. `folder` is the project's, where files of secrets lie.
    ///
    /// # Errors
    /// What is wrong with the configuration: a secret that is missing, empty or short, an address that Square needs.
    pub fn new(source: &Source, folder: &Path, limits: &Limits) -> Result<Option<Self>, String> {
        let Some(webhook) = &source.webhook else {
            return Ok(None);
        };
        let wrong = |message: String| format!("the webhook of source `{}`: {message}", source.name);
        let secrets = webhook
            .secret
            .iter()
            .map(|reference| reference.resolve(folder))
            .collect::<Result<Vec<_>, _>>()
            .and_then(Secrets::new)
            .map_err(wrong)?;
        let url = webhook.url.clone().unwrap_or_default();
        if webhook.form == WebhookForm::Square && !url.starts_with("https://") {
            return Err(wrong(
                "Square signs the address it calls: write it as `url`, with `https://`, exactly as it is subscribed"
                    .to_owned(),
            ));
        }
        let hint_only = matches!(webhook.form, WebhookForm::Shopify | WebhookForm::Square);
        if webhook.trusted && hint_only {
            return Err(wrong(
                "its events name no SKU, so there is nothing to trust; take `trusted` out"
                    .to_owned(),
            ));
        }
        Ok(Some(Hook {
            source: source.name.clone(),
            form: webhook.form,
            secrets,
            url,
            trusted: webhook.trusted,
            basis: source.basis.unwrap_or(Basis::OnHand),
            rows_max: limits.rows,
        }))
    }

    /// The source it belongs to.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whose form it has.
    pub fn form(&self) -> WebhookForm {
        self.form
    }

    /// Whether it is the sender's question whether we are there, which nobody signs and which says nothing.
    pub fn is_ping(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        self.form == WebhookForm::Woocommerce && woocommerce::is_ping(headers, body)
    }

    /// Whether one of our secrets signed it. The body is not looked into.
    ///
    /// # Errors
    /// [`Refused::Signature`] or [`Refused::Late`].
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Refused> {
        let signed = match self.form {
            WebhookForm::Generic => return generic::verify(&self.secrets, headers, body, now),
            WebhookForm::Shopify => shopify::verify(&self.secrets, headers, body),
            WebhookForm::Woocommerce => woocommerce::verify(&self.secrets, headers, body),
            WebhookForm::Square => square::verify(&self.secrets, &self.url, headers, body),
        };
        if signed {
            Ok(())
        } else {
            Err(Refused::Signature)
        }
    }

    /// What a verified request tells.
    ///
    /// # Errors
    /// [`Refused::Unreadable`].
    pub fn read(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Said, Refused> {
        let said = match self.form {
            WebhookForm::Generic => generic::read(self.basis, self.rows_max, body, now),
            WebhookForm::Shopify => shopify::read(headers, body),
            WebhookForm::Woocommerce => woocommerce::read(headers, body, now),
            WebhookForm::Square => square::read(self.rows_max, body),
        };
        let mut said = said.map_err(Refused::Unreadable)?;
        if !self.trusted {
            said.observations.clear();
        }
        Ok(said)
    }

    /// What of it is news to an account: the event to store, or `None` where it is the echo of our own writing.
    pub fn event_for(&self, said: &Said, echo: &Echo, now: Timestamp) -> Option<Event> {
        let mut observations = said.observations.clone();
        if !planted::is("echo treated as news") {
            if echo.is_of(said) {
                return None;
            }
            if said.ours {
                observations.retain(|row| !echo.is_place(&row.location, true));
            }
        }
        if planted::is("event order by arrival") {
            for row in &mut observations {
                row.mark = Mark::None;
            }
        }
        Some(Event {
            source: self.source.clone(),
            id: said.id.clone(),
            at: now,
            observations,
        })
    }
}

impl Echo {
    /// Whether all that is said is of places that we write to.
    fn is_of(&self, said: &Said) -> bool {
        if let (Some(own), Some(sender)) = (&self.host, &said.host)
            && own.eq_ignore_ascii_case(sender)
        {
            return true;
        }
        !said.places.is_empty()
            && said
                .places
                .iter()
                .all(|place| self.is_place(place, said.ours))
    }

    /// Whether we write to that place. A name that is also one of our locations' codes is ours.
    fn is_place(&self, place: &str, ours: bool) -> bool {
        if place.is_empty() || ours && self.locations.contains(place) {
            return false;
        }
        let plain = last_segment(place);
        self.places
            .iter()
            .any(|own| own == place || last_segment(own) == plain)
    }
}

/// `2` of `gid://shopify/Location/2`.
fn last_segment(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
