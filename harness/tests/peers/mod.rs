//! Peers that only tests need: servers and receivers on bare sockets, and senders that always do the same thing.

pub(crate) mod plain;
pub(crate) mod proxy;
pub(crate) mod receiver;
pub(crate) mod scripted;
pub(crate) mod senders;
pub(crate) mod servers;
pub(crate) mod twenty;
