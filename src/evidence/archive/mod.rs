//! Archives as trees of files, without unpacking them to disk by name.
