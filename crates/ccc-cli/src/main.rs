//! The command `ccc`: parses the arguments, runs one verb, turns its answer into an exit code.

mod artifact;
mod clearing;
mod cli;
mod command;
mod describe;
mod error;
mod files;
#[cfg(unix)]
mod memory;
mod message;
mod network;
mod pool;
mod rounds;
mod ui;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => return ui::usage(&usage),
    };
    let ui = ui::Ui::new(arguments.global.json, arguments.global.quiet);
    let result = guard()
        .and_then(|()| command::Context::new(&ui, &arguments.global))
        .and_then(|ctx| command::run(arguments.verb, &ctx));
    match result {
        Ok(answer) => answer.exit_code(),
        Err(error) => ui.failure(&error),
    }
}

#[cfg(unix)]
use memory::keep_out_of_dumps as guard;

#[cfg(not(unix))]
fn guard() -> Result<(), error::Error> {
    Ok(())
}
