//! Who is signed in at the operator's desk.
//!
//! A token from a file buys a session: 32 random bytes in a cookie that scripts cannot read and other sites cannot send. The
//! process keeps digests alone, and forgets them when their time is over.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The cookie's name.
pub const COOKIE: &str = "ccc_desk";
/// Sessions at one time.
const MOST_SESSIONS: usize = 64;
/// Characters of a token at least: what nobody guesses needs no pause after wrong ones, which would keep the right one out.
pub const LEAST_TOKEN: usize = 32;

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    /// Another token.
    #[error("another token is wanted")]
    Token,
    /// No randomness, or too many sessions.
    #[error("no session can be made now")]
    Full,
}

/// A token that could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the desk's token has {found} characters, and needs {LEAST_TOKEN}")]
pub struct ShortToken {
    /// Characters.
    pub found: usize,
}

/// What a caller's cookie is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No cookie.
    Nobody,
    /// Unknown, or its time is over.
    Expired,
    /// Signed in.
    Operator,
}

#[derive(Default)]
struct State {
    sessions: HashMap<[u8; 32], Instant>,
}

/// The sessions.
pub struct Sessions {
    token: [u8; 32],
    lifetime: Duration,
    state: Mutex<State>,
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl Sessions {
    /// For the bearer of a token.
    ///
    /// # Errors
    /// [`ShortToken`].
    pub fn new(token: &Zeroizing<String>, lifetime: Duration) -> Result<Self, ShortToken> {
        if token.len() < LEAST_TOKEN {
            return Err(ShortToken { found: token.len() });
        }
        Ok(Self { token: digest(token.as_bytes()), lifetime, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs in; the value of the `set-cookie` field.
    ///
    /// # Errors
    /// [`NoSession`].
    pub fn begin(&self, token: &str, now: Instant) -> Result<String, NoSession> {
        if !bool::from(digest(token.as_bytes()).ct_eq(&self.token)) {
            return Err(NoSession::Token);
        }
        let mut state = self.state();
        state.sessions.retain(|_, until| *until > now);
        if state.sessions.len() >= MOST_SESSIONS {
            return Err(NoSession::Full);
        }
        let mut secret = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(secret.as_mut_slice()).map_err(|_| NoSession::Full)?;
        let text = Zeroizing::new(hex::encode(secret.as_slice()));
        state.sessions.insert(digest(text.as_bytes()), now + self.lifetime);
        let seconds = self.lifetime.as_secs();
        Ok(format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}", text.as_str()))
    }

    /// What a `cookie` field is worth.
    #[must_use]
    pub fn standing(&self, cookies: &str, now: Instant) -> Standing {
        let Some(given) = value(cookies) else { return Standing::Nobody };
        let mut state = self.state();
        let key = digest(given.as_bytes());
        match state.sessions.get(&key) {
            Some(until) if *until > now => Standing::Operator,
            Some(_) => {
                state.sessions.remove(&key);
                Standing::Expired
            }
            None => Standing::Expired,
        }
    }

    /// Signs out; the value of the `set-cookie` field.
    #[must_use]
    pub fn end(&self, cookies: &str) -> String {
        if let Some(given) = value(cookies) {
            self.state().sessions.remove(&digest(given.as_bytes()));
        }
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    }
}

fn value(cookies: &str) -> Option<&str> {
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut own = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    own.next().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "the token of a test that is long";

    fn sessions() -> Sessions {
        Sessions::new(&Zeroizing::new(TOKEN.to_owned()), Duration::from_secs(10)).expect("a token")
    }

    fn cookie(set: &str) -> String {
        set.split(';').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_session_lasts_as_long_as_it_says_and_ends_when_told() {
        let (sessions, now) = (sessions(), Instant::now());
        let set = sessions.begin(TOKEN, now).expect("signed in");
        for mark in ["HttpOnly", "SameSite=Strict", "Max-Age=10", "Path=/"] {
            assert!(set.contains(mark), "{set}");
        }
        let cookie = cookie(&set);
        assert_eq!(sessions.standing(&format!("other=1; {cookie}"), now), Standing::Operator);
        assert_eq!(sessions.standing(&cookie, now + Duration::from_secs(10)), Standing::Expired);
        assert_eq!(sessions.standing(&cookie, now), Standing::Expired, "forgotten by then");
        let cookie = self::cookie(&sessions.begin(TOKEN, now).expect("signed in"));
        let gone = sessions.end(&cookie);
        assert!(gone.contains("Max-Age=0"));
        assert_eq!(sessions.standing(&cookie, now), Standing::Expired);
    }

    #[test]
    fn nobody_is_signed_in_by_another_token_or_cookie() {
        let (sessions, now) = (sessions(), Instant::now());
        for token in ["", "The token of a test that is long", "the token of a test that is long "] {
            assert_eq!(sessions.begin(token, now), Err(NoSession::Token));
        }
        assert_eq!(sessions.standing("", now), Standing::Nobody);
        assert_eq!(sessions.standing("ccc_desk=", now), Standing::Nobody);
        assert_eq!(sessions.standing(&format!("ccc_desk={}", "0".repeat(64)), now), Standing::Expired);
    }

    #[test]
    fn a_token_that_could_be_guessed_is_none() {
        let of = |length| Sessions::new(&Zeroizing::new("x".repeat(length)), Duration::from_secs(1)).err();
        assert_eq!(of(LEAST_TOKEN - 1), Some(ShortToken { found: LEAST_TOKEN - 1 }));
        assert_eq!(of(LEAST_TOKEN), None);
    }

    #[test]
    fn wrong_tokens_keep_the_right_one_from_nothing() {
        let (sessions, now) = (sessions(), Instant::now());
        for _ in 0..1_000 {
            assert_eq!(sessions.begin("x", now), Err(NoSession::Token));
        }
        assert!(sessions.begin(TOKEN, now).is_ok());
    }
}
