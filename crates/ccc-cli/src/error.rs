//! Every sentence that says what went wrong, with what to try next, a stable code and an exit code.

use crate::files::sealed::SealedError;
use ccc_core::{encoding::EncodingError, threshold::ThresholdError};
use std::{io, path::PathBuf};

/// The exit code of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The question was understood and the answer is no.
    No = 1,
    /// The work could not be done.
    CouldNot = 2,
}

/// What accompanies an error's sentence.
pub(crate) struct Parts {
    /// Stable name for programs.
    pub(crate) code: &'static str,
    /// Exit code.
    pub(crate) exit: Exit,
    /// What to try next.
    pub(crate) hint: &'static str,
}

/// Everything that can go wrong in a verb.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is longer than {limit} bytes", path.display())]
    TooLong { path: PathBuf, limit: u64 },
    #[error("{} exists", path.display())]
    Exists { path: PathBuf },
    #[error("{} is a symbolic link", path.display())]
    Symlink { path: PathBuf },
    #[error("{} is not a regular file", path.display())]
    NotRegular { path: PathBuf },
    #[error("{} can be read by other users (mode {mode:04o})", path.display())]
    Readable { path: PathBuf, mode: u32 },
    #[error("standard output is a terminal, and the result is not text")]
    Terminal,
    #[error("standard input is named {count} times")]
    StandardInputTwice { count: usize },
    #[error("a passphrase is needed, and there is no terminal to ask on")]
    NoTerminal,
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    #[error("the passphrase is empty")]
    PassphraseEmpty,
    #[error("the passphrase is not UTF-8 text")]
    PassphraseNotText,
    #[error("CCC_PASSPHRASE is set: an environment variable is visible to other programs")]
    PassphraseInEnvironment,
    #[error("{}: {source}", path.display())]
    Sealed { path: PathBuf, source: SealedError },
    #[error("{} holds {found}, where {expected} is wanted", path.display())]
    OtherContent { path: PathBuf, expected: &'static str, found: &'static str },
    #[error("{}: {source}", path.display())]
    Encoding { path: PathBuf, source: EncodingError },
    #[error("the operating system gave no random bytes: {0}")]
    Randomness(String),
    #[error("{0}")]
    Threshold(#[from] ThresholdError),
}

impl Error {
    /// The code, the exit code and the hint that go with the sentence.
    pub(crate) fn parts(&self) -> Parts {
        let (code, hint) = match self {
            Self::Read { .. } => ("read", "check the path and its permissions; `-` reads standard input"),
            Self::Write { .. } => ("write", "check that the directory exists and has room; nothing was replaced"),
            Self::TooLong { .. } => ("too-long", "this is not the file that the verb expects; see `ccc inspect FILE`"),
            Self::Exists { .. } => ("exists", "choose another name, or replace it with --force"),
            Self::Symlink { .. } => ("symlink", "name the target itself: a link could lead the bytes elsewhere"),
            Self::NotRegular { .. } => ("not-regular", "name a file, or `-` for standard output"),
            Self::Readable { .. } => ("readable-secret", "run `chmod 600` on it; if others may have read it, replace the key"),
            Self::Terminal => ("terminal", "name a file with --out FILE, or pipe the output"),
            Self::StandardInputTwice { .. } => ("stdin-twice", "use `-` once and name files for the rest"),
            Self::NoTerminal => ("no-terminal", "give --passphrase-file FILE or set CCC_PASSPHRASE_FILE"),
            Self::PassphrasesDiffer => ("passphrases-differ", "run the command again; nothing was written"),
            Self::PassphraseEmpty => ("passphrase-empty", "use a passphrase of several words, or --no-passphrase to write in the clear"),
            Self::PassphraseNotText => ("passphrase-not-text", "the first line of the file is the passphrase, in UTF-8"),
            Self::PassphraseInEnvironment => ("passphrase-in-environment", "unset it; CCC_PASSPHRASE_FILE names a file that holds the passphrase"),
            Self::Sealed { source, .. } => source.parts(),
            Self::OtherContent { .. } => ("other-content", "`ccc inspect FILE` tells what a file holds"),
            Self::Encoding { .. } => ("encoding", "the file is damaged or of another kind; `ccc inspect FILE` tells what it is"),
            Self::Randomness(_) => ("randomness", "without random bytes no key is safe; try again on a working system"),
            Self::Threshold(_) => ("threshold", "leave -t away for the default, n minus a third of n-1"),
        };
        Parts { code, exit: self.exit(), hint }
    }

    fn exit(&self) -> Exit {
        Exit::CouldNot
    }
}
