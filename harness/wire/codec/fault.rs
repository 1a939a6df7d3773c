//! What can be wrong with the framing of a message, as data.

use std::fmt;

described! {
    /// Why bytes are no message of HTTP/1.1, or not one whose end every reader finds at the same place.
    pub enum FramingFault {
        NotHttp: "not HTTP/1",
        StartLine: "invalid first line",
        HeaderName: "invalid header name",
        HeaderValue: "invalid header value",
        SpaceBeforeColon: "space before the colon of a header",
        FoldedLine: "folded header line",
        BareLineFeed: "bare line feed",
        BareCarriageReturn: "bare carriage return",
        HeadTooLong: "a head of more than 65536 bytes",
        TooManyHeaders: "too many headers",
        HostMissing: "no Host",
        HostTwice: "two Hosts",
        LengthTwice: "two lengths",
        LengthSigned: "signed length",
        LengthListed: "list of lengths",
        LengthNotDigits: "length that is not a number",
        LengthAndChunked: "both a length and a transfer coding",
        UnknownCoding: "unknown transfer coding",
        CodingInHttp10: "transfer coding in HTTP/1.0",
        ChunkSize: "invalid chunk size",
        ChunkEnd: "chunk without a line end after its data",
        ChunkLine: "chunk extension or trailer that is too long",
    }
}

impl fmt::Display for FramingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}
