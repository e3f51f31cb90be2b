//! One feed through its life.

use super::{catalog, line, lines, shop};
use crate::harness::FeedTest;

fn published(test: &FeedTest) -> Vec<u8> {
    test.read("web/google.xml")
}

#[test]
fn a_first_publication_stands_and_an_unchanged_one_sends_nothing() {
    let test = shop("");
    catalog(&test, 40, |_, _| {});
    let first = test.run(["publish", "--json"]);
    assert_eq!(first.code, 0, "{first:?}");
    let feed = line(&first, "feed");
    assert_eq!(feed["outcome"], "published");
    assert_eq!(feed["version"], 1);
    assert_eq!(feed["changes"]["added"], 40);
    assert_eq!(feed["destinations"][0]["outcome"], "delivered");
    assert!(
        String::from_utf8(published(&test))
            .unwrap()
            .contains("140.90 PLN")
    );
    let before = std::fs::metadata(test.path("web/google.xml"))
        .unwrap()
        .modified()
        .unwrap();
    let again = test.run(["publish", "--json"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(line(&again, "feed")["outcome"], "unchanged");
    assert_eq!(line(&again, "feed")["destinations"], serde_json::json!([]));
    let after = std::fs::metadata(test.path("web/google.xml"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(before, after, "an unchanged feed is not written again");
}

#[test]
fn an_accident_is_held_and_what_stands_stays() {
    let test = shop("");
    catalog(&test, 40, |_, _| {});
    test.run(["publish"]);
    let stands = published(&test);
    catalog(&test, 40, |number, lamp| {
        lamp.left_out = number <= 10;
        if number > 30 {
            lamp.price = format!("{}90", 100 + number);
        }
    });
    let held = test.run(["publish", "--json"]);
    assert_eq!(held.code, 6, "{held:?}");
    let feed = line(&held, "feed");
    assert_eq!(feed["outcome"], "held");
    let gates: Vec<&str> = feed["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| gate["gate"].as_str().unwrap())
        .collect();
    assert!(
        gates.contains(&"removed") && gates.contains(&"price_moved"),
        "{gates:?}"
    );
    assert_eq!(published(&test), stands);
    let text = test.run(["publish"]);
    assert_eq!(text.code, 6);
    assert!(text.stdout.contains("--allow removed"), "{}", text.stdout);
    let allowed = test.run([
        "publish",
        "--json",
        "--allow",
        "removed",
        "--allow",
        "price_moved",
        "--reason",
        "clearance",
    ]);
    assert_eq!(allowed.code, 0, "{allowed:?}");
    assert_ne!(published(&test), stands);
    let log = test.run(["audit", "--log", "--json"]);
    assert!(log.stdout.contains("clearance"), "{log:?}");
}

#[test]
fn a_gate_needs_a_reason_and_a_known_name() {
    let test = shop("");
    catalog(&test, 10, |_, _| {});
    assert_eq!(test.run(["publish", "--allow", "removed"]).code, 2);
    let unknown = test.run(["publish", "--allow", "remvoed", "--reason", "x"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    let test = shop("remvoed = \"5%\"");
    catalog(&test, 10, |_, _| {});
    let wrong = test.run(["publish"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.stderr.contains("did you mean `removed`"), "{wrong:?}");
}

#[test]
fn nothing_and_the_empty_feed_are_never_published() {
    let test = shop("");
    catalog(&test, 20, |_, _| {});
    test.run(["publish"]);
    let stands = published(&test);
    catalog(&test, 0, |_, _| {});
    let empty = test.run(["publish"]);
    assert!(matches!(empty.code, 1 | 7), "{empty:?}");
    assert_eq!(published(&test), stands);
}

#[test]
fn a_plan_sends_its_own_bytes_or_refuses() {
    let test = shop("");
    catalog(&test, 30, |_, _| {});
    test.run(["publish"]);
    catalog(&test, 30, |number, lamp| {
        if number == 7 {
            lamp.title = "Lampa stojąca".to_owned();
        }
    });
    let plan = test.run(["plan", "--json"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let name = line(&plan, "summary")["plan"].as_str().unwrap().to_owned();
    assert_eq!(line(&plan, "plan")["changed"], 1);
    let change = line(&plan, "change");
    assert!(change.to_string().contains("Lampa stojąca"), "{change}");
    // The source moves on: the plan's own bytes are sent, and that is said.
    catalog(&test, 30, |number, lamp| {
        if number == 8 {
            lamp.title = "Lampa inna".to_owned();
        }
    });
    let strict = test.run(["publish", "--plan", &name, "--strict-source"]);
    assert_eq!(strict.code, 6, "{strict:?}");
    let sent = test.run(["publish", "--plan", &name]);
    assert_eq!(sent.code, 0, "{sent:?}");
    assert!(
        format!("{sent:?}").contains("has changed since"),
        "{sent:?}"
    );
    let stands = String::from_utf8(published(&test)).unwrap();
    assert!(stands.contains("Lampa stojąca") && !stands.contains("Lampa inna"));
    // Once carried out, or overtaken, it is of no use.
    let again = test.run(["publish", "--plan", &name]);
    assert_eq!(again.code, 6, "{again:?}");
    assert_eq!(test.run(["publish", "--plan", "abcdef123456"]).code, 2);
}

#[test]
fn a_plan_does_not_outlive_its_configuration() {
    let test = shop("");
    catalog(&test, 10, |_, _| {});
    let plan = test.run(["plan", "--json"]);
    let name = line(&plan, "summary")["plan"].as_str().unwrap().to_owned();
    let project = test.text("shelfcast.toml");
    test.file("shelfcast.toml", project.replace("Lampy", "Lampiony"));
    let refused = test.run(["publish", "--plan", &name]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.stderr.contains("configuration"), "{refused:?}");
    assert!(!test.path("web/google.xml").exists());
}

#[test]
fn rollback_puts_the_bytes_back_and_pins() {
    let test = shop("");
    catalog(&test, 20, |_, _| {});
    test.run(["publish"]);
    let first = published(&test);
    catalog(&test, 20, |number, lamp| {
        if number == 3 {
            lamp.price = "99.00".to_owned();
        }
    });
    test.run(["publish"]);
    let second = published(&test);
    assert_ne!(first, second);
    let back = test.run(["rollback", "google", "--reason", "wrong price"]);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(published(&test), first);
    let pinned = test.run(["publish", "--json"]);
    assert_eq!(pinned.code, 6, "{pinned:?}");
    assert_eq!(line(&pinned, "feed")["outcome"], "pinned");
    assert_eq!(published(&test), first);
    let free = test.run(["publish", "--unpin"]);
    assert_eq!(free.code, 0, "{free:?}");
    assert_eq!(published(&test), second);
    assert_eq!(test.run(["publish"]).code, 0);
    let unknown = test.run(["rollback", "google", "77"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
}

#[test]
fn a_destination_that_fails_keeps_the_others_and_is_served_later() {
    let test = shop("");
    let project = test.text("shelfcast.toml");
    test.file(
        "shelfcast.toml",
        format!("{project}\n[[feed.to]]\npath = \"blocked/google.xml\"\nretries = 1\n"),
    );
    // A file where a folder should be.
    test.file("blocked", "in the way");
    catalog(&test, 10, |_, _| {});
    let partly = test.run(["publish", "--json"]);
    assert_eq!(partly.code, 3, "{partly:?}");
    let feed = line(&partly, "feed");
    assert_eq!(feed["outcome"], "partly");
    std::fs::remove_file(test.path("blocked")).unwrap();
    let completed = test.run(["publish", "--json"]);
    assert_eq!(completed.code, 0, "{completed:?}");
    let feed = line(&completed, "feed");
    assert_eq!(
        feed["version"], 1,
        "the version that was begun is completed"
    );
    assert_eq!(feed["destinations"].as_array().unwrap().len(), 1);
    assert_eq!(test.read("blocked/google.xml"), published(&test));
}

#[test]
fn a_dry_run_touches_nothing() {
    let test = shop("");
    catalog(&test, 10, |_, _| {});
    let dry = test.run(["publish", "--dry-run", "--json"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(!test.path("web").exists() && !test.path(".shelfcast").exists());
    test.run(["publish"]);
    catalog(&test, 9, |_, _| {});
    let state = |test: &FeedTest| {
        let mut all = Vec::new();
        let mut folders = vec![test.path(".shelfcast")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.push((path.clone(), std::fs::read(&path).unwrap()));
                }
            }
        }
        all.sort();
        all
    };
    let before = state(&test);
    let dry = test.run(["publish", "--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(before == state(&test), "the state is what it was");
}

#[test]
fn whoever_is_named_hears_of_a_held_feed() {
    let test = shop("");
    let project = test.text("shelfcast.toml");
    test.file(
        "shelfcast.toml",
        format!("{project}\n[notify]\ncommand = [\"sh\", \"-c\", \"cat > told\"]\n"),
    );
    catalog(&test, 20, |_, _| {});
    assert_eq!(test.run(["publish"]).code, 0);
    assert!(!test.path("told").exists());
    catalog(&test, 10, |_, _| {});
    assert_eq!(test.run(["publish"]).code, 6);
    let told: serde_json::Value = serde_json::from_slice(&test.read("told")).unwrap();
    assert_eq!(told["exit"], 6);
    assert_eq!(told["command"], "publish");
}

#[test]
fn twenty_started_together_are_one_that_works() {
    let test = shop("");
    catalog(&test, 3000, |_, _| {});
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| test.run(["publish"]).code))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(codes.contains(&0), "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, 0 | 5)), "{codes:?}");
    let history = test.run(["history", "google", "--json"]);
    let versions = lines(&history)
        .iter()
        .filter(|line| line["type"] == "version")
        .count();
    assert_eq!(versions, 1, "{history:?}");
}

#[test]
fn what_a_channel_keeps_is_said() {
    let test = shop("");
    let project = test.text("shelfcast.toml");
    test.file(
        "shelfcast.toml",
        project.replace("\"google-products\"", "\"shopify-products\""),
    );
    catalog(&test, 40, |_, _| {});
    assert_eq!(test.run(["publish"]).code, 0);
    catalog(&test, 39, |_, _| {});
    let gone = test.run(["publish"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    assert!(
        gone.stdout
            .contains("1 item is gone from the feed; the channel keeps"),
        "{}",
        gone.stdout
    );
}

#[test]
fn a_feed_is_sent_again_before_the_channel_lets_it_expire() {
    let test = shop("");
    let project = test.text("shelfcast.toml");
    test.file(
        "shelfcast.toml",
        format!(
            "{}\n[[source]]\nname = \"stock\"\npath = \"stock.csv\"\nrole = \"stock\"\nbasis = \"on_hand\"\n\n\
             [[location]]\ncode = \"waw\"\nname = \"Warszawa\"\nstore_code = \"WAW1\"\n",
            project.replace("\"google-products\"", "\"google-local-inventory\"")
        ),
    );
    catalog(&test, 10, |_, _| {});
    let rows: String = (1..=10).map(|n| format!("LMP-{n:03},waw,{n}\n")).collect();
    test.file("stock.csv", format!("sku,location,on_hand\n{rows}"));
    let first = test.run(["publish", "--json"]);
    assert_eq!(first.code, 0, "{first:?}");
    let at = |days: i64| {
        let now = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        line(
            &test.run(["publish", "--json", "--now", &now.to_string()]),
            "feed",
        )["outcome"]
            .clone()
    };
    assert_eq!(at(2), "unchanged");
    // The channel forgets after fourteen days.
    assert_eq!(at(12), "refreshed");
}

#[test]
fn a_sale_is_foretold_and_so_is_its_end() {
    let test = shop("");
    catalog(&test, 12, |_, _| {});
    let text = test.text("catalog.csv");
    let with_sale: String = text
        .lines()
        .enumerate()
        .map(|(row, line)| match row {
            0 => format!("{line},sale_price,sale_starts,sale_ends\n"),
            1 => format!("{line},79.90,2026-11-24T00:00:00Z,2026-12-01T00:00:00Z\n"),
            _ => format!("{line},,,\n"),
        })
        .collect();
    test.file("catalog.csv", with_sale);
    let run = |command: &str, now: &str| test.run([command, "--json", "--now", now]);
    assert_eq!(run("publish", "2026-11-22T10:00:00Z").code, 0);
    let before = run("plan", "2026-11-23T10:00:00Z");
    assert_eq!(line(&before, "plan")["upcoming"], 1, "{}", before.stdout);
    assert_eq!(line(&before, "plan")["price_moves"], 0);
    // The item carries the sale's window: when it begins, nothing changes in the file, and the end is foretold.
    let begun = run("plan", "2026-11-25T10:00:00Z");
    assert_eq!(line(&begun, "plan")["nothing"], true, "{}", begun.stdout);
    let end = line(&begun, "change");
    assert_eq!(end["change"], "upcoming");
    assert_eq!(
        end["price"],
        serde_json::json!({ "old": "79.90", "new": "101.90" })
    );
}
