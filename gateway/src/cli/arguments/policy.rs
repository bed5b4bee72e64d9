//! `stagedoor policy …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// The verbs of `policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Who may do what, as a table of areas by roles: from the files here, else from the running door
    Show,
    /// Why a request would be let through or refused, by the same judgement that the door makes
    Explain(ExplainArgs),
    /// Which policy is in force, and whether the last reload went well
    Status,
    /// Check a policy file and put it in force, whole or not at all
    Apply(ApplyArgs),
    /// Print the policy that is in force
    Get,
    /// Where the files here depart from NIST SP 800-63B-4 and OWASP ASVS 5, with each rule and the reason that is given
    Compliance,
}

/// `stagedoor policy explain`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stagedoor policy explain --as vera --from 198.51.100.7 POST http://console.example.com/devices/7/rename
  stagedoor policy explain --from 203.0.113.9 GET http://console.example.com/      nobody signed in")]
pub(crate) struct ExplainArgs {
    /// The account that asks [default: somebody who is not signed in]
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// The address it asks from
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: std::net::IpAddr,
    /// The request's method
    #[arg(value_name = "METHOD", value_parser = method)]
    pub(crate) method: String,
    /// The request's address as in the browser, host included
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: String,
}

/// `stagedoor policy apply`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stagedoor policy get > policy.new
  stagedoor policy apply policy.new
  stagedoor policy apply --if-match '\"1f0c9a3be2d44f10\"' policy.new      only if nobody changed it since")]
pub(crate) struct ApplyArgs {
    /// The new policy; `-` reads it from standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Apply only if the policy in force still has this tag (`policy get --output json` shows it)
    #[arg(long, value_name = "ETAG")]
    pub(crate) if_match: Option<String>,
}

/// A method as it is sent: in capitals, so that `get` means what was meant.
fn method(typed: &str) -> Result<String, String> {
    let known = !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    if known {
        Ok(typed.to_ascii_uppercase())
    } else {
        Err("a method is a word such as GET or POST".to_owned())
    }
}
