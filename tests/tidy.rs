//! What people forget.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::harness::repository;

/// Every file under a folder of the repository with one of these endings.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or("")
                .to_owned();
            if path.is_dir() {
                if !["target", "out", ".git", ".shelfcast"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path as it is told.
fn shown(path: &Path) -> String {
    path.strip_prefix(repository())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Names of the built-in channels, by their manifests.
pub fn channels() -> Vec<String> {
    files("channels", &[".toml"])
        .iter()
        .filter_map(|path| path.file_stem()?.to_str().map(str::to_owned))
        .collect()
}

#[test]
fn every_channel_has_a_golden_case_and_every_case_a_channel() {
    let channels: BTreeSet<String> = channels().into_iter().collect();
    assert!(channels.len() >= 16, "{channels:?}");
    for channel in &channels {
        let cases = files(&format!("tests/golden/{channel}"), &["catalog.csv"]);
        assert!(
            !cases.is_empty(),
            "channel `{channel}` has no case in tests/golden/{channel}/"
        );
    }
    for entry in std::fs::read_dir(repository().join("tests/golden")).expect("golden cases") {
        let entry = entry.expect("an entry");
        if !entry.path().is_dir() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            channels.contains(&name),
            "tests/golden/{name} is for no channel"
        );
    }
}

#[test]
fn every_channel_is_used_by_a_sample() {
    let shop = text(&repository().join("samples/shop/shelfcast.toml"))
        + &text(&repository().join("samples/all-channels/shelfcast.toml"));
    for channel in channels() {
        assert!(
            shop.contains(&format!("channel = \"{channel}\"")),
            "no sample has a feed for `{channel}`"
        );
    }
}

#[test]
fn every_manifest_says_where_its_facts_come_from() {
    for channel in channels() {
        let loaded = shelfcast::channel::load(None, &channel)
            .unwrap_or_else(|error| panic!("{channel}: {error}"));
        let manifest = text(&repository().join(format!("channels/{channel}.toml")));
        assert_eq!(
            loaded.manifest.name, channel,
            "a manifest is called like its file"
        );
        assert!(
            manifest.contains("spec = {") && manifest.contains("read = \"20"),
            "{channel}: no specification, or no date it was read"
        );
        assert!(
            manifest.contains("not_covered"),
            "{channel}: it does not say what is not covered"
        );
    }
}

#[test]
fn every_template_is_used() {
    let manifests: String = channels()
        .iter()
        .map(|channel| text(&repository().join(format!("channels/{channel}.toml"))))
        .collect();
    for path in files("templates", &[".hbs"]) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let partial = path
            .parent()
            .is_some_and(|folder| folder.ends_with("partials"));
        assert!(
            partial || manifests.contains(&format!("\"{name}\"")),
            "no manifest names templates/{name}"
        );
    }
}

#[test]
fn the_model_imports_nothing_of_ours() {
    for path in files("src/model", &[".rs"]) {
        for (number, line) in text(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            for import in code
                .match_indices("crate::")
                .map(|(at, _)| code.get(at + 7..).unwrap_or(""))
            {
                assert!(
                    import.starts_with("model"),
                    "{}:{}: {}",
                    shown(&path),
                    number + 1,
                    line.trim()
                );
            }
        }
    }
}

#[test]
fn stages_do_not_know_the_terminal() {
    for folder in [
        "catalog", "channel", "helper", "pipeline", "program", "validate", "write", "config",
    ] {
        // Golden cases keep findings as `--json` tells them.
        let tests = |path: &PathBuf| {
            path.to_string_lossy().contains("tests") || path.ends_with("channel/golden.rs")
        };
        for path in files(&format!("src/{folder}"), &[".rs"])
            .into_iter()
            .filter(|path| !tests(path))
        {
            for (number, line) in text(&path).lines().enumerate() {
                let code = line.split("//").next().unwrap_or("");
                for stranger in [
                    "clap::",
                    "crate::cli",
                    "crate::term",
                    "crate::report",
                    "println!",
                    "eprintln!",
                ] {
                    assert!(
                        !code.contains(stranger),
                        "{}:{}: {}",
                        shown(&path),
                        number + 1,
                        line.trim()
                    );
                }
            }
        }
    }
}

#[test]
fn no_path_of_somebodys_machine() {
    let endings = [
        ".rs", ".toml", ".hbs", ".md", ".py", ".csv", ".json", "run", "services",
    ];
    // Spelt apart, so that this file is not its own finding.
    let roots = ["home", "Users", "work", "root"].map(|root| format!("/{root}/"));
    for folder in [
        "src",
        "channels",
        "templates",
        "presets",
        "samples",
        "tests",
        "benches",
        "docs",
        ".ci",
    ] {
        for path in files(folder, &endings) {
            let Ok(content) = std::fs::read_to_string(&path) else {
                continue;
            };
            for (number, line) in content.lines().enumerate() {
                for root in &roots {
                    let found = line.match_indices(root.as_str()).any(|(at, _)| {
                        let before = line.get(..at).and_then(|before| before.chars().next_back());
                        before.is_none_or(|before| {
                            before.is_whitespace() || "\"'`=(:".contains(before)
                        })
                    });
                    assert!(!found, "{}:{}: {}", shown(&path), number + 1, line.trim());
                }
            }
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for path in files("src", &[".rs"]) {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or("")
            .to_owned();
        let tests = name.ends_with("tests")
            || path
                .parent()
                .is_some_and(|folder| folder.ends_with("tests"));
        let content = text(&path);
        assert!(
            tests || content.starts_with("//!"),
            "{} opens without `//!`",
            shown(&path)
        );
    }
}

#[test]
fn every_helper_has_a_page_with_an_example() {
    for helper in shelfcast::helper::HELPERS {
        assert!(!helper.summary.is_empty(), "{}", helper.name);
        assert!(
            helper.usage.contains(helper.name),
            "{}: the usage does not show it",
            helper.name
        );
        let called = [
            format!("{{{{{} ", helper.name),
            format!("({} ", helper.name),
            format!("{{{{{{{} ", helper.name),
        ];
        assert!(
            called.iter().any(|call| helper.page.contains(call)),
            "the page of `{}` has no example",
            helper.name
        );
    }
}

/// The README's commands that begin with the program's name, without the prompt.
fn commands(readme: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut fenced = false;
    for line in readme.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let line = line.trim().trim_start_matches("$ ");
        let call = line
            .split(" -- ")
            .nth(1)
            .filter(|_| line.starts_with("cargo run"))
            .or_else(|| line.strip_prefix("shelfcast "));
        if fenced && let Some(call) = call {
            let call = call.split(['#', '|', '>']).next().unwrap_or("");
            commands.push(call.split_whitespace().map(str::to_owned).collect());
        }
    }
    commands
}

#[test]
fn the_readmes_commands_exist() {
    let Ok(readme) = std::fs::read_to_string(repository().join("README.md")) else {
        println!("skipped: there is no README.md");
        return;
    };
    let test = crate::harness::FeedTest::empty();
    let commands = commands(&readme);
    assert!(!commands.is_empty(), "the README shows no command");
    for command in commands {
        let words: Vec<&String> = command
            .iter()
            .take_while(|word| !word.starts_with('-'))
            .collect();
        // `channel new` is a command of two words; the help of both must be there.
        let mut call: Vec<&str> = words.iter().take(1).map(|word| word.as_str()).collect();
        if matches!(call.as_slice(), ["channel" | "connector" | "dead-letters"]) {
            call.extend(words.get(1).map(|word| word.as_str()));
        }
        if call.is_empty()
            || call[0]
                .chars()
                .next()
                .is_none_or(|letter| !letter.is_ascii_lowercase())
        {
            continue;
        }
        let help = test.run(call.iter().copied().chain(["--help"]));
        assert_eq!(help.code, 0, "the README calls `{}`", command.join(" "));
        for flag in command.iter().filter(|word| word.starts_with("--")) {
            let flag = flag.split('=').next().unwrap_or(flag);
            assert!(
                help.stdout.contains(flag),
                "the README calls `{}`, and `{}` has no `{flag}`",
                command.join(" "),
                call.join(" ")
            );
        }
    }
}

#[test]
fn the_readmes_commands_on_the_sample_work() {
    let Ok(readme) = std::fs::read_to_string(repository().join("README.md")) else {
        println!("skipped: there is no README.md");
        return;
    };
    let sample = crate::harness::FeedTest::empty();
    sample.copy("samples");
    for mut command in commands(&readme) {
        if !command.iter().any(|word| word.starts_with("samples/"))
            || command.iter().any(|word| word == "--watch")
        {
            continue;
        }
        if !command.iter().any(|word| word == "--now") {
            command.extend(["--now".to_owned(), crate::harness::NOW.to_owned()]);
        }
        let outcome = sample.run(&command);
        assert_eq!(
            outcome.code,
            0,
            "the README calls `{}`\n{}\n{}",
            command.join(" "),
            outcome.stdout,
            outcome.stderr
        );
    }
}

#[test]
fn files_that_have_grown_long_are_told() {
    for path in files("src", &[".rs"])
        .into_iter()
        .chain(files("tests", &[".rs"]))
    {
        let lines = text(&path).lines().count();
        if lines > 500 {
            println!("long: {} has {lines} lines", shown(&path));
        }
    }
}
