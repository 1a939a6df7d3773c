//! What a receiver is written with, and the line of code that fixes a cause there.
//!
//! It is told from the answers and from the command that started the receiver. Where these do not agree nothing is said, and
//! the general fix stands alone.

mod serving;
mod signing;
mod signs;

use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::Role;
use crate::suite::transcript::Transcript;
use crate::wire::exchange::Outcome;

/// The causes that lines of code fix, and the line for each framework or language.
type Row = (&'static [Code], &'static [(Stack, &'static str)]);

/// What a receiver is written with: a framework, or else the language alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stack {
    Express,
    Next,
    Fastify,
    FastApi,
    Flask,
    Django,
    Go,
    Php,
    Rails,
    Spring,
    /// A logic function of a Twenty application, which Twenty's server answers for.
    TwentyApp,
    /// Node.js without a known framework.
    Node,
    JavaScript,
    Python,
    Ruby,
    Java,
}

use Stack::{
    Django, Express, FastApi, Fastify, Flask, Go, Java, JavaScript, Next, Node, Php, Python, Rails, Ruby,
    Spring, TwentyApp,
};

impl Stack {
    /// Every framework and language that a receiver can be found to be written with.
    #[cfg(test)]
    const FOUND: [Self; 15] = [
        Express, Next, Fastify, FastApi, Flask, Django, Go, Php, Rails, Spring, TwentyApp, Node, Python,
        Ruby, Java,
    ];

    /// The language of a framework.
    fn language(self) -> Self {
        match self {
            Express | Next | Fastify | TwentyApp | Node | JavaScript => JavaScript,
            FastApi | Flask | Django | Python => Python,
            Rails | Ruby => Ruby,
            Spring | Java => Java,
            Go => Go,
            Php => Php,
        }
    }

    /// Whether a framework is of the language that the other one stands for, or runs on the other one.
    fn is_kind_of(self, other: Self) -> bool {
        let is_language = self != other
            && matches!(other, Node | Python | Ruby | Java)
            && self.language() == other.language();
        is_language || (self == TwentyApp && other == Express)
    }

    /// What the receiver of a run is written with. `command` is the command that started it, or its URL.
    pub(super) fn of(transcript: &Transcript, command: &str) -> Option<Self> {
        if transcript.role != Role::Receiver {
            return None;
        }
        let exchanges = transcript.exchanges.after(0);
        let answers = exchanges.iter().filter_map(|exchange| match &exchange.outcome {
            Outcome::Answered(answer) => Some(answer),
            _ => None,
        });
        let path = exchanges.first().map_or("", |exchange| &exchange.delivery.target);
        signs::told_by(answers, command, path)
    }

    /// The line of code that fixes a cause, if one helps.
    pub(super) fn line(self, cause: &Cause) -> Option<String> {
        let detail = cause.detail.as_deref().unwrap_or_default().to_ascii_lowercase();
        let line = match (code_of(cause), detail.as_str()) {
            (Code::AcceptsMalformed, "not utf-8") => self.its(serving::STRICT),
            (Code::AcceptsMalformed, "empty" | "truncated json" | "not json") => {
                self.its(lines_of(Code::CrashMalformedJson)?)
            }
            // The line is about the event's name.
            (Code::AcceptsMalformed, other) if other.starts_with("data is ") => None,
            (code, _) => self.its(lines_of(code)?),
        }?;
        // Both headers are looked up in the same way.
        let is_timestamp = detail.contains("timestamp") && !detail.contains("signature");
        let is_lookup = matches!(cause.code, Code::HeaderName | Code::HeaderDuplicate) && is_timestamp;
        Some(if is_lookup { of_timestamp(line) } else { line.to_owned() })
    }

    /// The line for this framework, or else for its language.
    fn its(self, lines: &[(Self, &'static str)]) -> Option<&'static str> {
        let of = |stack: Self| lines.iter().find(|(other, _)| *other == stack).map(|(_, line)| *line);
        of(self).or_else(|| of(self.language()))
    }
}

fn lines_of(code: Code) -> Option<&'static [(Stack, &'static str)]> {
    let mut rows = signing::LINES.iter().chain(serving::LINES);
    rows.find(|(codes, _)| codes.contains(&code)).map(|(_, lines)| *lines)
}

/// The code whose lines help. A key that is the text `undefined` is fixed as a default secret is.
fn code_of(cause: &Cause) -> Code {
    match cause.to_fix() {
        code if code.as_str() == "key.undefined" => Code::KeyOtherWebhook,
        code => code,
    }
}

/// The line for the timestamp's header instead of the signature's.
fn of_timestamp(line: &str) -> String {
    [
        ("Webhook-Signature", "Webhook-Timestamp"),
        ("webhook-signature", "webhook-timestamp"),
        ("_SIGNATURE", "_TIMESTAMP"),
    ]
    .iter()
    .fold(line.to_owned(), |line, (signature, timestamp)| line.replace(signature, timestamp))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    /// How long a line may be, so that it is not wrapped.
    const LONGEST: usize = 90;

    #[test]
    fn lines_are_short_and_in_ascii() {
        let strict: Row = (&[], serving::STRICT);
        let rows: Vec<&Row> = signing::LINES.iter().chain(serving::LINES).chain([&strict]).collect();
        for (at, (codes, lines)) in rows.iter().enumerate() {
            for (stack, line) in *lines {
                let shown = !line.trim().is_empty() && line.trim() == *line && line.len() <= LONGEST;
                let plain = line.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                assert!(shown && plain, "{stack:?}, {codes:?}: {} characters: {line}", line.len());
                let same = lines.iter().filter(|(other, _)| other == stack).count();
                assert_eq!(same, 1, "{stack:?} has two lines for {codes:?}");
            }
            let again = rows[at + 1..].iter().any(|(others, _)| codes.iter().any(|one| others.contains(one)));
            assert!(!again, "two rows for one of {codes:?}");
        }
    }

    #[test]
    fn usual_causes_have_a_line_in_every_framework() {
        for code in [
            Code::MessageBodyAlone,
            Code::MessageReserialised,
            Code::KeyHexDecoded,
            Code::KeyEmpty,
            Code::DigestEncoding,
            Code::DigestTrailing,
            Code::CrashSignatureLength,
            Code::CrashHeaderBytes,
            Code::HeaderName,
            Code::AcceptsEverything,
            Code::AcceptsUnsigned,
            Code::AcceptsStale,
            Code::AcceptsFuture,
            Code::AcceptsTimestampFormat,
            Code::AcceptsMalformed,
            Code::CrashMalformedJson,
            Code::RouteNotFound,
        ] {
            let cause = Cause::new(code);
            let without: Vec<Stack> =
                Stack::FOUND[..11].iter().copied().filter(|stack| stack.line(&cause).is_none()).collect();
            assert_eq!(without, [], "{}", code.as_str());
        }
        // Where no header is forwarded unless it is declared, that is what is missing most often.
        for code in [Code::RefusesEverything, Code::HeaderNotForwarded] {
            let with = Stack::FOUND.iter().filter(|stack| stack.line(&Cause::new(code)).is_some());
            assert_eq!(with.collect::<Vec<_>>(), [&TwentyApp]);
        }
    }

    #[test]
    fn a_language_alone_has_no_lines_of_a_framework() {
        let line = |stack: Stack, code| stack.line(&Cause::new(code));
        assert_eq!(line(Python, Code::MessageReserialised), None);
        assert_eq!(line(Java, Code::MessageReserialised), None);
        assert_eq!(line(Fastify, Code::AnswerNone), None);
        assert!(line(Node, Code::AnswerNone).is_some());
        assert_eq!(line(Express, Code::AcceptsStale), line(Node, Code::AcceptsStale));
        assert_ne!(line(Express, Code::MessageBodyAlone), line(Node, Code::MessageBodyAlone));
    }

    #[test]
    fn line_suits_the_body_that_was_accepted() {
        let line =
            |detail| Express.line(&Cause::detailed(Code::AcceptsMalformed, detail)).unwrap_or_default();
        assert!(line("not UTF-8").contains("fatal: true"));
        assert!(line("truncated JSON").contains("catch"));
        assert!(line("[]").contains("typeof name"));
        assert!(line("event is a number").contains("typeof name"));
        assert_eq!(line("data is a string"), "");
    }

    #[test]
    fn lookup_names_the_header_that_is_not_found() {
        let line = |stack: Stack, detail| stack.line(&Cause::detailed(Code::HeaderName, detail)).unwrap();
        assert!(line(Go, "X-Webhook-Timestamp").contains("\"X-Twenty-Webhook-Timestamp\""));
        assert!(line(Fastify, "x-timestamp").contains("\"x-twenty-webhook-timestamp\""));
        assert!(line(Php, "X-TIMESTAMP").contains("HTTP_X_TWENTY_WEBHOOK_TIMESTAMP"));
        assert!(line(Go, "X-Webhook-Signature").contains("\"X-Twenty-Webhook-Signature\""));
    }
}
