//! Reports of benchmarks as text and HTML.

pub mod comparison;
pub mod html;
pub mod ledger;
pub mod pair;
pub mod text;
pub mod trend;
