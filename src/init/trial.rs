//! Tries channels on the catalog before the project is written: what each would write, and what stands in its way.

use std::collections::BTreeMap;
use std::path::Path;

use crate::channel;
use crate::config::{Project, toml_file};
use crate::pipeline::build::{self, Options};
use crate::pipeline::{Failure, Observer};
use crate::validate::finding::{Finding, Severity};

use super::look::Look;
use super::project;
use super::propose::{Ask, Proposal};

/// A channel that was tried.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The feed's name.
    pub name: &'static str,
    /// The channel.
    pub channel: &'static str,
    /// Records it takes (less those filtered).
    pub admitted: u64,
    /// Items it would write.
    pub written: u64,
    /// What withholds records: attribute, rule, message of one, count; the most frequent first.
    pub reasons: Vec<(String, &'static str, String, u64)>,
    /// Whether the project has it.
    pub kept: bool,
}

/// Channels that need nothing of the merchant, the most wanted first.
const CHANNELS: &[(&str, &str)] = &[
    ("google", "google-products"),
    ("meta", "meta-catalog"),
    ("sitemap", "sitemap-products"),
    ("json-ld", "schema-org"),
    ("labels", "shelf-labels"),
    ("shopify", "shopify-products"),
    ("woocommerce", "woocommerce-products"),
    ("square", "square-catalog"),
];
/// Feeds a new project has at most.
const KEPT_MAX: usize = 4;
/// Feeds it has at least, where as many write anything.
const KEPT_MIN: usize = 3;

#[derive(Default)]
struct Watching {
    reasons: BTreeMap<(String, String, &'static str), (String, u64)>,
}

impl Observer for Watching {
    fn finding(&mut self, finding: &Finding) {
        if finding.severity == Severity::Error
            && let Some(feed) = &finding.feed
        {
            let key = (feed.clone(), finding.column.clone(), finding.rule);
            self.reasons
                .entry(key)
                .or_insert_with(|| (finding.message.clone(), 0))
                .1 += 1;
        }
    }
}

/// Tries the channels; Google's first, whatever comes of it.
///
/// # Errors
/// When the catalog cannot be read.
pub fn run(
    folder: &Path,
    proposal: &Proposal,
    path: &str,
    now: jiff::Timestamp,
    look: &Look,
) -> Result<Vec<Tried>, Failure> {
    // The folder may not be there yet: the export is read by its whole path.
    let whole = std::path::absolute(&look.shown)
        .map_or_else(|_| path.to_owned(), |path| path.display().to_string());
    let mut tried: Vec<Tried> = CHANNELS
        .iter()
        .filter(|(_, channel)| needs_nothing(channel))
        .map(|&(name, channel)| Tried {
            name,
            channel,
            admitted: 0,
            written: 0,
            reasons: Vec::new(),
            kept: true,
        })
        .collect();
    let mut watching = Watching::default();
    let text = project::text(proposal, &whole, &tried);
    let mut project: Project = toml_file::parse("the proposed project", &text)?;
    folder.clone_into(&mut project.folder);
    for feed in &mut project.feed {
        feed.max_withheld = Some("100%".to_owned());
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        feeds: Vec::new(),
        now,
        threads,
        folder: None,
        digests: false,
        fill: false,
        log: false,
    };
    let report = build::build(&project, &options, &mut watching)?;
    for feed in &mut tried {
        if let Some(report) = report.feeds.iter().find(|report| report.name == feed.name) {
            feed.admitted = report.read - report.filtered;
            feed.written = report.written;
        }
        for ((name, column, rule), (message, count)) in &watching.reasons {
            if name == feed.name {
                feed.reasons
                    .push((column.clone(), rule, message.clone(), *count));
            }
        }
        feed.reasons
            .sort_by_key(|reason| std::cmp::Reverse(reason.3));
    }
    let mut kept = 0;
    tried.iter_mut().for_each(|feed| feed.kept = false);
    // First the channels that take most of the catalog; the others only where those are too few.
    for share in [2, u64::MAX] {
        for feed in tried.iter_mut().filter(|feed| {
            !feed.kept && feed.written > 0 && feed.written.saturating_mul(share) >= feed.admitted
        }) {
            let few = if share == 2 { KEPT_MAX } else { KEPT_MIN };
            feed.kept = kept < few || feed.channel == "google-products";
            kept += usize::from(feed.kept);
        }
    }
    tried.retain(|feed| feed.kept || feed.channel == "google-products");
    // A project without a feed says nothing: with Google's it says what the catalog lacks.
    if kept == 0 {
        tried.iter_mut().for_each(|feed| feed.kept = true);
    }
    Ok(tried)
}

fn needs_nothing(name: &str) -> bool {
    channel::load(None, name).is_ok_and(|channel| {
        !channel
            .manifest
            .settings
            .values()
            .any(|setting| setting.required)
    })
}

/// Asks for what keeps most products out of a feed, by name.
pub fn ask_for(tried: &[Tried], proposal: &mut Proposal) {
    for feed in tried {
        for (attribute, rule, message, count) in &feed.reasons {
            if *rule == "duplicate-id" {
                let note = format!(
                    "{count} of {} records repeat the `{attribute}` of one before ({message})",
                    feed.admitted
                );
                if *count * 50 > feed.admitted
                    && !proposal
                        .notes
                        .iter()
                        .any(|known| known.contains("records repeat the"))
                {
                    proposal.notes.push(note);
                }
                continue;
            }
            // What keeps a tenth of the products out is worth a question; the rest are single bad rows.
            if count * 10 < feed.admitted.max(1) {
                continue;
            }
            let Some((what, write)) = question(attribute) else {
                continue;
            };
            let ask = Ask {
                what: format!(
                    "{what}: {count} of {} records are withheld from `{}` ({message})",
                    feed.admitted, feed.name
                ),
                write: write.to_owned(),
            };
            if !proposal.asks.iter().any(|known| known.write == ask.write) {
                proposal.asks.push(ask);
            }
        }
    }
}

fn question(attribute: &str) -> Option<(&'static str, &'static str)> {
    Some(match attribute {
        "link" | "url" | "loc" | "offers.url" => (
            "the address of each product's page (`url`)",
            "[source.fields] url = \"its column\", or url = \"{{shop.url}}/p/{{sku}}\" as your shop makes them",
        ),
        "image_link" | "image" => (
            "a picture of each product (`image`)",
            "[source.fields] image = \"its column\", or a source with pictures joined by sku",
        ),
        "price" => (
            "a price of each product (`price`)",
            "[source.fields] price = \"its column\", or a source with prices joined by sku; `locale` where numbers can be read in two ways",
        ),
        "availability" => (
            "whether each product is in stock (`availability`)",
            "[source.fields] available = \"its column\", or [source.defaults] availability = \"in_stock\"",
        ),
        "id" | "sku" => (
            "a number of each product (`sku`)",
            "[source.fields] sku = \"its column\"",
        ),
        "description" => (
            "a description of each product (`description`)",
            "[source.fields] description = \"its column\"",
        ),
        "brand" => (
            "the brand of each product (`brand`)",
            "[source.fields] brand = \"its column\", or [source.defaults] brand = \"…\" where it is all one",
        ),
        "title" => (
            "a title of each product (`title`)",
            "[source.fields] title = \"its column\"",
        ),
        _ => return None,
    })
}
