//! Sessions: who is logged in, until when, and how much the log-in has proven so far.
//!
//! They live in memory only: a restart logs everybody out. The store knows the digest of a token and never the token, so that a look into memory or a log
//! gives nobody a session.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firmware::entropy::{Entropy, EntropyError};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    /// Without any request for so long, the session is over.
    pub idle_max: Duration,
    /// However busy, it is over after so long.
    pub age_max: Duration,
    /// How many one account may have at the same time; the oldest one ends.
    pub per_account_max: usize,
}

impl Default for SessionRules {
    /// 15 minutes idle (000–002: `A42`), twelve hours in all, three at a time.
    fn default() -> Self {
        Self {
            idle_max: Duration::minutes(15),
            age_max: Duration::hours(12),
            per_account_max: 3,
        }
    }
}

/// What a session's log-in has proven, and so what it may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Password and second factor: everything that the account may do.
    Full,
    /// The password is right and must be changed; nothing else may be done.
    MustChangePassword,
    /// The password is right and no authenticator was set yet; nothing else may be done.
    MustSetSecondFactor,
}

/// One session.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub account: String,
    /// What was proven.
    pub standing: Standing,
    /// From where.
    pub address: IpAddr,
    /// When it began.
    pub began_at: OffsetDateTime,
    /// When it was used last.
    pub used_at: OffsetDateTime,
    /// When the account logged in before, for the person to compare.
    pub last_login: Option<OffsetDateTime>,
    /// What a form must carry besides the cookie.
    pub form_token: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("account", &self.account)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// A token that was just made: told once, to whoever logged in.
pub struct IssuedSession {
    /// The token, 256 random bits in URL-safe text.
    pub token: Zeroizing<String>,
    /// The session.
    pub session: Session,
    /// How many sessions of the account were ended for it.
    pub ended: usize,
}

impl std::fmt::Debug for IssuedSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedSession")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// All sessions.
#[derive(Debug)]
pub struct Sessions {
    rules: SessionRules,
    by_digest: BTreeMap<[u8; 32], Session>,
}

impl Sessions {
    /// No sessions yet.
    #[must_use]
    pub const fn new(rules: SessionRules) -> Self {
        Self {
            rules,
            by_digest: BTreeMap::new(),
        }
    }

    /// Begins a session. It always has a token of its own: one that came with the request is never taken over (session fixation).
    ///
    /// # Errors
    /// No randomness.
    pub fn begin(
        &mut self,
        account: &str,
        standing: Standing,
        address: IpAddr,
        last_login: Option<OffsetDateTime>,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<IssuedSession, EntropyError> {
        self.sweep(now);
        let mut ended = 0;
        while self.count(account) >= self.rules.per_account_max.max(1) {
            self.end_oldest(account);
            ended += 1;
        }
        let token = random_text(entropy)?;
        let session = Session {
            account: account.to_owned(),
            standing,
            address,
            began_at: now,
            used_at: now,
            last_login,
            form_token: random_text(entropy)?.to_string(),
        };
        self.by_digest.insert(digest(&token), session.clone());
        Ok(IssuedSession {
            token,
            session,
            ended,
        })
    }

    /// The session of a token, used now. `None`: there is none, or it is over.
    pub fn use_token(&mut self, token: &str, now: OffsetDateTime) -> Option<Session> {
        let digest = digest(token);
        let rules = self.rules;
        let session = self.by_digest.get_mut(&digest)?;
        if is_over(session, rules, now) {
            self.by_digest.remove(&digest);
            return None;
        }
        session.used_at = now;
        Some(session.clone())
    }

    /// Ends one session; answers whose it was.
    pub fn end(&mut self, token: &str) -> Option<Session> {
        self.by_digest.remove(&digest(token))
    }

    /// Ends all sessions of an account: it was suspended, its password or roles changed.
    pub fn end_all(&mut self, account: &str) -> usize {
        let before = self.by_digest.len();
        self.by_digest.retain(|_, one| one.account != account);
        before - self.by_digest.len()
    }

    /// How many sessions an account has.
    #[must_use]
    pub fn count(&self, account: &str) -> usize {
        self.by_digest
            .values()
            .filter(|one| one.account == account)
            .count()
    }

    /// Forgets what is over.
    pub fn sweep(&mut self, now: OffsetDateTime) {
        let rules = self.rules;
        self.by_digest.retain(|_, one| !is_over(one, rules, now));
    }

    fn end_oldest(&mut self, account: &str) {
        let of_account = self
            .by_digest
            .iter()
            .filter(|(_, one)| one.account == account);
        let oldest = of_account
            .min_by_key(|(_, one)| one.used_at)
            .map(|(digest, _)| *digest);
        if let Some(oldest) = oldest {
            self.by_digest.remove(&oldest);
        }
    }
}

impl Session {
    /// Whether a form's token is the one that was put into it, without telling how far it is right.
    #[must_use]
    pub fn owns_form(&self, token: &str) -> bool {
        // Digests of equal length: how long comparing them takes says nothing about the token.
        digest(token) == digest(&self.form_token)
    }
}

fn is_over(session: &Session, rules: SessionRules, now: OffsetDateTime) -> bool {
    now - session.used_at > rules.idle_max || now - session.began_at > rules.age_max
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn random_text(entropy: &dyn Entropy) -> Result<Zeroizing<String>, EntropyError> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    entropy.fill(bytes.as_mut_slice())?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// 256 bits: nobody guesses one.
const TOKEN_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use firmware::entropy::SeededEntropy;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-04-01 00:00 UTC);
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn begin(
        sessions: &mut Sessions,
        account: &str,
        now: OffsetDateTime,
        seed: u64,
    ) -> IssuedSession {
        sessions
            .begin(
                account,
                Standing::Full,
                HERE,
                None,
                now,
                &SeededEntropy::new(seed),
            )
            .expect("randomness")
    }

