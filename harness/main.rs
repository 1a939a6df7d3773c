//! The binary: parses the command line, runs the command and exits with its status.
//!
//! It decides nothing: the commands are in `cli/`.

use std::process::ExitCode;

use twenty_conform::cli;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if cli::is_watchdog(std::env::args_os()) {
        return ExitCode::SUCCESS;
    }
    let arguments = match cli::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(status) => return ExitCode::from(status.code()),
    };
    ExitCode::from(cli::run(arguments).code())
}
