//! Role by area, as a table a person can read.

/// What `stagedoor policy show` prints: one row an area, one column a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTable {
    /// Role names.
    pub columns: Vec<String>,
    /// (site, area, what each role may do there: `-`, `view`, `manage`, with action names after a `+`).
    pub rows: Vec<(String, String, Vec<String>)>,
}

impl RoleTable {
    /// The table of a policy.
    pub fn of(_policy: &crate::Policy) -> Self {
        todo!()
    }
}
