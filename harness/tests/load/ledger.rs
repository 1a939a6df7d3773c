//! The ledger without a network: duplicated, lost and reordered deliveries, and how bodies are read.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use twenty_conform::bench::accounts::entry::{LedgerEntry, LedgerFault};
use twenty_conform::bench::accounts::envelope::{Envelope, Unreadable};
use twenty_conform::bench::accounts::ledger::{
    Defect, Identity, Ledger, MOST_WEBHOOKS, VerifiedArrival, WrongArrival,
};
use twenty_conform::bench::accounts::seen::Mark;
use twenty_conform::bench::generate::ids::{FIRST_PROBE, Ids, Numbered};
use twenty_conform::bench::measure::result::BenchResult;
use twenty_conform::bench::show::ledger as text;
use twenty_conform::redaction::Redaction;
use twenty_conform::webhook::dialect::{ALL, Context, DOCUMENTED, SHIPPED};
use twenty_conform::webhook::signature::Secret;

fn add(ledger: &mut Ledger, webhook: usize, identity: Identity<'_>) -> Option<Mark> {
    let what = format_args!("event");
    ledger.verified(&VerifiedArrival { webhook, identity, what, bytes: 10, at_ms: 1_735_066_639_761 })
}

fn entry(ledger: &Ledger) -> LedgerEntry {
    ledger.entry(true, &Redaction::new([&Secret::new("a-secret")]))
}

/// Asserts what is true of all accounts.
fn assert_adds_up(entry: &LedgerEntry) {
    assert_eq!(entry.received, entry.verified + entry.wrong, "{entry:?}");
    let sum = entry.distinct + entry.duplicated + entry.without_id + entry.untracked;
    assert_eq!(entry.verified, sum, "{entry:?}");
    assert_eq!(entry.wrong, entry.kinds.iter().map(|kind| kind.count).sum::<u64>());
    assert!(entry.webhooks.iter().map(|webhook| webhook.received).sum::<u64>() <= entry.received);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn counts_losses_duplicates_and_reordering(
        // Webhook, run and number of each arrival, in the order of arrival.
        arrivals in prop::collection::vec((0_usize..3, 0_u64..2, 0_u64..40), 0..200),
        far in prop::option::of(32_000_u64..70_000),
        foreign in any::<bool>(),
    ) {
        let mut ledger = Ledger::default();
        for path in ["/a", "/b", "/c"] {
            ledger.webhook(path.as_bytes());
        }
        let mut arrivals = arrivals;
        arrivals.extend(far.map(|number| (0, 0, number)));
        let (mut known, mut duplicated, mut out_of_order) = (HashMap::<_, BTreeSet<u64>>::new(), 0, 0);
        for &(webhook, run, number) in &arrivals {
            let run_id = Ids::of(run).run();
            let numbers = known.entry((webhook, run)).or_default();
            let late = numbers.last().is_some_and(|&last| number < last);
            let first = numbers.insert(number);
            duplicated += u64::from(!first);
            out_of_order += u64::from(first && late && !foreign);
            let id = number.to_string();
            let time = run.to_string();
            let identity = match foreign {
                false => Identity::Numbered(Numbered { run: run_id, number }),
                true => Identity::Other("\"person.updated\"", &id, Some(&time)),
            };
            let mark = add(&mut ledger, webhook, identity);
            let expected = if first { Mark::New { late: late && !foreign } } else { Mark::Again };
            prop_assert_eq!(mark, Some(expected));
        }
        let entry = entry(&ledger);
        assert_adds_up(&entry);
        let distinct: usize = known.values().map(BTreeSet::len).sum();
        let missing: u64 =
            known.values().filter_map(|all| Some(all.last()? + 1 - all.len() as u64)).sum();
        prop_assert_eq!(entry.distinct, distinct as u64);
        prop_assert_eq!(entry.duplicated, duplicated);
        prop_assert_eq!(entry.out_of_order, out_of_order);
        prop_assert_eq!(entry.first_duplicated.is_some(), duplicated > 0);
        for run in &entry.runs {
            let (webhook, seed) = known.keys().find(|(webhook, seed)| {
                ["/a", "/b", "/c"][*webhook] == run.webhook && format!("{:015x}", Ids::of(*seed).run()) == run.run
            }).unwrap();
            let numbers = &known[&(*webhook, *seed)];
            let missing = (0..run.highest).find(|number| !numbers.contains(number));
            prop_assert_eq!(run.first_missing.clone(), missing.map(|number| Ids::of(*seed).id(number)));
        }
        prop_assert_eq!(entry.lost, Some(if foreign { 0 } else { missing }));
    }
}

