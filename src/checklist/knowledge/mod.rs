//! Lists as data, each with its source.
