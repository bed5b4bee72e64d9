//! Both files, through the front.
