//! The page escapes what comes from data, asks for nothing, and counts right.

use super::*;
use crate::config::project::Units;
use crate::pipeline::Observer;
use crate::pipeline::build::Filled;
use crate::validate::finding::Finding;

const HOSTILE: &str = "</script><script>alert(1)</script>\"' onerror=x \u{1b}[2J\u{202e}\u{0}&amp;";

fn shop(name: &str) -> Shop {
    Shop {
        name: name.to_owned(),
        url: "https://shop.example".to_owned(),
        currency: "THB".to_owned(),
        language: "th".to_owned(),
        country: "TH".to_owned(),
        timezone: "Asia/Bangkok".to_owned(),
        units: Units::default(),
    }
}

fn feed(name: &str) -> FeedReport {
    FeedReport {
        log: None,
        name: name.to_owned(),
        channel: "google-products".to_owned(),
        exit: 0,
        read: 1000,
        filtered: 100,
        withheld: 50,
        written: 850,
        warnings: 3,
        bytes: 12_345,
        files: Vec::new(),
        seconds: 0.1,
        held: None,
        fill: vec![
            Filled {
                attribute: "title".to_owned(),
                items: 850,
            },
            Filled {
                attribute: HOSTILE.to_owned(),
                items: 1,
            },
            Filled {
                attribute: "size".to_owned(),
                items: 0,
            },
        ],
    }
}

fn rendered(text: &str, many: u64) -> String {
    let mut collected = Collected::keeping(25);
    for line in 1..=many {
        collected.finding(&Finding {
            rule: "missing-required",
            severity: Severity::Error,
            feed: Some("web".to_owned()),
            sku: Some(format!("{text}{line}")),
            source: text.to_owned(),
            line,
            column: text.to_owned(),
            message: format!("`{text}` has no value"),
            hint: text.to_owned(),
        });
    }
    collected.remark(text);
    let report = Report {
        feeds: vec![feed("web"), feed("spring & autumn")],
        rows: 1000,
        seconds: 0.5,
        ..Report::default()
    };
    page(&Checked {
        shop: &shop(text),
        now: "2026-11-22T10:00:00Z".parse().expect("a moment"),
        report: &report,
        collected: &collected,
    })
}

#[test]
fn what_comes_from_data_is_escaped() {
    let page = rendered(HOSTILE, 2);
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(
        !page.contains("alert(1)</script>")
            && !page.contains("' onerror")
            && !page.contains("\" onerror")
    );
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; onerror=x \\u{1b}[2J\\u{202e}\\u{0}&amp;amp;"));
    assert!(
        !page
            .chars()
            .any(|letter| letter.is_control() && letter != '\n' || letter == '\u{202e}')
    );
}

#[test]
fn the_page_asks_for_nothing() {
    let page = rendered("https://tracker.example/x.png", 1);
    for fetching in [
        "src=",
        "url(",
        "@import",
        "<link rel=\"stylesheet\"",
        "fetch(",
        "XMLHttp",
    ] {
        assert!(!page.contains(fetching), "{fetching}");
    }
    assert_eq!(
        page.matches("href=").count(),
        page.matches("href=\"#").count() + page.matches("href=\"data:,\"").count()
    );
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn charts_and_counts_stand_on_it() {
    let page = rendered("ชามตราไก่ · Gốm Sông Hồng · zażółć", 4000);
    assert!(page.contains("<title>Feed check: ชามตราไก่ · Gốm Sông Hồng · zażółć</title>"));
    assert!(page.contains("Sunday, 22 November 2026, 17:00"));
    assert!(page.contains("<i class=\"written\" style=\"width:85.00%\"></i><i class=\"withheld\" style=\"width:5.00%\"></i><i class=\"filtered\" style=\"width:10.00%\"></i>"));
    assert!(page.contains("4,000 <span class=\"soft\">· 4,000 SKUs</span>"));
    assert!(page.contains("… and 3,975 more findings."));
    assert_eq!(
        page.matches("<tr data-feeds=\"[&quot;web&quot;]\">")
            .count(),
        25
    );
    assert!(page.contains("<option>spring &amp; autumn</option>"));
    assert!(
        page.contains("<span class=\"n\">100%</span>")
            && page.contains("<span class=\"n\">&lt; 1%</span>")
    );
    assert!(page.contains("1 of 3 attributes in every item"));
    assert!(page.contains("In no item: size</p>"));
}
