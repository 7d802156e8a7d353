// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @notice Whose reports a receiver takes.
/// @param forwarder The only address that may call `onReport`.
/// @param workflowId First 32 bytes of the metadata; its first byte is zero by convention. All zero: not checked.
/// @param workflowOwner Owner named in the metadata. Zero: not checked.
/// @param workflowName First ten hex characters of SHA-256 of the workflow's name, as ASCII. Zero: not checked.
/// @param epoch Epoch of the vault that every payload must name; with a registry, the one it is in now.
/// @param vault Registry that knows the epoch from then on; zero where it never changes.
struct Ingress {
    address forwarder;
    bytes32 workflowId;
    address workflowOwner;
    bytes10 workflowName;
    uint64 epoch;
    address vault;
}
