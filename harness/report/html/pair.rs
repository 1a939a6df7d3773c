//! Two deliveries next to each other: one that was accepted and one that shows the failure, with the bytes marked that differ.

use bytes::Bytes;
use maud::{Markup, html};

use super::diff::{Piece, pieces};
use super::messages;
use super::room::Room;
use crate::page::text;
use crate::terminal;
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::{Delivery, Exchange};

/// How many equal bytes are shown before and after a difference.
const CONTEXT: usize = 32;
/// Equal parts up to this length are shown whole.
const SHORT: usize = 100;
/// How many differing parts of a body are shown.
const PLACES: usize = 24;

/// A line of the head in both deliveries; `None` where one lacks it.
struct Line<'a> {
    name: &'a str,
    control: Option<Vec<u8>>,
    failing: Option<Vec<u8>>,
}

impl Line<'_> {
    fn differs(&self) -> bool {
        self.control != self.failing
    }

    /// Whether every delivery has its own value here, so that a difference says nothing alone.
    fn is_own(&self) -> bool {
        let is = |name: &str| self.name.eq_ignore_ascii_case(name);
        let (Some(control), Some(failing)) = (&self.control, &self.failing) else { return false };
        let are_all = |of: fn(u8) -> bool| control.iter().chain(failing).all(|byte| of(*byte));
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        control.len() == failing.len()
            && (is(TIMESTAMP_HEADER) && are_all(|byte| byte.is_ascii_digit())
                || is(NONCE_HEADER)
                || is(SIGNATURE_HEADER) && control.len() == 64 && are_all(is_hex))
    }
}

/// The comparison of an accepted control with the delivery that shows the failure.
pub(super) fn pair(control: &Exchange, failing: &Exchange, room: Room) -> Markup {
    let lines = lines(&control.delivery, &failing.delivery);
    let (old, new) = (&control.delivery.body, &failing.delivery.body);
    // If nothing else differs, the own values are what matters.
    let others_differ = old != new || lines.iter().any(|line| line.differs() && !line.is_own());
    let body = pieces(old, new);
    let is_own = |line: &Line<'_>| others_differ && line.differs() && line.is_own();
    html! {
        div.pair {
            table {
                caption.unseen { (messages::minimal_pair()) }
                thead { tr {
                    th scope="col" { span.unseen { "Part" } }
                    th.a scope="col" { (messages::control(control.id, &control.outcome)) }
                    th.b scope="col" { (messages::failing(failing.id, &failing.outcome)) }
                } }
                tbody {
                    @for line in &lines {
                        tr.own[is_own(line)] { (row(line, room, is_own(line))) }
                    }
                    @if old == new {
                        (equal_body(old, room))
                    } @else {
                        tr {
                            th scope="row" { "body" }
                            td data-side=(messages::in_control()) { (side(old, &body, room, &Side::Control)) }
                            td data-side=(messages::in_failing()) { (side(new, &body, room, &Side::Failing)) }
                        }
                    }
                }
            }
            @if lines.iter().any(is_own) {
                p.small.dim { (messages::own_values()) }
            }
        }
    }
}

fn row(line: &Line<'_>, room: Room, is_own: bool) -> Markup {
    let absent = |class: &str| html! { mark class=(class) { em { (messages::absent()) } } };
    let (control, failing) = match (&line.control, &line.failing) {
        (Some(control), Some(failing)) if control == failing => {
            return html! {
                th scope="row" { (text::line(line.name)) }
                td.same colspan="2" { (clipped(control, room)) }
            };
        }
        (Some(control), Some(failing)) if is_own => (clipped(control, room), clipped(failing, room)),
        (Some(control), Some(failing)) => {
            let pieces = pieces(control, failing);
            (side(control, &pieces, room, &Side::Control), side(failing, &pieces, room, &Side::Failing))
        }
        (control, failing) => (
            control.as_ref().map_or_else(|| absent("a"), |value| html! { mark.a { (clipped(value, room)) } }),
            failing.as_ref().map_or_else(|| absent("b"), |value| html! { mark.b { (clipped(value, room)) } }),
        ),
    };
    html! {
        th scope="row" { (text::line(line.name)) }
        td data-side=(messages::in_control()) { (control) }
        td data-side=(messages::in_failing()) { (failing) }
    }
}

fn equal_body(body: &[u8], room: Room) -> Markup {
    let all = Piece { is_equal: true, old: 0..body.len(), new: 0..body.len() };
    html! {
        tr {
            th scope="row" { "body" }
            td.same colspan="2" {
                @if body.is_empty() { em.dim { (messages::empty_body()) } }
                @else { (side(body, &[all], room, &Side::Failing)) }
            }
        }
    }
}