    #[test]
    fn a_session_ends_when_it_is_idle_old_or_ended() {
        let mut sessions = Sessions::new(SessionRules::default());
        let one = begin(&mut sessions, "sato", NOW, 1);
        let mut now = NOW;
        for _ in 0..48 {
            now += Duration::minutes(15);
            assert!(sessions.use_token(&one.token, now).is_some(), "{now}");
        }
        assert_eq!(now, NOW + Duration::hours(12));
        assert!(
            sessions
                .use_token(&one.token, now + Duration::SECOND)
                .is_none(),
            "too old"
        );

        let idle = begin(&mut sessions, "sato", NOW, 2);
        let late = NOW + Duration::minutes(15) + Duration::SECOND;
        assert!(sessions.use_token(&idle.token, late).is_none());
        assert!(
            sessions.use_token(&idle.token, NOW).is_none(),
            "it does not come back"
        );

        let ended = begin(&mut sessions, "sato", NOW, 3);
        assert_eq!(
            sessions.end(&ended.token).map(|one| one.account).as_deref(),
            Some("sato")
        );
        assert!(sessions.use_token(&ended.token, NOW).is_none());
        for wrong in ["", "x", idle.token.as_str()] {
            assert!(sessions.use_token(wrong, NOW).is_none());
        }
    }

    #[test]
    fn one_session_more_than_allowed_ends_the_one_that_was_idle_longest() {
        let mut sessions = Sessions::new(SessionRules::default());
        let first = begin(&mut sessions, "sato", NOW, 1);
        let other = begin(&mut sessions, "suzuki", NOW, 2);
        let second = begin(&mut sessions, "sato", NOW + Duration::SECOND, 3);
        let third = begin(&mut sessions, "sato", NOW + Duration::SECOND * 2, 4);
        let now = NOW + Duration::SECOND * 3;
        assert!(sessions.use_token(&first.token, now).is_some());
        let fourth = begin(&mut sessions, "sato", now, 5);
        assert_eq!(fourth.ended, 1);
        assert!(sessions.use_token(&second.token, now).is_none());
        for stays in [&first, &third, &fourth, &other] {
            assert!(sessions.use_token(&stays.token, now).is_some());
        }
        assert_eq!(sessions.end_all("sato"), 3);
        assert_eq!((sessions.count("sato"), sessions.count("suzuki")), (0, 1));
    }

    #[test]
    fn a_form_belongs_to_its_session_alone() {
        let mut sessions = Sessions::new(SessionRules::default());
        let one = begin(&mut sessions, "sato", NOW, 1).session;
        let other = begin(&mut sessions, "suzuki", NOW, 2).session;
        assert!(one.owns_form(&one.form_token));
        for wrong in ["", &one.form_token[1..], &other.form_token] {
            assert!(!one.owns_form(wrong));
        }
    }
}
