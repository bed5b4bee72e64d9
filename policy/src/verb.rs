//! The methods the door knows. Whatever is not here does not pass.

use crate::Level;

/// A method of the allow-list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Verb {
    pub(crate) const ALL: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Options,
    ];

    /// From its exact name: methods are case-sensitive, so `get` is none.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// What a request needs where no entry says otherwise: view to read, manage to write.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Get | Self::Head | Self::Options => Level::View,
            Self::Post | Self::Put | Self::Patch | Self::Delete => Level::Manage,
        }
    }

    /// The methods that an entry for this one covers: whoever may GET a page may ask for its head.
    pub(crate) fn covers(self) -> &'static [Self] {
        match self {
            Self::Get => &[Self::Get, Self::Head],
            Self::Head => &[Self::Head],
            Self::Post => &[Self::Post],
            Self::Put => &[Self::Put],
            Self::Patch => &[Self::Patch],
            Self::Delete => &[Self::Delete],
            Self::Options => &[Self::Options],
        }
    }
}
