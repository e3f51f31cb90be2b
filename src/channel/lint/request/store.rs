//! What a store connector may not say: `[request.resolve]`, `[request.read]`, `[request.budget]`, `[request.levels]`.

use crate::channel::manifest::Records;
use crate::channel::manifest::request::{Pages, Request, Resolve};
use crate::program::path::split_path;
use crate::store::run::LEVEL_NAMES;
use crate::validate::finding::Severity;

use super::{Lint, names};

/// Names that the templates of questions see.
const ASKED: &[&str] = &["settings", "feed", "run", "full", "page"];

pub(super) fn check(lint: &mut Lint<'_, '_>, request: &Request) {
    resolve(lint, request);
    read(lint, request);
    if let Some(budget) = &request.budget {
        for pointer in [&budget.available, &budget.restore, &budget.cost] {
            lint.pointer(Some(pointer), &["request", "budget"], false);
        }
    }
    levels(lint, request);
}

fn resolve(lint: &mut Lint<'_, '_>, request: &Request) {
    if let Some(resolve) = &request.resolve {
        question(lint, resolve);
    }
}

fn question(lint: &mut Lint<'_, '_>, resolve: &Resolve) {
    let path = ["request", "resolve"];
    let known = [ASKED, &["skus"]].concat();
    lint.template(&resolve.url, &known, &["request", "resolve", "url"], &[]);
    for text in resolve.template.iter().chain(resolve.headers.values()) {
        lint.template(text, &known, &["request", "resolve", "template"], &[]);
    }
    let pointers = [&resolve.items, &resolve.sku, &resolve.id];
    for pointer in pointers
        .into_iter()
        .chain(resolve.fields.values())
        .chain(&resolve.unless)
    {
        lint.pointer(Some(pointer), &path, false);
    }
    pages(lint, resolve.pages.as_ref(), &path);
    if resolve.batch.items == 0 {
        nothing(lint, &path);
    }
    for further in resolve.then.iter().map(|then| &**then).chain(&resolve.also) {
        question(lint, further);
    }
}

fn read(lint: &mut Lint<'_, '_>, request: &Request) {
    let Some(read) = &request.read else { return };
    let path = ["request", "read"];
    let known = [ASKED, &["items", "item", "group"]].concat();
    lint.template(&read.url, &known, &["request", "read", "url"], &[]);
    for text in read.template.iter().chain(read.headers.values()) {
        lint.template(text, &known, &["request", "read", "template"], &[]);
    }
    if let Some(text) = &read.group_by {
        let known = ["settings", "feed", "run", "full", "item"];
        lint.template(text, &known, &["request", "read", "group_by"], &[]);
    }
    let pointers = [Some(&read.items), Some(&read.key), Some(&read.quantity)];
    for pointer in
        pointers
            .into_iter()
            .chain([read.levels.as_ref(), read.place.as_ref(), read.cut.as_ref()])
    {
        lint.pointer(pointer.map(String::as_str), &path, false);
    }
    if let Some(name) = &read.item {
        let name = name.trim_start_matches('/');
        let mut known: Vec<&str> = vec!["sku", "id"];
        known.extend(LEVEL_NAMES);
        if let Some(resolve) = &request.resolve {
            known.extend(resolve.names());
        }
        if !known.contains(&name) {
            lint.say(
                "impossible-name",
                Severity::Error,
                &["request", "read", "item"],
                format!("an item has no `{name}`"),
                format!("known here: `{}`", known.join("`, `")),
            );
        }
    }
    pages(lint, read.pages.as_ref(), &path);
    if read.batch.items == 0 {
        nothing(lint, &path);
    }
}

fn nothing(lint: &mut Lint<'_, '_>, path: &[&str]) {
    lint.say(
        "request-bounds",
        Severity::Error,
        path,
        "a batch of 0 holds nothing".to_owned(),
        "write how many it takes",
    );
}

fn pages(lint: &mut Lint<'_, '_>, pages: Option<&Pages>, path: &[&str]) {
    let Some(pages) = pages else { return };
    lint.pointer(pages.next.as_deref(), path, true);
    lint.pointer(pages.more.as_deref(), path, true);
    lint.pointer(pages.total.as_deref(), path, true);
    let last = [&pages.next, &pages.more, &pages.total];
    if pages.size.is_none() && last.iter().all(|place| place.is_none()) {
        lint.say(
            "request-bounds",
            Severity::Error,
            path,
            "`pages` does not say which page is the last".to_owned(),
            "write `next` (a cursor), `more`, `size` or `total`",
        );
    }
}

