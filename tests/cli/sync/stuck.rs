//! A store that hangs holds no other store up (L2).

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::shop::Shop;
use super::{project, tills, usual};

/// Nothing waits longer than this: then it is held up.
const PATIENCE: Duration = Duration::from_secs(100);

/// A second store and a sync into it.
const OTHER: &str = r#"
[[store]]
name = "app"
connector = "plain"
url = "URL"
token = "file:token"

[[sync]]
name = "app-stock"
from = "tills"
to = "app"
online_orders = "booked"
safety_stock = 2
locations = { siam = "L1", bangna = "L2" }
"#;

#[test]
fn a_store_that_hangs_holds_no_other_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let released = Arc::new(AtomicBool::new(false));
    let (called, released_there) = (Arc::new(AtomicBool::new(false)), Arc::clone(&released));
    let called_there = Arc::clone(&called);
    // it takes each call and says nothing until the other store is in step
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            called_there.store(true, Ordering::SeqCst);
            let released = Arc::clone(&released_there);
            std::thread::spawn(move || {
                while !released.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                drop(stream);
            });
        }
    });
    let shop = Shop::open();
    let test = project(&url);
    let text = std::fs::read_to_string(test.path("shelfcast.toml")).expect("a project");
    test.file("shelfcast.toml", text + &OTHER.replace("URL", shop.url()));
    tills(&test, &usual());
    std::thread::scope(|scope| {
        let run = scope.spawn(|| test.run(["sync", "--deadline", "20s"]));
        let began = Instant::now();
        while shop.inside().applied.len() < 3 && began.elapsed() < PATIENCE && !run.is_finished() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let (in_step, over) = (shop.inside().applied.len(), run.is_finished());
        released.store(true, Ordering::SeqCst);
        run.join().expect("it runs").exits(3);
        assert!(called.load(Ordering::SeqCst), "the first store was asked");
        assert!(
            in_step == 3 && !over,
            "{in_step} of 3 levels while the other store hung"
        );
    });
    assert_eq!(shop.level("ชาม-03", "L1"), Some(11));
}
