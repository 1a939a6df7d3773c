//! The cost of one signature by the size of the body: to sign, to verify a valid and a wrong one, and to search for the cause of
//! a wrong one.
//!
//! Two cases are for comparison within the same run: `floor` is a plain SHA-256 of the same bytes, the lower limit of any
//! signature. `ring` is the same signature made by another library.
//!
//! It shows whether signing or verifying got slower, and from which size hashing dominates. It does not show the cost of a
//! delivery, because it looks up no header, parses no JSON and opens no socket. It cannot detect a timing leak: the comparison
//! of 32 bytes is lost in the noise of hashing.
//!
//! Key setup is not measured.

#![allow(clippy::unwrap_used, reason = "a benchmark stops when it cannot continue")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use twenty_conform::suite::cause::sender::signature as cause;
use twenty_conform::webhook::dialect::{Context, DOCUMENTED};
use twenty_conform::webhook::signature::{Key, Secret};

const SIZES: [(&str, usize); 5] =
    [("200B", 200), ("1KiB", 1 << 10), ("16KiB", 16 << 10), ("256KiB", 256 << 10), ("1MiB", 1 << 20)];
const SECRET: &str = "Aa6b2D9c41f0Ee73b85c0D1a2F3b4C5d6E7f8091a2B3c4D5e6F708192a3B4c5D";
const TIMESTAMP: &[u8] = b"1735066639761";

/// A body with a valid and a wrong signature.
struct Signed {
    label: &'static str,
    body: Bytes,
    valid: Vec<u8>,
    wrong: Vec<u8>,
}

impl Signed {
    fn new(key: &Key, (label, size): (&'static str, usize)) -> Self {
        let body = body(size);
        let valid = key.sign(TIMESTAMP, &body).to_hex().into_bytes();
        let mut wrong = valid.clone();
        // Well-formed and wrong only in the last digit, so that nothing can be rejected early.
        let last = wrong.last_mut().unwrap();
        *last = if *last == b'0' { b'1' } else { b'0' };
        Self { label, body, valid, wrong }
    }
}

/// The smallest sample event, a deleted note, filled up to `size` bytes with text.
fn body(size: usize) -> Bytes {
    let sample = DOCUMENTED.sample("note.deleted").unwrap();
    let filled = |text: String| {
        let event = sample.edit(|note| {
            let members = note.as_object_mut().unwrap();
            members.remove("createdBy"); // with it, even this sample exceeds 200 bytes
            members.insert("body".to_owned(), Value::from(text));
        });
        let context =
            Context { target_url: "", webhook_id: "", workspace_id: "", occurred_at_ms: 1_735_066_639_000 };
        DOCUMENTED.render(&event, &context)
    };
    let missing = size - filled(String::new()).len();
    let body = filled("Call back. ".chars().cycle().take(missing).collect());
    assert_eq!(body.len(), size);
    body
}

/// Measures one operation at each size.
fn by_size<T>(criterion: &mut Criterion, name: &str, all: &[Signed], operation: impl Fn(&Signed) -> T) {
    let mut group = criterion.benchmark_group(name);
    for one in all {
        group.throughput(Throughput::Bytes(one.body.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(one.label), one, |bencher, one| {
            bencher.iter(|| operation(black_box(one)));
        });
    }
    group.finish();
}

/// A signature as written into the header.
fn hex(key: &Key, one: &Signed) -> [u8; 64] {
    let mut digits = [0; 64];
    key.sign(TIMESTAMP, &one.body).write_hex(&mut digits);
    digits
}

/// The same signature made by ring.
fn ring_hex(key: &ring::hmac::Key, one: &Signed) -> [u8; 64] {
    let mut context = ring::hmac::Context::with_key(key);
    for part in [TIMESTAMP, b":", &one.body] {
        context.update(part);
    }
    let mut digits = [0; 64];
    const_hex::encode_to_slice(context.sign(), &mut digits).unwrap();
    digits
}

fn signing(criterion: &mut Criterion) {
    let key = Key::new(&Secret::new(SECRET));
    let all = SIZES.map(|size| Signed::new(&key, size));
    let verify = |one: &Signed| key.verify(TIMESTAMP, &one.body, &one.valid);
    let refuse = |one: &Signed| key.verify(TIMESTAMP, &one.body, &one.wrong);
    // Measuring the wrong path would give plausible figures too.
    assert!(all.iter().all(|one| verify(one) && !refuse(one)), "a signature is judged wrongly");
    by_size(criterion, "sign", &all, |one| hex(&key, one));
    by_size(criterion, "floor", &all, |one| Sha256::digest(&one.body));
    let other = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    assert!(all.iter().all(|one| ring_hex(&other, one) == one.valid[..]), "ring signs differently");
    by_size(criterion, "ring", &all, |one| ring_hex(&other, one));
    by_size(criterion, "verify", &all, verify);
    by_size(criterion, "refuse", &all, refuse);
    // No known cause gives the wrong signature, so the search tries every recipe.
    let search = |one: &Signed| cause(SECRET, &[], TIMESTAMP, &one.body, &one.wrong);
    assert!(all.iter().all(|one| search(one).is_none()), "the search ends early");
    by_size(criterion, "search", &all[..3], search);
}

criterion_group!(benches, signing);
criterion_main!(benches);
