// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Where a receiver reads the vault's epoch
interface IVaultEpoch {
    /// @notice Epoch of the committee that holds the shares now.
    function epoch() external view returns (uint64);
}
