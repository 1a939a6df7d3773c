//! PAY: the body, against the event that was emitted and against its reviewed shape.

pub mod event;
mod member;
pub mod record;
pub mod shape;
pub mod timestamp;
