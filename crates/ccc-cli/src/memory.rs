//! Keeps what is in memory there: the process holds key shares, and a core dump would write them to a disk.

use crate::error::Error;
use rustix::process::{Resource, Rlimit, setrlimit};

/// From here on no core is dumped, and no other process of the same user may attach a debugger.
///
/// A limit of zero stops the files; where the system pipes cores into a program it does not look at that limit, but at
/// whether the process may be dumped.
///
/// # Errors
/// [`Error::Dumps`].
pub(crate) fn keep_out_of_dumps() -> Result<(), Error> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(refused)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).map_err(refused)?;
    Ok(())
}

fn refused(error: rustix::io::Errno) -> Error {
    Error::Dumps(error.into())
}
