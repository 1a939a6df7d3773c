//! Values in each language, and templates that are filled once.

use super::{Heading, Language, common, escaped, filled, hexed, pytest, vitest};
use crate::report::case::Case;
use crate::report::case::expression::{Algorithm, Expression as E, Unit, Values, Which};
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Delivery, Headers};

#[test]
fn literals_have_no_character_that_ends_them() {
    assert_eq!(escaped("a\"b\\\n\tä".as_bytes(), '"').unwrap(), "a\\\"b\\\\\\n\\tä");
    assert_eq!(escaped(b"\xff", '"'), None);
    assert_eq!(escaped("\u{202e}".as_bytes(), '"'), None, "it would change how the code looks");
    assert_eq!(hexed(b"a\"\xff\0"), "a\\\"\\xff\\x00");
    assert_eq!(pytest::text(b"it's"), "\"it's\"");
    assert_eq!(vitest::text(b"it's"), "'it\\'s'");
}

#[test]
fn expressions_have_the_values_of_other_programs() {
    let values = Values {
        now_ms: 1_735_066_639_761,
        secret: "your-secret",
        control: (b"", b""),
        trial: (br#"{"event":"person.created"}"#, b"1735066639761"),
    };
    let value = |one: &E| String::from_utf8(one.value(&values).unwrap()).unwrap();
    let text = E::join(vec![
        E::Timestamp(Which::Trial),
        E::join(vec![E::fixed(b""), E::fixed(b":")]),
        E::Body(Which::Trial),
    ]);
    assert!(matches!(&text, E::Join(parts) if parts.len() == 3), "{text:?}");
    let signature = E::Hex(Box::new(E::Mac(Algorithm::Sha256, Box::new(E::Secret), Box::new(text))));
    // By OpenSSL.
    assert_eq!(value(&signature), "110f71afc0a39743d18099ed4cdf542b8571449f8d99562b4bc8c8919a383dab");
    assert_eq!(value(&E::Moved(Box::new(E::fixed(b"f")), 2)), "1");
    assert_eq!(value(&E::Time(-761, Unit::Seconds)), "1735066639");
    assert_eq!(value(&E::Time(0, Unit::Date)), "2024-12-24T18:57:19.761Z");
    let long = E::fixed(&[b"{".to_vec(), vec![b'x'; 1000], b"}".to_vec()].concat());
    assert!(matches!(&long, E::Join(parts) if parts[1] == E::Repeated(b'x', 1000)), "{long:?}");
}

#[test]
fn nothing_is_filled_into_what_was_filled_in() {
    let delivery = Delivery::new("POST", "/{steps}".to_owned(), Headers::default(), "{}".into());
    let case = Case::of_captured(delivery, &Secret::new("s3cr3t"), false, 1_735_066_639_761);
    let heading = Heading { requirement: None, url: "http://127.0.0.1:1/{steps}?a=$b", name: "a b" };
    let mut parts = vec![("steps", "{url}".to_owned())];
    parts.extend(common(Language::Curl, &heading, &case));
    let text = filled("{url} {steps} {name} {other} {", &parts);
    assert_eq!(text, "http://127.0.0.1:1/{steps\\}?a=\\$b {url} a_b {other} {");
    assert_eq!(Language::Pytest.file("VER-1"), "test_ver_1.py");
}
