// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IReserveStatus} from "../interfaces/IReserveStatus.sol";

/// @title Asking whether the reserves cover the liabilities
/// @notice For contracts of others: a token that mints only while they do, a bridge that releases only while they do.
library Solvency {
    /// @notice The reserves are not known to cover the liabilities.
    error ReserveNotSolvent(address attestation, uint8 status, bool stale);

    /// @notice Refuses unless `attestation` says solvent, and not too long ago.
    /// @dev *Security*: an address without code, or one that answers something else, is refused by the call itself.
    function requireSolvent(IReserveStatus attestation) internal view {
        if (attestation.isSolvent()) return;
        revert ReserveNotSolvent(address(attestation), attestation.status(), attestation.isStale());
    }
}
