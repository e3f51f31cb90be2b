//! What looks like something else: `Look` by way of an expression that gives one.

/// Implements [`super::Look`] for a type by what an expression of it gives.
macro_rules! look_through {
    ([$($life:tt)*] $type:ty, $self:ident => $look:expr) => {
        impl $($life)* $crate::sync::state::Look for $type {
            fn tick(&$self) -> u64 {
                $look.tick()
            }
            fn level(&$self, pair: &Pair) -> Result<Option<Level>, StateError> {
                $look.level(pair)
            }
            fn levels(
                &$self,
                which: Which<'_>,
                tell: &mut dyn FnMut(Level) -> ControlFlow<()>,
            ) -> Result<(), StateError> {
                $look.levels(which, tell)
            }
            fn count(&$self, which: Which<'_>) -> Result<u64, StateError> {
                $look.count(which)
            }
            fn totals(
                &$self,
                sync: &str,
            ) -> Result<std::collections::BTreeMap<String, $crate::sync::state::Totals>, StateError> {
                $look.totals(sync)
            }
            fn digests(
                &$self,
                source: &str,
                tell: &mut dyn FnMut(u64, u64, u32),
            ) -> Result<(), StateError> {
                $look.digests(source, tell)
            }
            fn observations(&$self, source: &str, sku: &str) -> Result<Vec<Observation>, StateError> {
                $look.observations(source, sku)
            }
            fn observation(&$self, source: &str, key: u64) -> Result<Option<Observation>, StateError> {
                $look.observation(source, key)
            }
            fn skus(&$self, source: &str, tell: &mut dyn FnMut(&str)) -> Result<(), StateError> {
                $look.skus(source, tell)
            }
            fn position(&$self, source: &str) -> Result<Option<Position>, StateError> {
                $look.position(source)
            }
            fn remotes(&$self, skus: &[String]) -> Result<HashMap<String, RemoteId>, StateError> {
                $look.remotes(skus)
            }
            fn batches(&$self) -> Result<Vec<Batch>, StateError> {
                $look.batches()
            }
            fn next_batch(&$self) -> Result<u64, StateError> {
                $look.next_batch()
            }
            fn ledger(
                &$self,
                filter: &LineFilter<'_>,
                tell: &mut dyn FnMut(Line) -> ControlFlow<()>,
            ) -> Result<(), StateError> {
                $look.ledger(filter, tell)
            }
            fn events(&$self, most: usize) -> Result<Vec<Event>, StateError> {
                $look.events(most)
            }
            fn orders(&$self) -> Result<Vec<KeptOrder>, StateError> {
                $look.orders()
            }
            fn pauses(&$self) -> Result<Vec<Pause>, StateError> {
                $look.pauses()
            }
            fn held(&$self) -> Result<Vec<HeldPlan>, StateError> {
                $look.held()
            }
            fn runs(&$self, sync: &str, most: usize) -> Result<Vec<RunEnd>, StateError> {
                $look.runs(sync, most)
            }
            fn note(&$self, name: &str) -> Result<Option<String>, StateError> {
                $look.note(name)
            }
        }
    };
}

pub(super) use look_through;
