//! What can be wrong with the framing of a message, as data.

use std::fmt;

/// Why bytes are no message of HTTP/1.1, or not one whose end every reader finds at the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FramingFault {
    NotHttp,
    StartLine,
    HeaderName,
    HeaderValue,
    SpaceBeforeColon,
    FoldedLine,
    BareLineFeed,
    BareCarriageReturn,
    HeadTooLong,
    TooManyHeaders,
    HostMissing,
    HostTwice,
    LengthTwice,
    LengthSigned,
    LengthListed,
    /// A `Content-Length` that is no decimal number, or too large a one.
    LengthNotDigits,
    LengthAndChunked,
    UnknownCoding,
    CodingInHttp10,
    /// A chunk size that is no hexadecimal number, or too large a one.
    ChunkSize,
    /// A chunk that is not followed by a line end.
    ChunkEnd,
    /// A chunk extension or a trailer that is too long.
    ChunkLine,
}

impl FramingFault {
    pub const ALL: [Self; 22] = [
        Self::NotHttp,
        Self::StartLine,
        Self::HeaderName,
        Self::HeaderValue,
        Self::SpaceBeforeColon,
        Self::FoldedLine,
        Self::BareLineFeed,
        Self::BareCarriageReturn,
        Self::HeadTooLong,
        Self::TooManyHeaders,
        Self::HostMissing,
        Self::HostTwice,
        Self::LengthTwice,
        Self::LengthSigned,
        Self::LengthListed,
        Self::LengthNotDigits,
        Self::LengthAndChunked,
        Self::UnknownCoding,
        Self::CodingInHttp10,
        Self::ChunkSize,
        Self::ChunkEnd,
        Self::ChunkLine,
    ];

    /// The fault as a noun phrase.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NotHttp => "not HTTP/1",
            Self::StartLine => "invalid first line",
            Self::HeaderName => "invalid header name",
            Self::HeaderValue => "invalid header value",
            Self::SpaceBeforeColon => "space before the colon of a header",
            Self::FoldedLine => "folded header line",
            Self::BareLineFeed => "bare line feed",
            Self::BareCarriageReturn => "bare carriage return",
            Self::HeadTooLong => "a head of more than 65536 bytes",
            Self::TooManyHeaders => "too many headers",
            Self::HostMissing => "no Host",
            Self::HostTwice => "two Hosts",
            Self::LengthTwice => "two lengths",
            Self::LengthSigned => "signed length",
            Self::LengthListed => "list of lengths",
            Self::LengthNotDigits => "length that is not a number",
            Self::LengthAndChunked => "both a length and a transfer coding",
            Self::UnknownCoding => "unknown transfer coding",
            Self::CodingInHttp10 => "transfer coding in HTTP/1.0",
            Self::ChunkSize => "invalid chunk size",
            Self::ChunkEnd => "chunk without a line end after its data",
            Self::ChunkLine => "chunk extension or trailer that is too long",
        }
    }
}

impl fmt::Display for FramingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}
