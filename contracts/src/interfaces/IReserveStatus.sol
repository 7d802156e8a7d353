// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title What other contracts ask about the reserves
interface IReserveStatus {
    /// @notice Whether the last answer is *solvent* and not stale.
    function isSolvent() external view returns (bool);

    /// @notice Whether there is no answer, or it is too old to count.
    function isStale() external view returns (bool);

    /// @notice 0 unknown, 1 solvent, 2 insolvent, whatever its age.
    function status() external view returns (uint8);
}
