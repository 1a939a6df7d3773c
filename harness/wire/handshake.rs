//! TLS as data: the certificates that endpoints show, and how a handshake ends that comes to no request.

/// What certificate an endpoint behind HTTPS shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certificate {
    /// Signed by the authority that the sender was told of, for the host of the URL.
    Good,
    /// The same, and not valid any more.
    Expired,
    /// Signed by itself alone.
    SelfSigned,
    /// Signed by the authority, for another host.
    OtherHost,
}

impl Certificate {
    /// Those that nobody can trust.
    pub const BAD: [Self; 3] = [Self::Expired, Self::SelfSigned, Self::OtherHost];

    /// What there is to say of it, as the end of "a certificate that ...".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Good => "is good",
            Self::Expired => "has expired",
            Self::SelfSigned => "is self-signed",
            Self::OtherHost => "is for another host",
        }
    }
}

/// What a connection ended with that came to no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeEnd {
    /// An alert that says that the certificate is not taken.
    Refused,
    /// Something that is no TLS came.
    NoTls,
    /// The other side went without a word, within the handshake or behind it: some look at the certificate only then.
    Left,
    /// Anything else: another alert, no protocol in common, a handshake that does not come to its end.
    Broken,
}
