//! What `[request]` may not say: names that stand for nothing, credentials that are missing or would leak, verdicts that
//! prove nothing, steps that cannot be followed.

use std::collections::BTreeSet;

use crate::channel::Channel;
use crate::channel::manifest::request::{
    AuthKind, Batch, Body, By, Missing, Pace, Request, Step, Verdict,
};
use crate::channel::manifest::{Absence, Format};
use crate::program::nearest::near;
use crate::program::path::split_path;
use crate::store::run::LEVEL_NAMES;
use crate::validate::finding::Severity;

use super::Problem;
use super::place::Places;

mod store;
mod templates;

use templates::names;

/// Names that the templates of a batch see.
const ROOTS: &[&str] = &[
    "settings", "feed", "run", "full", "group", "item", "items", "batch", "captures", "key", "now",
];
const FEED: &[&str] = &["name", "language", "currency", "country"];
const BLOCKS: &[&str] = &["if", "unless", "each", "with", "lookup"];

struct Lint<'c, 'p> {
    channel: &'c Channel,
    places: &'c Places<'c>,
    problems: &'p mut Vec<Problem>,
}

/// Checks `[request]`, where there is one.
pub(super) fn check(channel: &Channel, places: &Places<'_>, problems: &mut Vec<Problem>) {
    let Some(request) = &channel.manifest.request else {
        return;
    };
    let mut lint = Lint {
        channel,
        places,
        problems,
    };
    lint.auth(request);
    lint.bounds(request);
    lint.steps(&request.step, &["request", "step"], request);
    lint.verdict(
        request.verdict.as_ref(),
        &request.step,
        &["request", "verdict"],
        request.batch,
    );
    for (name, text) in &request.headers {
        lint.template(text, ROOTS, &["request", "headers", name], &[]);
    }
    if let Some(text) = &request.url {
        lint.template(text, &["settings", "feed"], &["request", "url"], &[]);
    }
    if let Some(text) = &request.group_by {
        let known = ["settings", "feed", "run", "full", "item"];
        lint.template(text, &known, &["request", "group_by"], &[]);
    }
    if let Some(idempotency) = &request.idempotency {
        let known: Vec<&str> = ROOTS
            .iter()
            .copied()
            .filter(|root| !["key", "captures"].contains(root))
            .collect();
        lint.template(
            &idempotency.key,
            &known,
            &["request", "idempotency", "key"],
            &[],
        );
    }
    store::check(&mut lint, request);
    lint.delete(request);
    lint.document(request);
}

impl Lint<'_, '_> {
    fn say(
        &mut self,
        rule: &'static str,
        severity: Severity,
        path: &[&str],
        message: String,
        hint: impl Into<String>,
    ) {
        let (line, column) = self.places.key(path);
        self.problems.push(Problem {
            rule,
            severity,
            path: self.channel.manifest_path.clone(),
            line,
            column,
            message,
            hint: hint.into(),
        });
    }

