//! From [`Rules`] to [`Policy`], or to every fault at once.

use crate::fault::Fault;
use crate::policy::{Policy, Revision};
use crate::rules::Rules;

/// Compiles `rules` as revision `revision`.
///
/// # Errors
/// Every fault that is in the rules, in the order of the file's key paths.
pub fn compile(_rules: &Rules, _revision: Revision) -> Result<Policy, Vec<Fault>> {
    todo!()
}
