#!/usr/bin/env bash
# Makes the disk images of the tests from two samples: every container, partition table and volume of README.md.
#
#   tests/images/make.sh OUT              one folder per case below OUT
#   tests/images/make.sh OUT --commit     and packs them into tests/images/disks.tar.xz and shadow-copy.raw.xz
#
# Needs root (ntfs-3g mounts a volume through FUSE) and the Debian packages
#   ntfs-3g fuse3 gdisk dosfstools e2fsprogs qemu-utils ewf-tools python3 xz-utils
# and cargo, which writes the two states of the volume with a shadow copy.
# Disks, identifiers and partition tables are fixed. ntfs-3g, qemu-img and ewfacquire write the time of day into
# what they make, so two runs differ there; the committed result is the reference, and .ci/run holds a fresh
# one against the same tests.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
samples=$here/../../samples
out=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'umount -q "$work/mount" 2>/dev/null || true; rm -rf "$work"' EXIT
export LC_ALL=C TZ=UTC
MIB=$((1 << 20))

formats() { python3 "$here/formats.py" "$@"; }
# What tools say is shown when they fail.
quietly() { "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2 && return 1; }; }
case_folder() { mkdir -p "$out/$1" && cd "$out/$1"; }

# Volumes.

ntfs() { # file, bytes, serial number, sample or -, options of mkntfs
    local file=$1 size=$2 number=$3 sample=$4
    shift 4
    truncate -s "$size" "$file"
    quietly mkntfs -F -q -Q -L Windows "$@" "$file"
    formats serial "$file" "$number"
    if [ "$sample" = - ]; then return; fi
    put "$file" "$samples/$sample/evidence" 2022-03-22T13:30:00Z
}

put() { # volume, folder whose files go into it, their time, further command that is run in the mounted volume
    local volume=$1 folder=$2 time=$3
    shift 3
    mkdir -p "$work/mount"
    quietly ntfs-3g -o no_detach,streams_interface=windows "$volume" "$work/mount" &
    until mountpoint -q "$work/mount"; do
        kill -0 $! 2>/dev/null || exit 1
        sleep 0.05
    done
    if [ $# -gt 0 ]; then (cd "$work/mount" && "$@"); fi
    cp -r "$folder/." "$work/mount/"
    find "$work/mount" -exec touch -h -d "$time" {} +
    umount "$work/mount"
    wait $! # The last blocks are written after the unmount returns.
}

# Windows begins 34 MiB into a disk as Setup lays it out; here everything before it is made small.
ntfs "$work/windows" $((10 * MIB)) 5356435400000001 compromised-workstation -s 512 -p 6144 -H 255 -S 63
ntfs "$work/second" $((10 * MIB)) 5356435400000002 clean-noisy-host -s 512 -H 255 -S 63
ntfs "$work/recovery" $((2 * MIB)) 5356435400000003 - -s 512 -H 255 -S 63
ntfs "$work/windows4k" $((10 * MIB)) 5356435400000004 compromised-workstation -s 4096 -c 4096 -H 255 -S 63
truncate -s $MIB "$work/efi"
quietly mkfs.fat -i 53564354 -n EFI "$work/efi"

# The disk of which the containers are made: EFI, MSR, Windows, recovery.

gpt() { # disk, then name:type:start MiB:MiB:volume or -
    local disk=$1 number=0 name kind start size volume
    shift
    local commands=()
    for part in "$@"; do
        IFS=: read -r name kind start size volume <<<"$part"
        number=$((number + 1))
        commands+=(-n "$number:$((start * 2048)):+${size}M" -t "$number:$kind" -c "$number:$name"
            -u "$number:53564354-0000-4000-8000-00000000010$number")
    done
    quietly sgdisk -U 53564354-0000-4000-8000-000000000100 "${commands[@]}" "$disk"
    for part in "$@"; do
        IFS=: read -r name kind start size volume <<<"$part"
        if [ "$volume" != - ]; then
            dd if="$volume" of="$disk" bs=$MIB seek="$start" conv=notrunc,sparse status=none
        fi
    done
}

disk=$out/raw/disk.raw
case_folder raw
truncate -s $((16 * MIB)) disk.raw
gpt disk.raw \
    "EFI system partition:EF00:1:1:$work/efi" \
    "Microsoft reserved partition:0C01:2:1:-" \
    "Basic data partition:0700:3:10:$work/windows" \
    "Recovery:2700:13:2:$work/recovery"

case_folder raw-split
split -b $((6 * MIB)) -d -a 3 --numeric-suffixes=1 "$disk" disk.

# Expert Witness.

ewf() { # case, source, further options
    local name=$1 source=$2
    shift 2
    case_folder "$name"
    quietly ewfacquire -u -q -t disk -m fixed -M physical -b 64 -o 0 -C svctriage -D "test image" \
        -E 1 -e tests -N "" "$@" "$source"
}
ewf e01-best "$disk" -f encase6 -c best
ewf e01-fast "$disk" -f encase6 -c fast
ewf e01-none "$disk" -f encase6 -c none
ewf e01-segments "$disk" -f encase6 -c none -S $((6 * MIB))
ewf e01-encase5 "$disk" -f encase5 -c best
ewf e01-ftk "$disk" -f ftk -c best
ewf e01-linen6 "$disk" -f linen6 -c best
ewf e01-volume "$work/windows" -f encase6 -c best -M logical
case_folder ex01 && formats ex01 "$disk" disk.Ex01 plain
case_folder ex01-patterns && formats ex01 "$disk" disk.Ex01 patterns

# Virtual disks.

convert() { # case, file, format, further options
    local name=$1 file=$2 format=$3
    shift 3
    case_folder "$name"
    qemu-img convert -f raw -O "$format" "$@" "$disk" "$file"
}
convert vhd-dynamic disk.vhd vpc -o subformat=dynamic,force_size=on
convert vhd-fixed disk.vhd vpc -o subformat=fixed,force_size=on
convert vhdx-dynamic disk.vhdx vhdx -o subformat=dynamic,block_size=$MIB
convert vhdx-fixed disk.vhdx vhdx -o subformat=fixed,block_size=$MIB
convert vmdk-sparse disk.vmdk vmdk -o subformat=monolithicSparse
convert vmdk-flat disk.vmdk vmdk -o subformat=monolithicFlat
convert vmdk-split disk.vmdk vmdk -o subformat=twoGbMaxExtentSparse
convert vmdk-stream disk.vmdk vmdk -o subformat=streamOptimized
convert qcow2-v2 disk.qcow2 qcow2 -o compat=0.10
convert qcow2-v3 disk.qcow2 qcow2 -o compat=1.1
convert qcow2-zlib disk.qcow2 qcow2 -c
convert qcow2-zstd disk.qcow2 qcow2 -c -o compression_type=zstd
# No data is encrypted here: that the header says so (crypt_method 1, AES, at 32) must be enough.
case_folder qcow2-encrypted
qemu-img create -q -f qcow2 disk.qcow2 ${MIB}
printf '\0\0\0\1' | dd of=disk.qcow2 bs=1 seek=32 conv=notrunc status=none

# A disk whose Windows was put down after a snapshot was taken: the parent alone has none.
delta() { # case, format, extension
    case_folder "$1"
    qemu-img convert -f raw -O "$2" "$work/before" "parent.$3"
    qemu-img create -q -f "$2" -b "parent.$3" -F "$2" "disk.$3"
    for at in $(seq 3 12); do
        qemu-io -f "$2" -c "write -q -s $work/part.$at $((at * MIB)) $MIB" "disk.$3" >/dev/null
    done
}
cp --sparse=always "$disk" "$work/before"
dd if=/dev/zero of="$work/before" bs=$MIB seek=3 count=10 conv=notrunc status=none
for at in $(seq 3 12); do dd if="$disk" of="$work/part.$at" bs=$MIB skip="$at" count=1 status=none; done
delta vmdk-snapshot vmdk vmdk
delta qcow2-backing qcow2 qcow2
case_folder vhd-differencing
cp ../vhd-dynamic/disk.vhd parent.vhd
formats vhd-differencing parent.vhd disk.vhd

# AFF4.

for method in zlib snappy map; do
    case_folder "aff4-$method"
    formats aff4 "$disk" disk.aff4 "$method"
done

# Partition tables.

case_folder mbr-logical
formats mbr disk.raw "$work/recovery" "$work/windows"
case_folder gpt-4k
formats gpt4k disk.raw $((12 * MIB)) "$work/windows4k"
case_folder gpt-backup
cp --sparse=always "$disk" disk.raw
dd if=/dev/zero of=disk.raw bs=512 seek=1 count=33 conv=notrunc status=none
case_folder volume
cp --sparse=always "$work/windows" volume.raw
case_folder two-windows
truncate -s $((24 * MIB)) disk.raw
gpt disk.raw "Basic data partition:0700:1:10:$work/windows" "Second:0700:12:10:$work/second"
case_folder no-windows
truncate -s $((6 * MIB)) disk.raw
truncate -s $((2 * MIB)) "$work/linux"
mke2fs -q -F -t ext2 -U 53564354-0000-4000-8000-000000000200 -E hash_seed=53564354-0000-4000-8000-000000000201 \
    "$work/linux"
gpt disk.raw "EFI system partition:EF00:1:1:$work/efi" "Linux:8300:2:2:$work/linux"

# A volume with a shadow copy: the host of examples/make_states.rs before and after.

reserve() {
    mkdir "System Volume Information"
    python3 "$here/shadow_copy.py" reserve \
        "System Volume Information/{53564354-0000-4000-8000-000000000301}{3808876b-c176-4e48-b7ae-04046e6cc752}"
}
cargo run --quiet --locked --manifest-path "$here/../../Cargo.toml" --example make_states -- "$work/states"
ntfs "$work/old" $((12 * MIB)) 5356435400000005 - -s 512 -c 4096 -H 255 -S 63
put "$work/old" "$work/states/old" 2022-03-22T08:00:00Z reserve
cp "$work/old" "$work/new"
put "$work/new" "$work/states/new" 2022-03-22T13:30:00Z
case_folder shadow-copy
python3 "$here/shadow_copy.py" write "$work/old" "$work/new" volume.raw "$(date -d 2022-03-22T08:00:00Z +%s)"

# What happens to images.

lost() { # case, of which case, the file that is missing
    mkdir -p "$out/$1"
    cp --sparse=always "$out/$2"/* "$out/$1/"
    rm "$out/$1/$3"
}
cut_off() { # case, of which case, file, bytes that are left
    case_folder "$1"
    cp --sparse=always "$out/$2/$3" .
    truncate -s "$4" "$3"
}
lost raw-split-lost raw-split disk.002
lost e01-lost e01-segments disk.E02
lost vmdk-lost vmdk-snapshot parent.vmdk
lost vmdk-extent-lost vmdk-flat disk-flat.vmdk
lost qcow2-lost qcow2-backing parent.qcow2
lost vhd-lost vhd-differencing parent.vhd
cut_off raw-cut raw disk.raw $((12 * MIB))
cut_off e01-no-table e01-none disk.E01 $((12 * MIB))
mkdir -p "$out/e01-cut"
cp "$out/e01-segments"/* "$out/e01-cut/"
truncate -s $MIB "$out/e01-cut/disk.E03"

if [ "${2:-}" = --commit ]; then
    xz -9e --threads=1 --stdout "$out/shadow-copy/volume.raw" >"$here/shadow-copy.raw.xz"
    cd "$out"
    # Zeros are left out, so that unpacking costs what is in the images and not what they could hold.
    tar --create --format=gnu --sparse --hole-detection=raw --sort=name --owner=0 --group=0 --numeric-owner \
        --mtime=2022-03-22T13:30:00Z --mode=u=rwX,go=rX --exclude=shadow-copy -- * | xz -9e --threads=1 >"$here/disks.tar.xz"
fi
