//! Disk images of every form as one thing: the bytes of the disk.
