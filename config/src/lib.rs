//! Files become a snapshot, or every fault at once.