    fn auth(&mut self, request: &Request) {
        let auth = &request.auth;
        let (needed, allowed) = auth.kind.keys();
        let given = [
            ("token", auth.token.as_deref()),
            ("header", auth.header.as_deref()),
            ("prefix", auth.prefix.as_deref()),
            ("parameter", auth.parameter.as_deref()),
            ("user", auth.user.as_deref()),
            ("password", auth.password.as_deref()),
            ("url", auth.url.as_deref()),
            ("client_id", auth.client_id.as_deref()),
            ("client_secret", auth.client_secret.as_deref()),
            ("refresh_token", auth.refresh_token.as_deref()),
            ("scope", auth.scope.as_deref()),
            ("template", auth.template.as_deref()),
            ("answer", auth.answer.as_deref()),
            ("message", auth.message.as_deref()),
        ];
        let kind = auth.kind.as_str();
        for key in needed {
            if !given
                .iter()
                .any(|(name, text)| name == key && text.is_some())
            {
                self.say(
                    "request-auth",
                    Severity::Error,
                    &["request", "auth", "kind"],
                    format!("`kind = \"{kind}\"` needs `{key}`"),
                    format!("add `{key} = \"{{{{secrets.{key}}}}}\"`, and [request.secrets.{key}]"),
                );
            }
        }
        let mut used = BTreeSet::new();
        for (key, text) in given {
            let Some(text) = text else { continue };
            if !needed.contains(&key) && !allowed.contains(&key) {
                self.say(
                    "no-effect",
                    Severity::Warning,
                    &["request", "auth", key],
                    format!("`{key}` has no effect with `kind = \"{kind}\"`"),
                    "take it out, or choose another kind",
                );
            }
            self.template(
                text,
                &["secrets", "settings"],
                &["request", "auth", key],
                &[],
            );
            for name in names(text) {
                let (_, path) = split_path(&name);
                if let [root, secret, ..] = path.as_slice()
                    && root == "secrets"
                {
                    used.insert(secret.clone());
                    if !request.secrets.contains_key(secret) {
                        let hint = near(secret, request.secrets.keys().map(String::as_str));
                        self.say(
                            "impossible-name",
                            Severity::Error,
                            &["request", "auth", key],
                            format!("no secret `{secret}` is asked for"),
                            hint.unwrap_or_else(|| format!("add [request.secrets.{secret}]")),
                        );
                    }
                }
            }
            let own = ["token", "password", "client_secret", "refresh_token"];
            if own.contains(&key) && !text.contains("{{") {
                self.say(
                    "request-auth",
                    Severity::Error,
                    &["request", "auth", key],
                    format!("`{key}` holds a value, and manifests are shared"),
                    format!(
                        "write `{{{{secrets.{key}}}}}`, and ask for it in [request.secrets.{key}]"
                    ),
                );
            }
        }
        for name in request.secrets.keys().filter(|name| !used.contains(*name)) {
            self.say(
                "unused-setting",
                Severity::Warning,
                &["request", "secrets", name],
                format!("secret `{name}` is used nowhere"),
                format!("write `{{{{secrets.{name}}}}}` in [request.auth], or take it out"),
            );
        }
        self.pointer(auth.answer.as_deref(), &["request", "auth", "answer"], true);
        self.pointer(
            auth.message.as_deref(),
            &["request", "auth", "message"],
            false,
        );
        if auth.kind == AuthKind::None && !auth.hosts.is_empty() {
            self.say(
                "no-effect",
                Severity::Warning,
                &["request", "auth", "hosts"],
                "`hosts` has no effect without credentials".to_owned(),
                "take it out, or choose a kind",
            );
        }
    }

    fn bounds(&mut self, request: &Request) {
        let zero = |pace: Option<Pace>| {
            pace.is_some_and(|pace| {
                pace.requests == 0 || pace.per.0.is_zero() || pace.burst == Some(0)
            })
        };
        let steps = request.step.iter();
        let steps = steps.chain(request.delete.iter().flat_map(|delete| &delete.step));
        if zero(request.pace) || steps.clone().any(|step| zero(step.pace)) {
            self.say(
                "request-bounds",
                Severity::Error,
                &["request", "pace"],
                "a pace of 0 lets nothing through".to_owned(),
                "write it like `{ requests = 2, per = \"1s\" }`",
            );
        }
        if request.batch.items == 0 || request.batch.bytes.is_some_and(|bytes| bytes.0 == 0) {
            self.say(
                "request-bounds",
                Severity::Error,
                &["request", "batch"],
                "a batch of 0 holds nothing".to_owned(),
                "write how many items it takes",
            );
        }
        for until in steps.filter_map(|step| step.until.as_ref()) {
            if until.every.0.is_zero() || until.within.0 < until.every.0 || until.done.is_empty() {
                self.say(
                    "request-bounds",
                    Severity::Error,
                    &["request", "step"],
                    "`until` would ask without pause, never, or without end".to_owned(),
                    "`every` is above 0, `within` at least as long, and `done` names a state",
                );
            }
        }
        if request.number.is_some()
            && self.channel.manifest.format != Format::Json
            && self.channel.manifest.format != Format::Ndjson
        {
            self.say(
                "no-effect",
                Severity::Error,
                &["request", "number"],
                "`number` belongs to json and ndjson".to_owned(),
                "take it out",
            );
        }
    }

