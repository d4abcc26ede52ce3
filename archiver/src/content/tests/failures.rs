//! Sources, sinks and stores that fail.

use super::*;

/// Gives some bytes, then fails.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let count = bytes.len().min(self.0).min(100_000);
        self.0 -= count;
        Ok(count)
    }
}

#[test]
fn a_writer_works_again_after_every_failure() {
    let bench = Bench::new();
    let mut writer = ContentWriter::new().unwrap();
    for round in 0..20 {
        let length = round * MIB / 2;
        let failed = writer.write(&mut bench.sealer(), 0, &mut Failing(length), |_| {
            Ok::<_, Infallible>(())
        });
        assert!(matches!(failed, Err(WriteError::Source(_))));
        let mut left = round;
        let failed = writer.write(&mut bench.sealer(), 0, &mut io::repeat(7), |_| {
            left = left.checked_sub(1).ok_or("no room")?;
            Ok(())
        });
        assert!(matches!(failed, Err(WriteError::Append("no room"))));
    }
    let mut count = 0;
    let summary = writer
        .write(
            &mut bench.sealer(),
            0,
            &mut io::repeat(7).take(8 << 20),
            |_| {
                count += 1;
                Ok::<_, Infallible>(())
            },
        )
        .unwrap();
    assert_eq!((summary.size, summary.chunks, count), (8 << 20, 8, 8));
}

#[test]
fn a_reader_works_again_after_every_failure() {
    let bench = Bench::new();
    let content = noise(1, 7 * MIB);
    let sealed = bench.seal(&content);
    let mut reader = ContentReader::new().unwrap();
    for bad in 0..7 {
        let fetch = |number| {
            if number == bad {
                Err(99)
            } else {
                sealed.fetch(number)
            }
        };
        let failed = reader.read(&sealed.opener, sealed.shape, &[], fetch, &mut io::sink());
        assert!(matches!(failed, Err(ReadError::Fetch(99))));
    }
    let mut output = Vec::new();
    let digests = [sealed.summary.sha256, sealed.summary.sha512];
    let fetch = |number| sealed.fetch(number);
    reader
        .read(&sealed.opener, sealed.shape, &digests, fetch, &mut output)
        .unwrap();
    assert!(output == content);
}
