//! Asks on a terminal, and takes the default elsewhere.

use tokio::io::{BufReader, Stdin, stdin};

use crate::budget::INPUT_LINE;
use crate::cli::console::Console;
use crate::cli::messages::init as messages;
use crate::error::Error;
use crate::subject::lines::{LineEnd, bounded_line};

/// A question with what may answer it.
pub(super) struct Question<'a> {
    /// The option that answers it.
    pub(super) option: &'static str,
    pub(super) text: String,
    /// What the command line says.
    pub(super) given: Option<&'a str>,
    pub(super) default: Option<&'a str>,
    /// What is wrong without an answer, if there is no default.
    pub(super) missing: Option<String>,
}

pub(super) struct Asker<'a> {
    /// The terminal, if questions are asked.
    input: Option<BufReader<Stdin>>,
    console: &'a mut Console,
}

impl<'a> Question<'a> {
    pub(super) fn new(option: &'static str, text: impl Into<String>, default: &'a str) -> Self {
        Self { option, text: text.into(), given: None, default: Some(default), missing: None }
    }

    /// The same, if the command line does not answer it.
    pub(super) fn or(self, given: Option<&'a str>) -> Self {
        Self { given, ..self }
    }
}

impl<'a> Asker<'a> {
    pub(super) fn new(asks: bool, console: &'a mut Console) -> Self {
        Self { input: asks.then(|| BufReader::new(stdin())), console }
    }

    pub(super) fn asks(&self) -> bool {
        self.input.is_some()
    }

    /// The answer. On a terminal, an invalid one is asked for again.
    ///
    /// Errors: what the command line says is invalid, there is neither an answer nor a default, or the input ends.
    pub(super) async fn answer<T>(
        &mut self,
        question: Question<'_>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        let Question { option, text, given, default, missing } = question;
        let wrong = |why: String| Error::Usage(messages::wrong_answer(option, &why));
        if let Some(given) = given {
            return parse(given).map_err(wrong);
        }
        let Some(input) = &mut self.input else {
            let default = default.ok_or_else(|| Error::Usage(missing.unwrap_or_default()))?;
            return parse(default).map_err(wrong);
        };
        let mut line = Vec::new();
        loop {
            self.console.prompt(&messages::asked(&text, default));
            match bounded_line(input, &mut line, INPUT_LINE).await {
                LineEnd::Whole => {}
                LineEnd::End => return Err(Error::Usage(messages::input_ended().to_owned())),
                LineEnd::TooLong => {
                    self.console.note(messages::line_too_long());
                    continue;
                }
            }
            let typed = String::from_utf8_lossy(&line);
            let answer = match (typed.trim(), default) {
                ("", Some(default)) => default,
                (typed, _) => typed,
            };
            match parse(answer) {
                Ok(answer) => return Ok(answer),
                Err(why) => self.console.note(&messages::again(&why)),
            }
        }
    }
}
