//! The command line: its options, what commands share, and how each command ends with an exit status.
//!
//! Invariant: only this module and its commands print. Only they and the public API read the environment, the clock and
//! randomness; they read them at start and pass the values on.

mod attach;
mod bench;
mod captures;
mod catalogue;
mod completions;
mod config;
mod console;
mod demo;
mod describe;
mod diff;
mod doctor;
mod environment;
mod explain;
mod failure;
mod github;
mod grammar;
mod headings;
mod init;
mod keyboard;
mod known;
mod last_run;
mod launch;
mod list;
mod listen;
mod live;
mod man;
mod marked;
mod merge;
mod messages;
mod mismatch;
mod options;
mod outputs;
mod plan;
mod progress;
mod project;
mod receiver;
mod rejudge;
mod replay;
mod report;
mod reports;
mod saved;
mod secret_file;
mod send;
mod sender;
mod serve;
mod sign;
mod signals;
mod skills;
mod target;
mod trust;
mod twenty;
mod usage;
mod values;
mod vectors;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::Error;
use crate::exit::ExitStatus;
use crate::subject::process::end_all;
use crate::webhook::signature::Secret;
use config::{Line, Surroundings};
use console::{ColorChoice, Console};
pub use environment::OF_AGENTS;
use headings::{CONFIGURATION, OUTPUT};
use messages::help;