/// The lines of both heads in one order: the request line, how the body is transferred if that is unusual, the headers.
fn lines<'a>(control: &'a Delivery, failing: &'a Delivery) -> Vec<Line<'a>> {
    let first = |delivery: &Delivery| Some(format!("{} {}", delivery.method, delivery.target).into_bytes());
    let mut lines = vec![Line { name: "request", control: first(control), failing: first(failing) }];
    if control.transfer != failing.transfer {
        let words = |delivery: &Delivery| {
            let unusual = messages::transfer(&delivery.transfer);
            Some(unusual.unwrap_or_else(|| messages::sent_whole().to_owned()).into_bytes())
        };
        lines.push(Line { name: "transfer", control: words(control), failing: words(failing) });
    }
    // The same header is compared wherever it is: its place says nothing.
    let mut rest: Vec<Option<&(String, Bytes)>> = control.headers.0.iter().map(Some).collect();
    for (name, failing) in &failing.headers.0 {
        let is_same =
            |one: &Option<&(String, Bytes)>| one.is_some_and(|(other, _)| other.eq_ignore_ascii_case(name));
        let control = rest.iter().position(is_same).and_then(|at| rest[at].take());
        // The spelling of a name can be all that differs.
        let is_spelled = control.is_none_or(|(other, _)| other == name);
        let value = |name: &str, value: &[u8]| match is_spelled {
            true => value.to_vec(),
            false => [name.as_bytes(), b": ", value].concat(),
        };
        let control = control.map(|(other, control)| value(other, control));
        lines.push(Line { name, control, failing: Some(value(name, failing)) });
    }
    for (name, control) in rest.into_iter().flatten() {
        lines.push(Line { name, control: Some(control.to_vec()), failing: None });
    }
    lines
}

/// Which of the two deliveries is shown.
enum Side {
    Control,
    Failing,
}

/// One side with its differing parts marked and long equal parts left out.
fn side(bytes: &[u8], pieces: &[Piece], room: Room, which: &Side) -> Markup {
    let mut left = room.compared;
    let last = pieces.len().saturating_sub(1);
    let differing = pieces.iter().filter(|piece| !piece.is_equal).count();
    let class = match which {
        Side::Control => "a",
        Side::Failing => "b",
    };
    let mut shown = 0;
    let mut omitted = 0;
    html! {
        span.bytes {
            @for (at, piece) in pieces.iter().enumerate() {
                @let part = &bytes[match which { Side::Control => piece.old.clone(), Side::Failing => piece.new.clone() }];
                @if left == 0 || shown >= PLACES {
                    ({ omitted += part.len(); "" })
                } @else if piece.is_equal {
                    (equal(part, (at == 0, at == last), &mut left))
                } @else {
                    ({ shown += 1; "" })
                    mark class=(class) { (marked(part, &mut left)) }
                }
            }
            @if omitted > 0 {
                span.cut { (messages::more_bytes(omitted)) @if shown < differing { (messages::more_places(differing - shown)) } }
            }
        }
    }
}

/// An equal part: its beginning and end if it is long, as far as they are next to a difference.
fn equal(part: &[u8], (is_first, is_last): (bool, bool), left: &mut usize) -> Markup {
    // The only part: there is no difference to show.
    let most = if is_first && is_last { *left } else { SHORT.min(*left) };
    if part.len() <= most {
        *left -= part.len();
        return html! { (plain(part)) };
    }
    let begin = if is_first && !is_last {
        0
    } else if is_first {
        most
    } else {
        CONTEXT
    };
    let end = if is_last { 0 } else { CONTEXT };
    let (begin, end) = (boundary(part, begin), boundary(part, part.len() - end.min(part.len())));
    *left = left.saturating_sub(begin + part.len() - end);
    html! {
        (plain(&part[..begin]))
        span.cut { (messages::equal_bytes(end - begin)) }
        (plain(&part[end..]))
    }
}

/// A differing part, in which white space is visible.
fn marked(part: &[u8], left: &mut usize) -> Markup {
    let end = if part.len() > *left { boundary(part, *left) } else { part.len() };
    *left -= end.min(*left);
    let shown = terminal::text(&part[..end]).replace('\t', "\u{2192}\t").replace('\n', "\u{21b5}\n");
    html! {
        (text::whole(&shown)) @if shown.ends_with('\n') { "\n" }
        @if end < part.len() { span.cut { (messages::more_bytes(part.len() - end)) } }
    }
}

fn plain(part: &[u8]) -> Markup {
    let shown = terminal::text(part);
    html! { (text::whole(&shown)) @if shown.ends_with('\n') { "\n" } }
}

/// A value without marks, cut to the room.
fn clipped(value: &[u8], room: Room) -> Markup {
    html! { span.bytes { (marked(value, &mut room.compared.clone())) } }
}

/// This position, or the beginning of the character that it is in.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    (at.saturating_sub(3)..=at).rev().find(|at| !continues(at)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::lines;
    use crate::wire::exchange::{Delivery, Headers};

    fn with(headers: &[(&str, &str)]) -> Delivery {
        let bytes = |value: &str| Bytes::copy_from_slice(value.as_bytes());
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), bytes(value))).collect();
        Delivery::new("POST", "/", Headers(headers), Bytes::new())
    }

    #[test]
    fn headers_are_compared_by_name_wherever_they_are() {
        let control = with(&[("A", "1"), ("B", "2"), ("C", "3"), ("D", "4")]);
        let failing = with(&[("b", "2"), ("A", "1"), ("A", "5"), ("D", "6")]);
        let shown = |value: &Option<Vec<u8>>| {
            value.as_ref().map_or_else(|| "-".to_owned(), |value| String::from_utf8_lossy(value).into_owned())
        };
        let found: Vec<String> = lines(&control, &failing)
            .iter()
            .map(|line| format!("{} {} {}", line.name, shown(&line.control), shown(&line.failing)))
            .collect();
        let expected = ["request POST / POST /", "b B: 2 b: 2", "A 1 1", "A - 5", "D 4 6", "C 3 -"];
        assert_eq!(found, expected);
    }
}
