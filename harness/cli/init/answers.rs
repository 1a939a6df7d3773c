//! What is asked, and what the answers must be.

use clap::ValueEnum;

use super::ask::{Asker, Question};
use super::detect::Found;
use super::{Arguments, RoleName, Service};
use crate::api::receiver::check_path;
use crate::api::suite::Dialect;
use crate::cli::messages;
use crate::cli::messages::init;
use crate::cli::options::GateLevel;
use crate::error::Error;
use crate::shell;
use crate::wire::client::Target;

/// Everything that the files depend on.
pub(super) struct Answers {
    pub(super) role: RoleName,
    pub(super) attached: Attached,
    /// The path of a started receiver.
    pub(super) path: Option<String>,
    pub(super) allow_remote: bool,
    pub(super) dialect: Dialect,
    pub(super) fail_on: GateLevel,
    pub(super) known_failures: Option<String>,
    pub(super) ci: Option<Ci>,
}

/// How what is checked is reached.
pub(super) enum Attached {
    Exec(String),
    /// A receiver's URL.
    Url(Target),
    /// A sender's control URL.
    Control(Target),
}

/// The file for CI.
pub(super) struct Ci {
    pub(super) service: Service,
    /// The command that starts what is at a URL.
    pub(super) start: Option<String>,
}

impl Answers {
    /// Asks for what the command line does not say.
    ///
    /// Errors: the command line contradicts itself, an answer on it is invalid, or one is missing.
    pub(super) async fn of(given: &Arguments, found: &Found, asker: &mut Asker<'_>) -> Result<Self, Error> {
        let usual = if given.control.is_some() { RoleName::Sender } else { RoleName::Receiver };
        let role = given.role.map(RoleName::as_str).or(given.control.as_ref().map(|_| "sender"));
        let role = asker
            .answer(Question { given: role, ..Question::new("ROLE", init::what(), usual.as_str()) }, choice)
            .await?;
        refuse_others(role, given)?;
        let attached = attached(role, given, found, asker).await?;
        let allow_remote = is_remote(&attached, given, asker).await?;
        let path = path(role, &attached, given, asker).await?;
        let dialect = name_of(given.dialect);
        let dialect = Question::new("--dialect", init::dialect(), "auto").or(dialect.as_deref());
        let dialect = asker.answer(dialect, choice).await?;
        let level = name_of(given.fail_on);
        let level = Question::new("--fail-on", init::level(), "must").or(level.as_deref());
        let fail_on = asker.answer(level, choice).await?;
        let known = given.known_failures.as_deref();
        let known = Question::new("--known-failures", init::known(), NONE).or(known);
        let known_failures = asker.answer(known, file).await?;
        let service = name_of(given.ci);
        let usual = found.ci.unwrap_or(NONE);
        // Without a terminal, only what was asked for is written.
        let usual = if asker.asks() { usual } else { NONE };
        let service = Question::new("--ci", init::service(), usual).or(service.as_deref());
        let service = asker.answer(service, optional::<Service>).await?;
        let ci = match service {
            Some(service) => Some(Ci { service, start: start(role, &attached, given, found, asker).await? }),
            None if given.ci_start.is_some() => {
                return Err(Error::Usage(init::start_without_ci().to_owned()));
            }
            None => None,
        };
        Ok(Self { role, attached, path, allow_remote, dialect, fail_on, known_failures, ci })
    }
}

/// The answer for nothing.
const NONE: &str = "none";

fn name_of<T: ValueEnum>(value: Option<T>) -> Option<String> {
    value.and_then(|value| value.to_possible_value()).map(|value| value.get_name().to_owned())
}

/// One of the values that an option has.
fn choice<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, true).map_err(|_| init::no_choice(text, &names::<T>()))
}

/// The same, or nothing.
fn optional<T: ValueEnum>(text: &str) -> Result<Option<T>, String> {
    if text == NONE {
        return Ok(None);
    }
    let names = || [names::<T>(), vec![NONE.to_owned()]].concat();
    T::from_str(text, true).map(Some).map_err(|_| init::no_choice(text, &names()))
}

fn names<T: ValueEnum>() -> Vec<String> {
    let values = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    values.map(|value| value.get_name().to_owned()).collect()
}

/// The path of a file, or nothing.
fn file(text: &str) -> Result<Option<String>, String> {
    match text {
        NONE => Ok(None),
        "" => Err(init::empty_path().to_owned()),
        _ if text.ends_with(std::path::is_separator) => Err(init::is_folder(text)),
        _ if text.contains(char::is_control) => Err(init::not_printable().to_owned()),
        _ => Ok(Some(text.to_owned())),
    }
}

