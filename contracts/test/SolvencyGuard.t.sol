// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";

import {ReserveAttestation} from "../src/ReserveAttestation.sol";
import {SolvencyGuard} from "../src/SolvencyGuard.sol";
import {IAggregatorV3} from "../src/interfaces/IAggregatorV3.sol";
import {IReserveStatus} from "../src/interfaces/IReserveStatus.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {Solvency} from "../src/libraries/Solvency.sol";
import {ReportFixture} from "./fixtures/ReportFixture.sol";

/// @notice A contract of somebody else that acts only while the reserves are known to suffice.
contract GuardedMint is SolvencyGuard {
    uint256 public minted;

    constructor(IReserveStatus attestation) SolvencyGuard(attestation) {}

    function mint(uint256 amount) external requireSolvent {
        minted += amount;
    }
}

contract SolvencyGuardTest is ReportFixture {
    bytes10 internal constant NAME = "0123456789";

    ReserveAttestation internal attestation;
    GuardedMint internal guarded;
    uint64 internal sequence;

    function setUp() public {
        vm.roll(1000);
        vm.warp(1_700_000_000);
        attestation = new ReserveAttestation(_ingress(NAME), "agent", 1 hours);
        guarded = new GuardedMint(attestation);
    }

    function _say(uint8 status) private {
        ReportPayload.Solvency memory s =
            ReportPayload.Solvency(status, uint64(block.number), uint64(block.timestamp), "header", "envelope");
        bytes memory payload = bytes.concat(_words(_binding(address(attestation), 1, ++sequence)), _words(s));
        vm.prank(forwarder);
        attestation.onReport(_metadata(NAME, 1), payload);
    }

    function _refuse(uint8 status, bool stale) private {
        vm.expectRevert(
            abi.encodeWithSelector(Solvency.ReserveNotSolvent.selector, address(attestation), status, stale)
        );
        guarded.mint(1);
    }

    function test_runsWhileSolvent() public {
        _say(1);
        guarded.mint(5);
        assertEq(guarded.minted(), 5);
        assertEq(address(guarded.reserveAttestation()), address(attestation));
    }

    function test_refusesBeforeTheFirstReport() public {
        _refuse(0, true);
    }

    function test_refusesUnknownAndInsolvent() public {
        _say(0);
        _refuse(0, false);
        _say(2);
        _refuse(2, false);
    }

    function test_refusesStale() public {
        _say(1);
        vm.warp(block.timestamp + 1 hours + 1);
        _refuse(1, true);
    }

    function test_refusesAddressWithoutCode() public {
        address nobody = makeAddr("nobody");
        vm.expectRevert(abi.encodeWithSelector(SolvencyGuard.NoAttestation.selector, nobody));
        new GuardedMint(IReserveStatus(nobody));
    }

    // The shape of a feed

    function test_aConsumerOfFeedsReadsIt() public {
        _say(1);
        IAggregatorV3 feed = IAggregatorV3(attestation);
        (uint80 round, int256 answer,, uint256 updatedAt,) = feed.latestRoundData();
        assertEq(answer, 1);
        assertEq(updatedAt, block.timestamp);
        (uint80 same, int256 again,,, uint80 answeredIn) = feed.getRoundData(round);
        assertEq(same, round);
        assertEq(again, 1);
        assertEq(answeredIn, round);
    }

    function test_refusesRoundsThatItDoesNotKeep() public {
        vm.expectRevert(abi.encodeWithSelector(ReserveAttestation.NoDataPresent.selector, 0));
        attestation.getRoundData(0);
        _say(1);
        _say(2);
        uint80[3] memory wrong = [uint80(0), 1, 3];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ReserveAttestation.NoDataPresent.selector, wrong[i]));
            attestation.getRoundData(wrong[i]);
        }
    }

    /// @dev The events alone give back every answer, in order.
    function test_historyIsInTheEvents() public {
        vm.recordLogs();
        uint8[4] memory said = [1, 2, 0, 1];
        for (uint256 i = 0; i < said.length; ++i) {
            vm.warp(block.timestamp + 1);
            _say(said[i]);
        }
        Report[] memory found = _reports();
        assertEq(found.length, said.length);
        for (uint256 i = 0; i < found.length; ++i) {
            assertEq(found[i].status, said[i]);
            assertEq(found[i].sequence, i + 1);
        }
    }

    struct Report {
        uint8 status;
        uint64 sequence;
    }

    function _reports() private returns (Report[] memory found) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        found = new Report[](logs.length / 2);
        for (uint256 i = 0; i < found.length; ++i) {
            assertEq(logs[2 * i].topics[0], ReserveAttestation.SolvencyReport.selector);
            assertEq(logs[2 * i + 1].topics[0], ReserveAttestation.ReserveStatusUpdated.selector);
            (uint8 status,,,, uint64 sequence_) =
                abi.decode(logs[2 * i].data, (uint8, bytes32, bytes32, bytes32, uint64));
            found[i] = Report(status, sequence_);
        }
    }
}
