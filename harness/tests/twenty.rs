//! A real Twenty as the sender, in the person of the fake one.

mod adapter;
mod driver;
mod fake;
mod fake_deliveries;
mod fake_records;
mod support;
