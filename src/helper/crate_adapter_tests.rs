use super::*;
use crate::helper::testing::tables;
use serde_json::json;

fn registry(context: &Arc<OwnedContext>) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(|text| text.replace('&', "&amp;").replace('<', "&lt;"));
    register(&mut registry, Arc::clone(context));
    registry
}

fn context() -> Arc<OwnedContext> {
    Arc::new(OwnedContext {
        currency: "THB".to_owned(),
        language: "en".to_owned(),
        timezone: "Asia/Bangkok".to_owned(),
        weight_unit: "g".to_owned(),
        length_unit: "cm".to_owned(),
        tables: Arc::new(tables()),
        unmatched: Mutex::default(),
    })
}

/// What the examples on the helpers' pages are about.
fn data() -> Json {
    json!({
        "title": "Cup", "nothing": null, "quoted": "12\" pack", "price": "2612.00", "weight": "1200 g",
        "sale_ends": "2026-11-30T12:00:00+07:00", "category": ["Home", "Kitchen", "Cups"],
        "options": [{ "name": "Color", "value": "red" }, { "name": "Size", "value": "M" }],
    })
}

#[test]
fn every_page_tells_the_truth() {
    let mut registry = registry(&context());
    registry.register_escape_fn(handlebars::no_escape);
    for helper in HELPERS {
        let mut examples = 0;
        for line in helper.page.lines().filter(|line| line.starts_with("- `{{")) {
            let (template, output) = line
                .strip_prefix("- `")
                .and_then(|line| line.strip_suffix('`'))
                .and_then(|line| line.split_once("` gives `"))
                .unwrap_or_else(|| panic!("{}: not an example: {line}", helper.name));
            let rendered = registry
                .render_template(template, &data())
                .unwrap_or_else(|why| panic!("{template}: {why}"));
            assert_eq!(rendered, output, "{template}");
            examples += 1;
        }
        assert!(examples > 0, "{} has no example", helper.name);
        assert!(helper.usage.starts_with(&format!("{{{{{} ", helper.name)));
        assert!(
            helper
                .named
                .iter()
                .all(|name| helper.page.contains(&format!("`{name}`")))
        );
        assert!(!helper.summary.is_empty() && !helper.summary.ends_with('.'));
    }
}

#[test]
fn names_are_the_contracts() {
    let mut names: Vec<&str> = HELPERS.iter().map(|helper| helper.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name stands twice");
    for name in [
        "truncate",
        "strip_html",
        "money",
        "number",
        "date",
        "upper",
        "lower",
        "title_case",
        "replace",
        "split",
        "join",
        "first",
        "default",
        "eq",
        "ne",
        "lt",
        "lte",
        "gt",
        "gte",
        "and",
        "or",
        "not",
        "add",
        "sub",
        "mul",
        "div",
        "round",
        "map",
        "slug",
        "url_encode",
        "json",
        "cdata",
        "unit",
        "hash",
    ] {
        assert!(names.contains(&name), "{name} is missing");
    }
}

#[test]
fn the_crate_escapes_all_but_raw_results() {
    let registry = registry(&context());
    for (template, want) in [
        ("{{upper \"a&b\"}}", "A&amp;B"),
        ("{{json \"a&b\"}}", "\"a&b\""),
        ("{{cdata \"a&b\"}}", "<![CDATA[a&b]]>"),
        ("{{upper (json \"a&b\")}}", "\"A&amp;B\""),
        (
            "{{#if (eq price \"2612\")}}same{{else}}other{{/if}}",
            "same",
        ),
        ("{{#if (not nothing)}}none{{/if}}", "none"),
        (
            "{{#each (split \"a,b\" \",\")}}<{{this}}>{{/each}}",
            "<a><b>",
        ),
        (
            "{{#each options}}{{name}}={{upper value}};{{/each}}",
            "Color=RED;Size=M;",
        ),
        ("{{truncate \"abcdef\" 3}}", "abc"),
        ("{{upper nothing}}|", "|"),
        ("{{unit weight \"kg\" symbol=false}}", "1.2"),
        ("{{default nothing (first category)}}", "Home"),
    ] {
        assert_eq!(
            registry.render_template(template, &data()).ok().as_deref(),
            Some(want),
            "{template}"
        );
    }
}

#[test]
fn wrong_calls_are_refused() {
    let registry = registry(&context());
    for (template, want) in [
        (
            "{{upper}}x{{upper \"a\" \"b\"}}",
            "takes 1 arguments, not 2",
        ),
        ("{{upper \"a\" size=\"b\"}}", "has no argument `size`"),
        ("{{div \"1\" \"0\"}}", "cannot divide 1 by zero"),
        ("{{money title}}", "`Cup` is not an amount"),
    ] {
        let why = registry
            .render_template(template, &json!({ "title": "Cup", "upper": "" }))
            .expect_err(template);
        let why = format!("{why:?}");
        assert!(
            why.contains(want) || why.contains("takes 1 arguments, not 0"),
            "{template}: {why}"
        );
    }
}

#[test]
fn unmatched_values_are_counted_across_calls() {
    let context = context();
    let registry = registry(&context);
    for _ in 0..3 {
        let rendered =
            registry.render_template("{{map \"mappings/google.csv\" \"Toys\"}}", &data());
        assert_eq!(rendered.ok().as_deref(), Some(""));
    }
    let counts = context.unmatched.lock().expect("not poisoned");
    assert_eq!(counts.values().copied().collect::<Vec<u64>>(), [3]);
}

#[test]
fn values_survive_the_way_through_json() {
    let arena = Bump::new();
    for text in [
        "a",
        "a\u{1f}b",
        "Color\u{1e}red\u{1f}Size\u{1e}M",
        "a\u{1f}\u{1f}b",
    ] {
        let list = Value::list(text);
        assert_eq!(from_json(&to_json(list), &arena), list);
    }
    for value in [Value::Absent, Value::Bool(false), Value::Text("x")] {
        assert_eq!(from_json(&to_json(value), &arena), value);
    }
    assert_eq!(from_json(&json!(150), &arena), Value::Text("150"));
}
