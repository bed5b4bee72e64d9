//! The system's limit on open files, and what of it connections may take, so that the admin API, the store and the logs
//! always have theirs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for the store, the logs, the admin API and idle connections to consoles.
const RESERVED: usize = 320;
/// Where the system knows no limit.
const ENOUGH: usize = 1_000_000;

/// Raises the limit as far as this process may, and answers how many descriptors connections may hold together.
pub fn for_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // Whoever may not raise it goes on with what there is.
        let _as_before = setrlimit(Resource::Nofile, raised);
    }
    share(getrlimit(Resource::Nofile).current)
}

fn share(limit: Option<u64>) -> usize {
    let limit = limit.map_or(ENOUGH, |limit| usize::try_from(limit).unwrap_or(ENOUGH));
    // Half of very little is still something.
    limit.saturating_sub(RESERVED).max(limit / 2).min(ENOUGH)
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, share};

    #[test]
    fn something_is_always_left_for_the_rest_of_the_house() {
        assert_eq!(share(Some(1024)), 704);
        assert_eq!(share(Some(64)), 32);
        assert_eq!(share(None), share(Some(ENOUGH as u64)));
    }
}
