//! VER-13 and VER-14: only a signed POST is accepted.

use super::case::Case;
use super::forgery::{Forgery, LeftOut, Step};
use super::judge::rejects_all;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::Respect;
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::Delivery;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_13, VER_14];

const VER_13: Requirement = Requirement {
    id: "VER-13",
    title: "POST only",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/verification/method",
    text: "GET, PUT, PATCH and DELETE are rejected.",
    source: "D",
    why: "A receiver that answers 200 to every method looks healthy in a browser even if its webhook route is broken.",
    scenarios: &[&OTHER_METHOD],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::AcceptsOtherMethods,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-13.
const OTHER_METHOD: Scenario = Scenario::cases(
    "other-method",
    "correctly signed GET, PUT, PATCH and DELETE requests",
    |_| other_method(),
    &[],
);

fn other_method() -> Vec<Case> {
    let case = |method: &'static str| {
        let what = format!("a correctly signed {method} request");
        Case::forged_by(LeftOut::OtherMethod, what, Respect::Method, move |_, delivery, _| {
            method.clone_into(&mut delivery.method);
            Some(())
        })
    };
    ["GET", "PUT", "PATCH", "DELETE"].into_iter().map(case).collect()
}

const VER_14: Requirement = Requirement {
    id: "VER-14",
    title: "no back door",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/verification/back-door",
    text: "No other way in: `X-Forwarded-For`, `X-Real-IP` or `Forwarded` naming 127.0.0.1, \
          10.0.0.1 or 172.18.0.2; the secret itself in `Authorization: Bearer`, `X-Webhook-Secret`, \
          `X-Twenty-Webhook-Secret`, `X-Twenty-Webhook-Token`; an unsigned \"ping\" body.",
    source: "W",
    why: "Shortcuts for tests and proxies tend to stay in the code, and anyone can send a header that names an address.",
    scenarios: &[&BACK_DOOR],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::TrustsForwardedFor,
        ReceiverFault::AcceptsSecretAsHeader,
        ReceiverFault::AcceptsPing,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
        ReceiverFault::AcceptsMissingSignature,
        ReceiverFault::AcceptsMissingTimestamp,
    ]),
};

/// What is sent for VER-14.
pub(super) const BACK_DOOR: Scenario = Scenario::cases(
    "back-door",
    "unsigned deliveries with a header that names a local address, with the secret in a \
          header, and unsigned pings",
    |maker| back_door(maker.secret.expose()),
    &[],
);

fn back_door(secret: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded"] {
        for address in ["127.0.0.1", "10.0.0.1", "172.18.0.2"] {
            let value = if header == "Forwarded" { format!("for={address}") } else { address.to_owned() };
            let what = format!("an unsigned delivery with {header}: {value}");
            cases.push(unsigned_with(what, header, (header, value)));
        }
    }
    // A secret with other characters cannot be sent in a header.
    if secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        let with_secret = |which: &'static str, header: (&'static str, String)| {
            unsigned_with(format!("an unsigned delivery with the secret in {which}"), which, header)
        };
        let bearer = format!("Bearer {secret}");
        cases.push(with_secret("Authorization: Bearer", ("Authorization", bearer)));
        for header in ["X-Webhook-Secret", "X-Twenty-Webhook-Secret", "X-Twenty-Webhook-Token"] {
            cases.push(with_secret(header, (header, secret.to_owned())));
        }
    }
    let pings: [(_, &[u8]); 3] = [
        ("ping-event", b"{\"event\":\"ping\"}"),
        ("ping-type", b"{\"type\":\"ping\"}"),
        ("ping-member", b"{\"ping\":true}"),
    ];
    for (name, body) in pings {
        let steps =
            vec![Step::RemoveSignature, Step::RemoveTimestamp, Step::RemoveNonce, Step::SetBody(body)];
        let forgery = Forgery { name: name.into(), steps: steps.into() };
        cases.push(Case::forged("an unsigned ping", Respect::BackDoor("ping"), forgery));
    }
    cases
}

fn unsigned_with(what: String, which: &'static str, (header, value): (&'static str, String)) -> Case {
    Case::forged_by(LeftOut::OtherHeaders, what, Respect::BackDoor(which), move |_, delivery, _| {
        unsign(delivery);
        delivery.headers.set(header, value.clone());
        Some(())
    })
}

pub(super) fn unsign(delivery: &mut Delivery) {
    for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER] {
        delivery.headers.remove(name);
    }
}
