//! What a judgement leaves behind: nothing, or a step for each thing that was looked at.

use super::Step;
use crate::fault::KeyPath;

/// Whoever listens to a judgement. What it hears has no way to change what is decided.
pub(super) trait Notes {
    /// Takes a step. `finding` is only asked where somebody wants to know.
    fn step(&mut self, check: &'static str, passed: bool, finding: impl FnOnce() -> Finding);
}

/// What was found, and the key path of the rule where one decided.
pub(super) type Finding = (String, Option<KeyPath>);

/// Nobody listens: compiles to nothing.
pub(super) struct Silent;

impl Notes for Silent {
    #[inline(always)]
    fn step(&mut self, _check: &'static str, _passed: bool, _finding: impl FnOnce() -> Finding) {}
}

/// Writes every step down.
#[derive(Default)]
pub(super) struct Written {
    pub(super) steps: Vec<Step>,
}

impl Notes for Written {
    fn step(&mut self, check: &'static str, passed: bool, finding: impl FnOnce() -> Finding) {
        let (detail, rule) = finding();
        self.steps.push(Step {
            check,
            passed,
            detail,
            rule: rule.map(|path| path.to_string()),
        });
    }
}
