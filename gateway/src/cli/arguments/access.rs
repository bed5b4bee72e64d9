//! `stagedoor account …`, `session …`, `lockout …`, `device …`, `audit`, `token …`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};

use crate::cli::grant::GrantText;

/// The verbs of `account`.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// List the accounts
    List {
        /// Only those with this in their name or display name
        #[arg(long, value_name = "TEXT")]
        contains: Option<String>,
    },
    /// Show all there is to know of an account
    Show(Named),
    /// Make an account; without a password of its own it gets a generated one, printed once
    Add(AddAccount),
    /// Invite somebody: an account that its link opens; the link goes by mail, or is printed once
    Invite(Invite),
    /// Send an invitation again, with another link
    ResendInvitation(Named),
    /// Take an invitation back
    WithdrawInvitation(Named),
    /// Change an account; what is not named stays
    Edit(EditAccount),
    /// Remove an account and end its sessions
    Remove(RemoveAccount),
    /// Keep an account out until it is enabled again, and end its sessions
    Disable(Named),
    /// Let a disabled account in again
    Enable(Named),
    /// Give an account a new password, to be changed at its next sign-in; without one of yours it is generated
    ResetPassword(ResetPassword),
    /// Take the second factor off an account, so that a new one can be enrolled
    ResetSecondFactor(Named),
    /// Send a link to set up another second factor; the one that is lost stays good until then
    RecoverSecondFactor(Named),
    /// Hand over the role that one account holds, with a token that acts as its holder
    HandOver(Named),
    /// Lift every lock on an account's name
    Unlock(Named),
    /// Lift the ban that disuse brought on an account
    Reinstate(Named),
}

/// An account by name or by id.
#[derive(Debug, Clone, Args)]
pub(crate) struct Named {
    /// The account's name or id
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// `stagedoor account add`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stagedoor account add ada --role administrator
  stagedoor account add vera --role viewer --network 198.51.100.0/24 --grant devices=manage
  pass show ada | stagedoor account add ada --password-stdin --lasting")]
pub(crate) struct AddAccount {
    /// The name to sign in with
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The role [default: the policy's default role]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// The name for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) display_name: Option<String>,
    /// The mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// A right on top of the role: `[SITE/]AREA=LEVEL[+ACTION…]`; may be repeated
    #[arg(long = "grant", value_name = "GRANT")]
    pub(crate) grants: Vec<GrantText>,
    /// A network the account may come from; may be repeated [default: none of its own]
    #[arg(long = "network", value_name = "NETWORK")]
    pub(crate) networks: Vec<String>,
    #[command(flatten)]
    pub(crate) password: NewPassword,
    /// The password that is given may be kept; otherwise it has to be changed at the first sign-in
    #[arg(long)]
    pub(crate) lasting: bool,
}

/// `stagedoor account invite`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:
  stagedoor account invite vera --email vera@example.com --role viewer")]
pub(crate) struct Invite {
    /// The name to sign in with
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Where the invitation goes; needed where letters are sent
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// The role [default: the policy's default role]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// The name for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) display_name: Option<String>,
    /// A right on top of the role: `[SITE/]AREA=LEVEL[+ACTION…]`; may be repeated
    #[arg(long = "grant", value_name = "GRANT")]
    pub(crate) grants: Vec<GrantText>,
    /// A network the account may come from; may be repeated [default: none of its own]
    #[arg(long = "network", value_name = "NETWORK")]
    pub(crate) networks: Vec<String>,
}

/// `stagedoor account edit`.
#[derive(Debug, Clone, Args)]
#[command(
    group = ArgGroup::new("change").required(true).multiple(true),
    after_help = "Examples:
  stagedoor account edit vera --role operator
  stagedoor account edit vera --network 198.51.100.0/24 --network 2001:db8::/48
  stagedoor account edit vera --no-networks --no-email"
)]
pub(crate) struct EditAccount {
    /// The account's name or id
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The new role
    #[arg(long, value_name = "ROLE", group = "change")]
    pub(crate) role: Option<String>,
    /// The new name for people; empty removes it
    #[arg(long, value_name = "TEXT", group = "change")]
    pub(crate) display_name: Option<String>,
    /// The new mail address
    #[arg(long, value_name = "ADDRESS", group = "change")]
    pub(crate) email: Option<String>,
    /// Remove the mail address
    #[arg(long, conflicts_with = "email", group = "change")]
    pub(crate) no_email: bool,
    /// The rights on top of the role, in place of those there were; may be repeated
    #[arg(long = "grant", value_name = "GRANT", group = "change")]
    pub(crate) grants: Vec<GrantText>,
    /// Take every right on top of the role away
    #[arg(long, conflicts_with = "grants", group = "change")]
    pub(crate) no_grants: bool,
    /// The networks it may come from, in place of those there were; may be repeated
    #[arg(long = "network", value_name = "NETWORK", group = "change")]
    pub(crate) networks: Vec<String>,
    /// No networks of its own
    #[arg(long, conflicts_with = "networks", group = "change")]
    pub(crate) no_networks: bool,
    /// Demand a second factor of it, whatever its role says; ends its sessions
    #[arg(long, group = "change")]
    pub(crate) demand_second_factor: bool,
    /// Demand one only where its role or the organisation does
    #[arg(long, conflicts_with = "demand_second_factor", group = "change")]
    pub(crate) no_second_factor_demand: bool,
}

