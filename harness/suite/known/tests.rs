//! Lists of known failures: what is read, what a run says about an entry, and how a list is changed.
