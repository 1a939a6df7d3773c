//! Reports of benchmarks as text and HTML.

pub mod comparison;
pub mod history;
pub mod html;
pub mod ledger;
mod messages;
pub mod pair;
mod style;
pub mod text;
pub mod trend;
