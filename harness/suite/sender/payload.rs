//! PAY: the body, compared with the event that was emitted and with its snapshot.

pub mod event;
mod member;
pub mod record;
pub mod shape;
pub mod timestamp;