/// `stagedoor account remove`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RemoveAccount {
    /// The account's name or id
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// `stagedoor account reset-password`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ResetPassword {
    /// The account's name or id
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) password: NewPassword,
}

/// Where a new password comes from. Never from the command line, where everybody on the machine can read it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct NewPassword {
    /// Ask for the password, twice
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) ask_password: bool,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// The verbs of `session`.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List the sessions that are live
    List {
        /// Only those of this account
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
    },
    /// End a session, or all of an account, with everything that is open in them
    End(EndSession),
}

/// `stagedoor session end`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub(crate) struct EndSession {
    /// The session's id, as `session list` shows it
    #[arg(value_name = "ID", group = "which")]
    pub(crate) id: Option<String>,
    /// Every session of this account
    #[arg(long, value_name = "NAME", group = "which")]
    pub(crate) account: Option<String>,
}

/// The verbs of `lockout`.
#[derive(Debug, Subcommand)]
pub(crate) enum LockoutCommand {
    /// List the names that are locked, and for which source
    List,
    /// Lift one lock
    End {
        /// The lock's id, as `lockout list` shows it
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// The verbs of `device`.
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// List the devices, and whose they are
    List {
        /// Only those linked to this account
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
    },
    /// Register a device and print its key, once
    Register(RegisterDevice),
    /// Link a device to an account, in place of the one it was linked to
    Link {
        /// The device's name or id
        #[arg(value_name = "DEVICE")]
        device: String,
        /// The account's name or id
        #[arg(value_name = "ACCOUNT")]
        account: String,
    },
    /// Take a device from its account, and end the sessions that were opened from it
    Unlink {
        /// The device's name or id
        #[arg(value_name = "DEVICE")]
        device: String,
    },
    /// Remove a device, and end the sessions that were opened from it
    Remove {
        /// The device's name or id
        #[arg(value_name = "DEVICE")]
        device: String,
    },
}

/// `stagedoor device register`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:
  stagedoor device register scanner-1 --save scanner-1.key && stagedoor device link scanner-1 vera")]
pub(crate) struct RegisterDevice {
    /// What people call it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Write its key to this new file, readable by you alone, and do not print it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) save: Option<PathBuf>,
}

/// `stagedoor audit`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stagedoor audit --since -15m
  stagedoor audit --account vera --event request.refused
  stagedoor audit --support-code K7Q2-94TD
  stagedoor audit --follow --output json")]
pub(crate) struct AuditArgs {
    /// Not before: `-15m`, `-2h`, `-7d`, a day or a time (UTC)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Before, written as for --since
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// Only what this account did or what was done to it
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Only this kind of event, such as `sign_in.failed`
    #[arg(long, value_name = "KIND")]
    pub(crate) event: Option<String>,
    /// Only what belongs to the support code a visitor was shown
    #[arg(long, value_name = "CODE")]
    pub(crate) support_code: Option<String>,
    /// At most this many, the latest
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Go on printing what happens until interrupted
    #[arg(long, short, conflicts_with = "until")]
    pub(crate) follow: bool,
}

/// The verbs of `token`.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// List the tokens there are, never what they read
    List,
    /// Make a token and print it, once
    Create(CreateToken),
    /// Make a token worthless
    Revoke {
        /// The token's name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// `stagedoor token create`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Scopes: accounts:read accounts:write sessions:read sessions:write lockouts:read lockouts:write
        policy:read policy:write audit:read tokens:read tokens:write letters:read letters:write, or * for all.

Examples:
  stagedoor token create backup --scope accounts:read --scope audit:read --expires +90d
  stagedoor token create deploy --scope policy:write --save /etc/deploy/stagedoor.token
  stagedoor token create heads --as ada --scope accounts:read --scope accounts:write"
)]
pub(crate) struct CreateToken {
    /// A name to know it by
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it may do; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub(crate) scopes: Vec<String>,
    /// Act as this account: what its role administers, and nothing else
    #[arg(long = "as", value_name = "ACCOUNT")]
    pub(crate) acts_as: Option<String>,
    /// When it becomes worthless: `+90d`, a day or a time (UTC) [default: with the token it is made with, else never]
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
    /// Write it to this new file, readable by you alone, and do not print it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) save: Option<PathBuf>,
}
