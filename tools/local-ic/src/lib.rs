//! A local Internet Computer in one process.
