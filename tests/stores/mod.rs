//! Real online stores: Vendure and Medusa on this machine, filled by `tests/services` from a CSV of 400 SKUs at two locations.
//! Their connectors set every level, read it back, and meet what stores do to their callers.
//!
//! SHELFCAST_TEST_VENDURE and SHELFCAST_TEST_MEDUSA are their addresses; without them the tests say that they skip.

mod models;
mod restart;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use shelfcast::channel::Channel;
use shelfcast::channel::manifest::request::RemoteId;
use shelfcast::config::secret::Secret;
use shelfcast::store::request::{FeedNames, settings};
use shelfcast::store::{Account, Connection, Found, Item, Outcome, Reading, Sending};

/// One test at a time: they share the stores, and one of them tires them out.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const SKUS: usize = 400;
/// A session of Vendure ends after so long without a call (`tests/services` starts it so).
const SESSION: Duration = Duration::from_secs(5);

/// A connector with its settings and secrets.
struct Shop {
    channel: Channel,
    url: String,
    settings: Value,
    secrets: BTreeMap<String, Secret>,
    /// The store's ids of its two locations.
    places: [String; 2],
}

/// One level: SKU, location, units.
type Level = (String, String, i64);

fn server(name: &str) -> Option<String> {
    let url = std::env::var(name).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        println!("skipped: {name} is not set (tests/services starts the store)");
    }
    url
}

fn secret(value: &str) -> Secret {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("secret"), value).expect("written");
    Secret::resolve("file:secret", folder.path()).expect("a secret")
}

/// A call beside the connector's: what a person would do in the store's own pages.
fn call(method: reqwest::Method, url: &str, token: &str, body: Option<&Value>) -> (Value, String) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut request = reqwest::Client::new().request(method, url);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.expect("an answer");
        let token = answer.headers().get("vendure-auth-token");
        let token = token.map_or_else(String::new, |token| {
            token.to_str().expect("text").to_owned()
        });
        let body = answer.text().await.expect("a body");
        (serde_json::from_str(&body).expect("JSON"), token)
    })
}

fn shop(connector: &str, url: String, secrets: &[(&str, &str)], places: [String; 2]) -> Shop {
    let channel = shelfcast::channel::load(None, connector).expect("a connector");
    let settings = settings(&channel.manifest, &indexmap::IndexMap::new());
    let secrets = secrets
        .iter()
        .map(|(name, value)| ((*name).to_owned(), secret(value)))
        .collect();
    Shop {
        channel,
        url,
        settings,
        secrets,
        places,
    }
}

fn vendure() -> Option<Shop> {
    let url = server("SHELFCAST_TEST_VENDURE")?;
    let login = json!({ "query": "mutation { login(username: \"superadmin\", password: \"superadmin\") { __typename } }" });
    let (_, token) = call(reqwest::Method::POST, &url, "", Some(&login));
    let locations = json!({ "query": "{ stockLocations { items { id name } } }" });
    let (found, _) = call(reqwest::Method::POST, &url, &token, Some(&locations));
    let places = named(&found["data"]["stockLocations"]["items"]);
    let secrets = [("user", "superadmin"), ("password", "superadmin")];
    Some(shop("vendure-stock", url, &secrets, places))
}

fn medusa() -> Option<Shop> {
    let url = server("SHELFCAST_TEST_MEDUSA")?;
    let post = reqwest::Method::POST;
    let who = json!({ "email": "admin@example.test", "password": "supersecret" });
    let (login, _) = call(
        post.clone(),
        &format!("{url}/auth/user/emailpass"),
        "",
        Some(&who),
    );
    let token = login["token"].as_str().expect("a token");
    let places = format!("{url}/admin/stock-locations?fields=id,name");
    let (found, _) = call(reqwest::Method::GET, &places, token, None);
    let places = named(&found["stock_locations"]);
    let wanted = json!({ "title": "stock", "type": "secret" });
    let (made, _) = call(post, &format!("{url}/admin/api-keys"), token, Some(&wanted));
    let key = made["api_key"]["token"].as_str().expect("a key").to_owned();
    Some(shop("medusa-stock", url, &[("api_key", &key)], places))
}

