//! Templates of requests: the names they ask for, and the helpers they call.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};

use crate::helper;
use crate::program::lower::parse;
use crate::program::nearest::near;
use crate::program::path::{mentioned, split_path};
use crate::store::template::OWN_HELPERS;
use crate::validate::finding::Severity;

use super::{BLOCKS, FEED, Lint};

impl Lint<'_, '_> {
    /// A template's names and helpers.
    pub(super) fn template(
        &mut self,
        text: &str,
        roots: &[&str],
        path: &[&str],
        captures: &[&str],
    ) {
        let template = match parse(text) {
            Ok(template) => template,
            Err(problem) => {
                return self.say(
                    "template",
                    Severity::Error,
                    path,
                    problem.message,
                    problem.hint,
                );
            }
        };
        let mut helpers = Vec::new();
        called(&template, &mut helpers);
        for name in helpers {
            let known = helper::find(&name).is_some()
                || OWN_HELPERS.contains(&name.as_str())
                || BLOCKS.contains(&name.as_str());
            if !known {
                let all = helper::HELPERS.iter().map(|helper| helper.name);
                let hint = near(&name, all.chain(OWN_HELPERS.iter().copied()));
                self.say(
                    "unknown-helper",
                    Severity::Error,
                    path,
                    format!("there is no helper `{name}`"),
                    hint.unwrap_or_else(|| "`shelfcast channel helpers` lists them".to_owned()),
                );
            }
        }
        // within the loop an item's own names stand bare
        let in_items = text.contains("{{#each items");
        for name in mentioned(&template) {
            let (_, found) = split_path(&name);
            let Some((root, rest)) = found.split_first() else {
                continue;
            };
            if root.starts_with('@') || root == "this" {
                continue;
            }
            if root == "secrets" && !roots.contains(&"secrets") {
                self.say(
                    "request-auth",
                    Severity::Error,
                    path,
                    format!("`{name}` would show a secret outside [request.auth]"),
                    "secrets stand in [request.auth] alone, which sends them to the channel's own host",
                );
                continue;
            }
            if in_items && self.item_names().contains(&root.as_str()) {
                continue;
            }
            if !roots.contains(&root.as_str()) {
                let hint = near(root, roots.iter().copied())
                    .unwrap_or_else(|| format!("known here: `{}`", roots.join("`, `")));
                self.say(
                    "impossible-name",
                    Severity::Error,
                    path,
                    format!("there is no `{name}` here"),
                    hint,
                );
                continue;
            }
            let settings = self.channel.manifest.settings.keys();
            let known: Vec<&str> = match root.as_str() {
                "settings" => settings.map(String::as_str).collect(),
                "captures" => captures.to_vec(),
                "feed" => FEED.to_vec(),
                "batch" => vec!["digest", "items", "bytes"],
                "page" => vec!["number", "offset", "cursor"],
                "item" if self.connector() => self.item_names(),
                _ => continue,
            };
            let Some(last) = rest.first().filter(|last| !known.contains(&last.as_str())) else {
                continue;
            };
            let hint =
                near(last, known.iter().copied()).unwrap_or_else(|| match known.is_empty() {
                    true => format!("nothing is known of `{root}` here"),
                    false => format!("known here: `{}`", known.join("`, `")),
                });
            self.say(
                "impossible-name",
                Severity::Error,
                path,
                format!("there is no `{name}` here"),
                hint,
            );
        }
    }
}

pub(super) fn names(text: &str) -> Vec<String> {
    parse(text)
        .map(|template| mentioned(&template))
        .unwrap_or_default()
}

/// The helpers that a template calls.
fn called(template: &Template, out: &mut Vec<String>) {
    for element in &template.elements {
        element_calls(element, out);
    }
}

fn element_calls(element: &TemplateElement, out: &mut Vec<String>) {
    match element {
        TemplateElement::Expression(inner)
        | TemplateElement::HtmlExpression(inner)
        | TemplateElement::HelperBlock(inner) => expression_calls(inner, out),
        _ => {}
    }
}

fn expression_calls(inner: &HelperTemplate, out: &mut Vec<String>) {
    if inner.block || !inner.params.is_empty() || !inner.hash.is_empty() {
        out.extend(inner.name.as_name().map(str::to_owned));
    }
    for parameter in inner.params.iter().chain(inner.hash.values()) {
        if let Parameter::Subexpression(inner) = parameter {
            element_calls(inner.as_element(), out);
        }
    }
    for template in inner.template.iter().chain(inner.inverse.iter()) {
        called(template, out);
    }
}
