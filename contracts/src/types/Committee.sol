// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @notice A committee of the vault.
/// @param epoch Its epoch, one more than the epoch of the committee before it.
/// @param faults Participants that may be faulty, F; there are at least 3F+1.
/// @param participants Address of each participant's signing key, in the order of their numbers, which count from 1.
/// @param masterKey Master public key of the vault, 32 bytes of ristretto255.
/// @param verificationRoot Root over the participants' verification keys.
struct Committee {
    uint64 epoch;
    uint8 faults;
    address[] participants;
    bytes32 masterKey;
    bytes32 verificationRoot;
}
