//! What a candidate's processes have used: everything in the process group that it was started in and everything that came
//! of it, so that masters, workers, authorisers behind a hook and children in groups of their own all count.

use std::collections::HashSet;
use std::time::Duration;

use crate::Failure;

/// Length of a tick in proc(5): `USER_HZ` is 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);
/// Fields of `/proc/PID/stat` behind the name in parentheses, counted from the state.
const PARENT: usize = 1;
const GROUP: usize = 2;
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;

/// User and system time so far of all processes of a group, and of their descendants.
pub(crate) fn cpu_time(group: u32) -> Result<Duration, Failure> {
    let ticks: u64 = members(group)?.iter().map(|member| member.ticks).sum();
    Ok(TICK * u32::try_from(ticks)?)
}

/// Resident memory of all processes of a group and of their descendants, in KiB; pages that two of them share count twice.
pub(crate) fn resident_kib(group: u32) -> Result<u64, Failure> {
    let mut sum = 0;
    for member in members(group)? {
        let status = std::fs::read_to_string(format!("/proc/{}/status", member.id)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        sum += kib.unwrap_or(0);
    }
    Ok(sum)
}

struct Process {
    id: u32,
    parent: u32,
    group: u32,
    ticks: u64,
}

fn members(group: u32) -> Result<Vec<Process>, Failure> {
    let members = group_and_descendants(group, everybody()?);
    match members.is_empty() {
        true => Err(format!("process group {group} is gone").into()),
        false => Ok(members),
    }
}

fn group_and_descendants(group: u32, mut others: Vec<Process>) -> Vec<Process> {
    let mut members: Vec<Process> = others.extract_if(.., |process| process.group == group).collect();
    let mut known: HashSet<u32> = members.iter().map(|member| member.id).collect();
    loop {
        let children: Vec<Process> = others
            .extract_if(.., |process| known.contains(&process.parent))
            .collect();
        if children.is_empty() {
            return members;
        }
        known.extend(children.iter().map(|child| child.id));
        members.extend(children);
    }
}

/// All processes of the machine.
fn everybody() -> Result<Vec<Process>, Failure> {
    let mut everybody = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(id) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else {
            continue;
        };
        // It may have ended since the folder was read.
        let Ok(stat) = std::fs::read_to_string(path.join("stat")) else {
            continue;
        };
        everybody.extend(read(id, &stat));
    }
    Ok(everybody)
}

fn read(id: u32, stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let field = |at: usize| fields.get(at).copied();
    let ticks = |at: usize| field(at)?.parse::<u64>().ok();
    Some(Process {
        id,
        parent: field(PARENT)?.parse().ok()?,
        group: field(GROUP)?.parse().ok()?,
        ticks: ticks(USER_TICKS)? + ticks(SYSTEM_TICKS)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_and_children_in_groups_of_their_own_count_and_nobody_else_does() {
        let process = |id, parent, group| Process {
            id,
            parent,
            group,
            ticks: 1,
        };
        let everybody = vec![
            process(1, 0, 1),
            process(32, 31, 32),
            process(31, 20, 31),
            process(20, 10, 20),
            process(21, 20, 20),
            process(40, 10, 40),
            process(41, 40, 40),
            process(10, 1, 10),
        ];
        let mut counted: Vec<u32> = group_and_descendants(20, everybody)
            .iter()
            .map(|process| process.id)
            .collect();
        counted.sort_unstable();
        assert_eq!(counted, [20, 21, 31, 32]);
    }

    #[test]
    fn a_line_of_proc_is_read_whatever_the_program_calls_itself() {
        let line = "77 (a) b) S 7 70 70 0 -1 4194304 1 2 3 4 25 17 0 0 20 0 1 0 5 6 7";
        let read = read(77, line).expect("a process");
        assert_eq!((read.parent, read.group, read.ticks), (7, 70, 42));
        assert!(super::read(77, "77 (a) S 7").is_none());
    }
}
