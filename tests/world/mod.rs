//! The other side of a sync, and the world around it: nothing here shares code with the program.
//!
//! `shop` is a model of an online store, and each protocol (`shopify`, `woocommerce`, `vendure`, `medusa`, `magento`, `prestashop`, `plain`)
//! a pure function on it; `faults` damages any of them from a seed; `server` puts them on loopback; `sim` is
//! a world of tills, customers and such a store, in which the program's own sync runs and dies.

mod control;
pub mod dice;
pub mod exchange;
pub mod faults;
mod graphql;
pub mod magento;
pub mod medusa;
pub mod mischief;
pub mod plain;
pub mod prestashop;
pub mod protocol;
pub mod server;
pub mod shop;
pub mod shopify;
#[cfg(all(test, debug_assertions))]
mod sim;
#[cfg(test)]
mod tests;
pub mod vendure;
pub mod woocommerce;
