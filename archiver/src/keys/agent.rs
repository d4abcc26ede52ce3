//! A key that is held in memory for other processes of the same user, behind a Unix socket (`keys unlock --hold`).
//!
//! The socket stands in the user's runtime directory with mode 0600. Both ends look at who is at the other end, by the kernel's word
//! (`SO_PEERCRED`): the holder gives the key to processes of its own user alone, and a command takes it from none but its own user. What is held
//! is the key that seals `kek.json`; it is never written anywhere.
//!
//! ```text
//! request = act u8 (1 give, 2 forget) | archive id 16
//! answer  = state u8 (1 done, 0 not this archive) | key 32 (for act 1 alone)
//! ```

use std::fs;
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware::clock::Clock;
use formats::id::ArchiveId;
use tokio::net::UnixListener;
use zeroize::Zeroizing;

use super::error::KeyError;
use super::secret::{DataKey, KEY_BYTES};

/// Why a holder ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody asked it to forget the key.
    Forgotten,
    /// Its time was over.
    Expired,
    /// The process was asked to stop.
    Stopped,
}

/// Where the holder of an archive's key listens: in the user's runtime directory.
#[must_use]
pub fn socket_in(runtime: &Path, archive: ArchiveId) -> PathBuf {
    runtime.join(format!("fumikura-{archive}.sock"))
}

/// The key that is held for an archive; `None` where none is held.
///
/// # Errors
/// [`KeyError::Io`] when somebody else's process listens there, or it does not answer.
pub fn fetch(socket: &Path, archive: ArchiveId) -> Result<Option<DataKey>, KeyError> {
    let failed = |error| KeyError::io(socket, "ask for the held key", error);
    let Some(mut stream) = connect(socket).map_err(failed)? else {
        return Ok(None);
    };
    let mut ask = || -> io::Result<Option<DataKey>> {
        stream.write_all(&request(GIVE, archive))?;
        let mut state = [0];
        stream.read_exact(&mut state)?;
        if state != [DONE] {
            return Ok(None);
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        stream.read_exact(key.as_mut_slice())?;
        Ok(Some(DataKey::from_bytes(&key)))
    };
    ask().map_err(failed)
}

/// Asks the holder to forget the key; `false` where none is held.
///
/// # Errors
/// As [`fetch`].
pub fn forget(socket: &Path, archive: ArchiveId) -> Result<bool, KeyError> {
    let failed = |error| KeyError::io(socket, "ask to forget the held key", error);
    let Some(mut stream) = connect(socket).map_err(failed)? else {
        return Ok(false);
    };
    let mut ask = || -> io::Result<bool> {
        stream.write_all(&request(FORGET, archive))?;
        let mut state = [0];
        stream.read_exact(&mut state)?;
        Ok(state == [DONE])
    };
    ask().map_err(failed)
}

/// How often the clock is looked at while a key is held.
const CLOCK_LOOK: Duration = Duration::from_secs(20);

/// Holds `key` until `limit` has passed, `stopped` comes, or somebody asks to forget it. `ready` is called when it listens.
///
/// # Errors
/// [`KeyError::InUse`] when a key is held there already; [`KeyError::Io`] when the socket cannot be made.
pub async fn hold(
    socket: &Path,
    archive: ArchiveId,
    key: DataKey,
    limit: Duration,
    clock: &dyn Clock,
    stopped: impl Future<Output = ()>,
    ready: impl FnOnce(),
) -> Result<Ended, KeyError> {
    let failed = |error| KeyError::io(socket, "listen", error);
    let listener = listen(socket)?;
    ready();
    // The timer stands still while the machine sleeps; the clock does not.
    let until = clock
        .now()
        .checked_add(limit.try_into().unwrap_or(time::Duration::MAX));
    let mut look = tokio::time::interval(CLOCK_LOOK);
    let end = tokio::time::sleep(limit);
    tokio::pin!(end, stopped);
    let ended = loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.map_err(failed)?;
                let Ok(stream) = stream.into_std() else { continue };
                // A peer that breaks off, or another user's, is no reason to stop.
                if matches!(answer(stream, archive, &key), Ok(true)) {
                    break Ended::Forgotten;
                }
            }
            () = &mut end => break Ended::Expired,
            _ = look.tick() => {
                if until.is_none_or(|until| clock.now() >= until) {
                    break Ended::Expired;
                }
            }
            () = &mut stopped => break Ended::Stopped,
        }
    };
    // Left behind, it would only be found dead and removed by the next one.
    drop(fs::remove_file(socket));
    Ok(ended)
}

fn listen(socket: &Path) -> Result<UnixListener, KeyError> {
    let failed = |error| KeyError::io(socket, "listen", error);
    if connect(socket).map_err(failed)?.is_some() {
        return Err(KeyError::InUse {
            path: socket.to_path_buf(),
        });
    }
    match fs::remove_file(socket) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(socket).map_err(failed)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Answers one peer; whether the key is to be forgotten.
fn answer(mut stream: UnixStream, archive: ArchiveId, key: &DataKey) -> io::Result<bool> {
    stream.set_nonblocking(false)?;
    limited(&stream)?;
    same_user(&stream)?;
    let mut request = [0; REQUEST_BYTES];
    stream.read_exact(&mut request)?;
    let (act, asked) = request.split_at(1);
    if asked != archive.as_bytes() {
        stream.write_all(&[REFUSED])?;
        return Ok(false);
    }
    match act {
        [GIVE] => {
            let mut answer = Zeroizing::new(Vec::with_capacity(1 + KEY_BYTES));
            answer.push(DONE);
            answer.extend_from_slice(key.expose());
            stream.write_all(&answer)?;
            Ok(false)
        }
        [FORGET] => {
            stream.write_all(&[DONE])?;
            Ok(true)
        }
        _ => {
            stream.write_all(&[REFUSED])?;
            Ok(false)
        }
    }
}

/// A connection to a holder of this user; `None` where nobody listens.
fn connect(socket: &Path) -> io::Result<Option<UnixStream>> {
    let stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    limited(&stream)?;
    same_user(&stream)?;
    Ok(Some(stream))
}

fn same_user(stream: &UnixStream) -> io::Result<()> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    if peer.uid == rustix::process::geteuid() {
        return Ok(());
    }
    Err(io::Error::new(
        ErrorKind::PermissionDenied,
        "a process of another user is at the other end",
    ))
}

