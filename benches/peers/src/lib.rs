//! The reference catalog of the benches, and what the programs that Shelfcast is measured against share.
//!
//! [`catalog`] makes the catalog; [`columns`] says where its cells stand; [`html`] turns a description into text. The
//! mapping itself is written out in each peer, as somebody writing that program by hand would, and must give the bytes that
//! `benches/reference/` gives.

pub mod catalog;
pub mod columns;
pub mod html;
pub mod random;
pub mod words;

/// The shop's name, as in `benches/reference/shelfcast.toml`.
pub const SHOP_NAME: &str = "Baan Design & Living";
/// The shop's address, as in `benches/reference/shelfcast.toml`.
pub const SHOP_URL: &str = "https://baandesign.example/?src=feed&m=1";

/// The two paths on the command line, `IN` and `OUT`.
pub fn two_paths(program: &str) -> Result<(String, String), String> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(input), Some(output), None) => Ok((input, output)),
        _ => Err(format!("usage: {program} IN.csv OUT.xml")),
    }
}
