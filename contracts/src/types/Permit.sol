// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @notice An EIP-2612 signature that lets the pool take what is deposited.
/// @param deadline Last Unix second at which the token accepts it.
/// @param v Recovery byte, 27 or 28.
/// @param r First half of the signature.
/// @param s Second half of the signature.
struct Permit {
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}