/// The ids of the two locations that the CSV names.
fn named(list: &Value) -> [String; 2] {
    ["High Street", "Warehouse"].map(|name| {
        let mut list = list.as_array().expect("a list").iter();
        let found = list
            .find(|place| place["name"] == name)
            .expect("it is there");
        found["id"].as_str().expect("an id").to_owned()
    })
}

impl Shop {
    fn open(&self) -> Connection {
        let request = self.channel.manifest.request.as_ref().expect("a connector");
        Connection::open(&Sending {
            request,
            format: self.channel.manifest.format,
            head: &[],
            tail: &[],
            settings: &self.settings,
            secrets: &self.secrets,
            feed: FeedNames {
                name: "store",
                language: "en",
                currency: "GBP",
                country: "GB",
            },
            url: Some(&self.url),
            run: "run-1",
            full: false,
            remote: None,
            account: Account::new(request.pace),
            deadline: None,
            stop: None,
            transport: None,
        })
        .expect("opened")
    }

    /// A level of each SKU at each location; another `round`, other levels.
    fn levels(&self, round: usize) -> Vec<Level> {
        (1..=SKUS)
            .flat_map(|number| {
                let units = |place: usize| ((number * 7 + place * 3 + round * 11) % 50) as i64;
                let sku = format!("SKU-{number:05}");
                [
                    (sku.clone(), self.places[0].clone(), units(0)),
                    (sku, self.places[1].clone(), units(1)),
                ]
            })
            .collect()
    }
}

fn items<'i>(levels: &'i [Level], ids: &'i HashMap<String, RemoteId>) -> Vec<Item<'i>> {
    levels
        .iter()
        .map(|(sku, place, units)| Item {
            id: format!("{place}/{sku}").into(),
            sku: sku.into(),
            bytes: Cow::Borrowed(&[]),
            fields: vec![
                ("remote_id".into(), ids[sku].id.as_str().into()),
                ("place".into(), place.into()),
                ("quantity".into(), units.to_string().into()),
            ],
        })
        .collect()
}

fn ids(store: &Connection) -> HashMap<String, RemoteId> {
    let mut wanted: Vec<String> = (1..=SKUS)
        .map(|number| format!("SKU-{number:05}"))
        .collect();
    wanted.push("SKU-NONE".to_owned());
    let found = store.resolve(&wanted).expect("found");
    assert_eq!(found["SKU-NONE"], Found::Stranger);
    found
        .into_iter()
        .filter_map(|(sku, found)| match found {
            Found::Remote(remote) => Some((sku, remote)),
            Found::Stranger | Found::Ambiguous => None,
        })
        .collect()
}

