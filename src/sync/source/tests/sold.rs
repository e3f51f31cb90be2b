//! Open online orders: whole or not at all.

use super::*;

fn open_orders(text: &str, keys: &str) -> Result<OpenOrders, SourceFailure> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("o.csv"), text).expect("written");
    let project = project(
        folder.path(),
        &format!("[[source]]\nname = \"orders\"\nrole = \"orders\"\npath = \"o.csv\"\n{keys}\n"),
    );
    orders(&project, source(&project), StillClock::ahead(3600))
}

#[test]
fn the_rows_of_a_sku_add_up() {
    let read = open_orders(
        "sku,quantity,created_at\na,1,2026-11-22\nb,2,\na,3,x\n,1,\na,0.5,\nc,2,\nc,-2,\n",
        "",
    )
    .expect("whole");
    let mut units: Vec<_> = read.units.into_iter().collect();
    units.sort();
    assert_eq!(
        units,
        [("a".to_owned(), 5), ("b".to_owned(), 2)],
        "a part of one is one that is sold"
    );
    assert_eq!(read.rows, 6);
    assert!(
        read.remarks
            .iter()
            .any(|remark| remark.contains("1 order rows without a SKU")),
        "{:?}",
        read.remarks
    );
    let none = open_orders("sku,quantity\n", "").expect("none are open");
    assert_eq!((none.units.len(), none.rows), (0, 0));
}

#[test]
fn an_order_that_cannot_be_read_stops_all() {
    for (text, exit, says) in [
        ("sku,quantity\na,\n", 7, "an order of `a` has no quantity"),
        ("sku,quantity\na,n/a\n", 7, "has no quantity"),
        (
            "sku,quantity\na,1\nb,some\n",
            7,
            "o.csv:3, column `quantity`",
        ),
        ("sku,quantity\na,>10\n", 7, "at least"),
        ("sku,quantity\na,1.000\n", 7, "may be"),
        ("sku,quantity\na,1,2,3\nb,2\n", 7, "o.csv:2"),
        ("sku,number\na,1\n", 2, "there is no column `quantity`"),
        ("<html></html>", 7, "HTML page"),
    ] {
        let failure = open_orders(text, "").expect_err(text);
        assert_eq!(failure.exit(), exit, "{text}: {failure}");
        assert!(failure.to_string().contains(says), "{text}: {failure}");
    }
    let cut = open_orders("sku,quantity\na,1\n", "end = \"#END\"").expect_err("is cut");
    assert_eq!(cut.exit(), 7);
}

#[test]
fn orders_are_read_from_a_query() {
    let folder = tempfile::tempdir().expect("a folder");
    rusqlite::Connection::open(folder.path().join("o.db"))
        .and_then(|connection| {
            connection.execute_batch("CREATE TABLE o (sku TEXT, n INT); INSERT INTO o VALUES ('a', 2), ('a', 1), ('b', 4)")
        })
        .expect("made");
    let project = project(
        folder.path(),
        "[[source]]\nname = \"orders\"\nrole = \"orders\"\ndatabase = \"sqlite:o.db\"\nquery = \"SELECT sku, n FROM o\"\n[source.fields]\nquantity = \"n\"\n",
    );
    let read = orders(&project, source(&project), StillClock::ahead(0)).expect("whole");
    assert_eq!((read.units["a"], read.units["b"]), (3, 4));
}
