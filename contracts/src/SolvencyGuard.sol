// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IReserveStatus} from "./interfaces/IReserveStatus.sol";
import {Solvency} from "./libraries/Solvency.sol";

/// @title Functions that run only while the reserves cover the liabilities
/// @notice An heir marks them with `requireSolvent`.
abstract contract SolvencyGuard {
    /// @notice The contract that is asked.
    IReserveStatus public immutable reserveAttestation;

    /// @notice There is no contract at this address.
    error NoAttestation(address found);

    constructor(IReserveStatus attestation) {
        if (address(attestation).code.length == 0) revert NoAttestation(address(attestation));
        reserveAttestation = attestation;
    }

    /// @dev Refuses with `Solvency.ReserveNotSolvent` otherwise.
    modifier requireSolvent() {
        Solvency.requireSolvent(reserveAttestation);
        _;
    }
}
