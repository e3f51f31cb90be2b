//! The file that names a feed's parts: small, rendered whole by the crate.

use std::sync::Arc;

use serde_json::json;

use crate::config::Project;
use crate::helper::crate_adapter::OwnedContext;
use crate::program::escape::Escape;
use crate::program::fallback::registry;
use crate::program::lower::parse;
use crate::write::Artifact;

/// The index's bytes; its template was parsed at load.
pub(super) fn render(template: &str, artifacts: &[Artifact], project: &Project, feed: &str) -> Vec<u8> {
    let Ok(template) = parse(template) else { return Vec::new() };
    let base = project.shop.url.trim_end_matches('/');
    let parts: Vec<_> = artifacts
        .iter()
        .map(|artifact| {
            let file = artifact.path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            json!({ "file": file, "url": format!("{base}/{file}"), "items": artifact.items, "bytes": artifact.bytes })
        })
        .collect();
    let context = json!({
        "parts": parts,
        "shop": { "name": project.shop.name, "url": base },
        "feed": { "name": feed },
    });
    let registry = registry(Escape::Xml, Arc::new(OwnedContext::default()), template);
    registry.render("template", &context).map(String::into_bytes).unwrap_or_default()
}