fn push(store: &Connection, items: &[Item<'_>]) -> Vec<Outcome> {
    items
        .chunks(100)
        .enumerate()
        .flat_map(|(batch, items)| store.push(&format!("key-{batch}"), items))
        .collect()
}

fn all_taken(outcomes: &[Outcome]) {
    let other = outcomes.iter().find(|it| **it != Outcome::Accepted);
    assert_eq!(other, None);
}

fn reads_as(store: &Connection, levels: &[Level], items: &[Item<'_>]) {
    let read = store.read(items).expect("read");
    for ((sku, place, units), read) in levels.iter().zip(read) {
        assert_eq!(read, Reading::Level(*units), "{sku} at {place}");
    }
}

/// Every level set, read back, some changed, and what is refused changes nothing.
fn keeps_in_step(shop: &Shop, stranger: &str) {
    let store = shop.open();
    let ids = ids(&store);
    assert_eq!(ids.len(), SKUS);
    let mut levels = shop.levels(1);
    let all = items(&levels, &ids);
    all_taken(&push(&store, &all));
    reads_as(&store, &levels, &all);
    let begun = levels.clone();
    for level in levels.iter_mut().step_by(80) {
        level.2 += 1_000;
    }
    let changed: Vec<Level> = levels.iter().step_by(80).cloned().collect();
    assert_eq!(changed.len(), 10);
    all_taken(&push(&store, &items(&changed, &ids)));
    reads_as(&store, &levels, &items(&levels, &ids));

    // one that the store does not know takes the others with it: none is told as taken, and none is
    let mut wrong = ids.clone();
    stranger.clone_into(&mut wrong.get_mut("SKU-00002").expect("it is there").id);
    let begun = &begun[..8];
    let outcomes = store.push("key-wrong", &items(begun, &wrong));
    for outcome in &outcomes {
        assert!(
            matches!(
                outcome,
                Outcome::Rejected {
                    transient: true,
                    ..
                }
            ),
            "{outcomes:#?}"
        );
    }
    reads_as(&store, &levels[..8], &items(&levels[..8], &ids));
    let alone = store.push("key-alone", &items(&begun[2..3], &wrong));
    assert!(
        matches!(
            &alone[0],
            Outcome::Rejected {
                transient: false,
                ..
            }
        ),
        "{alone:#?}"
    );
    // a location that is none is not told as taken either
    let lost = [("SKU-00001".to_owned(), "999999".to_owned(), 5)];
    let outcomes = store.push("key-lost", &items(&lost, &ids));
    assert_ne!(outcomes[0], Outcome::Accepted);
    assert_ne!(
        store.read(&items(&lost, &ids)).expect("read")[0],
        Reading::Level(5)
    );
    // and a batch that is too large for it is refused, and not half taken
    let mut large: Vec<Level> = Vec::new();
    while large.len() < 40_000 {
        large.extend(shop.levels(2).into_iter().take(800));
    }
    let outcomes = store.push("key-large", &items(&large, &ids));
    assert!(
        outcomes.iter().all(|it| *it != Outcome::Accepted),
        "{:?}",
        outcomes[0]
    );
    reads_as(&store, &levels, &items(&levels, &ids));
}

#[test]
fn vendure_keeps_in_step() {
    let _alone = alone();
    let Some(shop) = vendure() else { return };
    keeps_in_step(&shop, "99999999");
}

#[test]
fn medusa_keeps_in_step() {
    let _alone = alone();
    let Some(shop) = medusa() else { return };
    keeps_in_step(&shop, "iitem_none");
}

#[test]
fn a_session_of_vendure_that_ends_is_begun_anew() {
    let _alone = alone();
    let Some(shop) = vendure() else { return };
    let store = shop.open();
    let ids = ids(&store);
    let levels = shop.levels(3);
    let all = items(&levels, &ids);
    let some = &all[all.len() - 100..];
    all_taken(&store.push("key-1", some));
    std::thread::sleep(SESSION * 2);
    let before = store.account().calls().0;
    all_taken(&store.push("key-2", some));
    let calls = store.account().calls().0 - before;
    assert!(calls <= 2, "{calls} calls, and one refusal at most");
}

#[test]
fn wrong_credentials_pause_the_account_and_change_nothing() {
    let _alone = alone();
    let vendure = vendure().map(|mut shop| {
        shop.secrets
            .insert("password".to_owned(), secret("not-the-password"));
        shop
    });
    let medusa = medusa().map(|mut shop| {
        shop.secrets
            .insert("api_key".to_owned(), secret("sk_not-a-key"));
        shop
    });
    for shop in [vendure, medusa].into_iter().flatten() {
        let store = shop.open();
        let remote = RemoteId {
            id: "1".to_owned(),
            ..RemoteId::default()
        };
        let ids = HashMap::from([("SKU-00001".to_owned(), remote)]);
        let outcomes = store.push("key", &items(&shop.levels(4)[..2], &ids));
        assert!(
            outcomes.iter().all(|it| matches!(it, Outcome::Held { .. })),
            "{outcomes:?}"
        );
        assert!(store.account().paused().is_some());
    }
}

/// A document that Shopify's own schema of a version finds nothing wrong with, for as long as the checker can be had.
fn fits_shopify(connector: &str, version: &str) {
    let shared = std::env::var("SHELFCAST_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let check = std::path::Path::new(&shared).join("real-stores/shopify-schema/start.sh");
    let (true, Ok(_)) = (check.is_file(), std::env::var("STORE_CACHE")) else {
        println!("skipped: no STORE_CACHE, or no {}", check.display());
        return;
    };
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let channel = shelfcast::channel::load(None, connector).expect("a connector");
    let request = channel.manifest.request.as_ref().expect("a connector");
    let given = indexmap::IndexMap::from([
        ("shop".to_owned(), toml::Value::String("example".to_owned())),
        (
            "api_version".to_owned(),
            toml::Value::String(version.to_owned()),
        ),
    ]);
    let settings = settings(&channel.manifest, &given);
    let secrets = BTreeMap::from([("token".to_owned(), secret("shpat_1"))]);
    let store = Connection::open(&Sending {
        request,
        format: channel.manifest.format,
        head: &[],
        tail: &[],
        settings: &settings,
        secrets: &secrets,
        feed: FeedNames::default(),
        url: None,
        run: "run-1",
        full: false,
        remote: None,
        account: Account::new(None),
        deadline: None,
        stop: None,
        transport: Some(std::sync::Arc::new(Listener(std::sync::Arc::clone(&seen)))),
    })
    .expect("opened");
    let id = |sku: &str| RemoteId {
        id: format!("gid://shopify/InventoryItem/{}", sku.len()),
        ..RemoteId::default()
    };
    let levels: Vec<Level> = (0..250)
        .map(|number| {
            let place = "gid://shopify/Location/1".to_owned();
            ("s".repeat(number % 9 + 1), place, number as i64)
        })
        .collect();
    let ids = levels
        .iter()
        .map(|(sku, ..)| (sku.clone(), id(sku)))
        .collect();
    let mut items = items(&levels, &ids);
    for item in items.iter_mut().skip(1) {
        item.fields.push(("compare".into(), "0".into()));
    }
    drop(store.push("3f0a3a3e-6c0b-4b5e-9d0f-2a7f7a9e9d10", &items));
    drop(store.read(&items[..3]));
    drop(store.resolve(&["a \"b\"".to_owned(), "c".to_owned()]));
    let bodies = seen.lock().expect("kept").clone();
    assert_eq!(bodies.len(), 3, "one write, one reading, one search");
    let folder = tempfile::tempdir().expect("a folder");
    for body in bodies {
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let query = body["query"].as_str().expect("a query");
        std::fs::write(folder.path().join("q.graphql"), query).expect("written");
        std::fs::write(folder.path().join("v.json"), body["variables"].to_string())
            .expect("written");
        let checked = std::process::Command::new("bash")
            .arg(&check)
            .arg(version)
            .arg(folder.path().join("q.graphql"))
            .arg(folder.path().join("v.json"))
            .output()
            .expect("the checker");
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(
            checked.status.success(),
            "{query}\n{said}{}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }
}

/// Keeps what is sent, and answers nothing of use.
#[derive(Debug)]
struct Listener(std::sync::Arc<std::sync::Mutex<Vec<Vec<u8>>>>);

impl shelfcast::store::Transport for Listener {
    fn exchange<'a>(
        &'a self,
        exchange: &'a shelfcast::store::Exchange,
    ) -> shelfcast::store::Trying<'a> {
        self.0.lock().expect("kept").push(exchange.body.clone());
        let reply = shelfcast::store::Reply::new(200, "{}");
        Box::pin(async move { shelfcast::store::Try::Answer(reply) })
    }
}

#[test]
fn what_goes_to_shopify_fits_its_own_schema() {
    for version in ["2026-04", "2026-07", "2026-10"] {
        fits_shopify("shopify-stock", version);
    }
    fits_shopify("shopify-2025-stock", "2025-10");
}
