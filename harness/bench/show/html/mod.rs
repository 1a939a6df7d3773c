//! The report of a benchmark as one HTML file: the result with its reason, the key figures, charts, and what went wrong.
//!
//! It has the shell of the suite's own page, and needs no network. All text from outside is escaped. It contains no secret, as the
//! report has none.

mod axis;
mod chart;
mod comparison;
mod findings;
mod heading;
mod latency;
mod mark;
mod messages;
mod search;
mod table;

use maud::html;

use crate::bench::measure::report::BenchReport;
use crate::bench::show::text::result_line;
use crate::page::Page;
use crate::page::parts;
use crate::terminal::inert_with;

const STYLE: &str = include_str!("bench.css");
const SCRIPT: &str = include_str!("bench.js");

/// The report as a whole HTML file.
pub fn render(report: &BenchReport) -> String {
    let main = html! {
        (heading::heading(report))
        (findings::bounds(&report.thresholds))
        @if let Some(compared) = &report.comparison { (comparison::compared(compared)) }
        (findings::findings(report))
        @if let Some(found) = &report.search { (search::search(found)) }
        (latency::phases(&report.phases))
        (latency::distribution(report))
        (latency::over_time(&report.series))
        (parts::notes(&report.notes))
        (parts::result_line(&result_line(report)))
    };
    let title = messages::title(report);
    let page = Page { title: &title, kind: messages::kind(), style: STYLE, script: SCRIPT, main }.render();
    // As entities, which a browser shows as what they stand for.
    inert_with(&page, ("&#58;", "&#35;")).into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn script_does_not_end_its_element() {
        assert!(!super::SCRIPT.contains("</"));
    }
}
