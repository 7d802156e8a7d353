// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {QuorumForwarder} from "../../src/QuorumForwarder.sol";
import {ReserveAttestation} from "../../src/ReserveAttestation.sol";
import {ReportPayload} from "../../src/libraries/ReportPayload.sol";
import {Ingress} from "../../src/types/Ingress.sol";
import {ReportFixture} from "../fixtures/ReportFixture.sol";
import {SignerFixture} from "../fixtures/SignerFixture.sol";

/// @notice Brings reports of every status to an attestation, with a quorum and without, again and again.
contract AttestationHandler is ReportFixture, SignerFixture {
    bytes10 internal constant NAME = "0123456789";
    uint8 internal constant F = 1;
    uint256 internal constant N = 4;

    QuorumForwarder public quorum;
    ReserveAttestation public attestation;
    /// @notice What the last delivered report said that a quorum had signed.
    uint8 public lastSigned;
    /// @notice Whether a quorum ever signed a report that says solvent.
    bool public solventSigned;

    uint64 internal sequence;
    bytes[] internal sent;
    uint8[] internal sentStatus;

    constructor() {
        vm.roll(1000);
        vm.warp(1_700_000_000);
        quorum = new QuorumForwarder(address(this));
        quorum.setConfig(DON, CONFIG_VERSION, F, _signers(N));
        Ingress memory ingress = _ingress(NAME);
        ingress.forwarder = address(quorum);
        attestation = new ReserveAttestation(ingress, "agent", 1 hours);
    }

    /// @notice A report that a quorum signed.
    function deliver(uint8 status, uint256 first) external {
        (status, first) = (status % 3, first % N);
        bytes memory call = _call(_payload(status, ++sequence), first, (first + 1) % N);
        sent.push(call);
        sentStatus.push(status);
        _send(call, status);
    }

    /// @notice A report that says solvent, signed by one signer twice or by one who is not of the set.
    function forge(uint256 first, bool outsider) external {
        first %= N;
        bytes memory call = _call(_payload(1, sequence + 1), first, outsider ? N + first : first);
        (bool ok,) = address(quorum).call(call);
        assertFalse(ok, "delivered without a quorum");
    }

    /// @notice A payload that says solvent, straight to the receiver.
    function intrude(address who) external {
        bytes memory payload = _payload(1, sequence + 1);
        if (who == address(quorum)) return;
        vm.prank(who);
        (bool ok,) = address(attestation).call(abi.encodeCall(attestation.onReport, (_metadata(NAME, 1), payload)));
        assertFalse(ok, "taken from a stranger");
    }

    /// @notice An earlier report again.
    function again(uint256 which) external {
        if (sent.length == 0) return;
        which %= sent.length;
        _send(sent[which], sentStatus[which]);
    }

    function wait(uint16 time) external {
        vm.warp(block.timestamp + time);
        vm.roll(block.number + 1);
    }

    function _payload(uint8 status, uint64 number) private view returns (bytes memory) {
        ReportPayload.Solvency memory s =
            ReportPayload.Solvency(status, uint64(block.number), uint64(block.timestamp), "header", "envelope");
        return bytes.concat(_words(_binding(address(attestation), 1, number)), _words(s));
    }

    function _call(bytes memory payload, uint256 a, uint256 b) private view returns (bytes memory) {
        bytes memory raw = abi.encodePacked(
            uint8(1), keccak256(payload), uint32(block.timestamp), DON, CONFIG_VERSION, _metadata(NAME, 1), payload
        );
        bytes memory context = _context(quorum.configDigest(DON, CONFIG_VERSION));
        bytes32 digest = _digest(raw, context);
        bytes[] memory signatures = new bytes[](F + 1);
        (signatures[0], signatures[1]) = (_sign(a, digest), _sign(b, digest));
        return abi.encodeCall(quorum.report, (address(attestation), raw, context, signatures));
    }

    /// @dev What counts is what the attestation took, not what the call returned: a refused delivery returns as well.
    function _send(bytes memory call, uint8 status) private {
        uint64 before = attestation.sequence();
        (bool ok,) = address(quorum).call(call);
        if (!ok || attestation.sequence() == before) return;
        lastSigned = status;
        if (status == 1) solventSigned = true;
    }
}