    fn steps(&mut self, steps: &[Step], path: &[&str], request: &Request) {
        if steps.is_empty() && path == ["request", "step"] {
            self.say(
                "request-step",
                Severity::Error,
                &["request"],
                "the request has no step".to_owned(),
                "add `[[request.step]]` with `name` and `url`",
            );
        }
        let mut captures: Vec<&str> = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let before = steps.get(..index).unwrap_or_default();
            let known = before.iter().map(|step| step.name.as_str());
            let name = &step.name;
            if before.iter().any(|other| other.name == *name) {
                self.say(
                    "request-step",
                    Severity::Error,
                    path,
                    format!("two steps are called `{name}`"),
                    "give each a name of its own",
                );
            }
            let mut roots: Vec<&str> = ROOTS.to_vec();
            if request.idempotency.is_none() {
                roots.retain(|root| *root != "key");
            }
            self.template(&step.url, &roots, path, &captures);
            for text in step.headers.values().chain(&step.template) {
                self.template(text, &roots, path, &captures);
            }
            if let Some(when) = step.when.as_deref().filter(|when| !captures.contains(when)) {
                let hint = near(when, captures.iter().copied());
                self.say(
                    "impossible-name",
                    Severity::Error,
                    path,
                    format!("step `{name}`: no earlier step captures `{when}`"),
                    hint.unwrap_or_else(|| "add it to the `capture` of an earlier step".to_owned()),
                );
            }
            match step.body.as_deref() {
                None | Some("batch" | "none") => {}
                Some(body) => {
                    let of = body.strip_prefix("answer:");
                    if !of.is_some_and(|of| known.clone().any(|name| name == of)) {
                        let hint = match of {
                            Some(of) => near(of, known.clone()),
                            None => near(body, ["batch", "none", "answer:"].into_iter()),
                        };
                        self.say(
                            "request-step",
                            Severity::Error,
                            path,
                            format!("step `{name}`: there is no body `{body}`"),
                            hint.unwrap_or_else(|| {
                                "it is `batch`, `none` or `answer:NAME` of an earlier step"
                                    .to_owned()
                            }),
                        );
                    }
                }
            }
            if step.body.is_some() && step.template.is_some() {
                self.say(
                    "no-effect",
                    Severity::Warning,
                    path,
                    format!("step `{name}`: `body` has no effect beside `template`"),
                    "keep one of the two",
                );
            }
            for place in step.capture.values() {
                let place = place.strip_suffix('?').unwrap_or(place);
                self.pointer(Some(place), path, true);
            }
            self.pointer(
                step.until.as_ref().map(|until| until.state.as_str()),
                path,
                false,
            );
            captures.extend(step.capture.keys().map(String::as_str));
        }
    }

    fn verdict(&mut self, verdict: Option<&Verdict>, steps: &[Step], path: &[&str], batch: Batch) {
        let Some(verdict) = verdict else {
            self.say(
                "request-verdict",
                Severity::Error,
                &["request"],
                "the request does not say where the answer tells what became of each item"
                    .to_owned(),
                "add [request.verdict]; without it every item is unknown",
            );
            return;
        };
        if let Some(name) = &verdict.step
            && !steps.iter().any(|step| step.name == *name)
        {
            let hint = near(name, steps.iter().map(|step| step.name.as_str()));
            self.say(
                "request-verdict",
                Severity::Error,
                path,
                format!("there is no step `{name}`"),
                hint.unwrap_or_else(|| "it is the name of a step".to_owned()),
            );
        }
        for pointer in [
            &verdict.items,
            &verdict.present,
            &verdict.key,
            &verdict.item,
            &verdict.status,
            &verdict.code,
            &verdict.message,
            &verdict.index,
            &verdict.levels,
            &verdict.place,
            &verdict.quantity,
            &verdict.counts.sent,
            &verdict.counts.accepted,
            &verdict.counts.listed,
        ] {
            self.pointer(pointer.as_deref(), path, false);
        }
        if verdict.items.is_none() && verdict.by != By::Status && batch.items > 1 {
            self.say(
                "request-verdict",
                Severity::Error,
                path,
                "one outcome cannot speak for a batch of several items".to_owned(),
                "say where the list stands, `items = \"/…\"`, or write `batch = 1`",
            );
        }
        if verdict.index.is_some() && verdict.items.is_none() {
            self.say(
                "request-verdict",
                Severity::Error,
                path,
                "`index` is a number in a list, and no list is named".to_owned(),
                "say where the list of refusals stands, `items = \"/…\"`",
            );
        }
        if verdict.by == By::Status && (verdict.quantity.is_some() || verdict.index.is_some()) {
            self.say(
                "no-effect",
                Severity::Warning,
                path,
                "with `by = \"status\"` nothing in the answer is read but its shape".to_owned(),
                "take `quantity` and `index` out, or choose another `by`",
            );
        }
        if verdict.by != By::Status && (verdict.body != Body::Json || verdict.present.is_some()) {
            self.say(
                "no-effect",
                Severity::Warning,
                path,
                "`body` and `present` have no effect without `by = \"status\"`".to_owned(),
                "take them out: the outcomes are read item by item",
            );
        }
        let counts = &verdict.counts;
        let counted = counts.sent.is_some() || counts.accepted.is_some() || counts.listed.is_some();
        match (verdict.missing, counted) {
            (Missing::Accepted, false) => self.say(
                "request-verdict",
                Severity::Error,
                path,
                "an item that the answer does not name would count as taken, and nothing proves that the answer is whole".to_owned(),
                "add `counts = { sent = \"/…\" }`, a number in the answer that must agree",
            ),
            (Missing::Unknown, true) => self.say(
                "no-effect",
                Severity::Warning,
                path,
                "`counts` has no effect without `missing = \"accepted\"`".to_owned(),
                "take it out",
            ),
            _ => {}
        }
    }

    fn delete(&mut self, request: &Request) {
        let absence = &self.channel.manifest.absence;
        match &request.delete {
            None if *absence == Absence::Tombstone => self.say(
                "request-step",
                Severity::Error,
                &["absence"],
                "the channel wants items named as gone, and no request says how".to_owned(),
                "add [request.delete]",
            ),
            None => {}
            Some(delete) => {
                if delete.item.is_some() != delete.step.is_empty() {
                    self.say(
                        "request-step",
                        Severity::Error,
                        &["request", "delete"],
                        "an item is taken out by `item` in the batch, or by steps of its own"
                            .to_owned(),
                        "write one of the two",
                    );
                }
                if let Some(text) = &delete.item {
                    let known = ["settings", "feed", "run", "full", "item"];
                    self.template(text, &known, &["request", "delete", "item"], &[]);
                }
                if !delete.step.is_empty() {
                    self.steps(&delete.step, &["request", "delete", "step"], request);
                    let path = ["request", "delete", "verdict"];
                    self.verdict(delete.verdict.as_ref(), &delete.step, &path, delete.batch);
                }
            }
        }
    }

    /// That items leave at all.
    fn document(&mut self, request: &Request) {
        let leaves = request.step.iter().any(|step| {
            let texts = step.template.iter().chain([&step.url]);
            step.body.as_deref() == Some("batch")
                || texts.flat_map(|text| names(text)).any(|name| {
                    let (_, path) = split_path(&name);
                    path.first()
                        .is_some_and(|root| root == "item" || root == "items")
                })
        });
        if !leaves && !request.step.is_empty() {
            self.say(
                "request-step",
                Severity::Error,
                &["request"],
                "no step sends the batch".to_owned(),
                "write `body = \"batch\"` in the step that carries it",
            );
        }
    }

    fn pointer(&mut self, pointer: Option<&str>, path: &[&str], header: bool) {
        let Some(pointer) = pointer else { return };
        if pointer.is_empty()
            || pointer.starts_with('/')
            || (header && pointer.starts_with("header:"))
        {
            return;
        }
        let more = if header { ", or `header:NAME`" } else { "" };
        self.say(
            "request-pointer",
            Severity::Error,
            path,
            format!("`{pointer}` is no JSON pointer"),
            format!("write `/{}`{more}", pointer.replace('.', "/")),
        );
    }

    fn connector(&self) -> bool {
        let request = self.channel.manifest.request.as_ref();
        request.is_some_and(|request| request.levels.is_some())
    }

    /// The names that each item has.
    fn item_names(&self) -> Vec<&str> {
        let mut names = vec!["id", "sku"];
        names.extend(LEVEL_NAMES);
        let request = self.channel.manifest.request.as_ref();
        if let Some(resolve) = request.and_then(|request| request.resolve.as_ref()) {
            names.extend(resolve.fields.keys().map(String::as_str));
        }
        names
    }
}
