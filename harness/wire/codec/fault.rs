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

described! {
    /// How a declared length differs from the length of the body that was sent: more bytes follow.
    pub enum WrongLength {
        InCharacters: "length in characters",
        TooShort: "length too short",
    }
}

impl WrongLength {
    /// What is wrong with a body that is followed by other bytes than a request. `None` if these are only line ends, which some
    /// clients send after a body.
    pub fn of(body: &[u8], followed_by: &[u8]) -> Option<Self> {
        if followed_by.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let whole = [body, followed_by].concat();
        // Characters beyond U+FFFF count as two in some languages.
        let counts =
            std::str::from_utf8(&whole).map(|text| [text.chars().count(), text.encode_utf16().count()]);
        let fits = counts.is_ok_and(|counts| counts.contains(&body.len()));
        Some(if fits { Self::InCharacters } else { Self::TooShort })
    }
}

impl fmt::Display for FramingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_characters_are_told_from_others() {
        let text = "{\"a\":\"Łódź 😀\"}";
        let cut = |length: usize| text.as_bytes().split_at(length);
        let of = |length| WrongLength::of(cut(length).0, cut(length).1);
        assert_eq!(of(text.chars().count()), Some(WrongLength::InCharacters));
        assert_eq!(of(text.encode_utf16().count()), Some(WrongLength::InCharacters));
        assert_eq!(of(text.len() - 1), Some(WrongLength::TooShort));
        assert_eq!(WrongLength::of(b"{}", b"\r\n\n"), None);
        // Not text at all.
        assert_eq!(WrongLength::of(b"{}", b"\xFF"), Some(WrongLength::TooShort));
    }
}