/// Errors: an option of the other role is given.
fn refuse_others(role: RoleName, given: &Arguments) -> Result<(), Error> {
    match role {
        RoleName::Receiver if given.control.is_some() => {
            Err(Error::Usage(init::control_of_sender().to_owned()))
        }
        RoleName::Sender if given.url.is_some() => Err(Error::Usage(init::url_of_receiver().to_owned())),
        RoleName::Sender if given.path.is_some() => Err(Error::Usage(init::path_of_receiver().to_owned())),
        _ => Ok(()),
    }
}

async fn attached(
    role: RoleName,
    given: &Arguments,
    found: &Found,
    asker: &mut Asker<'_>,
) -> Result<Attached, Error> {
    let by_url = |url: &str| match role {
        RoleName::Receiver => Target::parse(url).map(Attached::Url),
        RoleName::Sender => Target::parse(url).map(Attached::Control),
    };
    let by_command = |text: &str| command(text).map(Attached::Exec);
    let url = given.url.as_deref().or(given.control.as_deref());
    if let Some(url) = url {
        let option = if given.url.is_some() { "--url" } else { "--control" };
        return by_url(url).map_err(|why| Error::Usage(init::wrong_answer(option, &why)));
    }
    let usual = found.command(role);
    let question = Question {
        default: usual.as_deref(),
        missing: Some(init::no_command(role.as_str())),
        ..Question::new("--exec", init::started(role.as_str()), "").or(given.exec.as_deref())
    };
    let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    let is_typed = given.exec.is_none();
    asker
        .answer(question, |text| if is_typed && is_url(text) { by_url(text) } else { by_command(text) })
        .await
}

/// A command that can be started without a shell.
fn command(text: &str) -> Result<String, String> {
    if text.contains(char::is_control) {
        return Err(init::not_printable().to_owned());
    }
    match shell::split(text) {
        Some(words) if !words.is_empty() => Ok(text.to_owned()),
        Some(_) => Err(init::empty_command().to_owned()),
        None => Err(init::open_quote().to_owned()),
    }
}

impl Attached {
    /// Where what already runs is.
    pub(super) fn target(&self) -> Option<&Target> {
        match self {
            Self::Exec(_) => None,
            Self::Url(target) | Self::Control(target) => Some(target),
        }
    }
}

/// Whether it is on another machine, which must be allowed.
async fn is_remote(attached: &Attached, given: &Arguments, asker: &mut Asker<'_>) -> Result<bool, Error> {
    let Some(target) = attached.target().filter(|target| !target.is_loopback()) else { return Ok(false) };
    let is_allowed = given.allow_remote
        || asker.asks() && {
            let question = Question::new("--allow-remote", init::allow_remote(&target.address()), "no");
            asker.answer(question, yes_or_no).await?
        };
    target.check_allowed(is_allowed).map_err(Error::Usage)?;
    Ok(true)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err(init::no_choice(text, &["yes".to_owned(), "no".to_owned()])),
    }
}

async fn path(
    role: RoleName,
    attached: &Attached,
    given: &Arguments,
    asker: &mut Asker<'_>,
) -> Result<Option<String>, Error> {
    match (role, attached) {
        (RoleName::Receiver, Attached::Exec(_)) => {
            let question = Question::new("--path", init::path(), "/").or(given.path.as_deref());
            let checked = |text: &str| {
                check_path(text).map(|()| text.to_owned()).map_err(|why| messages::wrong_path(&why))
            };
            asker.answer(question, checked).await.map(Some)
        }
        _ if given.path.is_some() => Err(Error::Usage(messages::path_with_url().to_owned())),
        _ => Ok(None),
    }
}

/// The command that starts in CI what is at a URL of this machine.
async fn start(
    role: RoleName,
    attached: &Attached,
    given: &Arguments,
    found: &Found,
    asker: &mut Asker<'_>,
) -> Result<Option<String>, Error> {
    let is_local = attached.target().is_some_and(Target::is_loopback);
    if !is_local {
        let refused = given.ci_start.is_some().then(|| Error::Usage(init::start_without_url().to_owned()));
        return refused.map_or(Ok(None), Err);
    }
    let usual = found.background(role);
    let question = Question {
        default: usual.as_deref(),
        missing: Some(init::no_start().to_owned()),
        ..Question::new("--ci-start", init::start(role.as_str()), "").or(given.ci_start.as_deref())
    };
    asker.answer(question, command).await.map(Some)
}
