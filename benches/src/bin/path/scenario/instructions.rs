//! User-mode instructions per request, counted by valgrind's callgrind: steady on a machine where time is not.
//!
//! Only the thread that serves requests counts, and only requests on kept connections, one after another. Two things differ
//! from real life: valgrind has no SHA instructions, so that hashing a token costs 2,100 instructions more than it does, and
//! large copies are counted word by word, so that glibc is told not to leave them to the processor.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::candidate::{bare, door};
use crate::options::Options;
use crate::report::{Section, fact};
use crate::rig::{Rig, free_address, start};

const CONNECTIONS: usize = 8;
const WARM_REQUESTS: usize = 400;
const COUNTED_REQUESTS: usize = 4_000;
/// Copied by ordinary instructions, whatever the size.
const TUNABLES: &str = "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000";
/// Found in what is known of the thread that serves requests, and of no other.
const SERVES: &str = "pingora_proxy::HttpProxy";

/// What is counted.
struct Subject {
    command: Command,
    listen: SocketAddr,
    /// Of each answer.
    status: &'static str,
    /// Where it writes its log.
    folder: PathBuf,
    /// Where callgrind writes, beside it and with numbers behind it.
    profile: PathBuf,
}

pub(super) fn run(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let bare = count(rig, &bare(rig, options)?)?;
    let full = count(rig, &door(rig, options, "door", door::Plan::FULL, "200")?)?;
    let refused = count(rig, &door(rig, options, "refused", door::Plan::STRANGER, "403")?)?;
    Ok(Section {
        about: "user-mode instructions of the serving thread per request, by callgrind".to_owned(),
        facts: vec![
            fact("bare Pingora", bare as f64, "instructions", None),
            fact("Stagedoor, full policy", full as f64, "instructions", None),
            fact("ratio", full as f64 / bare as f64, "", None),
            fact("refused at the address", refused as f64, "instructions", None),
        ],
        ..Section::default()
    })
}

fn bare(rig: &Rig, options: &Options) -> Result<Subject, Failure> {
    let (folder, listen) = (rig.fresh("bare")?, free_address());
    Ok(Subject {
        command: bare::command(rig, listen),
        listen,
        status: "200",
        profile: profile(options, "bare", &folder)?,
        folder,
    })
}

fn door(rig: &Rig, options: &Options, name: &str, plan: door::Plan, status: &'static str) -> Result<Subject, Failure> {
    let folder = rig.fresh(name)?;
    rig.people(&folder)?;
    let (command, listen) = plan.command(rig, &folder, rig.upstream)?;
    Ok(Subject {
        command,
        listen,
        status,
        profile: profile(options, name, &folder)?,
        folder,
    })
}

fn profile(options: &Options, name: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let Some(kept) = &options.profiles else {
        return Ok(folder.join("profile"));
    };
    let folder = std::path::absolute(kept.join(name))?;
    std::fs::create_dir_all(kept)?;
    // What an earlier run has left would be counted as well.
    std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}; name another folder", folder.display()))?;
    Ok(folder.join("profile"))
}

/// Instructions per request.
fn count(rig: &Rig, subject: &Subject) -> Result<u64, Failure> {
    let cookie = rig.cookies.first().ok_or("nobody is signed in")?;
    let Subject { listen, status, .. } = *subject;
    let process = start(
        "counted",
        counted(&subject.command, &subject.profile),
        &subject.folder,
        listen,
    )?;
    let request = format!("GET /area-7/item/1 HTTP/1.1\r\nHost: {listen}\r\nCookie: {cookie}\r\n\r\n");
    let streams: Result<Vec<_>, _> = (0..CONNECTIONS).map(|_| TcpStream::connect(listen)).collect();
    let mut streams = streams?;
    ask(&mut streams, &request, status, WARM_REQUESTS)?;
    let control = |order: &[&str]| -> Result<(), Failure> {
        let mut control = Command::new("callgrind_control");
        let output = control.args(order).arg(process.id().to_string()).output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
        }
    };
    control(&["-i", "on"])?;
    ask(&mut streams, &request, status, CONNECTIONS)?;
    control(&["-z"])?;
    ask(&mut streams, &request, status, COUNTED_REQUESTS)?;
    control(&["-d"])?;
    Ok(total_of_busiest(&subject.profile)? / COUNTED_REQUESTS as u64)
}

/// The same command under callgrind; `taskset`, which it begins with, counts for nothing.
fn counted(command: &Command, profile: &Path) -> Command {
    let mut wrapped = Command::new("valgrind");
    wrapped
        .args(["-q", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .args(command.get_args().skip(2))
        .env("GLIBC_TUNABLES", TUNABLES);
    wrapped
}

fn ask(streams: &mut [TcpStream], request: &str, status: &str, times: usize) -> Result<(), Failure> {
    let count = streams.len();
    for turn in 0..times {
        let stream = streams.get_mut(turn % count).ok_or("no connection")?;
        stream.write_all(request.as_bytes())?;
        let (mut answer, mut piece) = (Vec::new(), [0_u8; 4096]);
        let bytes = loop {
            match stream.read(&mut piece)? {
                0 => return Err("the connection was closed".into()),
                read => answer.extend_from_slice(piece.get(..read).unwrap_or_default()),
            }
            if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4 + body_bytes(answer.get(..end).unwrap_or_default())?;
            }
        };
        if !answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()) {
            return Err(String::from_utf8_lossy(&answer).into_owned().into());
        }
        let mut rest = vec![0; bytes.saturating_sub(answer.len())];
        stream.read_exact(&mut rest)?;
    }
    Ok(())
}

/// As the head of an answer says.
fn body_bytes(head: &[u8]) -> Result<usize, Failure> {
    let head = std::str::from_utf8(head)?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    Ok(length.ok_or("an answer without a length")?.trim().parse()?)
}

/// The total of the thread that serves requests, of all that were written beside `profile`.
fn total_of_busiest(profile: &Path) -> Result<u64, Failure> {
    let folder = profile.parent().ok_or("no folder")?;
    let files: Result<Vec<PathBuf>, _> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let files: Vec<PathBuf> = files.map_err(|error: std::io::Error| error)?;
    let start = profile.as_os_str().as_encoded_bytes();
    let ours = files
        .iter()
        .filter(|file| file.as_os_str().as_encoded_bytes().starts_with(start));
    let totals = ours.filter_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")))?;
        text.contains(SERVES).then(|| line.trim().parse::<u64>().ok())?
    });
    totals.max().ok_or_else(|| "callgrind has written nothing".into())
}
