//! Each rule fires on its mistake, with its place, and every built-in channel is free of errors.

use std::fs;

use super::{Problem, lint};
use crate::validate::finding::Severity;
use crate::write::atomic;

const HEAD: &str = r#"name = "mine"
title = "Mine"
group = "marketplace"
countries = ["TH"]
spec = { url = "https://example.com/spec", read = "2026-11-22", certainty = "specification" }
records = "variants"
"#;

/// What lint says of a channel whose manifest ends like this.
fn said(rest: &str, template: &str) -> Vec<Problem> {
    said_of(&format!("{HEAD}{rest}"), template)
}

fn said_of(manifest: &str, template: &str) -> Vec<Problem> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("channels")).expect("a folder");
    fs::create_dir(folder.path().join("templates")).expect("a folder");
    atomic::write(
        &folder.path().join("channels/mine.toml"),
        manifest.as_bytes(),
    )
    .expect("written");
    atomic::write(
        &folder.path().join("templates/mine.hbs"),
        template.as_bytes(),
    )
    .expect("written");
    lint(Some(folder.path()), "mine")
}

#[track_caller]
fn only(problems: &[Problem]) -> &Problem {
    let [one] = problems else {
        panic!("one problem expected: {problems:#?}")
    };
    one
}

#[track_caller]
fn says(problems: &[Problem], rule: &str, place: &str, message: &str, hint: &str) {
    let found = problems.iter().find(|problem| {
        problem.rule == rule
            && format!("{}:{}:{}", problem.path, problem.line, problem.column) == place
    });
    let Some(found) = found else {
        panic!("no `{rule}` at {place}: {problems:#?}")
    };
    assert!(found.message.contains(message), "{found:#?}");
    assert!(found.hint.contains(hint), "{found:#?}");
}

const XML: &str = "format = \"xml\"\ntemplate = \"mine.hbs\"\n[attributes.id]\nvalue = \"{{sku}}\"\nrequired = true\n";
const XML_BODY: &str = "<r>\n{{#each items}}\n<i>{{id}}</i>\n{{/each}}\n</r>\n";

