//! Projects, manifests and templates that are wrong: exit 2, the place, the near miss.

use super::{project, shop};

#[test]
fn a_template_that_does_not_parse() {
    let shop = shop();
    let template =
        "<rss>\n{{#each items}}\n<item>{{id}}</item>\n  {{#if title}}{{title}\n{{/each}}\n</rss>\n";
    shop.test.file("templates/google-products.hbs", template);
    shop.refuses(
        2,
        &["templates/google-products.hbs:4", "column 23", "hint:"],
    );
}

#[test]
fn a_name_that_no_channel_has() {
    let shop = shop();
    shop.test.file(
        "templates/google-products.hbs",
        "<rss>\n{{#each items}}\n<item>{{brnad}}</item>\n{{/each}}\n</rss>\n",
    );
    shop.refuses(
        2,
        &[
            "templates/google-products.hbs:3",
            "`brnad`",
            "did you mean `brand`?",
        ],
    );
}

#[test]
fn a_manifest_with_an_unknown_key() {
    let shop = shop();
    shop.test.file(
        "channels/own.toml",
        "name = \"own\"\ntitle = \"Own\"\ngroup = \"website\"\nrecords = \"variants\"\nformat = \"csv\"\n\n[attributes.id]\nvalue = \"{{sku}}\"\nrequierd = true\n",
    );
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "", "").replace("google-products", "own"),
    );
    shop.refuses(
        2,
        &[
            "channels/own.toml:9",
            "`requierd`",
            "did you mean `required`?",
        ],
    );
}

#[test]
fn a_pattern_that_no_file_fits() {
    let shop = shop();
    shop.test
        .file("shelfcast.toml", project("catalogue/*.csv", "", ""));
    shop.refuses(
        7,
        &[
            "catalogue/*.csv: no file fits this pattern",
            "hint: look for a misspelt folder or ending",
        ],
    );
}

#[test]
fn a_file_that_is_not_there_names_one_like_it() {
    let shop = shop();
    shop.test
        .file("shelfcast.toml", project("catalgo.csv", "", ""));
    shop.refuses(7, &["catalgo.csv", "`catalog.csv`"]);
}

#[test]
fn an_unknown_key_names_the_near_miss() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "delimeter = \";\"", ""),
    );
    shop.refuses(
        2,
        &[
            "shelfcast.toml:11",
            "`delimeter`",
            "did you mean `delimiter`?",
        ],
    );
}

#[test]
fn toml_that_does_not_parse() {
    let shop = shop();
    shop.test.file("shelfcast.toml", "[shop\nname = \"Shop\"\n");
    shop.refuses(2, &["shelfcast.toml:1", "hint:"]);
}

#[test]
fn an_unknown_feed_on_the_command_line() {
    let shop = shop();
    shop.test
        .run(["build", "gogle"])
        .exits(2)
        .says("there is no feed `gogle`")
        .says("did you mean `google`?");
}

#[test]
fn an_unknown_channel() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "", "").replace("google-products", "gogle-products"),
    );
    shop.refuses(2, &["`gogle-products`", "did you mean `google-products`?"]);
}

#[test]
fn an_unknown_preset() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "preset = \"shopfy\"", ""),
    );
    shop.refuses(
        2,
        &["shelfcast.toml", "there is no preset `shopfy`", "hint:"],
    );
}

#[test]
fn a_setting_that_is_missing_names_the_line_to_add() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "", "").replace("google-products", "amazon-listings"),
    );
    shop.refuses(
        2,
        &[
            "`seller_id`",
            "hint: add under this feed: [feed.settings] seller_id =",
        ],
    );
}

#[test]
fn a_setting_that_there_is_not() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project(
            "catalog.csv",
            "",
            "[feed.settings]\ncategory_tabel = \"x.csv\"",
        ),
    );
    shop.refuses(2, &["`category_tabel`", "did you mean `category_table`?"]);
}

#[test]
fn a_mapping_table_that_is_missing() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project(
            "catalog.csv",
            "",
            "[feed.settings]\ncategory_table = \"mappings/google.csv\"",
        ),
    );
    shop.refuses(
        2,
        &[
            "mappings/google.csv",
            "the mapping table cannot be read",
            "hint:",
        ],
    );
}

#[test]
fn two_feeds_of_one_name() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project(
            "catalog.csv",
            "",
            "[[feed]]\nname = \"google\"\nchannel = \"meta-catalog\"",
        ),
    );
    shop.refuses(2, &["two feeds are called `google`", "hint:"]);
}

#[test]
fn a_feed_may_not_write_outside_its_folder() {
    let shop = shop();
    for name in ["../google", "a/b", ".hidden", ""] {
        shop.test.file(
            "shelfcast.toml",
            project("catalog.csv", "", "")
                .replace("name = \"google\"", &format!("name = \"{name}\"")),
        );
        shop.refuses(2, &["cannot be a feed's name", "hint:"]);
    }
}

#[test]
fn a_filter_that_is_no_expression() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "", "where = \"price >\""),
    );
    shop.refuses(2, &["feed `google`, `where`", "hint:"]);
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "", "where = \"prcie > 3\""),
    );
    shop.refuses(2, &["`prcie`", "did you mean `price`?"]);
}

#[test]
fn no_project_here() {
    let test = crate::harness::FeedTest::empty();
    test.build()
        .exits(2)
        .says("there is no project here")
        .says("hint:");
}

#[test]
fn a_query_that_fails() {
    let shop = shop();
    let connection = rusqlite::Connection::open(shop.test.path("shop.db")).expect("opens");
    connection
        .execute_batch(
            "CREATE TABLE goods (sku TEXT, title TEXT); INSERT INTO goods VALUES ('A-1', 'Lamp');",
        )
        .expect("fills");
    drop(connection);
    let toml = |query: &str| {
        project("x", "", "").replace(
            "path = \"x\"",
            &format!("database = \"sqlite:shop.db\"\nquery = \"{query}\""),
        )
    };
    shop.test
        .file("shelfcast.toml", toml("SELECT sku, title FROM goodies"));
    shop.refuses(2, &["goodies", "hint:"]);
    shop.test.file("shelfcast.toml", toml("DELETE FROM goods"));
    shop.refuses(2, &["hint:"]);
    shop.test.file("shop.db", "this is no database, whatever its name says; it is a text of some length, as long as a header is");
    shop.test
        .file("shelfcast.toml", toml("SELECT sku, title FROM goods"));
    shop.refuses(7, &["hint:"]);
}
