//! How far a thread stands back behind those that serve.

use std::time::Duration;

use thread_priority::unix::set_thread_priority_and_policy;
use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, thread_native_id};

/// So long spare time is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_millis(250);
/// Added to a thread's niceness (setpriority(2)): beside one that serves it gets a tenth of a core.
const NICENESS: i32 = 10;

/// What a thread gets of a core that others want, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Nothing: it gives the core up at once (`SCHED_IDLE`, sched(7)). While all cores are busy it does next to nothing.
    SpareTime,
    /// A tenth. It may keep the core until the scheduler's next tick, milliseconds in which others wait.
    Share,
}

impl Priority {
    /// From now on, for the calling thread. Where the system refuses, the thread works as before.
    pub fn take(self) {
        match self {
            Self::SpareTime => {
                let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
                let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
            }
            // Linux takes it for this thread alone.
            Self::Share => {
                let _ = rustix::process::nice(NICENESS);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_in_spare_time_is_of_the_idle_class_and_one_with_a_share_is_nicer() {
        let class = |priority: Priority| {
            let looked = std::thread::spawn(move || {
                priority.take();
                let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
                let fields: Vec<String> = stat
                    .rsplit_once(") ")
                    .unwrap()
                    .1
                    .split(' ')
                    .map(str::to_owned)
                    .collect();
                // Fields 19 and 41 of proc_pid_stat(5); the first two are cut off.
                (fields[16].parse::<i32>().unwrap(), fields[38].parse::<u32>().unwrap())
            });
            looked.join().unwrap()
        };
        assert_eq!(class(Priority::SpareTime).1, 5, "SCHED_IDLE");
        assert_eq!(class(Priority::Share).0, NICENESS);
    }
}
