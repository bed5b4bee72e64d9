//! What can go wrong, and how it is told: what is wrong, where, what to do.

use std::fmt::Write as _;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::text::plain;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something on this side.
    Said(Said),
    /// What the admin API answered instead.
    Problem(Box<Problem>),
    /// The reader of our output went away; nobody is left to be told.
    OutputClosed,
}

/// A failure in words.
#[derive(Debug)]
pub(crate) struct Said {
    message: String,
    help: Option<String>,
    exit: Exit,
}

/// The exit codes that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It failed.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// Bad configuration.
    Configuration = 64,
}

/// `application/problem+json` as the admin API answers it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) status: u16,
    pub(crate) detail: String,
    pub(crate) code: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<FieldProblem>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) faults: Vec<FaultProblem>,
    /// Which token was shown and to whom, in words; this command's knowledge, not the API's.
    #[serde(skip)]
    pub(crate) shown: String,
}

/// One field that was not taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FieldProblem {
    pub(crate) field: String,
    pub(crate) message: String,
}

/// One fault of a policy file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FaultProblem {
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u64>,
    pub(crate) column: Option<u64>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Failure {
    /// It failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::said(message, Exit::Failed)
    }

    /// It was called in a way that cannot be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::said(message, Exit::Usage)
    }

    /// A file or a setting is wrong.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::said(message, Exit::Configuration)
    }

    fn said(message: impl Into<String>, exit: Exit) -> Self {
        Self::Said(Said {
            message: message.into(),
            help: None,
            exit,
        })
    }

    /// The same, with what to do about it. A problem of the API keeps its own words.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if let Self::Said(said) = &mut self {
            said.help = Some(help.into());
        }
        self
    }

    /// What the process ends with.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::Said(said) => said.exit as u8,
            Self::Problem(problem) if !problem.faults.is_empty() => Exit::Configuration as u8,
            Self::Problem(_) => Exit::Failed as u8,
            Self::OutputClosed => 0,
        }
    }

    /// For a person, ending in a line break.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Said(said) => sentence(&said.message, said.help.as_deref()),
            Self::Problem(problem) => problem.to_text(),
            Self::OutputClosed => String::new(),
        }
    }

    /// For a program: the API's own problem, or one of the same shape.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Said(said) => json!({ "title": said.message, "help": said.help, "exit": said.exit as u8 }),
            Self::Problem(problem) => json!(problem),
            Self::OutputClosed => serde_json::Value::Null,
        }
    }
}

impl Problem {
    fn to_text(&self) -> String {
        let mut text = sentence(&self.headline(), None);
        for field in &self.fields {
            let _ = match field.field.as_str() {
                "" => writeln!(text, "  {}", plain(&field.message)),
                name => writeln!(text, "  `{}`: {}", plain(name), plain(&field.message)),
            };
        }
        for fault in &self.faults {
            let _ = writeln!(text, "  {}", fault.to_text());
        }
        if let Some(advice) = self.advice() {
            let _ = writeln!(text, "  help: {advice}");
        }
        text
    }

    /// What went wrong, and this time in particular. Fields say for themselves what the detail says in one line.
    fn headline(&self) -> String {
        match (self.title.as_str(), self.detail.as_str()) {
            ("", "") => format!("the admin API answered {} and did not say why", self.status),
            ("", only) | (only, "") => only.to_owned(),
            (title, _) if !self.fields.is_empty() => title.to_owned(),
            (title, detail) => format!("{title}: {detail}"),
        }
    }

    /// What to do, where the API cannot know what this command could do.
    fn advice(&self) -> Option<String> {
        match self.status {
            401 => Some(format!(
                "{} was not taken; name another with `--token-file FILE`, or another door with `--admin-url`",
                self.shown
            )),
            403 if self.code == "scope_missing" => {
                Some("`stagedoor token create` makes a token that has it".to_owned())
            }
            _ => None,
        }
    }
}

impl FaultProblem {
    fn to_text(&self) -> String {
        let mut text = plain(self.file.as_deref().unwrap_or("policy.toml"));
        if let Some(line) = self.line {
            let _ = write!(text, ":{line}");
            if let Some(column) = self.column {
                let _ = write!(text, ":{column}");
            }
        }
        let _ = write!(text, ": {}", plain(&self.message));
        if let Some(help) = &self.help {
            let _ = write!(text, " (help: {})", plain(help));
        }
        text
    }
}

fn sentence(message: &str, help: Option<&str>) -> String {
    let mut text = format!("error: {}\n", plain(message));
    if let Some(help) = help {
        let _ = writeln!(text, "  help: {}", plain(help));
    }
    text
}

/// Writing to our own output failed.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::failed(format!("the answer could not be written: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_policy() -> Problem {
        Problem {
            title: "the policy has faults".to_owned(),
            detail: "role: there is no role `adminn`".to_owned(),
            status: 422,
            code: "policy_faulty".to_owned(),
            fields: vec![FieldProblem {
                field: "role".to_owned(),
                message: "there is no role `adminn`".to_owned(),
            }],
            faults: vec![
                FaultProblem {
                    file: Some("policy.toml".to_owned()),
                    line: Some(3),
                    column: Some(7),
                    message: "unknown key `pathss`".to_owned(),
                    help: Some("did you mean `paths`?".to_owned()),
                },
                FaultProblem {
                    message: "no areas".to_owned(),
                    ..FaultProblem::default()
                },
            ],
            ..Problem::default()
        }
    }

    #[test]
    fn a_problem_is_told_with_all_its_fields_and_faults() {
        let told = Failure::Problem(Box::new(refused_policy())).to_text();
        assert_eq!(
            told,
            "error: the policy has faults\n  \
             `role`: there is no role `adminn`\n  \
             policy.toml:3:7: unknown key `pathss` (help: did you mean `paths`?)\n  \
             policy.toml: no areas\n"
        );
    }

    #[test]
    fn faults_in_a_policy_end_with_the_code_for_bad_configuration() {
        assert_eq!(Failure::Problem(Box::new(refused_policy())).exit(), 64);
        assert_eq!(Failure::Problem(Box::default()).exit(), 1);
        assert_eq!(Failure::usage("so not").exit(), 2);
    }

    #[test]
    fn a_problem_says_what_it_is_and_what_it_is_this_time() {
        let missing = Problem {
            title: "there is no such thing".to_owned(),
            detail: "no token has that name".to_owned(),
            ..Problem::default()
        };
        let told = Failure::Problem(Box::new(missing)).to_text();
        assert_eq!(told, "error: there is no such thing: no token has that name\n");
    }

    #[test]
    fn a_problem_without_words_still_says_what_was_answered_and_what_to_do() {
        let silent = Problem {
            status: 401,
            shown: "the token from `admin.token`".to_owned(),
            ..Problem::default()
        };
        let told = Failure::Problem(Box::new(silent)).to_text();
        assert!(
            told.starts_with("error: the admin API answered 401 and did not say why\n"),
            "{told}"
        );
        assert!(
            told.contains("the token from `admin.token` was not taken; name another with `--token-file"),
            "{told}"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((closed.exit(), closed.to_text()), (0, String::new()));
    }

    #[test]
    fn what_somebody_else_wrote_cannot_steer_the_terminal() {
        let told = Failure::failed("no account `\u{1b}[2Jx`").to_text();
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
}
