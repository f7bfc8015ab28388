//! A tree with other trees below it: a volume with its shadow copies.
