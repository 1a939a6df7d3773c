//! A captured request as a delivery that can be sent again.

use bytes::Bytes;

use crate::cli::messages::{self, replay};
use crate::wire::client::forwarding::passed;
use crate::wire::codec::{NotCaptured, captured};
use crate::wire::exchange::Delivery;

/// The delivery of a captured request, without the headers of its connection. Errors: why it is none.
pub(super) fn delivery(bytes: &[u8]) -> Result<Delivery, String> {
    let request = captured(bytes).map_err(|why| {
        replay::neither_case_nor_request(&match why {
            NotCaptured::NoEmptyLine => messages::no_empty_line().to_owned(),
            NotCaptured::InChunks => messages::body_is_chunked().to_owned(),
            NotCaptured::NoRequest(why) => messages::not_a_request(why),
            NotCaptured::Framing(fault) => messages::body_end_is_unclear(fault),
        })
    })?;
    let (headers, body) = (passed(&request.headers), Bytes::copy_from_slice(request.body));
    let delivery = Delivery::new(request.method, path(request.target), headers, body);
    delivery.check().map_err(|why| replay::neither_case_nor_request(&why))?;
    Ok(delivery)
}

/// The path of a target, which a proxy writes as a whole URL.
fn path(target: &str) -> String {
    match target.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
        }
        _ => target.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{delivery, path};

    #[test]
    fn captured_request_keeps_what_is_its_own() {
        let head = "POST http://h:1/a?b=c HTTP/1.1\nHost: h\nX-Odd: 1\nContent-Length: 2\nConnection: close";
        let read = delivery(format!("{head}\n\n{{}}\n").as_bytes()).unwrap();
        assert_eq!(
            (read.method.as_str(), read.target.as_str(), &read.body[..]),
            ("POST", "/a?b=c", &b"{}"[..])
        );
        assert_eq!(read.headers.0.len(), 1, "{:?}", read.headers);
        assert_eq!((path("/x://y"), path("http://h")), ("/x://y".to_owned(), "/".to_owned()));
        for bytes in [&b"POST / HTTP/1.1\n"[..], b"\x00\x01", b"POST * HTTP/1.1\n\n", b"GET a b c\n\n"] {
            assert!(delivery(bytes).unwrap_err().contains("neither a saved case nor"), "{bytes:?}");
        }
    }
}
