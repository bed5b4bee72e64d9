//! Tests of the portal as a whole.

mod gallery;
