//! The 26 columns of the reference catalog, by number.

/// The header row, in order.
pub const HEADER: [&str; 26] = [
    "sku",
    "product_id",
    "title",
    "description",
    "brand",
    "gtin",
    "mpn",
    "category",
    "google_product_category",
    "price",
    "sale_price",
    "sale_starts",
    "sale_ends",
    "availability",
    "condition",
    "url",
    "image",
    "images",
    "color",
    "size",
    "material",
    "gender",
    "age_group",
    "weight",
    "status",
    "tags",
];

/// The variant's own number, unique.
pub const SKU: usize = 0;
/// What groups the variants of a product.
pub const PRODUCT_ID: usize = 1;
/// Plain text below 150 characters.
pub const TITLE: usize = 2;
/// HTML.
pub const DESCRIPTION: usize = 3;
/// The maker's brand.
pub const BRAND: usize = 4;
/// A GTIN-13 with a right check digit; empty for some used and refurbished things.
pub const GTIN: usize = 5;
/// The maker's part number.
pub const MPN: usize = 6;
/// Levels separated by ` > `.
pub const CATEGORY: usize = 7;
/// Google's category number.
pub const GOOGLE_PRODUCT_CATEGORY: usize = 8;
/// Baht with two decimals, no currency.
pub const PRICE: usize = 9;
/// Below the price, or empty.
pub const SALE_PRICE: usize = 10;
/// RFC 3339 with offset; there when the sale price is.
pub const SALE_STARTS: usize = 11;
/// RFC 3339 with offset, years from now.
pub const SALE_ENDS: usize = 12;
/// `in_stock` or `out_of_stock`.
pub const AVAILABILITY: usize = 13;
/// `new`, `refurbished` or `used`.
pub const CONDITION: usize = 14;
/// The product page, with a query.
pub const URL: usize = 15;
/// The first image.
pub const IMAGE: usize = 16;
/// All images, the first one too, separated by `|`.
pub const IMAGES: usize = 17;
/// A colour in the product's language.
pub const COLOR: usize = 18;
/// `S` to `XL`, or dimensions.
pub const SIZE: usize = 19;
/// A material in the product's language.
pub const MATERIAL: usize = 20;
/// `female`, `male`, `unisex`; clothes only.
pub const GENDER: usize = 21;
/// `adult`, `kids`; clothes only.
pub const AGE_GROUP: usize = 22;
/// Whole grams, no unit.
pub const WEIGHT: usize = 23;
/// Always `active`: the reference feed filters by it and drops none.
pub const STATUS: usize = 24;
/// Separated by `|`.
pub const TAGS: usize = 25;

/// Refuses any other header than [`HEADER`]: the peers read by number.
pub fn check_header(header: &csv::StringRecord) -> Result<(), String> {
    if header.iter().eq(HEADER) {
        Ok(())
    } else {
        Err("not a reference catalog: make one with `make-catalog`".to_owned())
    }
}
