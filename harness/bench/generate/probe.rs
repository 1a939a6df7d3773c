//! Probes: deliveries that a receiver must reject, mixed into a load.
//!
//! They are the suite's own cases: each differs from a valid delivery in one respect, and names the requirement that forbids it.

use std::sync::LazyLock;

use bytes::Bytes;

use crate::bench::generate::messages;
use crate::bench::generate::request::{HeadTemplate, Marks, RequestBuffer};
use crate::suite::receiver::forgery::{Forgery, Parts, Signing};
use crate::suite::requirement::Requirement;
use crate::suite::under_load;
use crate::webhook::manner::Manner;
use crate::webhook::signature::{Key, Secret};

/// A kind of delivery that a receiver must reject.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The requirement that forbids it.
    pub requirement: &'static Requirement,
    /// Several of its deliveries, as a noun phrase.
    pub what: String,
    pub forgery: Forgery,
}

impl Probe {
    pub fn name(&self) -> &str {
        &self.forgery.name
    }
}

/// The probes of every load, in the order of the contract.
pub fn all() -> &'static [Probe] {
    static ALL: LazyLock<Vec<Probe>> = LazyLock::new(|| {
        let probe = |case: under_load::Rejected| {
            let what = messages::several(&case.what);
            Some(Probe { requirement: case.requirement, what, forgery: case.forgery.ok()? })
        };
        under_load::rejected().into_iter().filter_map(probe).collect()
    });
    &ALL
}

pub fn named(name: &str) -> Option<&'static Probe> {
    all().iter().find(|probe| probe.name() == name)
}

#[derive(Debug, Clone)]
pub struct ProbeMaker {
    pub head: HeadTemplate,
    pub key: Key,
    /// The secret, for wrong recipes.
    pub secret: Secret,
}

impl ProbeMaker {
    /// Makes a probe from the body of a valid delivery; `None` if there is nothing to try with this secret or body.
    pub fn make(
        &self,
        forgery: &Forgery,
        marks: &Marks,
        body: Bytes,
        request: &mut RequestBuffer,
    ) -> Option<()> {
        let timestamp = marks.now_ms.to_string().into_bytes();
        let signature = Some(self.key.sign(&timestamp, &body).to_hex().into_bytes());
        let mut parts = Parts { timestamp: Some(timestamp), signature, has_nonce: true, body };
        let signing =
            Signing { manner: &Manner::CONTRACT, secret: self.secret.expose(), sent_ms: marks.now_ms };
        forgery.apply(&mut parts, &signing)?;
        let Parts { timestamp, signature, has_nonce, body } = parts;
        let nonce = has_nonce.then_some(marks.nonce);
        self.head.compose(timestamp.as_deref(), signature.as_deref(), nonce, &body, request);
        Some(())
    }

    /// Makes the probe with this index or, if there is nothing to try with this secret or body, the next one that there is.
    /// Returns its index.
    pub fn make_next(&self, first: usize, marks: &Marks, body: &Bytes, request: &mut RequestBuffer) -> usize {
        let count = all().len();
        let mut indices = (0..count).map(|more| (first + more) % count);
        let made = |&index: &usize| self.make(&all()[index].forgery, marks, body.clone(), request).is_some();
        // A signature can be missing from any delivery.
        indices.find(made).unwrap_or(first)
    }
}
