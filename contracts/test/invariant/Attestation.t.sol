// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {ReserveAttestation} from "../../src/ReserveAttestation.sol";
import {AttestationHandler} from "./AttestationHandler.sol";

/// @notice No path sets solvent but a report that a quorum signed.
contract AttestationInvariantTest is Test {
    AttestationHandler internal handler;
    ReserveAttestation internal attestation;

    function setUp() public {
        handler = new AttestationHandler();
        attestation = handler.attestation();
        bytes4[] memory calls = new bytes4[](5);
        calls[0] = AttestationHandler.deliver.selector;
        calls[1] = AttestationHandler.forge.selector;
        calls[2] = AttestationHandler.intrude.selector;
        calls[3] = AttestationHandler.again.selector;
        calls[4] = AttestationHandler.wait.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), calls));
    }

    function invariant_statusIsWhatAQuorumSignedLast_n145() public view {
        assertEq(attestation.status(), handler.lastSigned());
    }

    function invariant_solventOnlyAfterAQuorumSaidSo_n145() public view {
        if (attestation.isSolvent()) assertTrue(handler.solventSigned());
        assertTrue(!attestation.isSolvent() || attestation.status() == 1);
    }
}
