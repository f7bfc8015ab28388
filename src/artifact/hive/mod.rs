//! Registry hives (regf): the only place that names `nt_hive`.
