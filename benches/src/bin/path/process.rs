//! What a candidate's processes have used: everything in the process group that it was started in, so that masters, workers
//! and authorisers behind a hook all count.

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;

/// Length of a tick in proc(5): `USER_HZ` is 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);
/// Fields of `/proc/PID/stat` behind the name in parentheses, counted from the state.
const GROUP: usize = 2;
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;

/// User and system time so far of all processes of a group.
pub(crate) fn cpu_time(group: u32) -> Result<Duration, Failure> {
    let ticks: u64 = members(group)?.iter().map(|member| member.ticks).sum();
    Ok(TICK * u32::try_from(ticks)?)
}

/// Resident memory of all processes of a group, in KiB; pages that two of them share count twice.
pub(crate) fn resident_kib(group: u32) -> Result<u64, Failure> {
    let mut sum = 0;
    for member in members(group)? {
        let status = std::fs::read_to_string(format!("/proc/{}/status", member.process)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        sum += kib.unwrap_or(0);
    }
    Ok(sum)
}

struct Member {
    process: u32,
    ticks: u64,
}

fn members(group: u32) -> Result<Vec<Member>, Failure> {
    let mut members = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(process) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else {
            continue;
        };
        // It may have ended since the folder was read.
        let Ok(stat) = std::fs::read_to_string(PathBuf::from(&path).join("stat")) else {
            continue;
        };
        let Some((_, fields)) = stat.rsplit_once(") ") else {
            continue;
        };
        let fields: Vec<&str> = fields.split(' ').collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        if number(GROUP) == Some(u64::from(group)) {
            let ticks = number(USER_TICKS).unwrap_or(0) + number(SYSTEM_TICKS).unwrap_or(0);
            members.push(Member { process, ticks });
        }
    }
    match members.is_empty() {
        true => Err(format!("process group {group} is gone").into()),
        false => Ok(members),
    }
}
