//! `stagedoor init`: both files, the data folder, the first token.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde_json::json;

use super::arguments::InitArgs;
use super::failure::Failure;
use super::house::FirstToken;
use super::place::{BUILDING_FILE, POLICY_FILE};
use super::shell::Shell;

const DATA_FOLDER: &str = "stagedoor-data";

/// The sets of house rules to begin with.
const PRESETS: [&str; 1] = ["starter"];

pub(crate) async fn run(shell: &mut Shell<'_>, args: &InitArgs) -> Result<(), Failure> {
    let (building_text, policy_text) = preset(&args.preset)?;
    let folder = shell.path(&args.folder);
    let building = folder.join(BUILDING_FILE);
    let policy = folder.join(POLICY_FILE);
    refuse_to_overwrite(&[&building, &policy])?;
    make_folder(&folder, 0o755)?;
    let data = folder.join(DATA_FOLDER);
    make_folder(&data, 0o700)?;
    let first = shell.house.first_token(&data).await.map_err(Failure::failed)?;
    write_new(&building, building_text)?;
    write_new(&policy, policy_text)?;
    tell(shell, args, &first)
}

/// The texts of the building and of the policy.
fn preset(name: &str) -> Result<(&'static str, &'static str), Failure> {
    if PRESETS.contains(&name) {
        return Ok(stagedoor_config::starter_files());
    }
    let there = PRESETS.map(|preset| format!("`{preset}`")).join(", ");
    Err(Failure::usage(format!("there is no preset `{name}`")).help(format!("there is: {there}")))
}

fn refuse_to_overwrite(files: &[&Path]) -> Result<(), Failure> {
    let there: Vec<String> = files
        .iter()
        .filter(|file| file.symlink_metadata().is_ok())
        .map(|file| format!("`{}`", file.display()))
        .collect();
    match there.as_slice() {
        [] => Ok(()),
        [one] => Err(Failure::failed(format!("{one} is there already; nothing was written"))
            .help("move it away, or name another folder: `stagedoor init FOLDER`")),
        both => Err(
            Failure::failed(format!("{} are there already; nothing was written", both.join(" and ")))
                .help("move them away, or name another folder: `stagedoor init FOLDER`"),
        ),
    }
}

fn make_folder(folder: &Path, mode: u32) -> Result<(), Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(mode).create(folder);
    made.map_err(|error| Failure::failed(format!("the folder `{}` cannot be made: {error}", folder.display())))
}

/// Writes a file that is not there yet, whole and on the disk, or says so.
fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(file)
        .and_then(|mut opened| {
            opened.write_all(text.as_bytes())?;
            opened.sync_all()
        });
    written.map_err(|error| Failure::failed(format!("`{}` cannot be written: {error}", file.display())))
}

fn tell(shell: &mut Shell<'_>, args: &InitArgs, first: &FirstToken) -> Result<(), Failure> {
    let folder = args.folder.display();
    let here = args.folder.as_path() == Path::new(".");
    let written = json!({
        "building": args.folder.join(BUILDING_FILE),
        "policy": args.folder.join(POLICY_FILE),
        "data_dir": args.folder.join(DATA_FOLDER),
        "token": first.token.expose_text(),
        "token_file": first.file,
    });
    shell.answer(&written, |_| {
        let go_there = if here {
            String::new()
        } else {
            format!("  cd {folder}\n")
        };
        let kept = match &first.file {
            Some(file) => format!(
                "It is also in {}, where commands on this machine find it.",
                file.display()
            ),
            None => "It is kept nowhere else.".to_owned(),
        };
        let token = first.token.expose_text();
        format!(
            "Written to {folder}:\n  \
             {BUILDING_FILE:<17}the building: where to listen, which console to stand in front of\n  \
             {POLICY_FILE:<17}the house rules: who may do what\n  \
             {DATA_FOLDER:<17}accounts, sessions and the audit\n\n\
             The token for the admin API, shown this once:\n  {token}\n{kept}\n\n\
             Next:\n{go_there}  \
             edit {BUILDING_FILE}: the address of your console is `upstream`\n  \
             stagedoor check\n  \
             stagedoor account add YOUR-NAME --role administrator\n  \
             stagedoor serve"
        )
    })
}
