//! Programs that only tests need: servers and receivers on bare sockets, and senders that do one thing whatever is asked.

pub(crate) mod plain;
pub(crate) mod receiver;
pub(crate) mod scripted;
pub(crate) mod senders;
pub(crate) mod servers;
