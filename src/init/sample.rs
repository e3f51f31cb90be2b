//! The files of a new project, and of one with a sample catalog.

/// What git must not keep.
pub const IGNORE: &str =
    "# made by builds, and the state of this machine\nout/\n.shelfcast/\n*.env\n";

/// A project without products.
pub const EMPTY: &[(&str, &str)] = &[
    ("shelfcast.toml", EMPTY_PROJECT),
    (
        "catalog/products.csv",
        "sku,product_id,title,description,brand,gtin,category,price,sale_price,available,url,image,color,size\n",
    ),
    (".gitignore", IGNORE),
];

/// A project with a small catalog, stock and three feeds.
pub const SAMPLE: &[(&str, &str)] = &[
    ("shelfcast.toml", SAMPLE_PROJECT),
    (
        "catalog/products.csv",
        include_str!("../../samples/formats/catalog.csv"),
    ),
    (
        "catalog/stock.csv",
        include_str!("../../samples/formats/stock.csv"),
    ),
    (".gitignore", IGNORE),
];

const EMPTY_PROJECT: &str = r#"# What is sold where. Start: fill catalog/products.csv, then `shelfcast check` and `shelfcast build`.

[shop]
name = "My shop"
url = "https://www.example.com"
currency = "EUR"                  # of prices that name none, ISO 4217
language = "en"                   # of the texts, BCP 47
country = "DE"
timezone = "Europe/Berlin"
units = { weight = "g", length = "cm" }   # of bare numbers

[[source]]                        # the master: one row a variant; `shelfcast channel columns` lists what it may hold
name = "products"
path = "catalog/*.csv"            # csv tsv json ndjson xml xlsx ods, also .gz
# locale = "de"                   # how numbers are written, where 1.234 and 1,234 could be either
# [source.fields]                 # ours = the file's column, or a text over its columns
# title = "Product name"
# sku = "{{hash url 12}}"

[[feed]]                          # one document at one channel; `shelfcast channel list` names the channels
name = "google"
channel = "google-products"

[[feed]]
name = "meta"
channel = "meta-catalog"

[[feed]]
name = "sitemap"
channel = "sitemap-products"
"#;

const SAMPLE_PROJECT: &str = r#"# A small shop to try things on. `shelfcast build` makes its three feeds in out/.

[shop]
name = "Harbour & Sons"
url = "https://harbour.example"
currency = "EUR"
language = "en"
country = "DE"
timezone = "Europe/Berlin"
units = { weight = "g", length = "cm" }

[[source]]                        # the master: one row a variant
name = "products"
path = "catalog/products.csv"

[[source]]                        # what each place has: many rows a SKU
name = "stock"
path = "catalog/stock.csv"
role = "stock"
basis = "on_hand"

[[feed]]                          # Google Merchant Center
name = "google"
channel = "google-products"

[[feed]]                          # Facebook and Instagram
name = "meta"
channel = "meta-catalog"

[[feed]]                          # the shop's own sitemap
name = "sitemap"
channel = "sitemap-products"
"#;
