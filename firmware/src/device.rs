//! What a device says of itself: model, serial number, whether it can be taken out. Read from `/sys`, as far as the kernel tells.

use std::fs;
use std::path::{Path, PathBuf};

/// What a device says of itself. What it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceIdentity {
    /// Maker and model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Whether it can be taken out: a card, a stick, a disk behind USB. `None`: unknown.
    pub removable: Option<bool>,
}

/// The device that holds `path`. File systems without a block device give an empty answer.
#[must_use]
pub fn identity_of(path: &Path) -> DeviceIdentity {
    let Ok(status) = rustix::fs::stat(path) else {
        return DeviceIdentity::default();
    };
    let (major, minor) = (
        rustix::fs::major(status.st_dev),
        rustix::fs::minor(status.st_dev),
    );
    identity(Path::new("/sys/dev/block"), &format!("{major}:{minor}"))
}

/// The identity of a device among `block_devices` (`/sys/dev/block`).
fn identity(block_devices: &Path, number: &str) -> DeviceIdentity {
    let Ok(entry) = fs::canonicalize(block_devices.join(number)) else {
        return DeviceIdentity::default();
    };
    let disk = physical(entry);
    let device = disk.join("device");
    let text = |path: PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        printable(&text)
    };
    let (vendor, model) = (text(device.join("vendor")), text(device.join("model")));
    // A vendor that is a PCI number says nothing to people.
    let vendor = if vendor.starts_with("0x") || vendor == "ATA" {
        String::new()
    } else {
        vendor
    };
    let usb = disk.to_string_lossy().contains("/usb");
    let removable = match fs::read_to_string(disk.join("removable")) {
        Ok(text) => Some(usb || text.trim() == "1"),
        Err(_) => usb.then_some(true),
    };
    DeviceIdentity {
        model: format!("{vendor} {model}").trim().to_owned(),
        serial: serial(&disk),
        removable,
    }
}

/// Partitions lead to their disk, mapped devices (encryption, volumes) to the first disk under them.
fn physical(entry: PathBuf) -> PathBuf {
    let mut disk = entry;
    for _ in 0..DEPTH_MAX {
        if disk.join("partition").exists() {
            match disk.parent() {
                Some(parent) => disk = parent.to_path_buf(),
                None => return disk,
            }
            continue;
        }
        let mut below: Vec<PathBuf> = fs::read_dir(disk.join("slaves"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        below.sort();
        match below.first().map(fs::canonicalize) {
            Some(Ok(lower)) => disk = lower,
            _ => return disk,
        }
    }
    disk
}

/// NVMe and virtual disks say it in a text file, SCSI and SATA in a page of vital product data, USB at the device above.
fn serial(disk: &Path) -> String {
    for place in ["serial", "device/serial"] {
        if let Ok(text) = fs::read_to_string(disk.join(place)) {
            return printable(&text);
        }
    }
    if let Ok(page) = fs::read(disk.join("device/vpd_pg80")) {
        let text = page.get(4..).unwrap_or_default();
        let text = printable(&String::from_utf8_lossy(text));
        if !text.is_empty() {
            return text;
        }
    }
    let mut above = disk.ancestors().skip(1).take(DEPTH_MAX);
    let device = above.find(|place| place.join("idVendor").exists());
    let text = device.map(|device| fs::read_to_string(device.join("serial")));
    printable(&text.and_then(Result::ok).unwrap_or_default())
}

/// A device must not choose what a terminal does.
fn printable(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(LETTERS_MAX)
        .collect();
    text.trim().to_owned()
}

/// Most devices one above the other, and most folders looked at above a disk.
const DEPTH_MAX: usize = 12;

/// Most letters kept of what a device says.
const LETTERS_MAX: usize = 128;

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a test writes into a directory of its own"
)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn disks_partitions_and_mapped_devices_say_who_they_are() {
        let sys = tempfile::tempdir().unwrap();
        let disk = sys.path().join("devices/pci0/ata1/block/sda");
        put(&disk.join("device/model"), "SAMSUNG SSD\n");
        put(&disk.join("device/vendor"), "ATA     \n");
        put(&disk.join("device/vpd_pg80"), "\0\u{1}\0\u{4}S123\u{7} \n");
        put(&disk.join("removable"), "0\n");
        put(&disk.join("sda2/partition"), "2\n");
        let mapped = sys.path().join("devices/virtual/block/dm-0");
        fs::create_dir_all(mapped.join("slaves")).unwrap();
        symlink(disk.join("sda2"), mapped.join("slaves/sda2")).unwrap();
        let block = sys.path().join("dev/block");
        fs::create_dir_all(&block).unwrap();
        symlink(&disk, block.join("8:0")).unwrap();
        symlink(disk.join("sda2"), block.join("8:2")).unwrap();
        symlink(&mapped, block.join("253:0")).unwrap();
        let expected = DeviceIdentity {
            model: "SAMSUNG SSD".to_owned(),
            serial: "S123".to_owned(),
            removable: Some(false),
        };
        for number in ["8:0", "8:2", "253:0"] {
            assert_eq!(identity(&block, number), expected, "{number}");
        }
        assert_eq!(identity(&block, "9:9"), DeviceIdentity::default());
    }

    #[test]
    fn a_stick_is_removable_and_has_the_number_of_its_usb_device() {
        let sys = tempfile::tempdir().unwrap();
        let usb = sys.path().join("devices/usb1/1-2");
        put(&usb.join("idVendor"), "0951\n");
        put(&usb.join("serial"), "ABC-9\n");
        let disk = usb.join("1-2:1.0/host6/block/sdb");
        put(&disk.join("device/model"), "Stick\n");
        put(&disk.join("device/vendor"), "Maker\n");
        put(&disk.join("removable"), "0\n");
        let block = sys.path().join("dev/block");
        fs::create_dir_all(&block).unwrap();
        symlink(&disk, block.join("8:16")).unwrap();
        let found = identity(&block, "8:16");
        assert_eq!(found.model, "Maker Stick");
        assert_eq!(found.serial, "ABC-9");
        assert_eq!(found.removable, Some(true));
    }

    #[test]
    fn nothing_is_known_of_what_is_no_block_device() {
        assert_eq!(identity_of(Path::new("/proc")), DeviceIdentity::default());
        assert_eq!(
            identity_of(Path::new("/nowhere")),
            DeviceIdentity::default()
        );
    }
}
