//! What opens the key medium: a passphrase, a PIN, shares given one after the other, or a key that is held.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use formats::id::ArchiveId;
use serde_json::json;
use zeroize::Zeroizing;

use crate::archive::ArchiveError;
use crate::config::Config;
use crate::keys::passphrase::Prompt;
use crate::keys::provider::custodians::{BackupKey, Ceremony, Collector, Share, ShareError};
use crate::keys::provider::{self, Unlock};
use crate::keys::{DataKey, KeyError, KeyPlace, ProviderFile, ProviderKind, agent};
use crate::media;

use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

impl Session {
    /// Gets what opens the key medium of a configuration: shares where custodians hold the key, otherwise the passphrase or the PIN. A key
    /// that is held for this user comes before what would have to be asked for.
    ///
    /// # Errors
    /// [`Failure`] when there is nothing, or not enough.
    pub fn unlock(&self, config: &Config) -> Result<Unlock, Failure> {
        self.unlock_with(config, true)
    }

    /// The same without a key that is held: for what changes who can open the key medium.
    ///
    /// # Errors
    /// As [`Session::unlock`].
    pub(super) fn unlock_anew(&self, config: &Config) -> Result<Unlock, Failure> {
        self.unlock_with(config, false)
    }

    fn unlock_with(&self, config: &Config, held_counts: bool) -> Result<Unlock, Failure> {
        media::key_medium(&config.keys, config.archive).map_err(ArchiveError::KeyMedium)?;
        let place = provider_file(config);
        let kind = provider::kind(&place, config.archive)?;
        if kind == ProviderKind::Intake {
            return Ok(Unlock::Nothing);
        }
        let passphrase_is_given =
            self.common.passphrase_file.is_some() && kind != ProviderKind::Custodians;
        let is_given = passphrase_is_given || !self.common.share.is_empty();
        if held_counts
            && kind != ProviderKind::Token
            && !is_given
            && let Some(held) = self.held(config)?
        {
            return Ok(held);
        }
        if kind == ProviderKind::Custodians {
            return self.shares(config, &place);
        }
        if !self.common.share.is_empty() {
            return Err(KeyError::NoCustodians.into());
        }
        let prompt = if kind == ProviderKind::Token {
            Prompt::Pin
        } else {
            Prompt::Open
        };
        let passphrase = self.passphrase(config.passphrase_file.clone(), prompt)?;
        Ok(Unlock::Passphrase(passphrase))
    }

    /// Gathers shares, from files and then from the terminal, and tells after each how many are missing.
    ///
    /// # Errors
    /// [`Failure`] when a file holds a wrong share, or nobody can be asked for those that are missing.
    pub(super) fn shares(&self, config: &Config, place: &ProviderFile) -> Result<Unlock, Failure> {
        let ceremony = provider::ceremony(place, config.archive)?.ok_or(KeyError::NoCustodians)?;
        let mut collector = Collector::new(config.archive, ceremony);
        let shares = self.collect(&mut collector, &self.common.share)?;
        Ok(Unlock::Shares(shares))
    }

    /// What enough shares of a ceremony give.
    ///
    /// # Errors
    /// As [`Session::unlock`].
    pub(super) fn gather(
        &self,
        archive: ArchiveId,
        ceremony: &Ceremony,
        files: &[PathBuf],
    ) -> Result<DataKey, Failure> {
        let mut collector = Collector::new(archive, ceremony.clone());
        self.collect(&mut collector, files)?;
        Ok(collector.combine().map_err(KeyError::Share)?)
    }

    /// Says whose shares a backup asks for.
    pub(super) fn tell_backup_custodians(&self, archive: ArchiveId, key: &BackupKey) {
        let (epoch, code, ceremony) = (key.epoch, key.code(archive), &key.ceremony);
        self.output.event(&json!({
            "event": "backup-custodians", "key_epoch": epoch, "ceremony": code, "threshold": ceremony.threshold,
            "custodians": ceremony.custodians.iter().map(|one| &one.name).collect::<Vec<_>>(),
        }));
        self.output.say(&self.output.lang.pick(
            format!(
                "バックアップの鍵 {epoch}(儀式 {code})の分散片が {} 枚要ります",
                ceremony.threshold
            ),
            format!("shares of backup key {epoch} (ceremony {code}) are needed: {ceremony}"),
        ));
    }

