//! Servers that say nothing, clients that are killed.

use std::collections::HashSet;

use super::super::super::loopback::{closed_port, read_all_the_while, run_and_kill, silent_server};
use super::*;

/// What a child process of the killing test is told by.
const CHILD: &str = "SHELFCAST_TEST_FTPS_CHILD";

#[test]
fn a_server_that_says_nothing_is_left_within_the_time_out() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("password"), "p").expect("written");
    let to = |scheme: &str, port: u16, timeout: &str| To {
        url: Some(format!("{scheme}://u@127.0.0.1:{port}/")),
        password: Some(
            SecretRef::new(&format!(
                "file:{}",
                folder.path().join("password").display()
            ))
            .expect("a reference"),
        ),
        allow_plain: scheme == "ftp",
        timeout: Some(timeout.to_owned()),
        ..To::default()
    };
    let silent = silent_server();
    for scheme in ["ftps", "ftps+implicit", "ftp"] {
        let error = send(&to(scheme, silent, "1s")).expect_err("silent");
        assert!(error.message.contains("said nothing"), "{error:?}");
        assert!(matches!(error.recovery, Recovery::Retry { .. }));
        // the run's own deadline comes first
        let soon = Deadline::after(Duration::from_millis(300));
        destination(&to(scheme, silent, "1h"))
            .remove("feed.xml", &soon)
            .expect_err("over");
        let error = send(&to(scheme, closed_port(), "5s")).expect_err("nobody");
        assert!(
            matches!(error.recovery, Recovery::Retry { .. }),
            "{error:?}"
        );
    }
}

/// Not a test of its own: what the killing test runs in a process that can be killed.
#[test]
fn child() {
    let Some(told) = env::get(CHILD) else { return };
    let (shelf, file) = told.split_once('\n').expect("a folder and a file");
    let server = Server::start().expect("a server");
    let bytes = std::fs::read(file).expect("a version");
    let sent = Staged::new().put(
        &mut *destination(&server.to(Kind::Explicit, shelf)),
        "feed.xml",
        &bytes,
    );
    sent.expect("sent");
}

#[test]
fn readers_see_whole_versions_while_clients_are_killed() {
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let target = server.path(&shelf).join("feed.xml");
    let folder = tempfile::tempdir().expect("a folder");
    let versions: Vec<Vec<u8>> = (0..60)
        .map(|number| noise(200_000 + number * 997, number as u64))
        .collect();
    let digest = |bytes: &[u8]| pack::digest(bytes).expect("read").1;
    let published: HashSet<String> = versions.iter().map(|version| digest(version)).collect();
    let staged = Staged::new();
    let to = server.to(Kind::Explicit, &shelf);
    staged
        .put(&mut *destination(&to), "feed.xml", &versions[0])
        .expect("sent");
    let reader = |number: usize| {
        // one over the network, the others past it
        let mut ftps = (number == 0).then(|| ftps(&to));
        let target = &target;
        move || match &mut ftps {
            None => Ok(digest(&std::fs::read(target).expect("never absent"))),
            Some(ftps) => ftps
                .run(&soon(), async |files| {
                    files.content("feed.xml", u64::MAX - 1).await
                })
                .map(|remote| remote.sha256.expect("read")),
        }
    };
    read_all_the_while(
        reader,
        |digest| published.contains(digest),
        || {
            let mut killed = 0;
            for (number, version) in versions.iter().enumerate() {
                let file = folder.path().join(number.to_string());
                std::fs::write(&file, version).expect("written");
                let told = format!("{shelf}\n{}", file.display());
                // a different moment each time, from before the connection to after the last answer
                let after = Duration::from_millis((number as u64 * 37) % 500);
                let ended = run_and_kill(
                    "deliver::ftps::tests::broken::child",
                    (CHILD, &told),
                    (number % 4 != 0).then_some(after),
                );
                killed += u64::from(!ended);
            }
            assert!((5..=45).contains(&killed), "{killed} clients were killed");
        },
    );
    let last = noise(10, 1);
    staged
        .put(&mut *destination(&to), "feed.xml", &last)
        .expect("sent");
    let left: Vec<_> = std::fs::read_dir(server.path(&shelf))
        .expect("a folder")
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
