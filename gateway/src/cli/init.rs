//! `stagedoor init`: both files, the data folder, the first token.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde_json::json;
use stagedoor_config::{PRESETS, Preset};

use super::arguments::InitArgs;
use super::failure::Failure;
use super::house::FirstToken;
use super::place::{BUILDING_FILE, POLICY_FILE};
use super::shell::Shell;

const DATA_FOLDER: &str = "stagedoor-data";

pub(crate) async fn run(shell: &mut Shell<'_>, args: &InitArgs) -> Result<(), Failure> {
    let preset = preset(&args.preset)?;
    let folder = shell.path(&args.folder);
    let building = folder.join(BUILDING_FILE);
    let policy = folder.join(POLICY_FILE);
    refuse_to_overwrite(&[&building, &policy])?;
    make_folder(&folder, 0o755)?;
    let data = folder.join(DATA_FOLDER);
    make_folder(&data, 0o700)?;
    let first = shell.house.first_token(&data).await.map_err(Failure::failed)?;
    write_new(&building, preset.building)?;
    write_new(&policy, preset.policy)?;
    tell(shell, args, &preset, &first)
}

fn preset(name: &str) -> Result<Preset, Failure> {
    if let Some(preset) = PRESETS.into_iter().find(|preset| preset.name == name) {
        return Ok(preset);
    }
    let there = PRESETS.map(|preset| format!("`{}`, for {}", preset.name, preset.about));
    Err(Failure::usage(format!("there is no preset `{name}`")).help(format!("there are {}", there.join("; "))))
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

fn tell(shell: &mut Shell<'_>, args: &InitArgs, preset: &Preset, first: &FirstToken) -> Result<(), Failure> {
    let folder = args.folder.display();
    let here = args.folder.as_path() == Path::new(".");
    let role = preset.first_role;
    let written = json!({
        "preset": preset.name,
        "first_role": role,
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
             stagedoor account add YOUR-NAME --role {role}\n  \
             stagedoor serve"
        )
    })
}
