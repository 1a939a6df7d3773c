//! Bounds, accepted probes, and answers that were not expected, with an example of each.

use maud::{Markup, html};

use super::messages;
use super::table::{Cell, table};
use crate::bench::measure::figures::ShownExchange;
use crate::bench::measure::objective::BoundCheck;
use crate::bench::measure::report::BenchReport;
use crate::bench::show::messages as said;
use crate::page::parts::word;
use crate::page::text;

pub(super) fn bounds(checks: &[BoundCheck]) -> Markup {
    let row = |check: &BoundCheck| {
        vec![
            Cell::of(html! { code { (text::line(&check.bound.to_string())) } }),
            Cell::figure(&check.shown()),
            if check.held { Cell::verdict("pass", "met") } else { Cell::verdict("fail", "not met") },
        ]
    };
    html! {
        @if !checks.is_empty() {
            section aria-labelledby="bounds" {
                h2 #bounds { "Bounds" }
                (table("Bounds", &["bound", "measured", "verdict"], checks.iter().map(row).collect()))
            }
        }
    }
}

pub(super) fn findings(report: &BenchReport) -> Markup {
    let probes = &report.probes;
    html! {
        @if probes.let_through > 0 {
            section aria-labelledby="probes" {
                h2 #probes { (messages::probes()) }
                p { (messages::sentence(&said::probes(probes.sent, probes.let_through))) }
                @for kind in probes.kinds.iter().filter(|kind| kind.let_through > 0) {
                    div.found {
                        p { span.word data-verdict="fail" { "accepted" } " " (text::line(&said::accepted_probes(kind))) }
                        @if let Some(exchange) = &kind.exchange { (shown(exchange)) }
                    }
                }
            }
        }
        @if !report.unexpected.is_empty() {
            section aria-labelledby="unexpected" {
                h2 #unexpected { (messages::unexpected(report.role)) }
                @for found in &report.unexpected {
                    div.found {
                        p {
                            span.word data-verdict="fail" { (text::line(&found.kind)) " × " (found.count) }
                            " " (text::block(&found.text))
                        }
                        (shown(&found.exchange))
                    }
                }
            }
        }
    }
}

fn shown(exchange: &ShownExchange) -> Markup {
    let parts = [
        (messages::sent(), &exchange.request, said::nothing_sent()),
        (messages::answered(), &exchange.answer, said::no_answer()),
    ];
    html! {
        details.more {
            summary { (word(&said::first_example(exchange.at_ms))) }
            @for (name, part, if_empty) in parts {
                h4 { (name) }
                pre.raw tabindex="0" role="group" aria-label=(name) { (text::block(if part.is_empty() { if_empty } else { part })) }
            }
        }
    }
}
