//! stagedoor-portal