/// Test your Twenty webhook sender or receiver against the documentation
#[derive(Debug, Parser)]
#[command(name = "twenty-conform", version, max_term_width = 100)]
#[command(disable_help_flag = true, disable_version_flag = true, disable_help_subcommand = true)]
#[command(after_help = help::PROGRAM, after_long_help = help::program())]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Colour the output; NO_COLOR and CLICOLOR_FORCE are respected
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    #[arg(help_heading = OUTPUT, display_order = 1000)]
    color: ColorChoice,
    /// Read defaults from FILE, not from the twenty-conform.toml in this folder or the nearest above; `none` reads no file
    #[arg(long, global = true, value_name = "FILE", help_heading = CONFIGURATION, display_order = 990)]
    config: Option<PathBuf>,
    /// Use the profile of this name in the file too
    #[arg(long, global = true, value_name = "NAME", help_heading = CONFIGURATION, display_order = 991)]
    profile: Option<String>,
    /// Print the value of every option and where it comes from, and do nothing else
    #[arg(long, global = true, help_heading = CONFIGURATION, display_order = 992)]
    print_config: bool,
    /// Print help; -h is short, --help is complete
    #[arg(short, long, global = true, action = ArgAction::Help, help_heading = OUTPUT, display_order = 1001)]
    help: Option<bool>,
    /// Whether errors are JSON too.
    #[arg(skip)]
    json_errors: bool,
    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = OUTPUT, display_order = 1002)]
    version: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every check on the built-in sender and receiver
    #[command(after_long_help = help::with_statuses(help::DEMO))]
    Demo(demo::Arguments),
    /// Test a receiver, by its URL or by a command that starts it
    #[command(after_long_help = help::with_statuses(help::RECEIVER))]
    Receiver(receiver::Arguments),
    /// Check what surrounds a receiver or a Twenty before a run: address, TLS, proxy, key, clock, limits
    #[command(after_long_help = help::with(help::DOCTOR, help::OF_DOCTOR))]
    Doctor(doctor::Arguments),
    /// Test a sender, by a command, a control URL or recorded deliveries, or a Twenty by its API
    #[command(after_long_help = help::with_statuses(help::SENDER))]
    Sender(sender::Arguments),
    /// Judge deliveries as they arrive from any sender
    #[command(after_long_help = help::with(help::LISTEN, help::OF_LISTEN))]
    Listen(listen::Arguments),
    /// Measure speed and correctness under signed load
    #[command(after_long_help = help::BENCH)]
    Bench(bench::Arguments),
    /// Send failures of a run, or a captured request, again and judge the answers
    #[command(after_long_help = help::with(messages::replay::REPLAY, messages::replay::OF_REPLAY))]
    Replay(replay::Arguments),
    /// Judge a saved run again from its exchanges, and compare the verdicts with its own
    #[command(after_long_help = help::with(help::REJUDGE, help::OF_REJUDGE))]
    Rejudge(rejudge::Arguments),
    /// Render a saved run again, in any format
    #[command(after_long_help = help::with(messages::saved::REPORT, messages::saved::OF_REPORT))]
    Report(report::Arguments),
    /// Compare two saved runs
    #[command(after_long_help = help::with(messages::saved::DIFF, messages::saved::OF_DIFF))]
    Diff(diff::Arguments),
    /// Join the shards of a run into one report
    #[command(after_long_help = help::with_statuses(messages::saved::MERGE))]
    Merge(merge::Arguments),
    /// Check or correct a list of known failures
    #[command(after_long_help = help::KNOWN)]
    Known(known::Arguments),
    /// Run the reference receiver or sender
    #[command(after_long_help = help::SERVE)]
    Serve(serve::Arguments),
    /// Send one signed delivery
    #[command(after_long_help = help::with(help::SEND, help::OF_SEND))]
    Send(send::Arguments),
    /// Compute the signature headers of a body, or make a delivery for a test
    #[command(after_long_help = messages::sign::SIGN)]
    Sign(sign::Arguments),
    /// Verify a captured request and name the cause of a mismatch
    #[command(after_long_help = help::with(help::VERIFY, help::OF_VERIFY))]
    Verify(verify::Arguments),
    /// Write test vectors for programs in any language, or check such files
    #[command(after_long_help = messages::vectors::VECTORS)]
    Vectors(vectors::Arguments),
    /// List the requirements and their checks
    #[command(after_long_help = help::LIST)]
    List(list::Arguments),
    /// Explain a requirement, a check or a cause
    #[command(after_long_help = help::EXPLAIN)]
    Explain(explain::Arguments),
    /// Write a configuration file, and a file for CI
    #[command(after_long_help = help::with(messages::init::INIT, messages::init::OF_INIT))]
    Init(Box<init::Arguments>),
    /// Print the completions of a shell
    #[command(after_long_help = messages::man::COMPLETIONS)]
    Completions(completions::Arguments),
    /// Write a manual page for each command
    #[command(after_long_help = help::with(messages::man::MAN, messages::man::OF_MAN))]
    Man(man::Arguments),
    /// Tell coding agents how to use the suite, in a skill file of the project
    #[command(after_long_help = messages::skills::SKILLS)]
    Skills(skills::Arguments),
    /// Print the help of a command, or of all commands as JSON for programs
    #[command(after_long_help = help::HELP)]
    Help(describe::Arguments),
}

/// The command line as clap parses it, with every command that help shows.
pub fn declared() -> clap::Command {
    grammar::declared()
}

/// Whether this process is the watchdog of another; it has then done its work.
pub fn is_watchdog(arguments: impl IntoIterator<Item = OsString>) -> bool {
    #[cfg(unix)]
    {
        use crate::subject::process::watchdog::{ARGUMENT, keep_watch};
        let mut arguments = arguments.into_iter().skip(1);
        if arguments.next().is_some_and(|first| first == ARGUMENT) {
            let marks = arguments.next().unwrap_or_default();
            keep_watch(std::io::stdin().lock(), &marks.to_string_lossy());
            return true;
        }
    }
    #[cfg(not(unix))]
    drop(arguments);
    false
}