#[test]
fn two_updates_of_one_record_are_not_duplicates() {
    let mut ledger = Ledger::default();
    let webhook = ledger.webhook(b"/");
    for (event, id, time) in [("\"a.updated\"", "\"1\"", "\"t1\""), ("\"a.updated\"", "\"1\"", "\"t2\"")] {
        let mark = add(&mut ledger, webhook, Identity::Other(event, id, Some(time)));
        assert_eq!(mark, Some(Mark::New { late: false }));
    }
    assert_eq!(add(&mut ledger, webhook, Identity::None), None);
    let entry = entry(&ledger);
    assert_adds_up(&entry);
    assert_eq!((entry.verified, entry.distinct, entry.without_id), (3, 2, 1));
    assert!(entry.faults(&[]).is_empty());
}

#[test]
fn accepted_probes_leave_no_gap() {
    let mut ledger = Ledger::default();
    let webhook = ledger.webhook(b"/");
    let run = Ids::of(1).run();
    for number in [0, 1, FIRST_PROBE + 3, 2, FIRST_PROBE + 9, FIRST_PROBE + 3] {
        add(&mut ledger, webhook, Identity::Numbered(Numbered { run, number }));
    }
    let entry = entry(&ledger);
    assert_adds_up(&entry);
    assert_eq!((entry.lost, entry.duplicated, entry.out_of_order), (Some(0), 1, 0));
}

#[test]
fn distinguishes_a_million_deliveries() {
    // The benchmark measures the memory.
    let mut ledger = Ledger::default();
    let webhook = ledger.webhook(b"/");
    let run = Ids::of(1).run();
    for number in (0..1_000_000).filter(|number| number % 100_000 != 7) {
        add(&mut ledger, webhook, Identity::Numbered(Numbered { run, number }));
    }
    let entry = entry(&ledger);
    assert_eq!((entry.distinct, entry.lost, entry.out_of_order), (999_990, Some(10), 0));
    assert_eq!(entry.runs[0].highest, 999_999);
}

#[test]
fn remembers_deliveries_past_the_limits_of_pages_and_runs() {
    let mut ledger = Ledger::default();
    let webhook = ledger.webhook(b"/");
    // Numbers so far apart that each needs its own page.
    let run = Ids::of(1).run();
    for number in 0..10_000 {
        add(&mut ledger, webhook, Identity::Numbered(Numbered { run, number: number << 20 }));
    }
    // More runs than the limit.
    for seed in 0..2000 {
        add(&mut ledger, webhook, Identity::Numbered(Numbered { run: Ids::of(seed + 2).run(), number: 0 }));
    }
    let entry = entry(&ledger);
    assert_adds_up(&entry);
    assert_eq!((entry.distinct, entry.untracked), (12_000, 0), "they are remembered as hashes");
    assert!(entry.runs.len() <= 64);
}

#[test]
fn webhooks_past_the_limit_share_an_account() {
    let mut ledger = Ledger::default();
    for number in 0..2 * MOST_WEBHOOKS {
        let webhook = ledger.webhook(format!("/{number}").as_bytes());
        assert_eq!(webhook, number.min(MOST_WEBHOOKS));
        add(&mut ledger, webhook, Identity::None);
    }
    let entry = entry(&ledger);
    assert_adds_up(&entry);
    assert_eq!(entry.webhooks.len(), MOST_WEBHOOKS + 1);
    assert_eq!((entry.webhooks[MOST_WEBHOOKS].path.as_str(), entry.verified), ("(others)", 512));
}

