//! `sender` with one that declares `https`: the authority it gets, and the report if it does not trust it.
//!
//! Invariant: each sender is the Python example with one change.

use std::fs;
use std::path::Path;

use super::program::{Ran, Report, finish, judged, twenty};
use crate::implementations::is_missing;

/// Runs the suite on the Python example with one change.
fn changed(from: &str, to: &str, further: &[&str]) -> (Ran, Report) {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/implementations/senders/python/sender.py");
    let source = fs::read_to_string(source).unwrap();
    assert_eq!(source.matches(from).count(), 1, "{from}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sender.py");
    fs::write(&file, source.replace(from, to)).unwrap();
    let command = format!("python3 {}", file.display());
    judged(["sender", "--exec", &command].into_iter().chain(further.iter().copied()))
}

/// The line in which the example trusts the authority.
const TRUSTS: &str = "trust.load_verify_locations(authority)";

#[test]
fn sender_gets_the_authority_in_hello_and_environment() {
    if is_missing("python3") {
        return;
    }
    let looks = "own = open(request['ca']).read(); \
                 check(os.environ['TWENTY_CONFORM_CA'] == request['ca'], 'other file'); \
                 check(own in open(os.environ['NODE_EXTRA_CA_CERTS']).read(), 'not for Node'); \
                 check(own in open(os.environ.get('SSL_CERT_FILE', request['ca'])).read(), 'not for OpenSSL')";
    let (ran, report) = changed(TRUSTS, &format!("{TRUSTS}; {looks}"), &["--run", "DLV-2"]);
    ran.expect(0);
    assert!(report.with("pass").contains("DLV-2"), "{report:?}");
    // Without HTTPS deliveries there is no authority.
    let none = "check('ca' not in request and 'TWENTY_CONFORM_CA' not in os.environ, 'it got an authority')";
    let (ran, _) =
        changed("    capabilities = [", &format!("    {none}\n    capabilities = ["), &["--run", "DLV-3"]);
    ran.expect(0);
}

#[test]
fn untrusted_authority_differs_from_no_delivery() {
    if is_missing("python3") {
        return;
    }
    let only = ["--run", "DLV-2", "--deadline", "1s"];
    let (ran, report) =
        changed(TRUSTS, "globals().update(trust=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))", &only);
    ran.expect(1).says(&[
        "over HTTPS, no delivery of person.updated reached the registered URL: the sender rejected the certificate",
    ]);
    assert_eq!(report.cause("DLV-2"), "send.lost");
    let (ran, _) = changed("if scheme == \"https\":", "if scheme == \"https\": return\n    if 0:", &only);
    ran.expect(1).says(&[
        "over HTTPS, no delivery of person.updated reached the registered URL: the sender did not connect",
    ]);
}

#[test]
fn no_certificates_of_the_system_are_needed() {
    // As in a container that has the program alone.
    let mut command = twenty(["demo", "--run", "DLV-1,DLV-2"]);
    command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
    finish(command).expect(0).says(&["must 2/2"]);
}
