// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ReserveAttestation} from "../src/ReserveAttestation.sol";
import {ReportReceiver} from "../src/ReportReceiver.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {ReportFixture} from "./fixtures/ReportFixture.sol";

contract ReserveAttestationTest is ReportFixture {
    bytes10 internal constant NAME = "0123456789";
    uint64 internal constant MAX_AGE = 1 hours;

    ReserveAttestation internal attestation;
    uint64 internal sequence;

    function setUp() public {
        vm.roll(1000);
        vm.warp(1_700_000_000);
        attestation = new ReserveAttestation(_ingress(NAME), "agent", MAX_AGE);
    }

    function _solvency(uint8 status) private view returns (ReportPayload.Solvency memory) {
        return ReportPayload.Solvency({
            status: status,
            blockNumber: uint64(block.number - 1),
            blockTime: uint64(block.timestamp - 12),
            headerHash: keccak256("header"),
            envelopeDigest: keccak256("envelope")
        });
    }

    function _payload(ReportPayload.Solvency memory s) private returns (bytes memory) {
        return bytes.concat(_words(_binding(address(attestation), 1, ++sequence)), _words(s));
    }

    function _deliver(ReportPayload.Solvency memory s) private {
        bytes memory payload = _payload(s);
        vm.prank(forwarder);
        attestation.onReport(_metadata(NAME, 1), payload);
    }

    function _refuse(ReportPayload.Solvency memory s, bytes memory reason) private {
        bytes memory payload = _payload(s);
        vm.expectRevert(reason);
        vm.prank(forwarder);
        attestation.onReport(_metadata(NAME, 1), payload);
    }

    function test_startsUnknownStaleAndNotSolvent() public view {
        assertEq(attestation.status(), attestation.UNKNOWN());
        assertTrue(attestation.isStale());
        assertFalse(attestation.isSolvent());
        (uint80 round, int256 answer,, uint256 updatedAt,) = attestation.latestRoundData();
        assertEq(round, 0);
        assertEq(answer, 0);
        assertEq(updatedAt, 0);
    }

    function test_keepsAndEmitsWhatTheReportSaid() public {
        ReportPayload.Solvency memory s = _solvency(1);
        vm.expectEmit();
        emit ReserveAttestation.SolvencyReport(1, s.blockNumber, s.headerHash, s.envelopeDigest, ATTESTATION, 1);
        vm.expectEmit();
        emit ReserveAttestation.ReserveStatusUpdated(true, block.timestamp);
        _deliver(s);
        assertTrue(attestation.isSolvent());
        assertEq(attestation.attestedBlock(), s.blockNumber);
        assertEq(attestation.attestedTime(), s.blockTime);
        assertEq(attestation.headerHash(), s.headerHash);
        assertEq(attestation.envelopeDigest(), s.envelopeDigest);
        assertEq(attestation.sequence(), 1);
        assertEq(attestation.lastSequence(1), 1);
    }

    function test_insolventIsNotSolvent() public {
        vm.expectEmit();
        emit ReserveAttestation.ReserveStatusUpdated(false, block.timestamp);
        _deliver(_solvency(2));
        assertFalse(attestation.isSolvent());
        assertFalse(attestation.isStale());
    }

    function test_unknownIsNotSolvent() public {
        _deliver(_solvency(1));
        _deliver(_solvency(0));
        assertFalse(attestation.isSolvent());
    }

    function test_staleIsNotSolvent() public {
        ReportPayload.Solvency memory s = _solvency(1);
        _deliver(s);
        vm.warp(s.blockTime + MAX_AGE);
        assertTrue(attestation.isSolvent());
        vm.warp(s.blockTime + MAX_AGE + 1);
        assertTrue(attestation.isStale());
        assertFalse(attestation.isSolvent());
    }

    function test_feedShape() public {
        int256[3] memory answers = [int256(0), 1, -1];
        for (uint8 status = 0; status < 3; ++status) {
            _deliver(_solvency(status));
            (uint80 round, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) =
                attestation.latestRoundData();
            assertEq(answer, answers[status]);
            assertEq(round, sequence);
            assertEq(answeredIn, sequence);
            assertEq(startedAt, block.timestamp - 12);
            assertEq(updatedAt, block.timestamp - 12);
        }
        assertEq(attestation.decimals(), 0);
        assertEq(attestation.version(), 1);
        assertEq(attestation.description(), "reserve status: 1 solvent, 0 unknown, -1 insolvent");
    }

    function test_refusesUnknownStatus() public {
        _refuse(_solvency(3), abi.encodeWithSelector(ReserveAttestation.UnknownStatus.selector, 3));
    }

    function test_refusesTimeGoingBackwards() public {
        _deliver(_solvency(1));
        ReportPayload.Solvency memory s = _solvency(1);
        uint64 last = s.blockTime;
        s.blockTime -= 1;
        _refuse(s, abi.encodeWithSelector(ReserveAttestation.TimeWentBackwards.selector, last, last - 1));
    }

    function test_refusesBlockGoingBackwards() public {
        _deliver(_solvency(1));
        ReportPayload.Solvency memory s = _solvency(1);
        uint64 last = s.blockNumber;
        s.blockNumber -= 1;
        _refuse(s, abi.encodeWithSelector(ReserveAttestation.BlockWentBackwards.selector, last, last - 1));
    }

    function test_refusesBlockInFuture() public {
        ReportPayload.Solvency memory s = _solvency(1);
        s.blockNumber = 1001;
        _refuse(s, abi.encodeWithSelector(ReserveAttestation.BlockInFuture.selector, 1000, 1001));
    }

    function test_refusesTimeInFuture() public {
        ReportPayload.Solvency memory s = _solvency(1);
        s.blockTime = uint64(block.timestamp + 1);
        _refuse(
            s, abi.encodeWithSelector(ReserveAttestation.TimeInFuture.selector, block.timestamp, block.timestamp + 1)
        );
    }

    function test_refusesLongerPayload() public {
        bytes memory payload = bytes.concat(_payload(_solvency(1)), bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(ReportPayload.PayloadLength.selector, 384, 416));
        vm.prank(forwarder);
        attestation.onReport(_metadata(NAME, 1), payload);
    }

    function test_constructorRefuses() public {
        vm.expectRevert(ReserveAttestation.ZeroAgentKey.selector);
        new ReserveAttestation(_ingress(NAME), 0, MAX_AGE);
        vm.expectRevert(ReserveAttestation.ZeroMaxAge.selector);
        new ReserveAttestation(_ingress(NAME), "agent", 0);
    }

    function testFuzz_isSolventOnlyWhileFresh(uint8 status, uint32 wait) public {
        status = uint8(bound(status, 0, 2));
        ReportPayload.Solvency memory s = _solvency(status);
        _deliver(s);
        vm.warp(block.timestamp + wait);
        bool fresh = block.timestamp - s.blockTime <= MAX_AGE;
        assertEq(attestation.isStale(), !fresh);
        assertEq(attestation.isSolvent(), status == 1 && fresh);
    }
}
