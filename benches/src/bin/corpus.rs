//! Makes the three data sets of the side-by-side benchmark from a seed: `corpus DIR [SCALE_PERCENT]`.
//!
//! `logs`: RFC 5424 text in 16 files; `docs`: incompressible bytes in 1,024 files; `small`: 20,000 JSON files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bytes of the sets `logs` and `docs` at 100 percent.
const SET_BYTES: u64 = 512 * 1024 * 1024;
/// Files of the set `small` at 100 percent.
const SMALL_FILES: u64 = 20_000;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let target = arguments.next().map(PathBuf::from).ok_or_else(usage)?;
    let percent: u64 = match arguments.next() {
        None => 100,
        Some(text) => text.to_string_lossy().parse().map_err(|_| usage())?,
    };
    logs(&target.join("logs"), SET_BYTES * percent / 100)?;
    docs(&target.join("docs"), SET_BYTES * percent / 100)?;
    small(&target.join("small"), SMALL_FILES * percent / 100)
}

fn usage() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "usage: corpus DIR [SCALE_PERCENT]",
    )
}

/// SplitMix64: enough for test data, the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        let position = usize::try_from(self.below(words.len() as u64)).unwrap_or_default();
        words.get(position).copied().unwrap_or_default()
    }
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 20, File::create(path)?))
}

fn logs(folder: &Path, bytes: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut random = Random(1);
    for number in 0..16 {
        let mut file = create(&folder.join(format!("host-{number:02}.log")))?;
        let mut written = 0;
        let mut second = 0_u64;
        while written < bytes / 16 {
            second += random.below(3);
            let line = format!(
                "<{}>1 2026-03-{:02}T{:02}:{:02}:{:02}.{:06}Z app{:02}.example {} {} ID{} - user={} path=/orders/{} status={} session={:016x} took={}us\n",
                130 + random.below(8),
                1 + second / 86_400 % 28,
                second / 3600 % 24,
                second / 60 % 60,
                second % 60,
                random.below(1_000_000),
                number,
                random.one_of(&["sshd", "nginx", "orders", "billing"]),
                random.below(30_000),
                random.below(60),
                random.below(5000),
                random.below(100_000),
                random.one_of(&["200", "200", "200", "304", "404", "500"]),
                random.next(),
                random.below(90_000),
            );
            file.write_all(line.as_bytes())?;
            written += line.len() as u64;
        }
        file.flush()?;
    }
    Ok(())
}

fn docs(folder: &Path, bytes: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut random = Random(2);
    for number in 0..1024 {
        let mut file = create(&folder.join(format!("document-{number:04}.bin")))?;
        for _ in 0..bytes / 1024 / 8 {
            file.write_all(&random.next().to_le_bytes())?;
        }
        file.flush()?;
    }
    Ok(())
}

fn small(folder: &Path, files: u64) -> io::Result<()> {
    let mut random = Random(3);
    for number in 0..files {
        let below = folder.join(format!("{:03}", number / 100));
        if number % 100 == 0 {
            fs::create_dir_all(&below)?;
        }
        let mut file = create(&below.join(format!("order-{number:05}.json")))?;
        writeln!(file, "{{\"order\":{number},\"lines\":[")?;
        for line in 0..20 + random.below(40) {
            writeln!(
                file,
                "{{\"line\":{line},\"item\":\"{:012x}\",\"quantity\":{},\"price\":{},\"tax\":10}},",
                random.next() >> 16,
                random.below(100),
                random.below(100_000)
            )?;
        }
        writeln!(file, "null]}}")?;
        file.flush()?;
    }
    Ok(())
}
