//! A real Twenty as the sender, in the person of the fake one.
//!
//! Named so that it begins early: its rate limits and caches are waited for, which takes longest.

mod adapter;
mod driver;
mod fake;
mod fake_deliveries;
mod fake_records;
mod support;
