//! What can be wrong with the framing of a message, as data.

use std::fmt;

/// Why bytes are no message of HTTP/1.1, or not one whose end every reader finds at the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FramingFault {
    /// It does not begin like HTTP/1.
    NotHttp,
    /// The request line or the status line.
    StartLine,
    /// A header name with characters that it cannot have.
    HeaderName,
    /// A header value with control characters.
    HeaderValue,
    /// White space between a header's name and its colon.
    SpaceBeforeColon,
    /// A header that goes on in the next line.
    FoldedLine,
    /// A line that ends with a line feed alone.
    BareLineFeed,
    /// A carriage return without a line feed after it.
    BareCarriageReturn,
    /// More than [`super::LONGEST_HEAD`] bytes.
    HeadTooLong,
    /// More than [`super::MOST_HEADERS`] headers.
    TooManyHeaders,
    /// No `Host`.
    HostMissing,
    /// More than one `Host`.
    HostTwice,
    /// More than one `Content-Length`.
    LengthTwice,
    /// A `Content-Length` with a sign.
    LengthSigned,
    /// A `Content-Length` with several values.
    LengthListed,
    /// A `Content-Length` that is no decimal number, or too large a one.
    LengthNotDigits,
    /// Both `Content-Length` and `Transfer-Encoding`.
    LengthAndChunked,
    /// A `Transfer-Encoding` other than `chunked`, once.
    UnknownCoding,
    /// `Transfer-Encoding` in HTTP/1.0, which does not have it.
    CodingInHttp10,
    /// A chunk size that is no hexadecimal number, or too large a one.
    ChunkSize,
    /// A chunk that is not followed by a line end.
    ChunkEnd,
    /// A chunk extension or a trailer that is too long.
    ChunkLine,
}

impl FramingFault {
    /// Every one of them.
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
