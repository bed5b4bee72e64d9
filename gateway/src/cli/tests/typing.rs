//! What can be typed and what cannot.

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use crate::cli::arguments::{Command, CommandLine, Output};

fn typed(line: &str) -> Result<CommandLine, ErrorKind> {
    let words = std::iter::once("stagedoor").chain(line.split_whitespace());
    CommandLine::try_parse_from(words).map_err(|error| error.kind())
}

#[test]
fn the_command_line_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn every_command_has_a_help_text() {
    fn look(command: &clap::Command) {
        assert!(
            command.get_about().is_some(),
            "`{}` says nothing of itself",
            command.get_name()
        );
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "`{}` of `{}`",
                argument.get_id(),
                command.get_name()
            );
        }
        command.get_subcommands().for_each(look);
    }
    look(&CommandLine::command());
}

#[test]
fn output_and_reach_may_stand_at_the_end() {
    let line = typed("account list --contains ad --admin-url http://127.0.0.1:1 --output json").unwrap();
    assert_eq!(line.output, Output::Json);
    let Command::Account { reach, .. } = line.command else {
        panic!("{line:?}")
    };
    assert_eq!(reach.admin_url.as_deref(), Some("http://127.0.0.1:1"));
}

#[test]
fn a_time_ago_is_no_option() {
    let line = typed("audit --since -15m --follow").unwrap();
    let Command::Audit { search, .. } = line.command else {
        panic!("{line:?}")
    };
    assert_eq!(search.since.as_deref(), Some("-15m"));
}

#[test]
fn serve_takes_a_file_or_an_upstream_and_not_both() {
    assert!(typed("serve").is_ok());
    assert!(typed("serve --config a.toml --data-dir d").is_ok());
    assert!(typed("serve --upstream http://127.0.0.1:8000 --admin ada").is_ok());
    assert_eq!(
        typed("serve --config a.toml --upstream http://x").unwrap_err(),
        ErrorKind::ArgumentConflict
    );
}

#[test]
fn a_password_cannot_stand_on_the_command_line() {
    assert_eq!(
        typed("account add ada --password secret").unwrap_err(),
        ErrorKind::UnknownArgument
    );
    let both = typed("account add ada --ask-password --password-stdin");
    assert_eq!(both.unwrap_err(), ErrorKind::ArgumentConflict);
}

#[test]
fn an_edit_says_what_changes() {
    assert_eq!(
        typed("account edit ada").unwrap_err(),
        ErrorKind::MissingRequiredArgument
    );
    assert!(typed("account edit ada --role owner --no-networks --grant devices=view").is_ok());
    assert_eq!(
        typed("account edit ada --email a@b --no-email").unwrap_err(),
        ErrorKind::ArgumentConflict
    );
}

#[test]
fn a_session_ends_by_id_or_by_account() {
    assert_eq!(typed("session end").unwrap_err(), ErrorKind::MissingRequiredArgument);
    assert_eq!(
        typed("session end s1 --account ada").unwrap_err(),
        ErrorKind::ArgumentConflict
    );
    assert!(typed("session end --account ada").is_ok() && typed("session end s1").is_ok());
}

#[test]
fn addresses_methods_and_limits_are_checked_before_anything_is_asked() {
    assert!(typed("policy explain --as vera --from 192.0.2.1 get http://x/").is_ok());
    assert_eq!(
        typed("policy explain --from somewhere GET http://x/").unwrap_err(),
        ErrorKind::ValueValidation
    );
    assert_eq!(
        typed("policy explain --from 192.0.2.1 G/T http://x/").unwrap_err(),
        ErrorKind::ValueValidation
    );
    assert_eq!(typed("audit --limit 0").unwrap_err(), ErrorKind::ValueValidation);
    assert_eq!(typed("demo --listen 8080").unwrap_err(), ErrorKind::ValueValidation);
}
