//! The rows of the fault table.

use std::fs;

use tests::random::Random;
use tests::world::World;

use crate::faults::{Outcome, Row, SEED, change, copy_folder, exchange, list, segment};

pub(crate) const ROWS: &[Row] = &[
    Row {
        fault: "bit flip",
        how: "one bit in the middle of a sealed segment of one medium",
        inject: |world| {
            change(&segment(world, "data-a", 0), |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
            });
        },
        command: "verify",
        calls: "",
        exit: 7,
        says: "data-a",
        outcome: Outcome::ServedFromOtherCopy,
    },
    Row {
        fault: "lost write",
        how: "4 KiB of zeros where a sealed segment of one medium had data",
        inject: |world| {
            change(&segment(world, "data-b", 0), |bytes| {
                bytes[1_048_576..1_052_672].fill(0);
            });
        },
        command: "verify",
        calls: "",
        exit: 7,
        says: "data-b",
        outcome: Outcome::ServedFromOtherCopy,
    },
    Row {
        fault: "misdirected write",
        how: "64 KiB of a segment written over another place of it, on one medium",
        inject: |world| {
            change(&segment(world, "data-a", 1), |bytes| {
                bytes.copy_within(65_536..131_072, 2_097_152);
            });
        },
        command: "verify",
        calls: "",
        exit: 7,
        says: "data-a",
        outcome: Outcome::ServedFromOtherCopy,
    },
    Row {
        fault: "torn frame",
        how: "half a frame behind the last commit mark of one medium",
        inject: |world| {
            let newest = world.segments("data-a").pop().expect("a segment");
            change(&newest, |bytes| {
                let half = bytes[64..264].to_vec();
                bytes.extend(half);
            });
        },
        command: "deposit more --class general",
        calls: "",
        exit: 0,
        says: "cut off",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "truncated segment",
        how: "a sealed segment of one medium cut in the middle",
        inject: |world| {
            change(&segment(world, "data-b", 1), |bytes| {
                bytes.truncate(2_000_000);
            });
        },
        command: "verify",
        calls: "",
        exit: 7,
        says: "data-b",
        outcome: Outcome::ServedFromOtherCopy,
    },
    Row {
        fault: "older segment missing on one medium",
        how: "the file removed",
        inject: |world| fs::remove_file(segment(world, "data-a", 0)).expect("removed"),
        command: "verify",
        calls: "",
        exit: 7,
        says: "data-a",
        outcome: Outcome::ServedFromOtherCopy,
    },
    Row {
        fault: "older segment missing on all media",
        how: "the files removed",
        inject: |world| {
            for medium in ["data-a", "data-b"] {
                fs::remove_file(segment(world, medium, 0)).expect("removed");
            }
        },
        command: "verify",
        calls: "",
        exit: 7,
        says: "0000000001",
        outcome: Outcome::OthersServed(6),
    },
    Row {
        fault: "older segment missing on all media, and the index",
        how: "the files and the index removed",
        inject: |world| {
            for medium in ["data-a", "data-b"] {
                fs::remove_file(segment(world, medium, 0)).expect("removed");
            }
            fs::remove_dir_all(world.at("index")).expect("an index");
        },
        command: "rebuild",
        calls: "",
        exit: 7,
        says: "0000000001",
        outcome: Outcome::LossNamed(6),
    },
    Row {
        fault: "newest segment missing on one medium",
        how: "the file removed",
        inject: |world| fs::remove_file(segment(world, "data-b", 2)).expect("removed"),
        command: "deposit more --class general",
        calls: "",
        exit: 0,
        says: "from another copy",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "newest segment missing on all media",
        how: "the files moved away",
        inject: |world| {
            for medium in ["data-a", "data-b"] {
                fs::rename(segment(world, medium, 2), world.at(medium).join("aside"))
                    .expect("moved");
            }
        },
        command: "search",
        calls: "",
        exit: 7,
        says: "LOST",
        outcome: Outcome::WholeOncePutBack(|world| {
            for medium in ["data-a", "data-b"] {
                let name = world.at(medium).join("segments/0000000003.seg");
                fs::rename(world.at(medium).join("aside"), name).expect("moved");
            }
        }),
    },
    Row {
        fault: "duplicated segment",
        how: "a sealed segment a second time under the next number, on both media",
        inject: |world| {
            for medium in ["data-a", "data-b"] {
                let next = world.at(medium).join("segments/0000000004.seg");
                fs::copy(segment(world, medium, 0), next).expect("copied");
            }
        },
        command: "deposit more --class general",
        calls: "",
        exit: 7,
        says: "segment 0000000004",
        outcome: Outcome::WholeOncePutBack(|world| {
            for medium in ["data-a", "data-b"] {
                let next = world.at(medium).join("segments/0000000004.seg");
                fs::remove_file(next).expect("removed");
            }
        }),
    },
    Row {
        fault: "data media exchanged",
        how: "the two data media mounted in each other's place",
        inject: |world| exchange(world, "data-a", "data-b"),
        command: "deposit more --class general",
        calls: "",
        exit: 0,
        says: "media are swapped",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "key medium and data medium exchanged",
        how: "each mounted in the other's place",
        inject: |world| exchange(world, "data-a", "keys"),
        command: "deposit more --class general",
        calls: "",
        exit: 3,
        says: "is no key medium",
        outcome: Outcome::WholeOncePutBack(|world| exchange(world, "data-a", "keys")),
    },
    Row {
        fault: "medium of another archive",
        how: "another archive's data medium in the place of one",
        inject: |world| {
            let other = World::new();
            fs::rename(world.at("data-b"), world.at("ours")).expect("moved");
            copy_folder(&other.at("data-a"), &world.at("data-b"));
        },
        command: "deposit more --class general",
        calls: "",
        exit: 3,
        says: "data-b",
        outcome: Outcome::WholeOncePutBack(|world| {
            fs::remove_dir_all(world.at("data-b")).expect("removed");
            fs::rename(world.at("ours"), world.at("data-b")).expect("moved");
        }),
    },
    Row {
        fault: "read error",
        how: "EIO from every read of a sealed segment of one medium",
        inject: |_| (),
        command: "verify",
        calls: "-P data-a/segments/0000000001.seg -e inject=pread64,read:error=EIO",
        exit: 7,
        says: "data-a",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "read error in the growing segment",
        how: "EIO from every read of the growing segment of one medium, but those of its header",
        inject: |_| (),
        command: "deposit more --class general",
        calls: "-P data-a/segments/0000000003.seg -e inject=pread64,read:error=EIO:when=4+",
        exit: 5,
        says: "data-a/segments/0000000003.seg",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "write error",
        how: "EIO from the first write to a segment",
        inject: |_| (),
        command: "deposit more --class general",
        calls: "-P data-a/segments/0000000003.seg -e inject=pwritev,pwritev2,pwrite64:error=EIO:when=1",
        exit: 5,
        says: "data-a",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "ENOSPC",
        how: "ENOSPC from the first write to a segment",
        inject: |_| (),
        command: "deposit more --class general",
        calls: "-P data-b/segments/0000000003.seg -e inject=pwritev,pwritev2,pwrite64:error=ENOSPC:when=1",
        exit: 5,
        says: "data-b",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "EIO on fsync",
        how: "EIO from a synchronisation of a segment",
        inject: |_| (),
        command: "deposit more --class general",
        calls: "-P data-a/segments/0000000003.seg -e inject=fdatasync:error=EIO:when=2",
        exit: 5,
        says: "data-a",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "ENOSPC on the key medium",
        how: "ENOSPC from the first write to the key ledger",
        inject: |_| (),
        command: "deposit more --class general",
        calls: "-P keys/ledger/0000000001.led -e inject=pwritev,pwritev2,pwrite64:error=ENOSPC:when=1",
        exit: 5,
        says: "the key medium is full",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "clock forwards",
        how: "a deposit when the clock says 2035",
        inject: |_| (),
        command: "@2035-01-01T00:00:00Z deposit more --class general",
        calls: "",
        exit: 0,
        says: "",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "clock backwards",
        how: "a deposit when the clock says 2020",
        inject: |_| (),
        command: "@2020-01-01T00:00:00Z deposit more --class general",
        calls: "",
        exit: 0,
        says: "",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "index corrupted",
        how: "every file of the index engine overwritten with random bytes",
        inject: |world| {
            let mut files = Vec::new();
            list(&world.at("index/records"), &mut files);
            for file in files {
                change(&file, |bytes| {
                    let garbage = Random::new(SEED).bytes(bytes.len());
                    bytes.copy_from_slice(&garbage);
                });
            }
        },
        command: "search",
        calls: "",
        exit: 0,
        says: "the index was damaged",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "key ledger truncated",
        how: "the last entry of the key ledger cut off",
        inject: |world| {
            change(&world.at("keys/ledger/0000000001.led"), |bytes| {
                let shorter = bytes.len() - 100;
                bytes.truncate(shorter);
            });
        },
        command: "verify",
        calls: "",
        exit: 7,
        says: "the key ledger holds no key",
        outcome: Outcome::OthersServed(8),
    },
    Row {
        fault: "wrong passphrase",
        how: "another passphrase",
        inject: |world| drop(world.file("passphrase.txt", b"something else altogether\n")),
        command: "search",
        calls: "",
        exit: 4,
        says: "passphrase",
        outcome: Outcome::WholeOncePutBack(|world| {
            world.file("passphrase.txt", b"correct horse battery staple\n");
        }),
    },
    Row {
        fault: "key medium of another archive",
        how: "another archive's key medium in the place of ours, its passphrase the same",
        inject: |world| {
            let other = World::new();
            fs::rename(world.at("keys"), world.at("ours")).expect("moved");
            copy_folder(&other.at("keys"), &world.at("keys"));
        },
        command: "search",
        calls: "",
        exit: 3,
        says: "belongs to another archive",
        outcome: Outcome::WholeOncePutBack(|world| {
            fs::remove_dir_all(world.at("keys")).expect("removed");
            fs::rename(world.at("ours"), world.at("keys")).expect("moved");
        }),
    },
    Row {
        fault: "key medium missing",
        how: "not mounted",
        inject: |world| fs::rename(world.at("keys"), world.at("ours")).expect("moved"),
        command: "search",
        calls: "",
        exit: 3,
        says: "keys",
        outcome: Outcome::WholeOncePutBack(|world| {
            fs::rename(world.at("ours"), world.at("keys")).expect("moved");
        }),
    },
];
