//! TLS as data: the certificates of endpoints, and how connections without a request end.

use serde::{Deserialize, Serialize};

described! {
    /// The certificate of an HTTPS endpoint. Each description is the end of "a certificate that …".
    pub enum Certificate {
        /// Signed by the authority that the sender trusts, for the host of the URL.
        Good: "is valid",
        /// Signed by the authority, and no longer valid.
        Expired: "has expired",
        SelfSigned: "is self-signed",
        /// Signed by the authority, for another host.
        OtherHost: "is for another host",
    }
}

impl Certificate {
    /// The certificates that a sender must not accept.
    pub const BAD: [Self; 3] = [Self::Expired, Self::SelfSigned, Self::OtherHost];
}

/// How a connection without a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeEnd {
    /// By an alert that rejects the certificate.
    Refused,
    /// By bytes that are not TLS.
    NoTls,
    /// By the peer, without an alert, during the handshake or after it: some peers check the certificate only then.
    Left,
    /// Anything else: another alert, no protocol in common, an incomplete handshake.
    Broken,
}