#[test]
fn keeps_the_first_arrival_of_each_defect_without_the_secret() {
    let mut ledger = Ledger::default();
    let webhook = Some(ledger.webhook(b"/hook"));
    for (defect, request) in [
        (Defect::Signature, "POST /hook HTTP/1.1\r\nX-Key: a-secret\r\n\r\nfirst"),
        (Defect::Signature, "second"),
        (Defect::Shape, "third"),
    ] {
        ledger.wrong(&WrongArrival {
            webhook,
            defect,
            detail: "a-secret \u{1b}[31m",
            request: request.as_bytes(),
            bytes: request.len(),
            at_ms: 1_735_066_639_761,
        });
    }
    let long = [b'x'; 100_000];
    let at_ms = 1_735_066_639_761;
    ledger.wrong(&WrongArrival {
        webhook: None,
        defect: Defect::Malformed,
        detail: "",
        request: &long,
        bytes: long.len(),
        at_ms,
    });
    let entry = entry(&ledger);
    assert_adds_up(&entry);
    let kinds: Vec<_> = entry.kinds.iter().map(|kind| (kind.kind.as_str(), kind.count)).collect();
    assert_eq!(kinds, [("bad-signature", 2), ("wrong-shape", 1), ("malformed", 1)]);
    let first = entry.kinds[0].first.as_ref().unwrap();
    assert!(first.request.ends_with("[redacted]\r\n\r\nfirst"), "{first:?}");
    assert!(entry.kinds[2].first.as_ref().unwrap().request.len() < 4096);
    assert_eq!(entry.faults(&[]), [LedgerFault::Wrong]);
    assert!(entry.faults(&[LedgerFault::Wrong]).is_empty());
    let rendered = text::render(&entry);
    let plain = anstream::adapter::strip_str(&rendered).to_string();
    assert!(plain.contains("bad-signature × 2, answered 401") && plain.contains("at /hook"), "{plain}");
    assert!(!plain.contains('\u{1b}') && !plain.contains("a-secret"), "{plain}");
    assert_eq!(
        text::result_line(&entry, BenchResult::Fail),
        "RESULT: fail received 4 verified 0 wrong 4 duplicated 0 lost 0"
    );
}

#[test]
fn reads_every_sample_in_its_dialect() {
    for dialect in ALL {
        let context =
            Context { target_url: "http://x/", webhook_id: "w", workspace_id: "s", occurred_at_ms: 0 };
        for event in dialect.samples() {
            let body = dialect.render(&event.with_id("an-id"), &context);
            let read = Envelope::read(dialect, &body).unwrap_or_else(|why| panic!("{event:?}: {why:?}"));
            assert_eq!(read.event, format!("\"{}\"", event.name));
            assert_eq!(read.id_text(), Some("an-id"), "{}", event.name);
            assert!(read.time.is_some_and(|time| time.starts_with("\"1970-")), "{read:?}");
        }
    }
}

#[test]
fn names_what_is_wrong_with_a_body() {
    let shape = |text: &str| match Envelope::read(&DOCUMENTED, text.as_bytes()) {
        Err(Unreadable::Shape(why)) => why,
        other => panic!("{text}: {other:?}"),
    };
    for (text, words) in [
        ("[]", "not an object"),
        ("null", "not an object"),
        ("{}", "event is missing"),
        (r#"{"event":1,"data":{}}"#, "event has the type number, not text"),
        (r#"{"event":"x","data":{}}"#, "is not an event name"),
        (r#"{"event":".x","data":{}}"#, "is not an event name"),
        (r#"{"event":"a.b"}"#, "data is missing"),
        (r#"{"event":"a.b","data":[{"id":1}]}"#, "data has the type array, not object"),
        (r#"{"event":"a.b","data":"x\n"}"#, "data has the type text, not object"),
        (r#"{"event":"a.b","data":1e999}"#, "not an object"),
        (r#"{"event":"a.b","data":null}"#, "data has the type null, not object"),
        (r#"{"event":"a.b","data":true,"timestamp":""}"#, "data has the type boolean"),
        (r#"{"event":"a.b","data":{},"timestamp":5}"#, "timestamp has the type number, not text"),
    ] {
        assert!(shape(text).contains(words), "{text}: {}", shape(text));
    }
    for bytes in [b"{".as_slice(), b"", b"{\"event\":\"\xff\"}", b"\xef\xbb\xbf{}", b"{} {}", b"{'a':1}"] {
        assert_eq!(Envelope::read(&DOCUMENTED, bytes), Err(Unreadable::NotJson), "{bytes:?}");
    }
    let documented = br#"{"event":"a.b","data":{"id":7}}"#;
    assert_eq!(Envelope::read(&DOCUMENTED, documented).unwrap().id, Some("7"));
    assert!(
        matches!(Envelope::read(&SHIPPED, documented), Err(Unreadable::Shape(_))),
        "a body of the other dialect"
    );
}

#[test]
fn ignores_formatting_and_additional_members() {
    for (text, id) in [
        (
            r#" { "\u0065vent" : "a.b" , "x":[{"id":1}], "data" : { "n":{"id":2}, "i\u0064" : "k" } } "#,
            Some("k"),
        ),
        (r#"{"data":{"a":"\ud800"},"event":"a.b","timestamp":"t"}"#, None),
        (r#"{"event":"a.b","event":"c.d","data":{"id":"1","id":"2"}}"#, Some("2")),
    ] {
        let read = Envelope::read(&DOCUMENTED, text.as_bytes());
        let read = read.unwrap_or_else(|why| panic!("{text}: {why:?}"));
        assert_eq!(read.id_text(), id, "{text}");
    }
}
