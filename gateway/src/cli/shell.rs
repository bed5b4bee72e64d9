//! Everything outside that a command touches, as one argument: streams, environment, folder, time.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use stagedoor_identity::Clock;
use zeroize::Zeroizing;

use super::arguments::Output;
use super::failure::Failure;
use super::house::House;

/// The longest line that is read from standard input as a password, in bytes; the door refuses longer ones anyway.
const PASSWORD_LINE_BYTES_MAX: u64 = 4096;

/// What a command sees of the world.
pub(crate) struct Shell<'a> {
    pub(crate) house: &'a dyn House,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) vars: BTreeMap<String, String>,
    /// The working folder; relative paths are taken from here.
    pub(crate) folder: PathBuf,
    pub(crate) input: &'a mut dyn BufRead,
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
    pub(crate) keyboard: &'a dyn Keyboard,
    pub(crate) output: Output,
    /// Columns of the terminal; `None` where the output is none.
    pub(crate) width: Option<u16>,
}

/// Somebody who can be asked.
pub(crate) trait Keyboard: Debug {
    /// Asks without showing what is typed.
    fn secret(&self, question: &str) -> io::Result<Zeroizing<String>>;
    /// Asks for one line; `None` where nobody sits there.
    fn line(&self, question: &str) -> io::Result<Option<String>>;
}

impl Shell<'_> {
    /// Prints an answer.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "{text}")?;
        Ok(())
    }

    /// Prints what is worth knowing but is not the answer.
    pub(crate) fn note(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.err, "{text}")?;
        Ok(())
    }

    /// Prints `json` where JSON is wanted, `text` otherwise.
    pub(crate) fn answer(
        &mut self,
        json: &serde_json::Value,
        text: impl FnOnce(Option<u16>) -> String,
    ) -> Result<(), Failure> {
        match self.output {
            Output::Json => self.say(&format!("{json:#}")),
            Output::Text => {
                let text = text(self.width);
                self.say(&text)
            }
        }
    }

    /// A setting from the environment; set but empty counts as not set.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.vars
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The path, seen from the working folder.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The first line of standard input, without its line break.
    pub(crate) fn password_line(&mut self) -> Result<Zeroizing<String>, Failure> {
        let mut line = Zeroizing::new(String::new());
        io::Read::take(&mut *self.input, PASSWORD_LINE_BYTES_MAX)
            .read_line(&mut line)
            .map_err(|error| Failure::failed(format!("the password could not be read from standard input: {error}")))?;
        let kept = line
            .strip_suffix('\n')
            .map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if kept.is_empty() {
            return Err(Failure::usage("standard input holds no password").help("put it on the first line"));
        }
        Ok(Zeroizing::new(kept.to_owned()))
    }

    /// A new password, asked for twice.
    pub(crate) fn ask_password(&mut self) -> Result<Zeroizing<String>, Failure> {
        let asked = |question| {
            self.keyboard.secret(question).map_err(|error| {
                Failure::failed(format!("the password could not be asked for: {error}"))
                    .help("without a terminal, use `--password-stdin`")
            })
        };
        let first = asked("New password: ")?;
        let second = asked("The same again: ")?;
        if first != second {
            return Err(Failure::failed("the two passwords are not the same").help("nothing was changed; try again"));
        }
        Ok(first)
    }
}

/// The keyboard of the terminal this process was started from.
#[derive(Debug)]
pub(crate) struct Terminal;

impl Keyboard for Terminal {
    fn secret(&self, question: &str) -> io::Result<Zeroizing<String>> {
        rpassword::prompt_password(question).map(Zeroizing::new)
    }

    fn line(&self, question: &str) -> io::Result<Option<String>> {
        if !io::IsTerminal::is_terminal(&io::stdin()) {
            return Ok(None);
        }
        let mut error = io::stderr();
        write!(error, "{question}")?;
        error.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(Some(answer.trim().to_owned()))
    }
}
