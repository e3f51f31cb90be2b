use super::*;
use proptest::prelude::*;

fn written(items: &[(u32, u64, u32, ItemBody<'_>)], head: &LogHead, foot: &LogFoot) -> Vec<u8> {
    let mut log = ItemLogWriter::new(Vec::new(), head).expect("a vector takes all");
    let mut body = Vec::new();
    for (part, offset, length, item) in items {
        body.clear();
        encode(item, &mut body);
        log.add(*part, *offset, *length, &body).expect("a vector");
    }
    log.finish(foot).expect("a vector")
}

fn read_all(log: &[u8]) -> Result<u64, ItemLogError> {
    let mut reader = ItemLogReader::open(log)?;
    let mut items = 0;
    while reader.next()?.is_some() {
        items += 1;
    }
    Ok(items)
}

fn sample() -> Vec<u8> {
    let head = LogHead {
        format: "csv".to_owned(),
        language: "th".to_owned(),
        currency: "THB".to_owned(),
        delimiter: b',',
        quote: b'"',
        columns: vec!["id".to_owned(), "ชื่อ".to_owned()],
    };
    let foot = LogFoot {
        head_hash: 1,
        tail_hash: u128::MAX,
        bytes: 300,
        items: 0,
        fill: vec![("id".to_owned(), 3)],
    };
    let item = ItemBody {
        id: "A-1",
        sku: "A-1",
        hash: 7,
        price: Some("19.90"),
        currency: "THB",
        availability: Some(Availability::Backorder),
        quantity: Some(-3),
        title: "แก้ว \u{1F375} ]]> \"\n",
        upcoming: Some(UpcomingPrice {
            at: 1_800_000_000,
            price: "15",
        }),
    };
    let bare = ItemBody {
        id: "",
        sku: "B",
        ..ItemBody::default()
    };
    written(
        &[(1, 40, 100, item), (1, 140, 10, bare), (2, 9, 5, bare)],
        &head,
        &foot,
    )
}

#[test]
fn what_was_written_is_read() {
    let log = sample();
    let mut reader = ItemLogReader::open(log.as_slice()).expect("whole");
    assert_eq!(reader.head().columns, ["id", "ชื่อ"]);
    assert!(reader.foot().is_none());
    let first = reader.next().expect("whole").expect("three");
    assert_eq!((first.part, first.offset, first.length), (1, 40, 100));
    assert_eq!(first.body.quantity, Some(-3));
    assert_eq!(first.body.title, "แก้ว \u{1F375} ]]> \"\n");
    assert_eq!(first.body.upcoming.map(|then| then.price), Some("15"));
    let second = reader.next().expect("whole").expect("three");
    assert_eq!((second.part, second.offset, second.length), (1, 140, 10));
    assert_eq!((second.body.id, second.body.sku), ("", "B"));
    let third = reader.next().expect("whole").expect("three");
    assert_eq!((third.part, third.offset), (2, 9));
    assert_eq!(reader.next().expect("whole"), None);
    assert_eq!(reader.next().expect("whole"), None);
    let foot = reader.foot().expect("at the end");
    assert_eq!(
        (foot.items, foot.bytes, foot.tail_hash),
        (3, 300, u128::MAX)
    );
    assert_eq!(foot.fill, [("id".to_owned(), 3)]);
}

#[test]
fn cut_at_every_byte_it_is_an_error() {
    let log = sample();
    for end in 0..log.len() {
        assert!(
            read_all(&log[..end]).is_err(),
            "cut at {end} of {}",
            log.len()
        );
    }
}

#[test]
fn altered_at_any_bit_it_is_an_error() {
    let log = sample();
    for at in 0..log.len() {
        for bit in 0..8 {
            let mut altered = log.clone();
            altered[at] ^= 1 << bit;
            assert!(read_all(&altered).is_err(), "bit {bit} of byte {at}");
        }
    }
    let mut longer = log.clone();
    longer.push(0);
    assert!(read_all(&longer).is_err());
    let mut newer = log;
    newer[0] = 9;
    assert!(matches!(read_all(&newer), Err(ItemLogError::Version(9))));
}

#[test]
fn a_title_is_cut_at_a_character() {
    let long = "ก".repeat(100);
    assert_eq!(cut(&long).len(), 198);
    assert_eq!(cut("short"), "short");
}

#[test]
fn records_around_the_buffers_end_are_whole() {
    // Bodies of many lengths, so that each lies across the end of a buffer somewhere.
    let texts: Vec<String> = (0..4000_usize).map(|n| "x".repeat(n % 190)).collect();
    let items: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, title)| {
            let body = ItemBody {
                id: title,
                title,
                hash: n as u128,
                ..ItemBody::default()
            };
            (1, 10 * n as u64, 10, body)
        })
        .collect();
    let log = written(&items, &LogHead::default(), &LogFoot::default());
    let mut reader = ItemLogReader::open(log.as_slice()).expect("whole");
    for item in &items {
        let record = reader.next().expect("whole").expect("there");
        assert_eq!((record.offset, record.body), (item.1, item.3));
    }
    assert!(reader.next().expect("whole").is_none());
}

#[test]
fn an_oversized_record_is_refused() {
    let mut log = ItemLogWriter::new(Vec::new(), &LogHead::default()).expect("a vector");
    let body = vec![0; RECORD_BYTES_MAX + 1];
    assert!(log.add(1, 0, 1, &body).is_err());
}

proptest! {
    #[test]
    fn hostile_text_comes_back(
        id in any::<String>(), sku in any::<String>(), title in any::<String>(), hash in any::<u128>(),
        price in any::<Option<String>>(), currency in any::<String>(), quantity in any::<Option<i64>>(),
        at in any::<i64>(), then in any::<Option<String>>(), part in any::<u32>(), offset in any::<u64>(),
        length in any::<u32>(),
    ) {
        let body = ItemBody {
            id: &id, sku: &sku, hash, price: price.as_deref(), currency: &currency, availability: None,
            quantity, title: cut(&title),
            upcoming: then.as_deref().map(|price| UpcomingPrice { at, price }),
        };
        let log = written(&[(part, offset, length, body)], &LogHead::default(), &LogFoot::default());
        let mut reader = ItemLogReader::open(log.as_slice()).expect("whole");
        prop_assert_eq!(reader.next().expect("whole"), Some(ItemRecord { body, part, offset, length }));
        prop_assert!(reader.next().expect("whole").is_none());
    }

    #[test]
    fn noise_is_an_error_and_no_panic(mut noise in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(first) = noise.first_mut() {
            *first = VERSION;
        }
        prop_assert!(read_all(&noise).is_err());
    }
}
