//! The command line.
//!
//! `demo` and `serve` are handed to the [`House`]; `init`, `check` and `policy show` work on the files here; everything
//! else is a request to the admin API, over its listener or, where the door does not run, to the very same router in this
//! process. Reading order: [`arguments`] (what can be typed), [`place`] (where things are), [`transport`] and [`api`] (how
//! they are asked), one file per noun (what is asked and how the answer reads), [`failure`] (how it is told when it fails).

mod account;
mod api;
mod arguments;
mod audit;
mod check;
mod device;
mod failure;
mod grant;
mod house;
mod init;
mod mail;
mod moment;
mod place;
mod policy;
mod secret_file;
mod session;
mod shell;
mod store;
mod text;
mod token;
mod transport;

#[cfg(test)]
mod tests;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use stagedoor_identity::SystemClock;

use arguments::{Command, CommandLine, Output};
use check::Checked;
use failure::{Exit, Failure};
use shell::{Shell, Terminal};

pub use house::{DemoArgs, FirstToken, House, LocalAdmin, LocalPlace, ServeArgs};

/// Does what the command line of this process says. The whole of `main`.
pub fn run(house: &dyn House) -> ExitCode {
    let line = CommandLine::parse();
    match line.command {
        Command::Serve(args) => house.serve(args),
        Command::Demo(args) => house.demo(args),
        command => run_here(house, line.output, command),
    }
}

/// Everything that answers and ends.
fn run_here(house: &dyn House, output: Output, command: Command) -> ExitCode {
    let folder = match std::env::current_dir() {
        Ok(folder) => folder,
        Err(error) => {
            return report(
                &mut io::stderr(),
                output,
                &Failure::failed(format!("the working folder is gone: {error}")),
            );
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return report(
                &mut io::stderr(),
                output,
                &Failure::failed(format!("no event loop: {error}")),
            );
        }
    };
    let mut shell = Shell {
        house,
        clock: &SystemClock,
        // A variable that is no UTF-8 can be none of ours.
        vars: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        folder,
        input: &mut io::stdin().lock(),
        out: &mut io::stdout().lock(),
        err: &mut io::stderr(),
        keyboard: &Terminal,
        output,
        width: terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0),
    };
    let exit = runtime.block_on(execute(&mut shell, command));
    ExitCode::from(exit)
}

/// Does it, tells a failure, and answers the exit code.
async fn execute(shell: &mut Shell<'_>, command: Command) -> u8 {
    match dispatch(shell, command).await {
        Ok(Checked::Fine) => 0,
        Ok(Checked::Faulty) => Exit::Configuration as u8,
        Err(failure) => {
            let output = shell.output;
            tell(shell.err, output, &failure);
            failure.exit()
        }
    }
}

async fn dispatch(shell: &mut Shell<'_>, command: Command) -> Result<Checked, Failure> {
    match command {
        Command::Init(args) => init::run(shell, &args).await?,
        Command::Check(args) => return check::run(shell, &args),
        Command::Policy { reach, command } => policy::run(shell, &reach, &command).await?,
        Command::Account { reach, command } => account::run(shell, &reach, &command).await?,
        Command::Session { reach, command } => session::run(shell, &reach, &command).await?,
        Command::Lockout { reach, command } => session::run_lockout(shell, &reach, &command).await?,
        Command::Device { reach, command } => device::run(shell, &reach, &command).await?,
        Command::Audit { reach, search } => audit::run(shell, &reach, &search).await?,
        Command::Mail { reach, command } => mail::run(shell, &reach, &command).await?,
        Command::Token { reach, command } => token::run(shell, &reach, &command).await?,
        Command::Store {
            command: arguments::StoreCommand::Copy(args),
        } => store::copy(shell, &args).await?,
        Command::Completions { shell: which } => completions(shell, which)?,
        Command::Serve(_) | Command::Demo(_) => return Err(Failure::usage("the door is opened by the house")),
    }
    Ok(Checked::Fine)
}

fn completions(shell: &mut Shell<'_>, which: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(which, &mut CommandLine::command(), "stagedoor", &mut script);
    shell.out.write_all(&script)?;
    Ok(())
}

fn report(err: &mut dyn io::Write, output: Output, failure: &Failure) -> ExitCode {
    tell(err, output, failure);
    ExitCode::from(failure.exit())
}

/// Tells a failure. That nobody can be told is no reason to fail again.
fn tell(err: &mut dyn io::Write, output: Output, failure: &Failure) {
    let _ = match (failure, output) {
        (Failure::OutputClosed, _) => Ok(()),
        (failure, Output::Text) => write!(err, "{}", failure.to_text()),
        (failure, Output::Json) => writeln!(err, "{:#}", failure.to_json()),
    };
}
