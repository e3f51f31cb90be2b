//! The same SKU across feeds.
