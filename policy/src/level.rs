//! How much of an area somebody may use.

/// `none < view < manage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Nothing at all.
    #[default]
    None,
    /// Look, but change nothing.
    View,
    /// Look and change.
    Manage,
}

/// A grant that an account holds on top of its role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExtraGrant {
    /// The site the area belongs to, or `None` where the area name is meant on every site that has it.
    pub site: Option<String>,
    /// The area's name.
    pub area: String,
    /// View, manage, or none where only actions are granted.
    pub level: Level,
    /// Named actions of the area.
    pub actions: Vec<String>,
}
