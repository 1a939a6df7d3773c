//! Signatures, timestamps and bodies that a person copied wrong.

use twenty_conform::suite::cause::Code;

use super::{BODY, TIMESTAMP, of_body, sign, told};

#[test]
fn copied_signatures_are_told() {
    let right = sign(TIMESTAMP, BODY.as_bytes());
    let of = |signature: &str| {
        told(TIMESTAMP, signature, BODY.as_bytes()).map(|cause| cause.to_string()).unwrap_or_default()
    };
    let wrong = |what: &str| format!("capture.copied-wrong ({what})");
    let (begin, end) = right.split_at(30);
    let around = wrong("characters in or around the signature that do not belong to it");
    for signature in [
        format!("{begin} {end}"),
        format!("\"{right}\""),
        format!("{begin}\u{200b}{end}"),
        format!("{begin}\r\n {end}…"),
    ] {
        assert_eq!(of(&signature), around, "{signature}");
    }
    assert_eq!(of(&format!("{begin}{}", &end[1..])), wrong("digit 31 of the signature is missing"));
    assert_eq!(of(&format!("{right}0")), wrong("digit 65 of the signature is one too many"));
    assert_eq!(of(&format!("{right},{right}")), wrong("the signature is there twice"));
    assert_eq!(of(&right[..40]), wrong("only the first 40 digits of the signature"));
    assert_eq!(of(&right[24..]), wrong("only the last 40 digits of the signature"));
    // This is what some senders send.
    let cause = told(TIMESTAMP, &right[..32], BODY.as_bytes()).unwrap();
    assert_eq!((cause.code, cause.or.len()), (Code::DigestTruncated, 1));
    assert_eq!(of(&right[..6]), "");
    let swapped = told(&right, TIMESTAMP, BODY.as_bytes()).map(|cause| cause.to_string());
    assert_eq!(swapped, Some(wrong("signature and timestamp are exchanged")));
}

#[test]
fn timestamps_in_other_forms_are_told() {
    let right = sign(TIMESTAMP, BODY.as_bytes());
    for (timestamp, what) in [
        ("1,795,880,619,500", "characters in or around the timestamp that do not belong to it"),
        ("1795880619", "the timestamp is in seconds; 1795880619500 was signed"),
        ("1795880619.5", "the timestamp is a floating-point number; 1795880619500 was signed"),
        ("1.7958806195E+12", "the timestamp is a floating-point number; 1795880619500 was signed"),
        ("1795880619500000", "the timestamp is in microseconds; 1795880619500 was signed"),
        ("2026-11-28T15:43:39.500Z", "the timestamp is a date; 1795880619500 was signed"),
        ("2026-11-28T16:43:39+01:00", "the timestamp is a date; 1795880619500 was signed"),
        ("1759880619500", "digits 3 and 4 of the timestamp are exchanged"),
        ("179588061950", "digit 12 of the timestamp is missing"),
        ("17958806195000", "digit 12 of the timestamp is one too many"),
        ("1695880619501", "digits 2 and 13 of the timestamp are wrong"),
    ] {
        let cause = told(timestamp, &right, BODY.as_bytes()).map(|cause| cause.to_string());
        assert_eq!(cause, Some(format!("capture.copied-wrong ({what})")), "{timestamp}");
    }
}

#[test]
fn one_wrong_character_of_a_short_body_is_told() {
    for (captured, what) in [
        (BODY.replace("p-1", "p-7"), "is `7` instead of `1`"),
        (BODY.replace("Brien", "Brian"), "is `a` instead of `e`"),
        (BODY.replace("<Co>", "<C0>"), "is `0` instead of `o`"),
        (BODY.replace("Brien", "Bren"), "is missing"),
        (BODY.replace("Brien", "Briien"), "is one too many"),
        (BODY.replace("Brien", "Brein"), "are exchanged"),
    ] {
        let cause = of_body(BODY, captured.as_bytes());
        assert!(cause.starts_with("capture.copied-wrong (character") && cause.contains(what), "{cause}");
    }
}