#[test]
fn built_in_channels_have_no_errors() {
    for name in crate::channel::built_in_names() {
        let errors: Vec<_> = lint(None, &name)
            .into_iter()
            .filter(|problem| problem.severity == Severity::Error)
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn a_right_channel_has_nothing() {
    assert_eq!(said(XML, XML_BODY), []);
}

#[test]
fn an_unknown_key_has_its_place_and_near_miss() {
    let problems = said(&XML.replace("required", "requierd"), XML_BODY);
    says(
        &problems,
        "misspelt-key",
        "channels/mine.toml:11:1",
        "unknown key `requierd`",
        "did you mean `required`?",
    );
    let several = XML.replace("required", "requierd")
        + "max_length = { character = 5 }\n[setings.x]\nkind = \"text\"\n";
    let several = said(&several, XML_BODY);
    assert_eq!(
        several
            .iter()
            .map(|problem| problem.line)
            .collect::<Vec<_>>(),
        [11, 12, 13],
        "{several:#?}"
    );
    says(
        &several,
        "misspelt-key",
        "channels/mine.toml:12:16",
        "`character`",
        "did you mean `characters`?",
    );
    says(
        &several,
        "misspelt-key",
        "channels/mine.toml:13:2",
        "`setings`",
        "did you mean `settings`?",
    );
}

#[test]
fn impossible_names_in_mapping_template_and_condition() {
    let problems = said(
        &format!("{XML}[attributes.t]\nvalue = \"a {{{{titel}}}}\"\nrequired_if = \"idd != ''\"\n"),
        &XML_BODY.replace("{{id}}", "{{id}}{{t}} {{idd}}"),
    );
    says(
        &problems,
        "impossible-name",
        "channels/mine.toml:13:12",
        "no column `titel`",
        "did you mean `title`?",
    );
    says(
        &problems,
        "impossible-name",
        "channels/mine.toml:14:15",
        "no attribute `idd`",
        "did you mean",
    );
    says(
        &problems,
        "impossible-name",
        "templates/mine.hbs:3:16",
        "no attribute `idd`",
        "did you mean `id`?",
    );
}

#[test]
fn a_column_in_a_template_is_told_from_an_attribute() {
    let problems = said(XML, &XML_BODY.replace("{{id}}", "{{id}}{{title}}"));
    says(
        &problems,
        "impossible-name",
        "templates/mine.hbs:3:10",
        "no attribute `title`",
        "catalog.title",
    );
}

#[test]
fn impossible_names_in_what_the_crate_renders() {
    let rest = "[attributes.t]\nvalue = \"{{#with titel}}{{this}}{{/with}}{{lookup images 0}}\"\n";
    let problems = said(
        &format!("{XML}{rest}"),
        &XML_BODY.replace(
            "{{id}}",
            "{{id}}{{#with idd}}{{this}}{{/with}}{{#each t as |x|}}{{x}}{{/each}}",
        ),
    );
    says(
        &problems,
        "impossible-name",
        "channels/mine.toml:13:10",
        "no column `titel`",
        "did you mean `title`?",
    );
    says(
        &problems,
        "impossible-name",
        "templates/mine.hbs:3:10",
        "no attribute `idd`",
        "did you mean `id`?",
    );
    assert_eq!(problems.len(), 2, "{problems:#?}");
}

#[test]
fn unknown_helpers_and_options_have_near_misses() {
    let problems = said(
        &format!(
            "{XML}[attributes.t]\nvalue = \"{{{{truncat title 5}}}}{{{{truncate title 5 mesure='bytes'}}}}\"\n"
        ),
        &XML_BODY.replace("{{id}}", "{{id}}{{t}}"),
    );
    says(
        &problems,
        "unknown-helper",
        "channels/mine.toml:13:10",
        "no helper `truncat`",
        "did you mean `truncate`?",
    );
    says(
        &problems,
        "helper-arguments",
        "channels/mine.toml:13:29",
        "no option `mesure`",
        "did you mean `measure`?",
    );
}

#[test]
fn what_would_always_be_withheld() {
    let empty = said(&XML.replace("{{sku}}", "{{#if false}}x{{/if}}"), XML_BODY);
    says(
        &empty,
        "always-withheld",
        "channels/mine.toml:10:9",
        "can never be there",
        "map a column",
    );
    let refused = said(
        &format!(
            "{XML}[attributes.c]\nvalue = \"fresh\"\nrequired = true\none_of = [\"new\", \"used\"]\n"
        ),
        &XML_BODY.replace("{{id}}", "{{id}}{{c}}"),
    );
    says(
        &refused,
        "always-withheld",
        "channels/mine.toml:13:9",
        "cannot be `fresh`",
        "`new`",
    );
}

#[test]
fn a_constant_that_no_item_may_have_withholds_all_of_them() {
    let body = XML_BODY.replace("{{id}}", "{{id}}{{n}}");
    let of = |rest: &str| said(&format!("{XML}[attributes.n]\n{rest}"), &body);
    says(
        &of("value = \"many\"\nkind = \"integer\"\n"),
        "always-withheld",
        "channels/mine.toml:13:9",
        "no whole number: `many`",
        "round",
    );
    says(
        &of("value = \"new\"\none_of = [\"neu\"]\n"),
        "always-withheld",
        "channels/mine.toml:13:9",
        "cannot be `new`",
        "`neu`",
    );
    assert_eq!(
        of("value = \"new\"\nmap = { new = \"neu\" }\none_of = [\"neu\"]\n"),
        []
    );
    assert_eq!(
        only(&of(
            "value = \"x\"\nkind = \"url\"\nseverity = \"warning\"\n"
        ))
        .severity,
        Severity::Warning
    );
}

#[test]
fn a_required_attribute_that_is_never_written() {
    let problems = said(
        &format!("{XML}[attributes.price]\nvalue = \"{{{{money price}}}}\"\nrequired = true\n"),
        XML_BODY,
    );
    let problem = only(&problems);
    assert_eq!(
        (problem.rule, problem.severity, problem.line),
        ("never-written", Severity::Error, 12)
    );
    let optional = said(
        &format!("{XML}[attributes.price]\nvalue = \"{{{{money price}}}}\"\n"),
        XML_BODY,
    );
    assert_eq!(only(&optional).severity, Severity::Warning);
}

#[test]
fn lists_printed_bare() {
    let problems = said(
        &format!(
            "{XML}[attributes.image]\nlist = \"images\"\n[attributes.path]\nvalue = \"{{{{category}}}}\"\n"
        ),
        &XML_BODY.replace("{{id}}", "{{id}}{{image}}{{path}}{{join image \",\"}}"),
    );
    says(
        &problems,
        "bare-list",
        "templates/mine.hbs:3:10",
        "`image` is a list",
        "{{#each image}}",
    );
    says(
        &problems,
        "bare-list",
        "channels/mine.toml:15:10",
        "the list `category`",
        "list = \"category\"",
    );
    assert_eq!(problems.len(), 2);
}

#[test]
fn names_of_helpers_and_reserved_ones_are_refused() {
    let problems = said(
        &format!("{XML}[attributes.slug]\nvalue = \"a\"\n[attributes.feed]\nvalue = \"b\"\n"),
        &XML_BODY.replace("{{id}}", "{{id}}{{this.slug}}"),
    );
    says(
        &problems,
        "reserved-name",
        "channels/mine.toml:12:13",
        "like the helper `slug`",
        "slug_value",
    );
    says(
        &problems,
        "reserved-name",
        "channels/mine.toml:14:13",
        "attribute `feed`",
        "feed_value",
    );
}

#[test]
fn a_cell_is_one_expression_alone() {
    let csv = "format = \"csv\"\ntemplate = \"mine.hbs\"\n[attributes.id]\nvalue = \"{{sku}}\"\n[attributes.b]\nvalue = \"{{brand}}\"\n";
    let good = "id,b\n{{#each items}}\n{{id}},{{#if b}}{{b}}{{else}}none{{/if}}\n{{/each}}\n";
    assert_eq!(said(csv, good), []);
    let two = said(csv, "id,b\n{{#each items}}\n{{id}}-{{b}},x\n{{/each}}\n");
    assert!(
        two.iter()
            .all(|problem| problem.rule == "cell-not-alone" && problem.line == 3),
        "{two:#?}"
    );
    assert!(!two.is_empty());
    let quoted = said(csv, "id,b\n{{#each items}}\n{{id}},\"{{b}}\"\n{{/each}}\n");
    says(
        &quoted,
        "cell-not-alone",
        "templates/mine.hbs:3:9",
        "one expression alone",
        "`value`",
    );
}

#[test]
fn empty_lines_and_missing_line_ends() {
    let json = "format = \"ndjson\"\ntemplate = \"mine.hbs\"\n[attributes.id]\nvalue = \"{{sku}}\"\n[attributes.b]\nvalue = \"{{brand}}\"\n";
    let empty = said(
        json,
        "{{#each items}}\n{\"id\":{{json id}}}\n\n{\"b\":{{json b}}}\n{{/each}}\n",
    );
    says(
        &empty,
        "empty-line",
        "templates/mine.hbs:3:1",
        "empty line",
        "lines of their own",
    );
    let maybe = said(
        json,
        "{{#each items}}\n{\"id\":{{json id}}}\n{{#if b}}{\"b\":{{json b}}}{{/if}}\n{{/each}}\n",
    );
    assert_eq!(only(&maybe).rule, "empty-line");
    let together = said(
        json,
        "{{#each items}}{\"id\":{{json id}},\"b\":{{json b}}}{{/each}}\n",
    );
    assert!(
        together
            .iter()
            .any(|problem| problem.rule == "runs-together"),
        "{together:#?}"
    );
    assert_eq!(
        said(
            json,
            "{{#each items}}\n{\"id\":{{json id}}{{#if b}},\"b\":{{json b}}{{/if}}}\n{{/each}}\n"
        ),
        []
    );
}

#[test]
fn values_and_maps_agree() {
    let problems = said(
        &format!(
            "{XML}[attributes.a]\nvalue = \"{{{{availability}}}}\"\none_of = [\"yes\", \"no\"]\nmap = {{ in_stock = \"yes\", out_of_stok = \"no\", backorder = \"now\" }}\n[attributes.k]\nvalue = \"x\"\nkind = \"enum\"\n"
        ),
        &XML_BODY.replace("{{id}}", "{{id}}{{a}}{{k}}"),
    );
    says(
        &problems,
        "map-never-met",
        "channels/mine.toml:15:27",
        "`out_of_stok`",
        "did you mean `out_of_stock`?",
    );
    says(
        &problems,
        "map-not-in-values",
        "channels/mine.toml:15:59",
        "`now`",
        "did you mean `no`?",
    );
    says(
        &problems,
        "enum-without-values",
        "channels/mine.toml:18:8",
        "enum",
        "one_of",
    );
}

#[test]
fn the_head_of_a_manifest() {
    let manifest = format!("{HEAD}{XML}")
        .replace("[\"TH\"]", "[\"TH\", \"UK\", \"XX\"]")
        .replace("\"2026-11-22\"", "\"22 Nov\"")
        .replace("\"specification\"", "\"specificaton\"");
    let problems = said_of(&manifest, XML_BODY);
    says(
        &problems,
        "unknown-country",
        "channels/mine.toml:4:20",
        "`UK`",
        "did you mean `GB`?",
    );
    says(
        &problems,
        "unknown-country",
        "channels/mine.toml:4:26",
        "`XX`",
        "ISO 3166-1",
    );
    says(
        &problems,
        "spec-date",
        "channels/mine.toml:5:51",
        "`22 Nov`",
        "YYYY-MM-DD",
    );
    says(
        &problems,
        "certainty",
        "channels/mine.toml:5:73",
        "`specificaton`",
        "did you mean `specification`?",
    );
}

#[test]
fn raw_output_is_noted() {
    let problems = said(XML, &XML_BODY.replace("{{id}}", "{{{id}}}"));
    assert_eq!(
        (only(&problems).rule, only(&problems).severity),
        ("raw", Severity::Warning)
    );
}

#[test]
fn an_identifier_may_have_a_length_and_may_not_be_cut() {
    let long = format!("{XML}unique = true\nmax_length = {{ characters = 50 }}\n");
    assert_eq!(said(&long, XML_BODY), []);
    assert_eq!(
        only(&said(&format!("{long}overflow = \"cut\"\n"), XML_BODY)).rule,
        "cut-identifier"
    );
    let none = format!("{XML}max_length = {{ }}\n");
    assert_eq!(only(&said(&none, XML_BODY)).rule, "no-length");
}

#[test]
fn a_broken_template_and_manifest_have_places() {
    let template = said(XML, "<r>\n{{#each items}}\n{{#if id}}\n{{/each}}\n");
    assert_eq!(
        (only(&template).rule, only(&template).path.as_str()),
        ("template", "templates/mine.hbs")
    );
    assert!(only(&template).line > 0);
    let group = said_of(
        &format!("{HEAD}{XML}").replace("marketplace", "market"),
        XML_BODY,
    );
    assert_eq!(only(&group).line, 3);
}

#[test]
fn mistakes_in_partials_have_their_own_place_and_loops_end() {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in [
        ("channels/mine.toml", format!("{HEAD}{XML}")),
        (
            "templates/mine.hbs",
            XML_BODY.replace("{{id}}", "{{id}}{{> outer}}"),
        ),
        (
            "templates/partials/outer.hbs",
            "<a/>\n{{> inner}}\n".to_owned(),
        ),
        (
            "templates/partials/inner.hbs",
            "<b>\n {{idd}}</b>{{> outer}}".to_owned(),
        ),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        atomic::write(&path, text.as_bytes()).expect("written");
    }
    let problems = lint(Some(folder.path()), "mine");
    says(
        &problems,
        "impossible-name",
        "templates/partials/inner.hbs:2:2",
        "no attribute `idd`",
        "did you mean `id`?",
    );
    says(
        &problems,
        "template",
        "templates/partials/inner.hbs:2:13",
        "`outer` includes itself",
        "take it out",
    );
    assert_eq!(problems.len(), 2, "{problems:#?}");
}

/// Every rule that the source names has a page, and every page is named.
#[test]
fn every_rule_of_lint_has_a_page() {
    let named = regex::Regex::new(r#"(?s)(?:rule: |say\(\s*|insert\(\(line, column, |\.at\.1, )"([a-z-]+)"|=> \{?\s*"([a-z-]+)",?\n"#).expect("a pattern");
    let mut found = std::collections::BTreeSet::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/channel");
    for file in [
        "lint.rs",
        "lint/keys.rs",
        "lint/rules.rs",
        "lint/uses.rs",
        "lint/flow.rs",
        "lint/compiled.rs",
        "lint/request.rs",
        "lint/request/store.rs",
    ] {
        let text = fs::read_to_string(folder.join(file)).expect("source");
        for captures in named.captures_iter(&text) {
            found.extend(
                captures
                    .iter()
                    .skip(1)
                    .flatten()
                    .map(|name| name.as_str().to_owned()),
            );
        }
    }
    found.extend(["manifest", "never-written"].map(str::to_owned));
    let pages: std::collections::BTreeSet<String> = super::pages::PAGES
        .iter()
        .map(|page| page.name.to_owned())
        .collect();
    assert_eq!(found, pages);
    for page in super::pages::PAGES {
        assert!(
            crate::validate::rules::find(page.name).is_none(),
            "`{}` is a rule of records too",
            page.name
        );
    }
}

/// A channel by requests that has nothing wrong with it.
const REQUEST: &str = r#"format = "ndjson"
[settings.account]
required = true
example = "1"
[attributes.id]
value = "{{sku}}"
required = true
[request]
url = "https://api.example"
[request.secrets.token]
[request.auth]
kind = "bearer"
token = "{{secrets.token}}"
[[request.step]]
name = "write"
url = "/{{settings.account}}/items"
body = "batch"
capture = { job = "/job" }
[[request.step]]
name = "poll"
method = "GET"
url = "/jobs/{{captures.job}}"
[request.step.until]
state = "/state"
done = ["DONE"]
every = "5s"
within = "5m"
[request.verdict]
key = "/id"
[request.delete]
item = '{"gone":{{json item.id}}}'
"#;

#[test]
fn a_right_request_has_nothing() {
    assert_eq!(said(REQUEST, ""), []);
}

#[test]
fn what_a_request_may_not_say() {
    let cases = [
        (
            "{{settings.account}}",
            "{{settings.acount}}",
            "impossible-name",
            "no `settings.acount`",
            "did you mean `account`?",
        ),
        (
            "{{captures.job}}",
            "{{captures.jobb}}",
            "impossible-name",
            "no `captures.jobb`",
            "did you mean `job`?",
        ),
        (
            "{{captures.job}}",
            "{{capture.job}}",
            "impossible-name",
            "no `capture.job`",
            "did you mean `captures`?",
        ),
        (
            "{{captures.job}}",
            "{{uper captures.job}}",
            "unknown-helper",
            "no helper `uper`",
            "did you mean `upper`?",
        ),
        (
            "{{captures.job}}",
            "{{key}}",
            "impossible-name",
            "no `key`",
            "",
        ),
        (
            "{{captures.job}}",
            "{{secrets.token}}",
            "request-auth",
            "would show a secret",
            "[request.auth] alone",
        ),
        (
            "{{secrets.token}}",
            "{{secrets.tokn}}",
            "impossible-name",
            "no secret `tokn`",
            "did you mean `token`?",
        ),
        (
            "{{secrets.token}}",
            "abc123",
            "request-auth",
            "`token` holds a value",
            "{{secrets.token}}",
        ),
        (
            "token = \"{{secrets.token}}\"",
            "user = \"{{secrets.token}}\"",
            "request-auth",
            "needs `token`",
            "token",
        ),
        (
            "kind = \"bearer\"\ntoken = \"{{secrets.token}}\"",
            "kind = \"none\"",
            "unused-setting",
            "secret `token` is used nowhere",
            "take it out",
        ),
        (
            "body = \"batch\"",
            "body = \"bach\"",
            "request-step",
            "no body `bach`",
            "did you mean `batch`?",
        ),
        (
            "body = \"batch\"",
            "body = \"answer:poll\"",
            "request-step",
            "no body `answer:poll`",
            "earlier step",
        ),
        (
            "body = \"batch\"\n",
            "",
            "request-step",
            "no step sends the batch",
            "body = \"batch\"",
        ),
        (
            "method = \"GET\"",
            "method = \"GET\"\nwhen = \"jobs\"",
            "impossible-name",
            "no earlier step captures `jobs`",
            "did you mean `job`?",
        ),
        (
            "\"poll\"",
            "\"write\"",
            "request-step",
            "two steps are called `write`",
            "name of its own",
        ),
        (
            "state = \"/state\"",
            "state = \"data.state\"",
            "request-pointer",
            "`data.state` is no JSON pointer",
            "`/data/state`",
        ),
        (
            "job = \"/job\"",
            "job = \"heeader:x\"",
            "request-pointer",
            "`heeader:x`",
            "header:NAME",
        ),
        (
            "every = \"5s\"",
            "every = \"0s\"",
            "request-bounds",
            "without pause",
            "above 0",
        ),
        (
            "[request.verdict]\nkey = \"/id\"\n",
            "",
            "request-verdict",
            "does not say where the answer tells",
            "[request.verdict]",
        ),
        (
            "key = \"/id\"",
            "key = \"/id\"\nstep = \"pol\"",
            "request-verdict",
            "no step `pol`",
            "did you mean `poll`?",
        ),
        (
            "key = \"/id\"",
            "items = \"/r\"\nmissing = \"accepted\"",
            "request-verdict",
            "nothing proves",
            "counts",
        ),
        (
            "url = \"https://api.example\"",
            "url = \"https://api.example\"\nbatch = 10",
            "request-verdict",
            "one outcome cannot speak",
            "batch = 1",
        ),
        (
            "url = \"https://api.example\"",
            "url = \"https://api.example\"\nbatch = 0",
            "request-bounds",
            "a batch of 0",
            "",
        ),
        (
            "url = \"https://api.example\"",
            "url = \"https://api.example\"\npace = { requests = 0, per = \"1s\" }",
            "request-bounds",
            "a pace of 0",
            "",
        ),
        (
            "item = '{\"gone\":{{json item.id}}}'",
            "",
            "request-step",
            "taken out by `item`",
            "one of the two",
        ),
        ("{{json item.id}}", "{{json item.id", "template", "", ""),
    ];
    for (from, to, rule, message, hint) in cases {
        assert!(REQUEST.contains(from), "{from}");
        let problems = said(&REQUEST.replace(from, to), "");
        let found = problems.iter().find(|problem| {
            problem.rule == rule && problem.message.contains(message) && problem.hint.contains(hint)
        });
        assert!(found.is_some(), "{to}: {problems:#?}");
        assert!(
            found.is_some_and(|found| found.line > 0),
            "{to}: {found:#?}"
        );
    }
}

#[test]
fn misspelt_keys_of_a_request_have_their_place() {
    let problems = said(&REQUEST.replace("capture =", "captre ="), "");
    says(
        &problems,
        "misspelt-key",
        "channels/mine.toml:24:1",
        "unknown key `captre`",
        "did you mean `capture`?",
    );
    let problems = said(&REQUEST.replace("within =", "witin ="), "");
    says(
        &problems,
        "misspelt-key",
        "channels/mine.toml:33:1",
        "unknown key `witin`",
        "did you mean `within`?",
    );
    let gone = said(
        &REQUEST
            .replace(
                "format = \"ndjson\"",
                "format = \"ndjson\"\nabsence = \"tombstone\"",
            )
            .replace(
                "[request.delete]\nitem = '{\"gone\":{{json item.id}}}'\n",
                "",
            ),
        "",
    );
    says(
        &gone,
        "request-step",
        "channels/mine.toml:8:1",
        "named as gone",
        "[request.delete]",
    );
}

#[test]
fn what_sorts_items_and_names_their_files_is_used() {
    let keys = "sort = [\"-order\"]\ndocument = \"item\"\nfile = \"{{name}}.xml\"\n";
    let more = "[attributes.order]\nvalue = \"{{money price}}\"\nkind = \"money\"\n[attributes.name]\nvalue = \"{{title}}\"\n";
    assert_eq!(said(&format!("{keys}{XML}{more}"), XML_BODY), []);
    // Without the keys nothing asks for them.
    let unused = said(&format!("{XML}{more}"), XML_BODY);
    assert_eq!(unused.len(), 2, "{unused:#?}");
    assert!(unused.iter().all(|problem| problem.rule == "never-written"));
    let wrong = said(&format!("sort = [\"-prise\"]\n{XML}"), XML_BODY);
    assert!(
        wrong.iter().any(|problem| problem.rule == "impossible-name"
            && problem.message.contains("`prise`")
            && problem.hint.contains("`price`")),
        "{wrong:#?}"
    );
    let group = "[attributes.group]\nvalue = \"{{title}}\"\n";
    let taken = said(&format!("sort = [\"id\"]\n{XML}{group}"), XML_BODY);
    assert!(
        taken.iter().any(|problem| problem.rule == "reserved-name"),
        "{taken:#?}"
    );
}
