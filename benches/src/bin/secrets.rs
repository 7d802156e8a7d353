//! Runs the compiled clearing under valgrind with its secrets marked: a jump or an address that depends on one is an error.
//!
//! ```text
//! cargo build --release -p ccc-benches --bin secrets
//! valgrind --error-limit=no target/release/secrets
//! ```
//!
//! Prints one line for each way to clear and each kernel that there is under valgrind, which has no AVX-512. What valgrind
//! itself writes says where in the program an error happened.
//! `CCC_KERNELS` names kernels that have to be there.
//! Exit code: 0 nothing depends on a secret, and the control, a sort, was seen to; 1 something does; 2 the run says
//! nothing: it is not under valgrind's memcheck, a kernel is missing, the control was not seen, or what a way filled did
//! not depend on a secret, so that nothing was marked.
#![allow(clippy::print_stdout, reason = "it prints what it found")]

use ccc_benches::secrets::{Found, clearings, sort};
use darkpool_matcher::Kernel;
use std::process::ExitCode;

fn main() -> ExitCode {
    if !ccc_memcheck::running() {
        println!("secrets: this is not run by valgrind, so it can see nothing");
        return ExitCode::from(2);
    }
    let kernels: Vec<&str> = Kernel::available().map(Kernel::name).collect();
    println!("secrets: kernels {}", kernels.join(", "));
    let wanted = std::env::var("CCC_KERNELS").unwrap_or_default();
    if let Some(missing) = wanted.split_whitespace().find(|wanted| !kernels.contains(wanted)) {
        println!("secrets: the kernel {missing} was expected and is not there");
        return ExitCode::from(2);
    }
    let (mut failed, mut unmarked) = (0, 0);
    for found in clearings() {
        failed += usize::from(print(&found));
        unmarked += usize::from(!found.marked);
    }
    if unmarked > 0 {
        println!("secrets: {unmarked} filled what depends on no secret, so this run says nothing");
        return ExitCode::from(2);
    }
    if failed > 0 {
        println!("secrets: {failed} depend on secrets");
        return ExitCode::FAILURE;
    }
    if !print(&sort()) {
        println!("secrets: the control was not seen to compare secrets, so this run says nothing");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

/// Whether there was an error.
fn print(found: &Found) -> bool {
    let Found { name, errors, marked } = found;
    let unmarked = if *marked { "" } else { ", and no secret was marked" };
    println!("secrets/{name}: {errors} jumps or addresses depend on a secret{unmarked}");
    *errors > 0
}
