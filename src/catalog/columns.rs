//! Our column vocabulary: each name, what its cells hold, and how variants and languages treat it.

/// What the cells of a column hold, which decides how they are read and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text as it stands.
    Text,
    /// An identifier: text whose every byte is kept.
    Identifier,
    /// An exact amount in the source's or the row's currency.
    Money,
    /// An exact decimal number.
    Decimal,
    /// Whole units of stock.
    Quantity,
    /// A GTIN: digits with a check digit, kept as text.
    Gtin,
    /// `in_stock out_of_stock preorder backorder`.
    Availability,
    /// `new refurbished used`.
    Condition,
    /// `male female unisex`.
    Gender,
    /// `newborn infant toddler kids adult`.
    AgeGroup,
    /// A moment: RFC 3339 with an offset.
    Start,
    /// A moment that ends a window: a bare date means the end of that day.
    End,
    /// A mass, canonical as `1200 g`.
    Weight,
    /// A length, canonical as `30 cm`.
    Length,
    /// A list of texts or addresses.
    List,
    /// The levels of a category path.
    Levels,
    /// An ordered list of names and values.
    Pairs,
}

/// One column of the vocabulary.
#[derive(Debug)]
pub struct Column {
    /// Our name.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: Kind,
    /// Whether it is text in a language: a feed in another language may not take it unasked.
    pub translated: bool,
    /// Whether a variant that lacks it takes it from its product.
    pub inherited: Inherited,
    /// What it means, for `channel columns`.
    pub about: &'static str,
}

/// From which rows a variant may take a column it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inherited {
    /// Never.
    No,
    /// From a row that stands for the product alone, not from a sibling variant.
    FromProduct,
    /// From the product's row, also where that is its first variant.
    Yes,
}

const fn column(
    name: &'static str,
    kind: Kind,
    translated: bool,
    inherited: Inherited,
    about: &'static str,
) -> Column {
    Column {
        name,
        kind,
        translated,
        inherited,
        about,
    }
}

use Inherited::{FromProduct, No, Yes};

/// The vocabulary, in the order `channel columns` prints it.
pub static COLUMNS: &[Column] = &[
    column(
        "sku",
        Kind::Identifier,
        false,
        No,
        "the variant's own number, unique",
    ),
    column(
        "product_id",
        Kind::Identifier,
        false,
        Yes,
        "what the variants of one product share",
    ),
    column(
        "title",
        Kind::Text,
        true,
        Yes,
        "the product's name as a buyer reads it",
    ),
    column(
        "description",
        Kind::Text,
        true,
        Yes,
        "what it is; HTML is allowed",
    ),
    column("brand", Kind::Text, false, Yes, "the brand on the label"),
    column("manufacturer", Kind::Text, false, Yes, "who made it"),
    column(
        "gtin",
        Kind::Gtin,
        false,
        No,
        "the number under the barcode: EAN, UPC, ISBN-13",
    ),
    column(
        "mpn",
        Kind::Identifier,
        false,
        No,
        "the manufacturer's part number",
    ),
    column(
        "category",
        Kind::Levels,
        true,
        Yes,
        "levels of the shop's own tree, from the top",
    ),
    column(
        "google_product_category",
        Kind::Text,
        false,
        Yes,
        "number or path in Google's tree",
    ),
    column(
        "price",
        Kind::Money,
        false,
        FromProduct,
        "the regular price",
    ),
    column(
        "sale_price",
        Kind::Money,
        false,
        FromProduct,
        "the price during a sale, below the regular one",
    ),
    column(
        "sale_starts",
        Kind::Start,
        false,
        FromProduct,
        "when the sale begins",
    ),
    column(
        "sale_ends",
        Kind::End,
        false,
        FromProduct,
        "when the sale is over; a date alone includes that day",
    ),
    column(
        "cost",
        Kind::Money,
        false,
        FromProduct,
        "what the merchant paid",
    ),
    column(
        "currency",
        Kind::Identifier,
        false,
        Yes,
        "of this row's prices, ISO 4217",
    ),
    column(
        "tax_rate",
        Kind::Decimal,
        false,
        Yes,
        "per cent, such as 23",
    ),
    column(
        "on_hand",
        Kind::Quantity,
        false,
        No,
        "units physically there",
    ),
    column(
        "committed",
        Kind::Quantity,
        false,
        No,
        "units on hand that are promised to orders",
    ),
    column(
        "available",
        Kind::Quantity,
        false,
        No,
        "units on hand less committed",
    ),
    column(
        "salable",
        Kind::Quantity,
        false,
        No,
        "units an online location may sell",
    ),
    column("incoming", Kind::Quantity, false, No, "units on their way"),
    column(
        "availability",
        Kind::Availability,
        false,
        No,
        "in_stock, out_of_stock, preorder or backorder",
    ),
    column(
        "location",
        Kind::Identifier,
        false,
        No,
        "code of the place where the stock lies",
    ),
    column(
        "condition",
        Kind::Condition,
        false,
        Yes,
        "new, refurbished or used",
    ),
    column(
        "url",
        Kind::Text,
        false,
        Yes,
        "address of the product's page",
    ),
    column("image", Kind::Text, false, Yes, "address of the main image"),
    column(
        "images",
        Kind::List,
        false,
        Yes,
        "addresses of all images, the main one first",
    ),
    column("color", Kind::Text, true, FromProduct, "colour"),
    column("size", Kind::Text, true, FromProduct, "size"),
    column("material", Kind::Text, true, FromProduct, "material"),
    column("pattern", Kind::Text, true, FromProduct, "pattern"),
    column("gender", Kind::Gender, false, Yes, "male, female or unisex"),
    column(
        "age_group",
        Kind::AgeGroup,
        false,
        Yes,
        "newborn, infant, toddler, kids or adult",
    ),
    column(
        "weight",
        Kind::Weight,
        false,
        FromProduct,
        "mass with its unit",
    ),
    column(
        "length",
        Kind::Length,
        false,
        FromProduct,
        "length with its unit",
    ),
    column(
        "width",
        Kind::Length,
        false,
        FromProduct,
        "width with its unit",
    ),
    column(
        "height",
        Kind::Length,
        false,
        FromProduct,
        "height with its unit",
    ),
    column(
        "unit_pricing_measure",
        Kind::Text,
        false,
        FromProduct,
        "content for the unit price, such as 250 ml",
    ),
    column(
        "delivery_days",
        Kind::Quantity,
        false,
        Yes,
        "days until it can be sent",
    ),
    column(
        "safety_stock",
        Kind::Quantity,
        false,
        No,
        "units kept back at a location",
    ),
    column(
        "options",
        Kind::Pairs,
        true,
        FromProduct,
        "what tells the variants apart: names and values",
    ),
    column(
        "params",
        Kind::Pairs,
        true,
        Yes,
        "further facts: names and values",
    ),
    column("tags", Kind::List, false, Yes, "free labels"),
    column(
        "status",
        Kind::Text,
        false,
        Yes,
        "the shop's own state, such as active or draft",
    ),
    column(
        "language",
        Kind::Identifier,
        false,
        Yes,
        "of this row's texts, BCP 47",
    ),
    column(
        "updated_at",
        Kind::Start,
        false,
        No,
        "when the row last changed",
    ),
];

/// The columns that follow from others, beside the vocabulary.
pub static DERIVED: &[(&str, Kind, &str)] = &[
    (
        "current_price",
        Kind::Money,
        "what a buyer pays now: the sale price inside its window, else the price",
    ),
    ("on_sale", Kind::Text, "true while the sale is on"),
];

/// The column of that name.
pub fn find(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}
