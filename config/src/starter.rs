//! The files `stagedoor init` writes, and the policy that holds where there is none.

/// `stagedoor.toml` and `policy.toml` for a first start: nothing without an account, everything for the role
/// `administrator`. Their comments teach the language.
pub fn starter_files() -> (&'static str, &'static str) {
    (
        include_str!("../../presets/starter/stagedoor.toml"),
        include_str!("../../presets/starter/policy.toml"),
    )
}