    /// Shares from files, then from the terminal, until there are enough.
    fn collect(&self, collector: &mut Collector, files: &[PathBuf]) -> Result<Vec<Share>, Failure> {
        let mut shares = Vec::new();
        for path in files {
            for share in read_shares(path)? {
                let share = share.map_err(|error| self.share_failure(path, &error))?;
                let number = share.number();
                self.accept(collector, &mut shares, share)
                    .map_err(|error| self.share_failure(&path.join(number.to_string()), &error))?;
            }
        }
        let mut refused = 0;
        while collector.missing() > 0 {
            if !self.interactive || refused == ATTEMPTS_MAX {
                let missing = collector.missing();
                return Err(KeyError::Share(ShareError::Missing { missing }).into());
            }
            let given = self.typed_share(collector.ceremony())?;
            let accepted = given.and_then(|share| self.accept(collector, &mut shares, share));
            if let Err(error) = accepted {
                refused += 1;
                self.output
                    .note(&Failure::from(KeyError::Share(error)).text(self.output.lang));
            }
        }
        Ok(shares)
    }

    /// One share from the terminal, without echo.
    pub(super) fn typed_share(
        &self,
        ceremony: &Ceremony,
    ) -> Result<Result<Share, ShareError>, Failure> {
        let of = ceremony.custodians.len();
        let question = self.output.lang.pick(
            format!("分散片の三十二語({of} 人のどなたか。画面には出ません): "),
            format!("The 32 words of a share (any of the {of} custodians; nothing is shown): "),
        );
        let text = rpassword::prompt_password(question)
            .map_err(|error| KeyError::io("/dev/tty", "ask for a share", error))?;
        Ok(Share::parse(&Zeroizing::new(text)))
    }

    fn accept(
        &self,
        collector: &mut Collector,
        shares: &mut Vec<Share>,
        share: Share,
    ) -> Result<(), ShareError> {
        let kept = Share::parse(&share.words())?;
        let number = share.number();
        let custodian = collector.add(share)?;
        shares.push(kept);
        let missing = collector.missing();
        self.output.event(&json!({
            "event": "share-accepted", "number": number, "custodian": custodian, "missing": missing,
        }));
        if self.interactive {
            self.output.note(&self.output.lang.pick(
                format!("分散片 {number}({custodian})を受け取りました。あと {missing} 枚です"),
                format!("share {number} ({custodian}) accepted, {missing} more needed"),
            ));
        }
        Ok(())
    }

    /// Refuses what is for a file alone that a passphrase or custodians open.
    pub(super) fn require_sealed_file(&self, config: &Config) -> Result<ProviderFile, Failure> {
        let place = provider_file(config);
        match provider::kind(&place, config.archive)? {
            ProviderKind::SealedFile | ProviderKind::Custodians => Ok(place),
            ProviderKind::Token => Err(Failure::said(
                Exit::Usage,
                self.output.lang,
                "鍵暗号鍵はトークンにあります。PIN などはトークンのソフトウェアで変えてください".to_owned(),
                "the key-encryption keys are in a token: change its PIN, and share it out, with the token's own software".to_owned(),
            )),
            ProviderKind::Intake => Err(KeyError::WriteOnly.into()),
        }
    }

    fn held(&self, config: &Config) -> Result<Option<Unlock>, Failure> {
        let Some(runtime) = &self.runtime else {
            return Ok(None);
        };
        let socket = agent::socket_in(runtime, config.archive);
        Ok(agent::fetch(&socket, config.archive)?.map(Unlock::Lock))
    }

    pub(super) fn share_failure(&self, path: &Path, error: &ShareError) -> Failure {
        let text = Failure::from(KeyError::Share(error.clone())).text(self.output.lang);
        Failure::Said {
            exit: Exit::Passphrase,
            text: format!("{}: {text}", path.display()),
        }
    }
}

/// The shares in a file, or on standard input: sheets, or the words alone, one share on each line or over several lines.
pub(super) fn read_shares(path: &Path) -> Result<Vec<Result<Share, ShareError>>, Failure> {
    let read = || -> io::Result<Zeroizing<String>> {
        // Room for all that may come, so that the buffer never moves and leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * SHARES_BYTES_MAX));
        if path == Path::new("-") {
            io::stdin()
                .take(SHARES_BYTES_MAX as u64)
                .read_to_string(&mut text)?;
        } else {
            File::open(path)?
                .take(SHARES_BYTES_MAX as u64)
                .read_to_string(&mut text)?;
        }
        Ok(text)
    };
    let text = read().map_err(|error| KeyError::io(path, "read the share", error))?;
    Ok(Share::parse_all(&text))
}

/// The provider's file on the key media that are there; on the key medium, so that an error names it, where none is.
pub(super) fn provider_file(config: &Config) -> ProviderFile {
    let media = KeyPlace::new(&config.keys, &config.key_copies, config.key_copies_min);
    let mut roots = media.present();
    if roots.is_empty() {
        roots.push(&config.keys);
    }
    ProviderFile::read_only(roots)
}

/// How often a wrong share may be typed before the command gives up.
const ATTEMPTS_MAX: u32 = 10;
/// Sixteen sheets fit.
const SHARES_BYTES_MAX: usize = 256 * 1024;
