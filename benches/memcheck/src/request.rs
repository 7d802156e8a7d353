//! The client requests of valgrind: a sequence of instructions that does nothing on a processor and that valgrind answers.
//!
//! *Source*: `valgrind.h` and `memcheck.h` of valgrind 3.19, `VALGRIND_DO_CLIENT_REQUEST_EXPR` for amd64.
#![allow(unsafe_code, reason = "a sequence of instructions that the language has no words for")]

/// What is asked.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Request {
    /// Whether, and how deep, the program runs inside valgrind.
    RunningOnValgrind = 0x1001,
    /// How many errors were found.
    CountErrors = 0x1201,
    /// Memory counts as never written: address and length.
    MakeMemUndefined = MEMCHECK + 1,
}

/// The tool's letters, "MC", in the upper half of a word.
const MEMCHECK: u64 = 0x4d43_0000;

/// Valgrind's answer, and zero where there is none.
#[cfg(target_arch = "x86_64")]
pub(crate) fn ask(request: Request, [first, second]: [u64; 2]) -> u64 {
    let block = [request as u64, first, second, 0, 0, 0];
    let mut answer = 0u64;
    // SAFETY: the four rotations make 128 places, which leaves rdi as it was, and rbx is exchanged with itself; nothing but
    // the flags changes. Valgrind reads the six words behind rax, notes what they say in memory of its own, and writes rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") block.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

/// Nobody answers.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const fn ask(_: Request, _: [u64; 2]) -> u64 {
    0
}
