//! BitLocker volumes: named as such, and unlocked where a key is given.
