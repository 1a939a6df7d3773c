//! Answers in several small pieces.
//!
//! Invariant: the client does not make the peer wait for an acknowledgement between two pieces.

use std::io::Write;
use std::time::{Duration, Instant};

use twenty_conform::wire::client::Target;
use twenty_conform::wire::exchange::Transfer;

use super::{client, delivery, status};
use crate::peers::servers::{read_request, serve};

const ANSWERS: u32 = 20;
/// How long Linux delays an acknowledgement.
const DELAY: Duration = Duration::from_millis(40);

#[cfg(target_os = "linux")]
#[tokio::test]
async fn answers_in_pieces_are_acknowledged_at_once() {
    // Without TCP_NODELAY, a piece waits until the one before it is acknowledged.
    let url = serve(|mut stream| {
        while read_request(&mut stream)? {
            for piece in ["HTTP/1.1 200 OK\r\n", "X: y\r\n", "Content-Length: 2\r\n\r\n", "ok"] {
                stream.write_all(piece.as_bytes())?;
            }
        }
        Ok(())
    });
    let (client, target) = (client(), Target::parse(&url).unwrap());
    let began = Instant::now();
    for _ in 0..ANSWERS {
        let exchange = client.send(&target, &delivery("{}", Transfer::Whole)).await;
        assert_eq!(status(&exchange.outcome), 200);
    }
    let took = began.elapsed();
    assert!(took < DELAY * ANSWERS / 2, "{ANSWERS} answers took {took:?}");
}
