//! NTFS volumes as trees of files. The only place that names `ntfs`.
