//! Media as devices: which device holds a path, how much room it has, and which boot of the machine this is.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A device that files stand on, as the kernel numbers it.
///
/// Partitions of one disk count as one device: who takes the disk takes both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceNumber {
    major: u32,
    minor: u32,
}

/// The room on a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size of the file system in bytes.
    pub total_bytes: u64,
    /// Bytes that this process may still use.
    pub free_bytes: u64,
}

/// Which boot of the machine this is: 16 random bytes that the kernel makes anew at each start.
pub type BootId = [u8; 16];

/// The device that holds `path`, which must exist.
///
/// A partition is named by its whole disk, as far as `/sys` tells. File systems without a block device of their own (tmpfs,
/// btrfs sub-volumes, network mounts) are named by their own number: two btrfs sub-volumes of one disk count as two.
///
/// # Errors
/// [`MediaError::Inaccessible`] when `path` cannot be examined.
pub fn device_of(path: &Path) -> Result<DeviceNumber, MediaError> {
    let status = rustix::fs::stat(path).map_err(|error| MediaError::Inaccessible {
        path: path.to_path_buf(),
        source: error.into(),
    })?;
    let own = DeviceNumber {
        major: rustix::fs::major(status.st_dev),
        minor: rustix::fs::minor(status.st_dev),
    };
    Ok(whole_disk(own, Path::new("/sys/dev/block")).unwrap_or(own))
}

/// Whether two existing paths stand on one device.
///
/// # Errors
/// [`MediaError::Inaccessible`] when one of them cannot be examined.
pub fn same_device(one: &Path, other: &Path) -> Result<bool, MediaError> {
    Ok(device_of(one)? == device_of(other)?)
}

/// The room on the file system that holds `path`.
///
/// # Errors
/// [`MediaError::Inaccessible`] when `path` cannot be examined.
pub fn space(path: &Path) -> Result<Space, MediaError> {
    let status = rustix::fs::statvfs(path).map_err(|error| MediaError::Inaccessible {
        path: path.to_path_buf(),
        source: error.into(),
    })?;
    Ok(Space {
        total_bytes: status.f_blocks.saturating_mul(status.f_frsize),
        free_bytes: status.f_bavail.saturating_mul(status.f_frsize),
    })
}

/// Which boot of the machine this is.
///
/// # Errors
/// [`MediaError::BootUnknown`] when the kernel does not tell, or tells something that is not a UUID.
pub fn boot_id() -> Result<BootId, MediaError> {
    let text = fs::read_to_string(BOOT_ID).map_err(MediaError::BootUnknown)?;
    parse_boot_id(&text)
        .ok_or_else(|| MediaError::BootUnknown(io::Error::from(io::ErrorKind::InvalidData)))
}

/// Why a medium or the machine could not be examined.
#[derive(Debug)]
#[non_exhaustive]
pub enum MediaError {
    /// A path does not exist or may not be examined. Mount the medium, or correct the path.
    Inaccessible {
        /// The path that was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The boot identifier of the kernel cannot be read. Mount `/proc`.
    BootUnknown(io::Error),
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inaccessible { path, source } => write!(
                f,
                "{} cannot be examined: {source}: mount the medium, or correct the path",
                path.display()
            ),
            Self::BootUnknown(source) => {
                write!(f, "{BOOT_ID} cannot be read: {source}: mount /proc")
            }
        }
    }
}

impl std::error::Error for MediaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Inaccessible { source, .. } | Self::BootUnknown(source) => Some(source),
        }
    }
}

/// The disk of a partition, or `None` when `device` is not a partition that `block_devices` (`/sys/dev/block`) knows.
fn whole_disk(device: DeviceNumber, block_devices: &Path) -> Option<DeviceNumber> {
    let entry = block_devices.join(format!("{}:{}", device.major, device.minor));
    if !entry.join("partition").exists() {
        return None;
    }
    // The entry is a link to .../block/DISK/PARTITION: its real parent directory is the disk.
    let disk = fs::canonicalize(entry).ok()?;
    let text = fs::read_to_string(disk.parent()?.join("dev")).ok()?;
    let (major, minor) = text.trim().split_once(':')?;
    Some(DeviceNumber {
        major: major.parse().ok()?,
        minor: minor.parse().ok()?,
    })
}

fn parse_boot_id(text: &str) -> Option<BootId> {
    let text = text.trim();
    let digits: Vec<u8> = text
        .bytes()
        .filter(|&b| b != b'-')
        .map(|b| {
            char::from(b)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        })
        .collect::<Option<_>>()?;
    if text.len() != 36 || digits.len() != 32 {
        return None;
    }
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |value, digit| value << 4 | digit);
    }
    Some(id)
}

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "a test writes into a directory of its own"
)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn two_folders_of_one_device_are_the_same_device() {
        let place = tempfile::tempdir().unwrap();
        let (one, two) = (place.path().join("one"), place.path().join("two"));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&two).unwrap();
        assert!(same_device(&one, &two).unwrap());
        assert!(!same_device(&one, Path::new("/proc")).unwrap());
    }

    #[test]
    fn a_missing_path_is_named() {
        let error = device_of(Path::new("/nowhere/at all")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at all"), "{error}");
        assert!(space(Path::new("/nowhere")).is_err());
        assert!(same_device(Path::new("/"), Path::new("/nowhere")).is_err());
    }

    #[test]
    fn a_partition_stands_for_its_disk() {
        let sys = tempfile::tempdir().unwrap();
        let disk = sys.path().join("devices/sda");
        let partition = disk.join("sda2");
        let block = sys.path().join("dev/block");
        fs::create_dir_all(&partition).unwrap();
        fs::create_dir_all(&block).unwrap();
        fs::write(disk.join("dev"), "8:0\n").unwrap();
        fs::write(partition.join("partition"), "2\n").unwrap();
        symlink(&partition, block.join("8:2")).unwrap();
        symlink(&disk, block.join("8:0")).unwrap();
        let number = |minor| DeviceNumber { major: 8, minor };
        assert_eq!(whole_disk(number(2), &block), Some(number(0)));
        assert_eq!(whole_disk(number(0), &block), None);
        assert_eq!(whole_disk(number(9), &block), None);
        fs::write(disk.join("dev"), "eight").unwrap();
        assert_eq!(whole_disk(number(2), &block), None);
    }

    #[test]
    fn space_is_plausible() {
        let room = space(Path::new("/")).unwrap();
        assert!(room.total_bytes >= room.free_bytes);
        assert!(room.total_bytes > 0);
    }

    #[test]
    fn the_boot_id_does_not_change_while_we_run() {
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
        assert_ne!(boot_id().unwrap(), [0; 16]);
    }

    #[test]
    fn a_boot_id_is_a_uuid_and_nothing_else() {
        let good = parse_boot_id("0123abcd-4567-89ef-0000-ffffffffffff\n").unwrap();
        assert_eq!(good.first_chunk(), Some(&[0x01, 0x23, 0xab, 0xcd]));
        for bad in [
            "",
            "0123",
            "0123abcd-4567-89ef-0000-fffffffffffg",
            "0123abcd456789ef0000ffffffffffff",
        ] {
            assert_eq!(parse_boot_id(bad), None, "{bad}");
        }
    }
}
