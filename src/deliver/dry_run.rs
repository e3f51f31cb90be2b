//! A destination that sends nothing and says what it would do: the real code runs to the last step.

use super::{Capabilities, Deadline, DeliveryError, Destination, Naming, Proof, Remote, Upload};

/// Around another destination: reads go through, nothing else does. It keeps what would have been done, a line a call.
pub struct DryRun<'d> {
    inner: &'d mut dyn Destination,
    steps: Vec<String>,
}

impl<'d> DryRun<'d> {
    /// Around another.
    pub fn new(inner: &'d mut dyn Destination) -> Self {
        DryRun {
            inner,
            steps: Vec::new(),
        }
    }

    /// What would have been done, in order: one line a call, without secrets.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }
}

impl Destination for DryRun<'_> {
    fn address(&self) -> &str {
        self.inner.address()
    }

    fn naming(&self) -> &Naming {
        self.inner.naming()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn put(&mut self, upload: &Upload<'_>, _deadline: &Deadline) -> Result<Proof, DeliveryError> {
        self.steps.push(format!(
            "send `{}` to `{}`: {} bytes",
            upload.name,
            self.inner.address(),
            upload.bytes
        ));
        Ok(Proof::AnswerOnly)
    }

    fn stands(&mut self, name: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError> {
        self.inner.stands(name, deadline)
    }

    fn remove(&mut self, name: &str, _deadline: &Deadline) -> Result<(), DeliveryError> {
        self.steps
            .push(format!("remove `{name}` from `{}`", self.inner.address()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::super::suite::{Staged, soon};
    use super::super::{RetryPolicy, Role, deliver};
    use super::*;

    #[test]
    fn nothing_is_sent_and_all_of_it_is_said() {
        let (memory, staged) = (Memory::new(), Staged::new());
        memory.plant("old.xml", b"old");
        let mut place = memory.open();
        let mut dry = DryRun::new(&mut place);
        let parcels = [staged.parcel("a.xml", b"abc", Role::Only)];
        let old = ["old.xml".to_owned()];
        deliver(&mut dry, &parcels, &old, &RetryPolicy::default(), &soon()).expect("said");
        assert_eq!(
            dry.steps(),
            [
                "send `a.xml` to `memory:`: 3 bytes",
                "remove `old.xml` from `memory:`"
            ]
        );
        assert_eq!(memory.calls(), []);
        assert_eq!(memory.names(), ["old.xml"]);
    }
}
