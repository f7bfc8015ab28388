//! Evidence made on purpose: hives, transaction logs and event logs for samples, tests and exercises.
