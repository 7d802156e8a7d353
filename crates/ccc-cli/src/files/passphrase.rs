//! Where a passphrase comes from: a file, or a prompt without echo. Never an argument or a variable.

use super::{sealed::Passphrase, secret};
use crate::error::Error;
use std::{
    cell::RefCell,
    io::IsTerminal,
    path::{Path, PathBuf},
    rc::Rc,
};
use zeroize::Zeroizing;

const MAX_PASSPHRASE: u64 = 4096;

/// The passphrase of this run: asked at most once.
pub(crate) struct Passphrases {
    file: Option<PathBuf>,
    by_flag: bool,
    in_the_clear: bool,
    known: RefCell<Option<Rc<Passphrase>>>,
}

impl Passphrases {
    /// Takes `--passphrase-file`, else `CCC_PASSPHRASE_FILE`, else the terminal.
    ///
    /// # Errors
    /// [`Error::PassphraseInEnvironment`] when `CCC_PASSPHRASE` holds a passphrase itself.
    pub(crate) fn new(file: Option<PathBuf>, in_the_clear: bool) -> Result<Self, Error> {
        if std::env::var_os("CCC_PASSPHRASE").is_some() {
            return Err(Error::PassphraseInEnvironment);
        }
        let by_flag = file.is_some();
        let file = file.or_else(|| std::env::var_os("CCC_PASSPHRASE_FILE").map(PathBuf::from));
        Ok(Self { file, by_flag, in_the_clear, known: RefCell::new(None) })
    }

    /// The file that holds it, and whether a flag named it rather than the environment.
    pub(crate) fn file(&self) -> Option<(&PathBuf, bool)> {
        self.file.as_ref().map(|path| (path, self.by_flag))
    }

    /// Whether `--no-passphrase` asked for files in the clear.
    pub(crate) fn in_the_clear(&self) -> bool {
        self.in_the_clear
    }

    /// The passphrase that opens a file.
    ///
    /// # Errors
    /// [`Error::NoTerminal`] and the errors of reading the file.
    pub(crate) fn existing(&self) -> Result<Rc<Passphrase>, Error> {
        self.get(|| prompt("passphrase: "))
    }

    /// The passphrase that seals a file; a person types it twice.
    ///
    /// # Errors
    /// As [`Self::existing`], and [`Error::PassphrasesDiffer`].
    pub(crate) fn fresh(&self) -> Result<Rc<Passphrase>, Error> {
        self.get(|| {
            let first = prompt("new passphrase: ")?;
            let second = prompt("the same again: ")?;
            if *first == *second { Ok(first) } else { Err(Error::PassphrasesDiffer) }
        })
    }

    fn get(&self, ask: impl FnOnce() -> Result<Zeroizing<String>, Error>) -> Result<Rc<Passphrase>, Error> {
        if let Some(known) = self.known.borrow().as_ref() {
            return Ok(Rc::clone(known));
        }
        let text = match &self.file {
            Some(path) => from_file(path)?,
            None => ask()?,
        };
        if text.is_empty() {
            return Err(Error::PassphraseEmpty);
        }
        let passphrase = Rc::new(Passphrase::new(text));
        *self.known.borrow_mut() = Some(Rc::clone(&passphrase));
        Ok(passphrase)
    }
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, Error> {
    let bytes = secret::read_private(path, MAX_PASSPHRASE)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::PassphraseNotText)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn prompt(text: &str) -> Result<Zeroizing<String>, Error> {
    if !std::io::stderr().is_terminal() {
        return Err(Error::NoTerminal);
    }
    rpassword::prompt_password(text).map(Zeroizing::new).map_err(|_| Error::NoTerminal)
}
