//! How a shop may be made to misbehave, one exchange at a time.

use super::exchange::Millis;

/// Damage inside one answer; all off by default.
#[derive(Clone, Debug, Default)]
pub struct Mischief {
    /// Which of the items are refused.
    pub refuse: Refuse,
    /// What becomes of lists of items in the answer.
    pub list: Bend,
    /// Whether what is said is done.
    pub lie: Lie,
    /// What becomes of pages.
    pub page: Paging,
    /// Levels are told as they were so long ago.
    pub behind: Millis,
    /// What the store says of the key.
    pub key: KeyTrouble,
    /// Chance for the above.
    pub seed: u64,
}

/// Which items of a batch are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refuse {
    /// As the rules say.
    #[default]
    None,
    /// One.
    One,
    /// Every second.
    Half,
    /// All but the first.
    AllButOne,
}

/// What becomes of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bend {
    /// It stays.
    #[default]
    None,
    /// Any order.
    Shuffled,
    /// One is left out.
    Missing,
    /// One is there that nobody asked for.
    Extra,
    /// One is there twice.
    Doubled,
}

/// A yes that is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    /// What is said is done.
    #[default]
    None,
    /// One item is not written.
    Skipped,
    /// One item is written with less than was asked.
    Clamped,
}

/// What becomes of pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// One after the other, each once.
    #[default]
    None,
    /// The first comes twice.
    Twice,
    /// One is jumped over.
    Missing,
    /// The cursor leads back to the start.
    Loop,
    /// There is always one more.
    Endless,
}

/// What a store says of a key it does not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyTrouble {
    /// Nothing.
    #[default]
    None,
    /// Another request with it is under way.
    Busy,
    /// The earlier one with it failed.
    Failed,
}