fn limited(stream: &UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PEER_WAIT))?;
    stream.set_write_timeout(Some(PEER_WAIT))
}

fn request(act: u8, archive: ArchiveId) -> Vec<u8> {
    [[act].as_slice(), archive.as_bytes()].concat()
}

const GIVE: u8 = 1;
const FORGET: u8 = 2;
const DONE: u8 = 1;
const REFUSED: u8 = 0;
const REQUEST_BYTES: usize = 17;
/// A peer is a command on the same machine: it answers at once, or never.
const PEER_WAIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use firmware::clock::SimulatedClock;
    use std::future::pending;
    use time::OffsetDateTime;
    use time::macros::datetime;
    use tokio::sync::oneshot;

    const NOW: OffsetDateTime = datetime!(2026-11-22 14:00 UTC);

    /// A machine that sleeps over the weekend as soon as the key is held.
    #[derive(Debug)]
    struct Asleep(SimulatedClock);

    impl Clock for Asleep {
        fn now(&self) -> OffsetDateTime {
            let now = self.0.now();
            self.0.advance(time::Duration::days(2));
            now
        }
    }

    fn archive() -> ArchiveId {
        ArchiveId::from_bytes([1; 16])
    }

    /// Runs `test` while a key is held, and says how the holder ended.
    fn held(socket: &Path, limit: Duration, test: impl FnOnce()) -> Ended {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let socket_path = socket.to_path_buf();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let holder = std::thread::spawn(move || {
            let key = DataKey::from_bytes(&[7; KEY_BYTES]);
            let stopped = async { drop(stopped.await) };
            let clock = SimulatedClock::new(NOW);
            let tell = || ready.send(()).unwrap();
            runtime.block_on(hold(
                &socket_path,
                archive(),
                key,
                limit,
                &clock,
                stopped,
                tell,
            ))
        });
        is_ready.recv().unwrap();
        test();
        drop(stop);
        holder.join().unwrap().unwrap()
    }

    #[test]
    fn a_held_key_is_given_until_it_is_forgotten() {
        let place = tempfile::tempdir().unwrap();
        let socket = socket_in(place.path(), archive());
        assert!(fetch(&socket, archive()).unwrap().is_none());
        assert!(!forget(&socket, archive()).unwrap());
        let ended = held(&socket, Duration::from_secs(60), || {
            let mode = fs::metadata(&socket).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let other = ArchiveId::from_bytes([2; 16]);
            assert!(fetch(&socket, other).unwrap().is_none());
            assert!(!forget(&socket, other).unwrap());
            for _ in 0..3 {
                let key = fetch(&socket, archive()).unwrap().unwrap();
                assert_eq!(key.expose(), &[7; KEY_BYTES]);
            }
            assert!(matches!(listen(&socket), Err(KeyError::InUse { .. })));
            // A peer that says nothing sensible, and one that breaks off.
            let mut stream = UnixStream::connect(&socket).unwrap();
            stream.write_all(&request(9, archive())).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            assert_eq!(answer, [REFUSED]);
            drop(UnixStream::connect(&socket).unwrap());
            assert!(forget(&socket, archive()).unwrap());
        });
        assert_eq!(ended, Ended::Forgotten);
        assert!(!socket.exists());
    }

    #[test]
    fn a_holder_ends_with_its_process_or_its_time_and_a_dead_socket_is_replaced() {
        let place = tempfile::tempdir().unwrap();
        let socket = socket_in(place.path(), archive());
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(
            fetch(&socket, archive()).unwrap().is_none(),
            "nobody listens any more"
        );
        assert_eq!(
            held(&socket, Duration::from_secs(60), || {}),
            Ended::Stopped
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let key = DataKey::from_bytes(&[7; KEY_BYTES]);
        let clock = SimulatedClock::new(NOW);
        let ended = hold(
            &socket,
            archive(),
            key,
            Duration::ZERO,
            &clock,
            pending(),
            || (),
        );
        assert_eq!(runtime.block_on(ended).unwrap(), Ended::Expired);
        assert!(!socket.exists());
    }

    #[test]
    fn the_time_in_which_the_machine_sleeps_counts() {
        let place = tempfile::tempdir().unwrap();
        let socket = socket_in(place.path(), archive());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let key = DataKey::from_bytes(&[7; KEY_BYTES]);
        let clock = Asleep(SimulatedClock::new(NOW));
        let limit = Duration::from_secs(8 * 3600);
        let ended = hold(&socket, archive(), key, limit, &clock, pending(), || ());
        assert_eq!(runtime.block_on(ended).unwrap(), Ended::Expired);
    }
}
