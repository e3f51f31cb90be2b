use super::*;
use proptest::prelude::*;

fn head(format: &str) -> LogHead {
    LogHead {
        format: format.to_owned(),
        ..LogHead::default()
    }
}

fn shown(head: &LogHead, text: &str) -> Vec<String> {
    fields(head, text.as_bytes())
        .iter()
        .map(|field| format!("{}={}", field.path, field.value))
        .collect()
}

#[test]
fn xml_by_path_with_attributes_and_repeats() {
    let text = "\n  <item id=\"7\">\n<g:id>A&amp;1</g:id><g:image>a</g:image><g:image>b</g:image>\
        <g:shipping><g:country>TH</g:country><g:price unit='THB'>1&#48;</g:price></g:shipping>\
        <description><![CDATA[<b>x</b>]]></description><empty/></item>\n";
    assert_eq!(
        shown(&head("xml"), text),
        [
            "@id=7",
            "g:id=A&1",
            "g:image=a",
            "g:image[2]=b",
            "g:shipping/g:country=TH",
            "g:shipping/g:price@unit=THB",
            "g:shipping/g:price=10",
            "description=<b>x</b>",
            "empty="
        ]
    );
}

#[test]
fn a_second_element_beside_the_first_is_named() {
    let text = "<url><loc>a</loc></url><note>n</note>";
    assert_eq!(shown(&head("xml"), text), ["loc=a", "note=n"]);
    assert_eq!(shown(&head("xml"), "<a>1</a><a>2</a>"), ["a=1", "a[2]=2"]);
}

#[test]
fn what_does_not_parse_is_lines() {
    assert_eq!(
        shown(&head("xml"), "</group>\n<group>\n"),
        ["line 1=</group>", "line 2=<group>"]
    );
    assert_eq!(shown(&head("json"), "{\"a\":"), ["line 1={\"a\":"]);
    assert_eq!(
        shown(&head("html"), "<p>a\n\n b"),
        ["line 1=<p>a", "line 3=b"]
    );
}

#[test]
fn cells_by_column() {
    let mut head = head("csv");
    head.delimiter = b';';
    head.quote = b'"';
    head.columns = ["id", "image", "image"].map(str::to_owned).to_vec();
    assert_eq!(
        shown(&head, "A;\"x;\n\"\"y\"\"\";z;more\r\nB;1\r\n"),
        [
            "id=A",
            "image=x;\n\"y\"",
            "image[2]=z",
            "column[4]=more",
            "row[2] id=B",
            "row[2] image=1"
        ]
    );
    head.format = "tsv".to_owned();
    head.delimiter = b'\t';
    head.quote = 0;
    assert_eq!(
        shown(&head, "\"A\tb\tc\n"),
        ["id=\"A", "image=b", "image[2]=c"]
    );
}

#[test]
fn json_by_pointer() {
    assert_eq!(
        shown(
            &head("json"),
            ",\n{\"a/b\":1.50,\"n\":null,\"l\":[{\"x\":\"é\"},true],\"e\":[]}\n"
        ),
        ["/a~1b=1.5", "/n=", "/l/0/x=é", "/l/1=true", "/e=[]"]
    );
}

fn all(fields: &[(&str, &str)]) -> Vec<Field> {
    fields
        .iter()
        .map(|(path, value)| Field::new(*path, *value))
        .collect()
}

fn pairs(
    old: &[(&str, &str)],
    new: &[(&str, &str)],
) -> Vec<(String, Option<String>, Option<String>)> {
    let (old, new) = (all(old), all(new));
    differing(&old, &new)
        .into_iter()
        .map(|(old, new)| change(old, new))
        .map(|change| (change.field, change.old, change.new))
        .collect()
}

#[test]
fn differing_fields_are_found_wherever_they_stand() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        pairs(
            &[("a", "1"), ("b", "2"), ("c", "3")],
            &[("c", "3"), ("a", "9"), ("d", "4")]
        ),
        [
            ("a".to_owned(), some("1"), some("9")),
            ("b".to_owned(), some("2"), None),
            ("d".to_owned(), None, some("4")),
        ]
    );
    assert_eq!(
        pairs(
            &[("line 1", "a"), ("line 2", "b")],
            &[("line 1", "a"), ("line 2", "x"), ("line 3", "b")]
        ),
        [("line 2".to_owned(), None, some("x"))]
    );
}

#[test]
fn long_values_are_shown_where_they_part() {
    let long = "ก".repeat(300);
    let (old, new) = (format!("{long}old"), format!("{long}new"));
    let found = pairs(&[("a", &old)], &[("a", &new)]);
    let (_, old, new) = &found[0];
    assert!(
        old.as_deref()
            .is_some_and(|old| old.starts_with('…') && old.ends_with("old"))
    );
    assert!(
        new.as_deref()
            .is_some_and(|new| new.ends_with("new") && new.len() < 60)
    );
}

#[test]
fn groups_drop_places() {
    for (path, want) in [
        ("g:image[2]", "g:image"),
        ("a[12]/b[3]@c", "a/b@c"),
        ("/images/3/url", "/images/*/url"),
        ("line 12", "line"),
        ("row[2] id", "row id"),
        ("odd[x]", "odd[x]"),
        ("line up", "line up"),
    ] {
        assert_eq!(group(path), want);
    }
}

proptest! {
    #[test]
    fn any_text_has_fields_and_none_differs_from_itself(text in any::<String>(), format in 0_usize..7) {
        let format = ["xml", "json", "csv", "tsv", "xlsx", "html", "ndjson"][format];
        let mut head = head(format);
        (head.delimiter, head.quote) = (b',', b'"');
        let found = fields(&head, text.as_bytes());
        prop_assert!(differing(&found, &found.clone()).is_empty());
    }

    #[test]
    fn hostile_values_come_out_of_xml(value in "[^\u{0}-\u{8}\u{b}-\u{1f}]{0,40}") {
        let escaped = quick_xml::escape::escape(&value);
        let found = fields(&head("xml"), format!("<item><a>{escaped}</a></item>").as_bytes());
        prop_assert_eq!(found[0].value.as_str(), value.trim());
    }
}
