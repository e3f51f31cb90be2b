//! Lines that break, servers that say nothing, clients that are killed.

use std::collections::HashSet;

use super::super::super::loopback::{
    closed_port, cutting_proxy, read_all_the_while, run_and_kill, silent_server,
};
use super::*;

/// What a child process of the killing test is told by.
const CHILD: &str = "SHELFCAST_TEST_SFTP_CHILD";

/// The place through a proxy: its port is another, so the known hosts are too.
fn through(server: &Server, shelf: &Path, proxy: u16, folder: &Path) -> To {
    let key = std::fs::read_to_string(server.folder.join("host_ed25519.pub")).expect("a key");
    let file = folder.join("known_hosts");
    std::fs::write(&file, format!("[127.0.0.1]:{proxy} {key}")).expect("written");
    To {
        known_hosts: Some(file.display().to_string()),
        ..server.to(proxy, shelf, "id_ed25519")
    }
}

#[test]
fn a_connection_cut_anywhere_leaves_the_old_file_and_the_next_try_ends_it() {
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let folder = tempfile::tempdir().expect("a folder");
    let staged = Staged::new();
    let size = 300_000;
    let mut old = noise(size, 0);
    staged
        .put(
            &mut *destination(&server.to(server.usual, &shelf, "id_ed25519")),
            "feed.xml",
            &old,
        )
        .expect("sent");
    // at the greeting, the login, the first, middle and last of the file, and after it
    let cuts = [
        0, 10, 1_000, 2_500, 3_500, 5_000, 40_000, 150_000, 299_000, 303_000, 304_500, 305_500,
        306_500,
    ];
    for (number, cut) in cuts.into_iter().enumerate() {
        let proxy = cutting_proxy(server.usual, cut);
        let mut place = destination(&through(&server, &shelf, proxy, folder.path()));
        let new = noise(size, number as u64 + 1);
        let first = staged.put(&mut *place, "feed.xml", &new);
        let stands = std::fs::read(shelf.join("feed.xml")).expect("never absent");
        assert!(
            stands == old || stands == new,
            "cut at {cut}: neither old nor new"
        );
        if let Err(error) = first {
            assert!(
                matches!(error.recovery, Recovery::Retry { .. }),
                "{error:?}"
            );
            staged
                .put(&mut *place, "feed.xml", &new)
                .expect("the second try");
        }
        assert!(
            std::fs::read(shelf.join("feed.xml")).is_ok_and(|stands| stands == new),
            "cut at {cut}"
        );
        let left: Vec<_> = std::fs::read_dir(&shelf).expect("a folder").collect();
        assert_eq!(left.len(), 1, "cut at {cut}: {left:?}");
        old = new;
    }
}

#[test]
fn a_server_that_says_nothing_is_left_within_the_time_out() {
    let port = silent_server();
    let folder = tempfile::tempdir().expect("a folder");
    let key = russh::keys::PrivateKey::random(
        &mut russh::keys::key::safe_rng(),
        russh::keys::Algorithm::Ed25519,
    )
    .expect("a key");
    let key = key
        .to_openssh(russh::keys::ssh_key::LineEnding::LF)
        .expect("a key");
    std::fs::write(folder.path().join("key"), key.as_bytes()).expect("written");
    let mut to = To {
        url: Some(format!("sftp://u@127.0.0.1:{port}/")),
        key: Some(
            SecretRef::new(&format!("file:{}", folder.path().join("key").display()))
                .expect("a reference"),
        ),
        known_hosts: Some(folder.path().join("none").display().to_string()),
        timeout: Some("1s".to_owned()),
        ..To::default()
    };
    let error = send(&to).expect_err("silent");
    assert!(error.message.contains("said nothing"), "{error:?}");
    assert!(matches!(error.recovery, Recovery::Retry { .. }));
    // the run's own deadline comes first
    to.timeout = Some("1h".to_owned());
    let error = destination(&to)
        .remove("feed.xml", &Deadline::after(Duration::from_millis(300)))
        .expect_err("over");
    assert!(
        matches!(error.recovery, Recovery::Abort) || error.message.contains("said nothing"),
        "{error:?}"
    );
    // nobody at home
    to.url = Some(format!("sftp://u@127.0.0.1:{}/", closed_port()));
    let error = send(&to).expect_err("refused");
    assert!(error.message.contains("no connection"), "{error:?}");
}

/// Not a test of its own: what the killing test runs in a process that can be killed.
#[test]
fn child() {
    let Some(told) = env::get(CHILD) else {
        return;
    };
    let (shelf, file) = told.split_once('\n').expect("a folder and a file");
    let server = Server::start().expect("a server");
    let bytes = std::fs::read(file).expect("a version");
    let to = server.to(server.usual, Path::new(shelf), "id_ed25519");
    let sent = Staged::new().put(&mut *destination(&to), "feed.xml", &bytes);
    sent.expect("sent");
}

#[test]
fn readers_see_whole_versions_while_clients_are_killed() {
    let Some(server) = Server::start() else {
        return;
    };
    let shelf = server.shelf();
    let target = shelf.join("feed.xml");
    let folder = tempfile::tempdir().expect("a folder");
    let versions: Vec<Vec<u8>> = (0..100)
        .map(|number| noise(60_000 + number * 997, number as u64))
        .collect();
    let published: HashSet<String> = versions
        .iter()
        .map(|version| pack::digest(version.as_slice()).expect("read").1)
        .collect();
    let staged = Staged::new();
    let direct = server.to(server.usual, &shelf, "id_ed25519");
    staged
        .put(&mut *destination(&direct), "feed.xml", &versions[0])
        .expect("sent");
    let reader = |number: usize| {
        // two over the network, six past it
        let mut sftp = (number < 2).then(|| sftp(&direct));
        let target = &target;
        move || match &mut sftp {
            None => {
                let bytes = std::fs::read(target).expect("never absent");
                Ok(pack::digest(bytes.as_slice()).expect("read").1)
            }
            Some(sftp) => sftp
                .run(&soon(), async |files| {
                    files.content(&files.path("feed.xml"), u64::MAX - 1).await
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
                // a third ends whole; a third is cut, at a place that no two share; a third is killed, at its own moment
                let ended = if number % 3 == 2 {
                    let file = folder.path().join("version");
                    std::fs::write(&file, version).expect("written");
                    let told = format!("{}\n{}", shelf.display(), file.display());
                    let after = Duration::from_millis((number as u64 * 37) % 300);
                    run_and_kill(
                        "deliver::sftp::tests::broken::child",
                        (CHILD, &told),
                        Some(after),
                    )
                } else {
                    let cut = match number % 3 {
                        0 => u64::MAX,
                        _ => 3_000 + (number as u64 * 7_919) % (version.len() as u64 + 4_000),
                    };
                    let proxy = cutting_proxy(server.usual, cut);
                    let to = through(&server, &shelf, proxy, folder.path());
                    staged
                        .put(&mut *destination(&to), "feed.xml", version)
                        .is_ok()
                };
                killed += u64::from(!ended);
            }
            assert!(killed > 20, "{killed} clients were cut off or killed");
        },
    );
    let last = noise(10, 1);
    staged
        .put(&mut *destination(&direct), "feed.xml", &last)
        .expect("sent");
    let left: Vec<_> = std::fs::read_dir(&shelf).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
