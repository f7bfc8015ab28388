//! Volume shadow copies: the same volume as it was before.
