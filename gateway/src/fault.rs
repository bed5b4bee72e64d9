//! Why the door does not open, and with which exit code.

use std::process::ExitCode;

use stagedoor_config::{Faults, OpenFault};

/// Exit code for a configuration that cannot be used; nothing has been bound (`EX_USAGE` of sysexits, as linkerd and the
/// outside contract have it).
pub const EXIT_BAD_CONFIGURATION: u8 = 64;

/// Why the door does not open.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The files or the environment are faulty: every fault, rendered.
    #[error("{0}")]
    Configuration(Faults),
    /// Neither a file nor `--upstream`.
    #[error(
        "there is no `{0}` here and no `--upstream URL`\nhelp: `stagedoor init` writes the files; `stagedoor serve --upstream URL` needs none"
    )]
    NothingToServe(String),
    /// Something else: a sentence with what to do.
    #[error("{0}")]
    Failed(String),
}

impl StartFault {
    /// The process's exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Configuration(_) | Self::NothingToServe(_) => ExitCode::from(EXIT_BAD_CONFIGURATION),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl From<OpenFault> for StartFault {
    fn from(fault: OpenFault) -> Self {
        match fault {
            OpenFault::Faults(faults) => Self::Configuration(faults),
            other => Self::Failed(other.to_string()),
        }
    }
}
