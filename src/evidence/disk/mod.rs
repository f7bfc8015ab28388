//! Disk images: container, partitions, volumes, shadow copies.

mod bitlocker;
mod container;
mod mounts;
mod partition;
mod shadow;
mod volume;