/// That a connector can do what it says.
fn levels(lint: &mut Lint<'_, '_>, request: &Request) {
    let path = ["request", "levels"];
    let Some(levels) = &request.levels else {
        if request.read.is_some() {
            lint.say(
                "no-effect",
                Severity::Warning,
                &["request", "read"],
                "without [request.levels] nothing is read back".to_owned(),
                "add [request.levels], or take it out",
            );
        }
        return;
    };
    let mut say = |severity, message: &str, hint: &str| {
        lint.say("request-levels", severity, &path, message.to_owned(), hint);
    };
    if request.read.is_none() {
        say(
            Severity::Error,
            "levels of this store cannot be read back",
            "add [request.read]: what nobody knows is settled by it",
        );
    }
    let written: Vec<String> = request
        .step
        .iter()
        .flat_map(|step| step.template.iter().chain([&step.url]))
        .flat_map(|text| names(text))
        .filter_map(|name| split_path(&name).1.last().cloned())
        .collect();
    let has = |wanted: &str| written.iter().any(|name| name == wanted);
    if !has("quantity") {
        say(
            Severity::Error,
            "no step writes `quantity`",
            "write `{{quantity}}` in the template of a step",
        );
    }
    if levels.compare_and_set && !has("compare") {
        say(
            Severity::Error,
            "`compare_and_set` is true, and no step writes `compare`",
            "write `{{#if compare}}{{compare}}{{else}}null{{/if}}`, or take it out",
        );
    }
    let stale = request.verdict.as_ref();
    let stale = stale.is_some_and(|verdict| !verdict.stale.is_empty());
    if levels.compare_and_set != stale {
        say(
            Severity::Error,
            "`compare_and_set` and `verdict.stale` belong together",
            "name the codes that say that the store has another level",
        );
    }
    if levels.key_life.is_some() != request.idempotency.is_some() {
        say(
            Severity::Error,
            "`key_life` and [request.idempotency] belong together",
            "say how long the store knows a key, and where it is written",
        );
    }
    if levels.places && !has("place") {
        let by_group = request
            .group_by
            .as_ref()
            .is_some_and(|text| text.contains("place"));
        if !by_group {
            say(
                Severity::Error,
                "`places` is true, and no step writes `place`",
                "write `{{json place}}`, or take it out",
            );
        }
    }
    if levels.maximum < 1 {
        say(
            Severity::Error,
            "`maximum` lets no level through",
            "write the largest level that the store takes",
        );
    }
    if lint.channel.manifest.records != Records::Stock {
        lint.say(
            "request-levels",
            Severity::Error,
            &["records"],
            "a store connector has the records of stock".to_owned(),
            "write `records = \"stock\"`",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::channel::lint::{Problem, lint};
    use crate::write::atomic;

    /// What lint says of the example connector with one thing changed.
    fn said(from: &str, to: &str) -> Vec<Problem> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("channels")).expect("a folder");
        let name = "http-json-stock";
        let text = crate::channel::built_in("channels/http-json-stock.toml").expect("built in");
        assert!(text.contains(from), "{from}");
        atomic::write(
            &folder.path().join(format!("channels/{name}.toml")),
            text.replacen(from, to, 1).as_bytes(),
        )
        .expect("written");
        lint(Some(folder.path()), name)
    }

    #[test]
    fn a_right_connector_has_nothing() {
        assert_eq!(said("# ", "# "), []);
    }

    #[test]
    fn what_a_connector_may_not_say() {
        let cases = [
            (
                "\"quantity\":{{quantity}}",
                "\"quantity\":1",
                "request-levels",
                "no step writes `quantity`",
            ),
            (
                "{{#if compare}}{{compare}}{{else}}null{{/if}}",
                "null",
                "request-levels",
                "no step writes `compare`",
            ),
            (
                "stale = [\"conflict\"]",
                "",
                "request-levels",
                "belong together",
            ),
            (
                "key_life = \"24h\"",
                "",
                "request-levels",
                "belong together",
            ),
            (
                "maximum = 1_000_000_000",
                "maximum = 0",
                "request-levels",
                "lets no level through",
            ),
            (
                "{{json place}}",
                "{{json plase}}",
                "impossible-name",
                "no `plase` here",
            ),
            (
                "&offset={{page.offset}}",
                "&offset={{page.ofset}}",
                "impossible-name",
                "no `page.ofset`",
            ),
            (
                "records = \"stock\"",
                "records = \"variants\"",
                "request-levels",
                "records of stock",
            ),
            (
                "total = \"/total\"",
                "total = \"total\"",
                "request-pointer",
                "no JSON pointer",
            ),
            (
                "pages = { size = 200, total = \"/total\" }",
                "pages = {}",
                "request-bounds",
                "which page is the last",
            ),
        ];
        for (from, to, rule, words) in cases {
            let problems = said(from, to);
            assert!(
                problems
                    .iter()
                    .any(|problem| problem.rule == rule && problem.message.contains(words)),
                "{to}: {problems:#?}"
            );
        }
    }
}