/// Parses the command line, with what the environment and the configuration add.
///
/// Errors: it asks for help or for the configuration, or is wrong; the text has been printed.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, ExitStatus> {
    let command = grammar::parsed();
    let folder = std::env::current_dir().unwrap_or_default();
    let around = Surroundings { variable: &|name| std::env::var_os(name), folder: &folder };
    let given: Vec<OsString> = arguments.into_iter().collect();
    let json_errors = failure::is_json(&given);
    let mut console = Console::new(ColorChoice::Auto);
    let line = Line::complete(given, &command, &around).map_err(|why| {
        failure::tell(&why.to_string(), why.exit_status(), json_errors, &mut console);
        why.exit_status()
    })?;
    if let Some(text) = line.printed {
        environment::warnings(&command).iter().for_each(|warning| console.note(warning));
        line.secrets.into_iter().for_each(|secret| console.redact(&Secret::new(secret)));
        return Err(console.print(&text).map_or_else(|why| why.exit_status(), |()| ExitStatus::Passed));
    }
    let parsed = parsed(command, &line.arguments).map_err(|why| {
        usage::print(&why, &line.arguments);
        if !why.use_stderr() {
            return ExitStatus::Passed;
        }
        if json_errors {
            failure::print(&usage::first_line(&why, &line.arguments), ExitStatus::Usage);
        }
        github::tell_error(&usage::first_line(&why, &line.arguments), &mut console);
        line.origins(&why.to_string()).iter().for_each(|origin| console.note(origin));
        ExitStatus::Usage
    });
    parsed.map(|parsed| Arguments { json_errors, ..parsed })
}

fn parsed(command: clap::Command, arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let mut command = command;
    let matches = command.try_get_matches_from_mut(arguments)?;
    Arguments::from_arg_matches(&matches).map_err(|why| why.format(&mut command))
}

/// Runs a command. Errors are printed on stderr and decide the status.
pub fn run(arguments: Arguments) -> ExitStatus {
    let mut console = Console::new(arguments.color);
    environment::own_processes();
    environment::warnings(&Arguments::command()).iter().for_each(|warning| console.note(warning));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(dispatch(arguments.command, &mut console));
            // An unfinished read of stdin must not keep the process alive.
            runtime.shutdown_background();
            end_all();
            result
        }
        Err(why) => Err(Error::Harness(messages::runtime_not_started(why))),
    };
    result.unwrap_or_else(|error| {
        failure::tell(&error.to_string(), error.exit_status(), arguments.json_errors, &mut console);
        error.exit_status()
    })
}

async fn dispatch(command: Command, console: &mut Console) -> Result<ExitStatus, Error> {
    match command {
        Command::Demo(arguments) => demo::run(arguments, console).await,
        Command::Receiver(arguments) => receiver::run(arguments, console).await,
        Command::Doctor(arguments) => doctor::run(arguments, console).await,
        Command::Sender(arguments) => sender::run(arguments, console).await,
        Command::Listen(arguments) => listen::run(arguments, console).await,
        Command::Bench(arguments) => bench::run(arguments, console).await,
        Command::Replay(arguments) => replay::run(arguments, console).await,
        Command::Rejudge(arguments) => rejudge::run(&arguments, console),
        Command::Report(arguments) => report::run(&arguments, console),
        Command::Diff(arguments) => diff::run(&arguments, console),
        Command::Merge(arguments) => merge::run(&arguments, console),
        Command::Known(arguments) => known::run(&arguments, console),
        Command::Serve(arguments) => serve::run(arguments, console).await,
        Command::Send(arguments) => send::run(arguments, console).await,
        Command::Sign(arguments) => sign::run(&arguments, console),
        Command::Verify(arguments) => verify::run(&arguments, console),
        Command::Vectors(arguments) => vectors::run(&arguments, console),
        Command::List(arguments) => list::run(&arguments, console),
        Command::Explain(arguments) => explain::run(&arguments, console),
        Command::Init(arguments) => init::run(*arguments, console).await,
        Command::Completions(arguments) => completions::run(&arguments, console),
        Command::Man(arguments) => man::run(&arguments, console),
        Command::Skills(arguments) => skills::run(&arguments, console),
        Command::Help(arguments) => describe::run(&arguments, console),
    }
}
