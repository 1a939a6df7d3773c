//! What can be wrong with the framing of a message.

use std::fmt;

described! {
    /// Why bytes are not an HTTP/1.1 message, or not one whose end is the same for every reader.
    pub enum FramingFault {
        NotHttp: "not HTTP/1",
        StartLine: "invalid start line",
        HeaderName: "invalid header name",
        HeaderValue: "invalid header value",
        SpaceBeforeColon: "space between a header name and its colon",
        FoldedLine: "folded header line",
        BareLineFeed: "line feed without a carriage return",
        BareCarriageReturn: "carriage return without a line feed",
        HeadTooLong: "header section longer than 65536 bytes",
        TooManyHeaders: "more than 200 headers",
        HostMissing: "no Host header",
        HostTwice: "more than one Host header",
        LengthTwice: "more than one Content-Length header",
        LengthSigned: "Content-Length with a sign",
        LengthListed: "Content-Length with a list of values",
        LengthNotDigits: "Content-Length that is not a number",
        LengthAndChunked: "both Content-Length and Transfer-Encoding",
        UnknownCoding: "unsupported Transfer-Encoding",
        CodingInHttp10: "Transfer-Encoding in HTTP/1.0",
        ChunkSize: "invalid chunk size",
        ChunkEnd: "no line end after the data of a chunk",
        ChunkLine: "chunk extension or trailer longer than 16384 bytes",
    }
}

impl fmt::Display for FramingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}
