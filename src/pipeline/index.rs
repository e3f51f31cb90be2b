//! The file that names a feed's parts: small, rendered whole by the crate. It knows `parts`, `shop`, `feed`, `settings` and `run`.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::channel::manifest::Manifest;
use crate::config::Project;
use crate::config::project::Feed;
use crate::helper::crate_adapter::OwnedContext;
use crate::program::escape::Escape;
use crate::program::fallback::registry;
use crate::program::lower::parse;
use crate::write::Artifact;

/// The index's bytes; its template was parsed at load.
pub(super) fn render(
    template: &str,
    artifacts: &[Artifact],
    project: &Project,
    feed: &Feed,
    manifest: &Manifest,
    now: Timestamp,
) -> Vec<u8> {
    let Ok(template) = parse(template) else {
        return Vec::new();
    };
    let base = project.shop.url.trim_end_matches('/');
    let parts: Vec<_> = artifacts
        .iter()
        .map(|artifact| {
            let file = artifact.path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            json!({ "file": file, "url": format!("{base}/{file}"), "items": artifact.items, "bytes": artifact.bytes })
        })
        .collect();
    // Every setting is there, given or by default, null where it is neither.
    let settings: serde_json::Map<String, serde_json::Value> = manifest
        .settings
        .iter()
        .map(|(name, setting)| {
            (
                name.clone(),
                json!(feed.settings.get(name).or(setting.default.as_ref())),
            )
        })
        .collect();
    let zone = TimeZone::get(&project.shop.timezone).unwrap_or(TimeZone::UTC);
    let now = now
        .to_zoned(zone)
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string();
    let date: String = now.chars().take(10).collect();
    let context = json!({
        "parts": parts,
        "shop": { "name": project.shop.name, "url": base },
        "feed": { "name": feed.name, "channel": feed.channel },
        "settings": settings,
        "run": { "now": now, "date": date },
    });
    let registry = registry(Escape::Xml, Arc::new(OwnedContext::default()), template);
    registry
        .render("template", &context)
        .map(String::into_bytes)
        .unwrap_or_default()
}
