//! Where the volumes of a disk are: GPT, MBR, or a volume without a partition table.
