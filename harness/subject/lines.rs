//! Lines of a stream, of bounded length.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// How a line ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// It is whole.
    Whole,
    /// There is no further line.
    End,
    /// It is longer than allowed; its first bytes were read.
    TooLong,
}

/// Reads a line of at most `most` bytes without its line feed, after clearing `line`. A failed read ends the stream.
pub(crate) async fn bounded_line<R: AsyncBufRead + Unpin>(
    stream: &mut R,
    line: &mut Vec<u8>,
    most: usize,
) -> LineEnd {
    line.clear();
    loop {
        let buffer = stream.fill_buf().await.unwrap_or_default();
        if buffer.is_empty() {
            return if line.is_empty() { LineEnd::End } else { LineEnd::Whole };
        }
        let end = memchr::memchr(b'\n', buffer);
        line.extend_from_slice(&buffer[..end.unwrap_or(buffer.len())]);
        let used = end.map_or(buffer.len(), |end| end + 1);
        stream.consume(used);
        if line.len() > most {
            return LineEnd::TooLong;
        }
        if end.is_some() {
            return LineEnd::Whole;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LineEnd, bounded_line};

    #[tokio::test]
    async fn reads_lines_up_to_a_length() {
        let (mut stream, mut line) = (&b"one\n\nthree\nfour"[..], Vec::new());
        let mut read = Vec::new();
        loop {
            let end = bounded_line(&mut stream, &mut line, 4).await;
            read.push((String::from_utf8_lossy(&line).into_owned(), end));
            if read.last().is_some_and(|(_, end)| *end == LineEnd::End) {
                break;
            }
        }
        let whole = |text: &str| (text.to_owned(), LineEnd::Whole);
        let long = ("three".to_owned(), LineEnd::TooLong);
        assert_eq!(read, [whole("one"), whole(""), long, whole("four"), (String::new(), LineEnd::End)]);
    }
}
