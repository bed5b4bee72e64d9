//! The fields of a form, as they were sent, where their number is not known before.

use crate::halt::Halt;

/// See the module.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) const fn of(sent: Vec<(String, String)>) -> Self {
        Self(sent)
    }

    /// A field; a form of ours sends none of these twice.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Halt> {
        let mut values = self
            .0
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Halt::Malformed),
        }
    }

    /// A field that the form always sends.
    pub(crate) fn needed(&self, name: &str) -> Result<&str, Halt> {
        self.one(name)?.ok_or(Halt::Malformed)
    }

    /// The version of the account that the form was made for.
    pub(crate) fn version(&self) -> Result<u64, Halt> {
        self.needed("version")?.parse().map_err(|_| Halt::Malformed)
    }
}
